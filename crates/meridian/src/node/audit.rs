//! This Region's audit log: opened before anything is served, and asked before anybody is answered.

use crate::config::NodeConfig;
use crate::files;
use crate::signatures::RegionSigner;
use kms_audit::{
    AuditError, AuditLog, DiskVolume, Head, LogFiles, LogName, LogState, Priority, Receipt, Record, Unrecordable, Uuid,
    WriterOptions, WriterPorts, WriterStatus,
};
use kms_service::{AuditSink, Clock, PortFuture};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// Longest wait for a record to be durable. The writer refuses by itself when the device does not answer for this long.
const DEADLINE: Duration = Duration::from_secs(10);

/// Answers that are handed over at once.
const ANSWERS_AT_ONCE: usize = 256;

/// The directory of the audit log below a node's data directory.
pub(crate) fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("audit")
}

/// The audit log of this Region, open for writing.
#[derive(Debug)]
pub(crate) struct RegionAudit {
    log: AuditLog,
    answers: UnboundedSender<Answer>,
    directory: PathBuf,
    name: LogName,
    goes_on_without: bool,
}

/// What became of a record, on its way to whoever waits for it.
struct Answer {
    waiting: oneshot::Sender<Result<Receipt, AuditError>>,
    result: Result<Receipt, AuditError>,
}

impl RegionAudit {
    /// Opens the log and starts its writer. `known` are records that must be in it.
    ///
    /// To be called within the runtime.
    ///
    /// # Errors
    /// Fails when the log is damaged, in use, or its directory cannot be made.
    pub(crate) fn open(
        config: &NodeConfig,
        signer: &Arc<RegionSigner>,
        clock: &Arc<dyn Clock>,
        known: Vec<Head>,
    ) -> anyhow::Result<Self> {
        let directory = directory(&config.data_dir);
        files::create_private_directory(&directory)?;
        let clock = Arc::clone(clock);
        let ports = WriterPorts {
            volume: Arc::new(DiskVolume::new(directory.clone())),
            clock: Arc::new(move || clock.now()),
            event_ids: Arc::new(new_event_id),
            signer: Arc::clone(signer) as Arc<dyn kms_audit::Signer>,
        };
        let options = WriterOptions {
            unrecordable: if config.audit.danger_go_on { Unrecordable::DangerGoOn } else { Unrecordable::Refuse },
            deadline: DEADLINE,
            known_heads: known,
            danger_go_on_after_damage: config.audit.danger_go_on_after_damage,
            ..WriterOptions::default()
        };
        let name = LogName::new(&config.cluster_id, config.region.clone())?;
        let log = AuditLog::open(ports, name.clone(), &options).map_err(|error| {
            let place = directory.display();
            anyhow::Error::new(error).context(format!("the audit log in {place} cannot be opened"))
        })?;
        let (answers, to_hand_over) = unbounded_channel();
        tokio::spawn(hand_over(to_hand_over));
        Ok(Self { log, answers, directory, name, goes_on_without: config.audit.danger_go_on })
    }

    /// How the log is.
    pub(crate) fn status(&self) -> WriterStatus {
        self.log.status()
    }

    /// The files of the log as they are now, for reading.
    ///
    /// # Errors
    /// When the directory cannot be listed.
    pub(crate) fn files(&self) -> std::io::Result<LogFiles> {
        LogFiles::of(Arc::new(DiskVolume::new(self.directory.clone())), self.name.clone())
    }

    /// Why requests are refused; `None` while they are recorded, or go on without by configuration.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        if self.goes_on_without {
            return None;
        }
        match self.log.check(Priority::Request) {
            Ok(()) => None,
            Err(AuditError::Full) => {
                Some("the disk of the audit log is full: requests are refused, operators still work")
            }
            Err(AuditError::Exhausted) => Some("the disk of the audit log is full to the last reserve"),
            Err(AuditError::Device) => Some("the device of the audit log has failed: requests are refused"),
            Err(AuditError::Stalled | AuditError::Busy | AuditError::Deadline) => {
                Some("the device of the audit log does not answer: requests are refused")
            }
            Err(AuditError::Closed) => Some("the audit log is closed"),
        }
    }
}

/// The state in a word, for status and metrics.
pub(crate) const fn state_name(state: LogState) -> &'static str {
    match state {
        LogState::Writing => "writing",
        LogState::Full => "full",
        LogState::Exhausted => "exhausted",
        LogState::DeviceFailed => "device-failed",
    }
}

/// Draws the ID of a record that follows from no request.
pub(crate) fn new_event_id() -> Uuid {
    Uuid::from_bytes(*uuid::Uuid::new_v4().as_bytes())
}

/// Wakes those who wait for records, on the runtime itself. To wake a task from another thread costs a system call or two, and the
/// writer would pay them for each record; so it wakes this one, once for all the records of a sync. Never holds more than the
/// writer's queue does.
async fn hand_over(mut answers: UnboundedReceiver<Answer>) {
    let mut some = Vec::new();
    while answers.recv_many(&mut some, ANSWERS_AT_ONCE).await > 0 {
        for Answer { waiting, result } in some.drain(..) {
            // Nobody listens any more if the caller has gone.
            if waiting.send(result).is_err() {
                tracing::trace!("nobody waits for a record");
            }
        }
    }
}

impl AuditSink for RegionAudit {
    fn check(&self, priority: Priority) -> Result<(), AuditError> {
        self.log.check(priority)
    }

    fn record(&self, record: Record, priority: Priority) -> PortFuture<'_, Result<(), AuditError>> {
        let (waiting, outcome) = oneshot::channel();
        let answers = self.answers.clone();
        // The runtime is ending if nobody takes the answer; then nobody waits for it either.
        let answer = move |result| answers.send(Answer { waiting, result }).unwrap_or_default();
        self.log.submit(record, priority, Box::new(answer));
        Box::pin(async move {
            match tokio::time::timeout(DEADLINE, outcome).await {
                Ok(Ok(Ok(Receipt::Recorded(_) | Receipt::Unrecorded))) => Ok(()),
                Ok(Ok(Err(error))) => Err(error),
                Ok(Err(_writer_gone)) => Err(AuditError::Closed),
                Err(_elapsed) => Err(AuditError::Deadline),
            }
        })
    }
}
