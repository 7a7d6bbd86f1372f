//! The writer: one thread that owns the log, chains records in the order in which they arrive, and answers them once
//! they are on stable storage. Those that arrive while the disk works share the next sync.

mod day_file;
mod engine;
mod error;
mod head_note;
mod opening;
mod options;
mod reserve;
mod shared;
mod trouble;

pub use error::{AuditError, Damage, OpenError};
pub use options::{Unrecordable, WriterOptions, WriterPorts};
pub use shared::{LogState, WriterStatus};

use crate::{Head, LogName, Record};
use engine::Engine;
use shared::Shared;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Records that may wait while the disk works. Beyond, requests are turned away: the disk is too slow for them.
const QUEUE_RECORDS_MAX: usize = 4096;
/// Bytes that are written at once; the rest waits for the next sync.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Told when a record is on stable storage, or will not be. Runs on the writer's thread: it must not wait, and is dropped
/// without a call if the writer dies.
pub type RecordedCallback = Box<dyn FnOnce(Result<Receipt, AuditError>) + Send>;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is on stable storage.
    Recorded(Head),
    /// It could not be written and goes on without, because fail-open is configured. A gap record will count it.
    Unrecorded,
}

/// Whose action a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// A request's.
    Request,
    /// An operator's, or the Region's own. On a full disk it may use the reserve.
    Operator,
}

struct Pending {
    record: Record,
    priority: Priority,
    answer: RecordedCallback,
    shared: Arc<Shared>,
}

impl Pending {
    fn answer(self, outcome: Result<Receipt, AuditError>) {
        let Self { answer, shared, .. } = self;
        shared.count_answered();
        if catch_unwind(AssertUnwindSafe(|| answer(outcome))).is_err() {
            tracing::error!("a callback of the audit log panicked");
        }
    }
}

/// The audit log of this Region, open for writing. Dropping it writes what waits and ends the thread.
pub struct AuditLog {
    log: LogName,
    queue: Option<SyncSender<Pending>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    unrecordable: Unrecordable,
    deadline: Duration,
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("log", &self.log).field("status", &self.status()).finish_non_exhaustive()
    }
}

impl AuditLog {
    /// Opens the log, drops what a crash left unfinished at its end, and starts the writer. A disk that is full or fails
    /// now does not keep it from opening: it refuses records until it can write.
    ///
    /// # Errors
    /// [`OpenError`], above all when records are missing that are known to have existed.
    pub fn open(ports: WriterPorts, log: LogName, options: &WriterOptions) -> Result<Self, OpenError> {
        let opened = opening::open(&ports, &log, options)?;
        let shared = Arc::new(Shared::new(opened.head));
        let (queue, waiting) = sync_channel(QUEUE_RECORDS_MAX);
        let engine = Engine::start(ports, options, opened, Arc::clone(&shared));
        let interval = options.interval;
        let thread = thread::Builder::new()
            .name("audit-writer".into())
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(&waiting, engine, &shared, interval)
            })
            .map_err(OpenError::io("start the thread of the audit log"))?;
        Ok(Self {
            log,
            queue: Some(queue),
            thread: Some(thread),
            shared,
            unrecordable: options.unrecordable,
            deadline: options.deadline,
        })
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &LogName {
        &self.log
    }

    /// Whether a record would be taken now: asked before the work, so that nothing is done that could not be recorded.
    ///
    /// # Errors
    /// [`AuditError`] says why not. With fail-open there is no error but a closed log.
    pub fn check(&self, priority: Priority) -> Result<(), AuditError> {
        if self.queue.is_none() {
            return Err(AuditError::Closed);
        }
        match self.unrecordable {
            Unrecordable::Refuse => self.shared.admits(priority, self.deadline),
            Unrecordable::DangerGoOn => Ok(()),
        }
    }

    /// Hands a record over and returns at once; `answer` is told what became of it. It is told at once, on this thread,
    /// when the record is not taken.
    pub fn submit(&self, record: Record, priority: Priority, answer: RecordedCallback) {
        let Some(queue) = &self.queue else { return answer(Err(AuditError::Closed)) };
        if let Err(error) = self.check(priority) {
            return answer(Err(error));
        }
        let time = record.time();
        self.shared.count_waiting();
        let pending = Pending { record, priority, answer, shared: Arc::clone(&self.shared) };
        match queue.try_send(pending) {
            Ok(()) => {}
            Err(TrySendError::Full(pending)) => match self.unrecordable {
                Unrecordable::Refuse => pending.answer(Err(AuditError::Busy)),
                Unrecordable::DangerGoOn => {
                    self.shared.count_unrecorded(time);
                    pending.answer(Ok(Receipt::Unrecorded));
                }
            },
            Err(TrySendError::Disconnected(pending)) => pending.answer(Err(AuditError::Closed)),
        }
    }

    /// Writes a record and waits until it is on stable storage.
    ///
    /// # Errors
    /// [`AuditError`]; after [`AuditError::Deadline`] the record may become durable yet.
    pub fn append(&self, record: Record, priority: Priority) -> Result<Receipt, AuditError> {
        let (done, outcome) = sync_channel(1);
        // Nobody listens any more if the deadline has passed.
        self.submit(record, priority, Box::new(move |result| done.send(result).unwrap_or_default()));
        match outcome.recv_timeout(self.deadline) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => Err(AuditError::Deadline),
            Err(RecvTimeoutError::Disconnected) => Err(AuditError::Closed),
        }
    }

    /// How the log is.
    #[must_use]
    pub fn status(&self) -> WriterStatus {
        self.shared.status()
    }

    /// Writes what waits, notes that the log ended in good order, and ends the thread.
    pub fn close(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // The last owner may be a callback, which runs on the writer's thread itself.
            if thread.thread().id() != thread::current().id() && thread.join().is_err() {
                tracing::error!("the thread of the audit log panicked");
            }
        }
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.close();
    }
}

fn run(waiting: &Receiver<Pending>, mut engine: Engine, shared: &Shared, interval: Duration) {
    let mut next_tick = Instant::now() + interval;
    loop {
        let first = waiting.recv_timeout(next_tick.saturating_duration_since(Instant::now()));
        shared.set_busy(true);
        match first {
            Ok(first) => engine.write(gather(first, waiting)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return engine.stop(),
        }
        if Instant::now() >= next_tick {
            engine.tick();
            next_tick = Instant::now() + interval;
        }
        shared.set_busy(false);
    }
}

/// Everyone who waits now, within the bounds of a group.
fn gather(first: Pending, waiting: &Receiver<Pending>) -> Vec<Pending> {
    let mut bytes = first.record.body().len();
    let mut group = vec![first];
    while bytes < GROUP_BYTES_MAX && group.len() < QUEUE_RECORDS_MAX {
        let Ok(next) = waiting.try_recv() else { break };
        bytes += next.record.body().len();
        group.push(next);
    }
    group
}
