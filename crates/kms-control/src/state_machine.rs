//! The control state as openraft's state machine: apply, persist in one batch, then speak.

mod load;
mod snapshots;

use crate::ControlError;
use crate::ports::ControlObserver;
use crate::snapshot::{Shelf, StoredSnapshot};
use crate::types::{Entry, LogId, OutcomeBytes, SnapshotMeta, StoredMembership, TypeConfig};
use crate::wire;
use futures::{Stream, StreamExt};
use kms_core::LogPosition;
use kms_core::control::{Applied, ControlState};
use kms_proto::control_codec::{change_to_row, decode_command, encode_outcome};
use kms_store::{Keyspace, Store, WriteBatch};
use openraft::storage::{ApplyResponder, EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend, Snapshot};
use prost::Message;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

pub use snapshots::SnapshotBuilder;

/// Rows of [`Keyspace::Control`] that are not the state's: keys below 0x10.
const APPLIED: &[u8] = &[0x01];
const MEMBERSHIP: &[u8] = &[0x02];
/// First byte of the state's own rows.
const FIRST_STATE_KEY: u8 = 0x10;

/// Entries that are persisted with one batch.
const BATCH_ENTRIES: usize = 256;

/// What has been applied, shared with everyone who reads.
#[derive(Debug)]
pub(crate) struct Shared {
    current: Mutex<Current>,
    applied_index: watch::Sender<Option<u64>>,
    fault: OnceLock<ControlError>,
}

#[derive(Clone, Debug, Default)]
struct Current {
    /// Copied on write: a reader or a snapshot that still holds the old state costs one copy of the maps, not of the
    /// rows.
    state: Arc<ControlState>,
    last: Option<LogId>,
    membership: StoredMembership,
}

impl Shared {
    /// The state after the last applied entry.
    pub(crate) fn state(&self) -> Arc<ControlState> {
        Arc::clone(&self.lock().state)
    }

    /// Follows the index of the last applied entry.
    pub(crate) fn applied_index(&self) -> watch::Receiver<Option<u64>> {
        self.applied_index.subscribe()
    }

    /// Why this node stopped, if its own storage or state was the reason.
    pub(crate) fn fault(&self) -> Option<&ControlError> {
        self.fault.get()
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the first fault, so that it can be told to people, and hands it to openraft, which stops.
    fn halt(&self, error: ControlError) -> io::Error {
        tracing::error!(error = &error as &dyn std::error::Error, "the control state cannot go on");
        drop(self.fault.set(error.clone()));
        error.into()
    }
}

/// The state machine of one node.
#[derive(Debug)]
pub struct StateMachine {
    store: Arc<dyn Store>,
    shelf: Arc<Shelf>,
    observer: Arc<dyn ControlObserver>,
    shared: Arc<Shared>,
    /// Lets the node wait until openraft has let go of this.
    _alive: Option<TaskTrackerToken>,
}

impl StateMachine {
    /// Loads the persisted state, after finishing an interrupted installation of a snapshot, and tells the observer.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails or a row cannot be read.
    pub fn open(store: Arc<dyn Store>, observer: Arc<dyn ControlObserver>) -> Result<Self, ControlError> {
        let shelf = Arc::new(Shelf::open(Arc::clone(&store))?);
        if let Some(snapshot) = shelf.interrupted_install()? {
            load::replace_rows(&*store, &shelf, &snapshot)?;
        }
        let current = load::load(&*store)?;
        observer.replaced(current.last.map_or(0, |id| id.index), &current.state);
        let applied_index = watch::Sender::new(current.last.map(|id| id.index));
        let shared = Arc::new(Shared { current: Mutex::new(current), applied_index, fault: OnceLock::new() });
        Ok(Self { store, shelf, observer, shared, _alive: None })
    }

    /// Counts this as a task of the node: openraft's worker may apply for a moment after the rest has stopped.
    pub(crate) fn tracked(self, tasks: &TaskTracker) -> Self {
        Self { _alive: Some(tasks.token()), ..self }
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub(crate) fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.shelf)
    }

    /// Applies entries, and takes a panic on the way for a fault, which stops the node instead of its worker alone.
    fn apply_or_halt(&self, entries: Vec<EntryResponder<TypeConfig>>) -> Result<(), io::Error> {
        let applied = catch_unwind(AssertUnwindSafe(|| self.apply_batch(entries)));
        let applied = applied.unwrap_or_else(|_panic| Err(ControlError::Raft("applying an entry panicked".into())));
        applied.map_err(|error| self.shared.halt(error))
    }

    /// Applies entries, persists what they changed together with the last index, and only then tells anybody. Entries
    /// before one that cannot be read still count.
    fn apply_batch(&self, entries: Vec<EntryResponder<TypeConfig>>) -> Result<(), ControlError> {
        let mut done = Vec::with_capacity(entries.len());
        let mut batch = WriteBatch::new();
        let mut failure = None;
        {
            let mut guard = self.shared.lock();
            let current = &mut *guard;
            for (entry, responder) in entries {
                let log_id = entry.log_id;
                match apply_entry(current, entry) {
                    Ok(applied) => done.push(Done { log_id, applied, responder }),
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            let changes = done.iter().filter_map(|done| done.applied.as_ref()).flat_map(|applied| &applied.changes);
            for change in changes {
                let row = change_to_row(change);
                match row.value {
                    Some(value) => batch.put(row.key, value),
                    None => batch.remove(row.key),
                }
            }
            if !done.is_empty() {
                put_position(&mut batch, current);
                self.store.write(Keyspace::Control, batch)?;
            }
        }
        self.speak(done);
        failure.map_or(Ok(()), Err)
    }

    fn speak(&self, done: Vec<Done>) {
        let last = done.last().map(|done| done.log_id.index);
        for Done { log_id, applied, responder } in done {
            match &applied {
                Some(applied) => self.observer.applied(log_id.index, &applied.changes, &applied.effects),
                None => self.observer.applied(log_id.index, &[], &[]),
            }
            if let Some(responder) = responder {
                responder.send(OutcomeBytes(applied.map(|applied| encode_outcome(&applied.outcome))));
            }
        }
        if last.is_some() {
            self.shared.applied_index.send_replace(last);
        }
    }
}

struct Done {
    log_id: LogId,
    applied: Option<Applied>,
    responder: Option<ApplyResponder<TypeConfig>>,
}

fn apply_entry(current: &mut Current, entry: Entry) -> Result<Option<Applied>, ControlError> {
    let log_id = entry.log_id;
    let applied = match entry.payload {
        EntryPayload::Blank => None,
        EntryPayload::Normal(bytes) => {
            let command = decode_command(&bytes.0)
                .map_err(|source| ControlError::UnknownCommand { index: log_id.index, source })?;
            let position = LogPosition { term: log_id.leader_id.term, index: log_id.index };
            Some(Arc::make_mut(&mut current.state).apply(position, &command))
        }
        EntryPayload::Membership(membership) => {
            current.membership = StoredMembership::new(Some(log_id), membership);
            None
        }
    };
    current.last = Some(log_id);
    Ok(applied)
}

fn put_position(batch: &mut WriteBatch, current: &Current) {
    if let Some(last) = &current.last {
        batch.put(APPLIED, wire::log_id_to_pb(last).encode_to_vec());
    }
    batch.put(MEMBERSHIP, wire::stored_membership_to_pb(&current.membership).encode_to_vec());
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = Arc<StoredSnapshot>;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let current = self.shared.lock();
        Ok((current.last, current.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        let mut waiting = Vec::new();
        while let Some(entry) = entries.next().await {
            waiting.push(entry?);
            if waiting.len() == BATCH_ENTRIES {
                self.apply_or_halt(std::mem::take(&mut waiting))?;
            }
        }
        self.apply_or_halt(waiting)
    }

    async fn get_snapshot_builder(&mut self) -> Self::SnapshotBuilder {
        SnapshotBuilder::new(Arc::clone(&self.shared), Arc::clone(&self.shelf))
    }

    async fn install_snapshot(&mut self, _meta: &SnapshotMeta, snapshot: Arc<StoredSnapshot>) -> Result<(), io::Error> {
        let (store, shelf) = (Arc::clone(&self.store), Arc::clone(&self.shelf));
        let installed = tokio::task::spawn_blocking(move || {
            load::replace_rows(&*store, &shelf, &snapshot)?;
            load::load(&*store)
        });
        let current = installed
            .await
            .unwrap_or_else(|_panicked| Err(ControlError::Raft("installing a snapshot panicked".into())))
            .map_err(|error| self.shared.halt(error))?;
        *self.shared.lock() = current.clone();
        let index = current.last.map_or(0, |id| id.index);
        self.observer.replaced(index, &current.state);
        self.shared.applied_index.send_replace(current.last.map(|id| id.index));
        Ok(())
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> Result<Option<openraft::alias::SnapshotOf<TypeConfig, Arc<StoredSnapshot>>>, io::Error> {
        let snapshot = self.shelf.current();
        Ok(snapshot.map(|snapshot| Snapshot { meta: snapshot.meta.clone(), snapshot }))
    }
}
