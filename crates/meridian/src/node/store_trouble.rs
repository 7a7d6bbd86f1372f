//! Trouble with the store, in the audit log: a fault when its device fails, is full, or does not read back, and the recovery
//! when the store is open again.
//!
//! A store that has failed is not trusted again before a restart, so there is one fault for each run of the node. It is
//! recorded at once, since the node may end for it. The audit log has files and a reserve of its own and can mostly still be
//! written; a note beside it tells the next run that a fault is open, or what could not be recorded.

use super::Handles;
use super::audit::new_event_id;
use crate::files;
use kms_audit::{Priority, ServiceEvent, ServiceRecord};
use kms_service::AuditSink as _;
use kms_store::{SledStore, Store, StoreError, StoreOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio::sync::{Notify, OnceCell};
use tokio_util::sync::CancellationToken;

use super::watched_store::WatchedStore;

/// This Region's store, as the records name it.
const COMPONENT: &str = "Store";
/// Name of the note, in the directory of the audit log.
const NOTE: &str = "store-fault";
/// First line of the note, version and whether the fault is in the log; the text of one that is not follows.
const RECORDED: &str = "1 recorded\n";
const UNRECORDED: &str = "1 unrecorded\n";

/// What a run of the node knows of its store's trouble.
#[derive(Debug)]
pub(crate) struct StoreTrouble {
    note: PathBuf,
    first: OnceLock<String>,
    noticed: Notify,
    recorded: OnceCell<()>,
}

/// What an earlier run left.
#[derive(Debug, PartialEq, Eq)]
enum Open {
    /// Its fault is in the log.
    Recorded,
    /// Its fault is not.
    Unrecorded(String),
}

impl StoreTrouble {
    /// Keeps its note in the directory of the audit log.
    pub(crate) fn new(audit_directory: &Path) -> Self {
        let note = audit_directory.join(NOTE);
        Self { note, first: OnceLock::new(), noticed: Notify::new(), recorded: OnceCell::new() }
    }

    /// Opens the store below a node's data directory, and watches it. One that cannot be opened is noted for the run that can.
    ///
    /// # Errors
    /// Fails when the store does.
    pub(crate) fn open(self: &Arc<Self>, data_dir: &Path) -> Result<Arc<dyn Store>, StoreError> {
        match SledStore::open(&data_dir.join("store"), StoreOptions::default()) {
            Ok(store) => Ok(Arc::new(WatchedStore::new(store, Arc::clone(self)))),
            Err(error) => {
                if let Some(text) = trouble(&error) {
                    self.keep(&format!("{UNRECORDED}{text}"));
                }
                Err(error)
            }
        }
    }

    /// Notes what the store has answered, if it is trouble and the first.
    pub(crate) fn note(&self, error: &StoreError) {
        if let Some(text) = trouble(error)
            && self.first.set(text).is_ok()
        {
            self.noticed.notify_one();
        }
    }

    /// The trouble of this run.
    pub(crate) fn text(&self) -> Option<&str> {
        self.first.get().map(String::as_str)
    }

    /// Records the end of an earlier fault, and the fault of this run when it comes, until shutdown.
    pub(crate) async fn run(self: Arc<Self>, handles: Arc<Handles>, shutdown: CancellationToken) {
        self.recover(&handles).await;
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.noticed.notified() => self.record(&handles).await,
        }
    }

    /// Records the fault of this run, if there is one and it is not in the log yet.
    pub(crate) async fn record(&self, handles: &Handles) {
        let Some(text) = self.text() else { return };
        let recording = async {
            self.keep(&format!("{UNRECORDED}{text}"));
            if report(handles, ServiceEvent::ReportFault { component: COMPONENT, text }).await {
                self.keep(RECORDED);
            }
        };
        self.recorded.get_or_init(|| recording).await;
    }

    /// Records what an earlier run could not, and that the store is open again.
    async fn recover(&self, handles: &Handles) {
        let open = match std::fs::read_to_string(&self.note) {
            Ok(note) => read(&note),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => {
                tracing::warn!(%error, "the note of the store's fault cannot be read");
                return;
            }
        };
        if let Open::Unrecorded(text) = &open
            && !report(handles, ServiceEvent::ReportFault { component: COMPONENT, text }).await
        {
            return;
        }
        let text = "The store was opened again, and holds everything that was acknowledged.";
        if report(handles, ServiceEvent::ReportRecovery { component: COMPONENT, text }).await
            && let Err(error) = std::fs::remove_file(&self.note)
        {
            tracing::warn!(%error, "the note of the store's fault cannot be removed");
        }
    }

    fn keep(&self, note: &str) {
        // Without its note the fault is in the log all the same, but its end will not be.
        if let Err(error) = files::replace(&self.note, note.as_bytes(), 0o600) {
            tracing::warn!(%error, "the fault of the store cannot be noted for the next start");
        }
    }
}

fn read(note: &str) -> Open {
    match note.strip_prefix(RECORDED) {
        Some(_) => Open::Recorded,
        None => Open::Unrecorded(note.strip_prefix(UNRECORDED).unwrap_or("A fault whose note is damaged.").to_owned()),
    }
}

/// Records an event; says whether that worked.
async fn report(handles: &Handles, event: ServiceEvent<'_>) -> bool {
    let record = ServiceRecord { event_id: new_event_id(), time: handles.clock.now(), event, control_log_index: None };
    let recorded = handles.audit.record(record.record(handles.service.region()), Priority::Operator).await;
    if let Err(error) = &recorded {
        tracing::error!(%error, "trouble with the store could not be recorded");
    }
    recorded.is_ok()
}

/// What an error says of the store, for operators; `None` when it says something of the caller or of the configuration.
fn trouble(error: &StoreError) -> Option<String> {
    match error {
        StoreError::Io { source, .. } => Some(format!("{error}: {source}.")),
        StoreError::BarrierTimeout { .. } | StoreError::Poisoned | StoreError::Corrupt { .. } => {
            Some(format!("{error}."))
        }
        StoreError::KeyTooLong { .. }
        | StoreError::ValueTooLong { .. }
        | StoreError::InUse { .. }
        | StoreError::UnknownFormat { .. }
        | StoreError::Closed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_store::{DurableCallback, Keyspace, MemoryStore, Row, WriteBatch};

    /// A store whose device is full.
    #[derive(Debug)]
    struct Full;

    fn full() -> StoreError {
        StoreError::Io { action: "flush its log", source: Arc::new(io::Error::from_raw_os_error(28)) }
    }

    impl Store for Full {
        fn get(&self, _: Keyspace, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(None)
        }
        fn range(&self, _: Keyspace, _: &[u8], _: Option<&[u8]>, _: usize) -> Result<Vec<Row>, StoreError> {
            Ok(Vec::new())
        }
        fn last(&self, _: Keyspace) -> Result<Option<Row>, StoreError> {
            Ok(None)
        }
        fn write(&self, _: Keyspace, _: WriteBatch) -> Result<(), StoreError> {
            Err(StoreError::KeyTooLong { length: 2, limit: 1 })
        }
        fn remove_range(&self, _: Keyspace, _: &[u8], _: Option<&[u8]>) -> Result<(), StoreError> {
            Ok(())
        }
        fn on_durable(&self, callback: DurableCallback) {
            callback(Err(full()));
        }
        fn barrier(&self) -> Result<(), StoreError> {
            Err(StoreError::Poisoned)
        }
    }

    #[test]
    fn the_first_trouble_is_kept_and_a_callers_mistake_is_none() {
        let trouble = Arc::new(StoreTrouble::new(Path::new("/nowhere")));
        let store = WatchedStore::new(Full, Arc::clone(&trouble));
        store.write(Keyspace::Node, WriteBatch::new()).unwrap_err();
        assert_eq!(trouble.text(), None);
        store.on_durable(Box::new(|durable| drop(durable.unwrap_err())));
        store.barrier().unwrap_err();
        let said = trouble.text().unwrap();
        assert!(said.starts_with("the store could not flush its log: No space left on device"), "{said}");
    }

    #[test]
    fn a_sound_store_is_passed_through() {
        let trouble = Arc::new(StoreTrouble::new(Path::new("/nowhere")));
        let store = WatchedStore::new(MemoryStore::default(), Arc::clone(&trouble));
        let mut batch = WriteBatch::new();
        batch.put(*b"k", *b"v");
        store.write(Keyspace::Node, batch).unwrap();
        store.barrier().unwrap();
        assert_eq!(store.get(Keyspace::Node, b"k").unwrap(), Some(b"v".to_vec()));
        assert_eq!(store.last(Keyspace::Node).unwrap(), Some((b"k".to_vec(), b"v".to_vec())));
        assert_eq!(trouble.text(), None);
    }

    /// Frozen: such notes lie beside logs in the field.
    #[test]
    fn the_note_never_changes() {
        assert_eq!(read("1 recorded\n"), Open::Recorded);
        assert_eq!(read("1 unrecorded\nthe store is damaged."), Open::Unrecorded("the store is damaged.".into()));
    }
}
