//! Records of the changes of shared properties that this Region has proposed, from the journal of the control state.
//!
//! Whoever asked for a change has a record of the request; but a request that ended without an answer does not know where its
//! change is, or whether there is one. These records do, so reconciliation asks for them. A checkpoint promises them
//! up to the index that it names.

use super::Events;
use crate::node::Handles;
use kms_audit::{APPLY_CONTROL_CHANGE, Filter, Priority, Search, ServiceEvent, ServiceRecord, Uuid};
use kms_core::control::JournalEntry;
use kms_service::AuditSink as _;
use kms_store::{Keyspace, Store, WriteBatch};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Row with the index of the last recorded change of this Region, 8 bytes, big endian.
const RECORDED_KEY: &[u8] = b"audited/control";
/// Records after which they are noted: as many may have to be looked for in the log after a crash.
const NOTED_AFTER: usize = 100;

/// How far this Region's changes are recorded: everything up to this index of the control log.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordedTo(Arc<AtomicU64>);

impl RecordedTo {
    /// The index.
    pub(crate) fn index(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Records changes in the order of the control log.
#[derive(Debug)]
pub(super) struct Changes {
    recorded_to: RecordedTo,
    /// The log may have records that are not noted: after a start, and after a record whose fate is not known.
    ask_log: bool,
}

impl Changes {
    /// # Errors
    /// Fails when the note is damaged.
    pub(super) fn new(store: &dyn Store, recorded_to: RecordedTo) -> anyhow::Result<Self> {
        if let Some(row) = store.get(Keyspace::Node, RECORDED_KEY)? {
            let index = row.try_into().map_err(|_row| anyhow::anyhow!("the note of recorded changes is damaged"))?;
            recorded_to.0.store(u64::from_be_bytes(index), Ordering::Release);
        }
        Ok(Self { recorded_to, ask_log: true })
    }
}

impl Events {
    /// Records what was applied since the last look.
    ///
    /// # Errors
    /// Fails when a record cannot be made or noted. The next look goes on there.
    pub(super) async fn record_changes(&self, changes: &mut Changes) -> anyhow::Result<()> {
        // Read before the state, which then holds everything up to here.
        let applied = self.handles.control.applied_index();
        let (state, region) = (self.handles.control.state(), self.handles.service.region());
        let after = changes.recorded_to.index();
        let own: Vec<&Arc<JournalEntry>> = state.journal_after(after).filter(|entry| entry.region == *region).collect();
        let known = if changes.ask_log && !own.is_empty() { self.recorded_changes()? } else { BTreeSet::new() };
        changes.ask_log = true;
        for some in own.chunks(NOTED_AFTER) {
            for entry in some {
                let event_id = event_id(&self.handles, entry.index);
                if !known.contains(&event_id.to_string()) {
                    self.record_change(event_id, entry).await?;
                }
            }
            if let Some(last) = some.last() {
                self.note(last.index).await?;
                changes.recorded_to.0.fetch_max(last.index, Ordering::AcqRel);
            }
        }
        changes.recorded_to.0.fetch_max(applied, Ordering::AcqRel);
        changes.ask_log = false;
        Ok(())
    }

    async fn record_change(&self, event_id: Uuid, entry: &JournalEntry) -> anyhow::Result<()> {
        let event = ServiceEvent::ApplyControlChange { change: entry.change.as_str() };
        let time = self.handles.clock.now();
        let record = ServiceRecord { event_id, time, event, control_log_index: Some(entry.index) };
        Ok(self.handles.audit.record(record.record(&entry.region), Priority::Operator).await?)
    }

    /// The IDs of the records of changes that the log has.
    fn recorded_changes(&self) -> std::io::Result<BTreeSet<String>> {
        let filter = Filter { operation: Some(APPLY_CONTROL_CHANGE.to_owned()), ..Filter::default() };
        Search::new(self.files.clone(), filter).map(|found| Ok(found?.event.event_id)).collect()
    }

    async fn note(&self, index: u64) -> anyhow::Result<()> {
        let mut batch = WriteBatch::new();
        batch.put(RECORDED_KEY, index.to_be_bytes());
        let store = Arc::clone(&self.store);
        let noted = tokio::task::spawn_blocking(move || {
            store.write(Keyspace::Node, batch)?;
            store.barrier()
        });
        Ok(noted.await??)
    }
}

fn event_id(handles: &Handles, index: u64) -> Uuid {
    let region = handles.service.region().as_str().as_bytes();
    let parts = [handles.cluster_id.as_bytes(), region, APPLY_CONTROL_CHANGE.as_bytes(), &index.to_be_bytes()];
    Uuid::derived(&parts)
}
