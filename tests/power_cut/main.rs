//! Power cuts under a writing load: a process writes to a store on a file system that forgets what was not synced, the
//! power is cut at a random request, and the store is opened on what is left.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed step of a test is its result")]
#![expect(clippy::print_stderr, reason = "the seed and the figures of a run are for the one who runs it")]

mod filesystem;
mod history;
mod image;
mod random;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use filesystem::{Fault, Mount};
use image::{Cut, Image};
use kms_store::{Keyspace, SledStore, Store, StoreError, StoreOptions, WriteBatch, scan_prefix};
use random::Random;

/// Cuts of each test.
const CUTS: u32 = 60;
/// Changing requests after which the cut comes at the latest: some tenths of a second of load.
const REQUESTS_MAX: u64 = 4000;
/// Far longer than a cut takes to come.
const DEADLINE: Duration = Duration::from_secs(120);

/// The number of the last acknowledged batch of each writer.
type Acknowledged = BTreeMap<u32, u64>;

/// What an acknowledged batch can suffer.
#[derive(Debug)]
#[expect(dead_code, reason = "the fields are for the message of a failing test")]
enum Loss {
    Store(StoreError),
    Missing { writer: u32, acknowledged: u64, found: u64 },
    Torn { writer: u32, head: u64 },
}

#[test]
fn acknowledged_writes_survive_a_disk_that_forgets_what_was_not_synced() {
    let random = Random::for_test("acknowledged_writes_survive_a_disk_that_forgets_what_was_not_synced");
    cut_again_and_again(random, "barrier", |_| Cut::ForgetUnsynced);
}

#[test]
fn acknowledged_writes_survive_a_disk_that_writes_in_another_order() {
    let random = Random::for_test("acknowledged_writes_survive_a_disk_that_writes_in_another_order");
    cut_again_and_again(random, "barrier", reorder);
}

#[test]
fn acknowledged_writes_survive_an_import_that_hardly_ever_waits() {
    let random = Random::for_test("acknowledged_writes_survive_an_import_that_hardly_ever_waits");
    cut_again_and_again(random, "import", reorder);
}

fn reorder(random: &mut Random) -> Cut {
    let survivors_percent = [5, 50, 95][usize::try_from(random.below(3)).unwrap()];
    Cut::Reorder { survivors_percent, random: random.clone() }
}

#[test]
fn without_the_barrier_acknowledged_writes_are_lost() {
    let mut random = Random::for_test("without_the_barrier_acknowledged_writes_are_lost");
    let rounds = 20;
    let mut losses = 0;
    for _ in 0..rounds {
        let requests = 2000 + random.below(REQUESTS_MAX);
        let (image, acknowledged) = write_until_cut(Image::empty(), "danger-no-barrier", requests, Cut::ForgetUnsynced);
        losses += u32::from(verify(image, &acknowledged).is_err());
    }
    eprintln!("without the barrier: {rounds} cuts, {losses} with losses");
    assert!(losses > 0, "the test could not tell a store with a barrier from one without");
}

#[test]
fn a_failing_device_stops_the_store_and_loses_nothing_acknowledged() {
    for fault in [Fault::FailingSync, Fault::Full] {
        let mount = Mount::new(Image::empty());
        let store = SledStore::open(&mount.store(), StoreOptions::default()).unwrap();
        put(&store, 1).unwrap();
        store.barrier().unwrap();

        mount.set_fault(Some(fault));
        let refused = put(&store, 2).and_then(|()| store.barrier());
        assert!(refused.is_err(), "{fault:?}");
        mount.set_fault(None);
        assert!(matches!(put(&store, 3), Err(StoreError::Poisoned)), "{fault:?}");
        assert!(matches!(store.barrier(), Err(StoreError::Poisoned)), "{fault:?}");

        mount.cut_after(1, Cut::ForgetUnsynced);
        drop(store);
        let mount = Mount::new(mount.unmount());
        let store = SledStore::open(&mount.store(), StoreOptions::default()).unwrap();
        assert!(store.get(Keyspace::Control, &1_u32.to_be_bytes()).unwrap().is_some(), "{fault:?}");
        assert!(store.get(Keyspace::Control, &3_u32.to_be_bytes()).unwrap().is_none(), "{fault:?}");
        drop(store);
        mount.unmount();
    }
}

fn put(store: &SledStore, key: u32) -> Result<(), StoreError> {
    let mut batch = WriteBatch::new();
    batch.put(key.to_be_bytes(), *b"value");
    store.write(Keyspace::Control, batch)
}

/// Goes from cut to cut with one disk, so that later cuts hit a store with a past and recoveries are cut as well.
fn cut_again_and_again(mut random: Random, load: &str, cut: impl Fn(&mut Random) -> Cut) {
    let started = Instant::now();
    let mut image = Image::empty();
    let mut acknowledged = Acknowledged::new();
    for round in 0..CUTS {
        let requests = 1 + random.below(REQUESTS_MAX);
        let news;
        (image, news) = write_until_cut(image, load, requests, cut(&mut random));
        for (writer, number) in news {
            let known = acknowledged.entry(writer).or_default();
            *known = number.max(*known);
        }
        if let Err(loss) = verify(image.clone(), &acknowledged) {
            panic!("after cut {round} at request {requests}: {loss:?}");
        }
    }
    let batches: u64 = acknowledged.values().sum();
    eprintln!("{CUTS} cuts, {batches} batches acknowledged, none lost, {:.0?}", started.elapsed());
    assert!(batches > u64::from(CUTS), "the writers hardly wrote");
}

/// Lets a process write until the power is cut; returns what is on the disk and what had been acknowledged.
fn write_until_cut(image: Image, load: &str, requests: u64, cut: Cut) -> (Image, Acknowledged) {
    let mount = Mount::new(image);
    mount.cut_after(requests, cut);
    let mut writer = Command::new(env!("CARGO_BIN_EXE_store-writer"))
        .arg(mount.store())
        .arg(load)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let reader = std::thread::spawn(move || {
        let mut acknowledged = Acknowledged::new();
        for line in lines {
            let line = line.unwrap();
            let (writer, number) = line.split_once(' ').unwrap();
            acknowledged.insert(writer.parse().unwrap(), number.parse().unwrap());
        }
        acknowledged
    });
    let cut_came = mount.wait_for_cut(DEADLINE);
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert!(cut_came, "the writers did not get to request {requests}");
    (mount.unmount(), reader.join().unwrap())
}

/// Opens the store on what the cut has left and compares every row with the history.
fn verify(image: Image, acknowledged: &Acknowledged) -> Result<(), Loss> {
    let mount = Mount::new(image);
    let verified = verify_store(&mount.store(), acknowledged);
    mount.unmount();
    verified
}

fn verify_store(directory: &Path, acknowledged: &Acknowledged) -> Result<(), Loss> {
    let store = SledStore::open(directory, StoreOptions::default()).map_err(Loss::Store)?;
    for writer in 0..history::WRITERS {
        let keyspace = history::keyspace(writer);
        let head = store.get(keyspace, &history::head_key(writer)).map_err(Loss::Store)?;
        let head = head.map_or(0, |head| u64::from_be_bytes(head.try_into().expect("eight bytes")));
        let acknowledged = acknowledged.get(&writer).copied().unwrap_or(0);
        if head < acknowledged {
            return Err(Loss::Missing { writer, acknowledged, found: head });
        }
        let found: Result<BTreeMap<_, _>, _> = scan_prefix(&store, keyspace, &writer.to_be_bytes()).collect();
        if found.map_err(Loss::Store)? != rows_at(writer, head) {
            return Err(Loss::Torn { writer, head });
        }
    }
    Ok(())
}

/// The rows of a writer after its batch `head`.
fn rows_at(writer: u32, head: u64) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut rows = BTreeMap::new();
    for number in head.saturating_sub(history::SLOTS).max(1)..=head {
        for (key, value) in history::changes(writer, number) {
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
    }
    rows
}
