//! The process that dies at the cut: it writes to a store from several threads and tells on its standard output, one
//! line each, which batches were acknowledged. `store-writer DIRECTORY barrier|danger-no-barrier|import`
#![expect(clippy::expect_used, reason = "a test program")]

mod history;

use std::{
    ffi::OsStr,
    io::Write,
    path::Path,
    sync::{Arc, mpsc::sync_channel},
    thread,
};

use anyhow::{Context, bail};
use kms_store::{SledStore, Store, StoreError, StoreOptions, WriteBatch};

/// Batches of one writer that may wait for the committer at once.
const IN_FLIGHT: usize = 8;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args_os().collect();
    let [_, directory, barrier] = arguments.as_slice() else { bail!("two arguments are needed") };
    let options = StoreOptions { cache_bytes: 1024 * 1024 };
    let store = match barrier.to_str() {
        Some("barrier" | "import") => SledStore::open(Path::new(directory), options),
        Some("danger-no-barrier") => SledStore::open_with_danger_no_barrier(Path::new(directory), options),
        Some(_) | None => bail!("{} is no barrier", AsRef::<OsStr>::as_ref(barrier).display()),
    };
    let import = barrier.to_str() == Some("import");
    let store = Arc::new(store.context("open the store")?);
    let writers: Vec<_> = (0..history::WRITERS)
        .map(|writer| {
            let store = Arc::clone(&store);
            let load = if import { Load::Import } else { Load::of(writer) };
            thread::spawn(move || write_until_the_cut(&store, writer, load))
        })
        .collect();
    for writer in writers {
        // An error is what the cut looks like from here.
        if let Ok(Err(error)) = writer.join() {
            writeln!(std::io::stderr(), "writer stopped: {error}")?;
        }
    }
    Ok(())
}

/// When a writer wants its batches durable.
#[derive(Clone, Copy)]
enum Load {
    /// As a Raft log does: many are on their way at once.
    Pipelined,
    /// As a request does: each for itself.
    Alone,
    /// Every 20 batches.
    Grouped,
    /// As an import does: hardly ever.
    Import,
}

impl Load {
    const fn of(writer: u32) -> Self {
        match writer {
            0 | 1 => Self::Pipelined,
            2 => Self::Grouped,
            _ => Self::Alone,
        }
    }
}

fn write_until_the_cut(store: &SledStore, writer: u32, load: Load) -> Result<(), StoreError> {
    let head = store.get(history::keyspace(writer), &history::head_key(writer))?;
    let mut number = head.and_then(|head| head.try_into().ok()).map_or(0, u64::from_be_bytes);
    // What an opened store shows must stay as well.
    acknowledge(writer, number);
    let (enter, leave) = sync_channel(IN_FLIGHT);
    let leave = Arc::new(std::sync::Mutex::new(leave));
    loop {
        number += 1;
        let mut batch = WriteBatch::new();
        for (key, value) in history::changes(writer, number) {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.remove(key),
            }
        }
        store.write(history::keyspace(writer), batch)?;
        let batches_per_barrier = match load {
            Load::Pipelined => {
                if enter.send(()).is_err() {
                    return Ok(());
                }
                let leave = Arc::clone(&leave);
                store.on_durable(Box::new(move |outcome| {
                    if outcome.is_ok() {
                        acknowledge(writer, number);
                        drop(leave.lock().map(|leave| leave.recv()));
                    }
                }));
                continue;
            }
            Load::Alone => 1,
            Load::Grouped => 20,
            Load::Import => 1000,
        };
        if number.is_multiple_of(batches_per_barrier) {
            store.barrier()?;
            acknowledge(writer, number);
        }
    }
}

/// One line is one write of the operating system, so a dying process leaves no half line that could be misread.
fn acknowledge(writer: u32, number: u64) {
    drop(writeln!(std::io::stdout(), "{writer} {number}"));
}
