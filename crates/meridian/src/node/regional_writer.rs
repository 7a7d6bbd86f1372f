//! The regional log: one thread that folds commands, persists the rows, waits for the barrier, publishes, and only then
//! answers.
//!
//! Commands that arrive while a barrier is under way are folded into the next batch, so throughput does not depend on
//! the latency of the disk. The thread's own state runs ahead of what is published; readers see durable rows only.

use super::events::Burial;
use super::reconciler::Agenda;
use kms_core::regional::{RegionalBody, RegionalChange, RegionalCommand, RegionalOutcome, RegionalState};
use kms_proto::regional_codec::{self, Row};
use kms_service::{Clock, Directory, Keyring, PortFuture, RegionalLog, RegionalLogError, Service};
use kms_store::{Keyspace, Store, StoreError, WriteBatch, scan_prefix};
use kms_types::{KeyId, KeyMaterialId};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Commands that may wait. More than a disk can take in a second; beyond it the caller is told to slow down.
const QUEUE_MAX: usize = 4096;
/// Most commands in one atomic batch; bounds the memory of a batch.
const BATCH_MAX: usize = 256;
/// A batch with this many bytes takes in no further command. Well below what the store may have unsynced at once.
const BATCH_BYTES_MAX: usize = 256 * 1024;
/// Row of the last applied sequence number. Below every row kind of the regional codec, as are burials.
const SEQUENCE_KEY: &[u8] = &[0x01];

/// The handle on the writer thread.
#[derive(Debug)]
pub(crate) struct RegionalWriter {
    queue: mpsc::Sender<Submission>,
    store: Arc<dyn Store>,
    directory: Arc<Directory>,
    changed: watch::Sender<u64>,
    keyring: Arc<OnceLock<Arc<Keyring>>>,
}

struct Submission {
    body: RegionalBody,
    reply: oneshot::Sender<Result<RegionalOutcome, RegionalLogError>>,
}

/// What the writer thread owns.
struct Writer {
    state: RegionalState,
    sequence: u64,
    store: Arc<dyn Store>,
    directory: Arc<Directory>,
    clock: Arc<dyn Clock>,
    changed: watch::Sender<u64>,
    keyring: Arc<OnceLock<Arc<Keyring>>>,
    agenda: Arc<Agenda>,
}

impl RegionalWriter {
    /// Loads the regional state from the store, publishes it and starts the writer thread. `failed` is cancelled when
    /// the store fails: the node must stop then.
    ///
    /// # Errors
    /// Fails when a stored row cannot be read.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        directory: Arc<Directory>,
        clock: Arc<dyn Clock>,
        agenda: Arc<Agenda>,
        failed: CancellationToken,
    ) -> anyhow::Result<Arc<Self>> {
        let (state, sequence) = load(store.as_ref())?;
        state.check_invariants().map_err(|broken| anyhow::anyhow!("the regional state is damaged: {broken}"))?;
        directory.absorb_regional(&state.rows().collect::<Vec<_>>());
        let (queue, submissions) = mpsc::channel(QUEUE_MAX);
        let changed = watch::Sender::new(0);
        let keyring = Arc::new(OnceLock::new());
        let writer = Writer {
            state,
            sequence,
            store: Arc::clone(&store),
            directory: Arc::clone(&directory),
            clock,
            changed: changed.clone(),
            keyring: Arc::clone(&keyring),
            agenda,
        };
        std::thread::Builder::new().name("regional-writer".into()).spawn(move || {
            if let Err(error) = writer.run(submissions) {
                tracing::error!(%error, "the regional log stops: its store has failed");
                failed.cancel();
            }
        })?;
        Ok(Arc::new(Self { queue, store, directory, changed, keyring }))
    }

    /// Tells the writer whose cache to clear when material is destroyed. Called once, before requests are served.
    pub(crate) fn attach(&self, keyring: Arc<Keyring>) {
        // A second call would change nothing; there is none.
        let _already_attached = self.keyring.set(keyring);
    }

    async fn enqueue(&self, body: RegionalBody) -> Result<RegionalOutcome, RegionalLogError> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Submission { body, reply }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => RegionalLogError::Busy,
            mpsc::error::TrySendError::Closed(_) => RegionalLogError::Storage,
        })?;
        // The writer always answers: the store's barrier has a deadline of its own.
        answer.await.unwrap_or(Err(RegionalLogError::Storage))
    }

    /// Waits until something is published; `false` when the deadline passes first.
    async fn until(&self, deadline: Duration, published: impl Fn() -> bool) -> bool {
        let mut changes = self.changed.subscribe();
        let published = async {
            while !published() {
                if changes.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(deadline, published).await.unwrap_or(false)
    }

    fn is_installed(&self, key_id: &KeyId, material: &KeyMaterialId) -> bool {
        self.directory.key(key_id).is_some_and(|entry| entry.record.has_material(material))
    }
}

impl RegionalLog for RegionalWriter {
    fn submit(&self, body: RegionalBody) -> PortFuture<'_, Result<RegionalOutcome, RegionalLogError>> {
        Box::pin(self.enqueue(body))
    }

    fn wrapped_material(&self, key_id: &KeyId, material: &KeyMaterialId) -> Result<Option<Vec<u8>>, RegionalLogError> {
        let key = regional_codec::material_key(key_id, material);
        let stored = self.store.get(Keyspace::Regional, &key).map_err(|_invalid| RegionalLogError::Storage)?;
        match stored {
            None => Ok(None),
            Some(value) => match regional_codec::row_to_change(&key, &value) {
                Ok(RegionalChange::PutMaterial(_, material)) => Ok(Some(material.wrapped)),
                Ok(_) | Err(_) => Err(RegionalLogError::Storage),
            },
        }
    }

    fn await_material<'a>(
        &'a self,
        key_id: &'a KeyId,
        material: &'a KeyMaterialId,
        deadline: Duration,
    ) -> PortFuture<'a, bool> {
        Box::pin(self.until(deadline, move || self.is_installed(key_id, material)))
    }

    fn await_key<'a>(&'a self, key_id: &'a KeyId, deadline: Duration) -> PortFuture<'a, bool> {
        Box::pin(self.until(deadline, move || self.directory.key(key_id).is_some()))
    }
}

impl Writer {
    fn run(mut self, mut submissions: mpsc::Receiver<Submission>) -> Result<(), StoreError> {
        while let Some(first) = submissions.blocking_recv() {
            let mut waiting = VecDeque::from([first]);
            while waiting.len() < BATCH_MAX
                && let Ok(next) = submissions.try_recv()
            {
                waiting.push_back(next);
            }
            while !waiting.is_empty() {
                self.commit(&mut waiting)?;
            }
        }
        Ok(())
    }

    /// Folds, persists, publishes and answers as many of the waiting commands as fit into one batch.
    fn commit(&mut self, waiting: &mut VecDeque<Submission>) -> Result<(), StoreError> {
        let (mut changes, mut rows) = (Vec::new(), Vec::new());
        let (mut replies, mut bytes) = (Vec::with_capacity(waiting.len()), 0);
        while bytes < BATCH_BYTES_MAX
            && let Some(Submission { mut body, reply }) = waiting.pop_front()
        {
            if let Some(keyring) = self.keyring.get()
                && let Err(error) = keyring.bring_up_to_date(&mut body)
            {
                tracing::error!(%error, "material that arrived cannot be wrapped under the newest Region KEK");
                drop(reply.send(Err(RegionalLogError::Storage)));
                continue;
            }
            let command = RegionalCommand { at: self.clock.now(), body };
            let burial = self.burial_by(&command);
            let applied = self.state.apply(&command);
            let burial = burial.filter(|it| applied.changes.contains(&RegionalChange::DeleteKey(it.key_id)));
            let burial = burial.map(|it| it.row()).map(|(key, value)| Row { key, value: Some(value) });
            for row in applied.changes.iter().map(regional_codec::change_to_row).chain(burial) {
                bytes += row.key.len() + row.value.as_ref().map_or(0, Vec::len);
                rows.push(row);
            }
            changes.extend(applied.changes);
            replies.push((reply, applied.outcome));
        }
        if !changes.is_empty()
            && let Err(error) = self.persist(rows)
        {
            for (reply, _) in replies {
                drop(reply.send(Err(RegionalLogError::Storage)));
            }
            return Err(error);
        }
        match self.keyring.get() {
            Some(keyring) => Service::absorb_regional(&self.directory, keyring, &changes),
            None => self.directory.absorb_regional(&changes),
        }
        self.agenda.note_changed(changes.iter().filter_map(|change| match change {
            RegionalChange::PutKey(record) => Some(record.key_id),
            RegionalChange::DeleteKey(key_id) => Some(*key_id),
            _ => None,
        }));
        // A changed key may have a step to take, such as the start of its waiting period.
        self.agenda.add(changes.iter().filter_map(|change| match change {
            RegionalChange::PutKey(record) if record.is_multi_region() => Some(record.key_id),
            _ => None,
        }));
        self.changed.send_modify(|generation| *generation = generation.wrapping_add(1));
        for (reply, outcome) in replies {
            // A caller that has gone away learns the outcome by reading.
            drop(reply.send(Ok(outcome)));
        }
        Ok(())
    }

    /// What the audit log is to learn of a command that may destroy a key.
    fn burial_by(&self, command: &RegionalCommand) -> Option<Burial> {
        let RegionalBody::DestroyKey(key_id) = &command.body else { return None };
        let record = self.state.key(key_id)?;
        Some(Burial { key_id: *key_id, account: record.account, at: command.at })
    }

    fn persist(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        let mut batch = WriteBatch::new();
        for row in rows {
            match row.value {
                Some(value) => batch.put(row.key, value),
                None => batch.remove(row.key),
            }
        }
        self.sequence = self.sequence.saturating_add(1);
        batch.put(SEQUENCE_KEY, self.sequence.to_be_bytes());
        self.store.write(Keyspace::Regional, batch)?;
        self.store.barrier()
    }
}

/// Reads every row but the wrapped material.
fn load(store: &dyn Store) -> anyhow::Result<(RegionalState, u64)> {
    let mut state = RegionalState::default();
    for prefix in regional_codec::STATE_PREFIXES {
        for row in scan_prefix(store, Keyspace::Regional, &[prefix]) {
            let (key, value) = row?;
            state.absorb(&regional_codec::row_to_change(&key, &value)?);
        }
    }
    let sequence = match store.get(Keyspace::Regional, SEQUENCE_KEY)? {
        Some(bytes) => {
            u64::from_be_bytes(bytes.try_into().map_err(|_invalid| anyhow::anyhow!("the sequence number is damaged"))?)
        }
        None => 0,
    };
    Ok((state, sequence))
}
