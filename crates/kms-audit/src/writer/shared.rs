//! What the writer's thread and everyone else share: a word for every request, and a status for who asks.

use super::head_note::Unrecorded;
use super::trouble::{Trouble, TroubleKind};
use super::{AuditError, Priority};
use crate::Head;
use kms_types::Timestamp;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterStatus {
    /// Whether records can be written, and which.
    pub state: LogState,
    /// The last durable record: what a checkpoint signs.
    pub head: Head,
    /// Since when the state is another than [`LogState::Writing`].
    pub since: Option<Timestamp>,
    /// Requests that were refused since then.
    pub refused: u64,
    /// Requests that went on without a record, and that no gap record owns up to yet.
    pub unrecorded: u64,
    /// Records that wait to become durable.
    pub waiting: u64,
    /// Records written since the log was opened.
    pub records_total: u64,
    /// Groups of records written since the log was opened; each is one sync.
    pub groups_total: u64,
}

/// Whether records can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogState {
    /// They can.
    Writing,
    /// The disk is full; operators' actions can.
    Full,
    /// The disk is full to the last reserve.
    Exhausted,
    /// The device has failed.
    DeviceFailed,
}

impl LogState {
    const ALL: [Self; 4] = [Self::Writing, Self::Full, Self::Exhausted, Self::DeviceFailed];

    const fn trouble(self) -> Option<TroubleKind> {
        match self {
            Self::Writing => None,
            Self::Full => Some(TroubleKind::Full),
            Self::Exhausted => Some(TroubleKind::Exhausted),
            Self::DeviceFailed => Some(TroubleKind::Device),
        }
    }

    fn of(trouble: Option<TroubleKind>) -> Self {
        Self::ALL.into_iter().find(|state| state.trouble() == trouble).unwrap_or(Self::DeviceFailed)
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    /// Place of the state in [`LogState::ALL`]: all that a request reads.
    state: AtomicU8,
    waiting: AtomicU64,
    /// When the thread began what it is doing, in milliseconds since `origin`, plus one; zero while it waits.
    busy_since: AtomicU64,
    origin: Instant,
    status: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    status: WriterStatus,
    /// Requests that went on because the queue was full.
    overflow: Option<Unrecorded>,
}

impl Shared {
    pub(super) fn new(head: Head) -> Self {
        let status = WriterStatus {
            state: LogState::Writing,
            head,
            since: None,
            refused: 0,
            unrecorded: 0,
            waiting: 0,
            records_total: 0,
            groups_total: 0,
        };
        Self {
            state: AtomicU8::new(0),
            waiting: AtomicU64::new(0),
            busy_since: AtomicU64::new(0),
            origin: Instant::now(),
            status: Mutex::new(Inner { status, overflow: None }),
        }
    }

    /// Whether a record may be tried now.
    pub(super) fn admits(&self, priority: Priority, stalled_after: Duration) -> Result<(), AuditError> {
        if let Some(trouble) = self.state().trouble() {
            trouble.admits(priority)?;
        }
        let busy_since = self.busy_since.load(Ordering::Relaxed);
        let stalled =
            busy_since > 0 && Duration::from_millis(self.elapsed().saturating_sub(busy_since)) > stalled_after;
        if stalled { Err(AuditError::Stalled) } else { Ok(()) }
    }

    /// The thread begins something, or waits again.
    pub(super) fn set_busy(&self, busy: bool) {
        self.busy_since.store(if busy { self.elapsed() } else { 0 }, Ordering::Relaxed);
    }

    pub(super) fn status(&self) -> WriterStatus {
        let waiting = self.waiting.load(Ordering::Relaxed);
        WriterStatus { waiting, ..self.lock().status }
    }

    pub(super) fn publish(&self, trouble: Option<&Trouble>, head: Head, unrecorded: Option<Unrecorded>) {
        let state = LogState::of(trouble.map(|trouble| trouble.kind));
        let mut inner = self.lock();
        inner.status = WriterStatus {
            state,
            head,
            since: trouble.map(|trouble| trouble.since),
            refused: trouble.map_or(0, |trouble| trouble.refused),
            unrecorded: unrecorded.map_or(0, |unrecorded| unrecorded.count),
            ..inner.status
        };
        let place = LogState::ALL.iter().position(|other| *other == state).unwrap_or_default();
        self.state.store(u8::try_from(place).unwrap_or_default(), Ordering::Release);
    }

    pub(super) fn count_group(&self) {
        self.lock().status.groups_total += 1;
    }

    pub(super) fn count_records(&self, count: usize) {
        self.lock().status.records_total += u64::try_from(count).unwrap_or_default();
    }

    pub(super) fn count_waiting(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_answered(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Remembers a request that goes on without a record.
    pub(super) fn count_unrecorded(&self, time: Timestamp) {
        let mut inner = self.lock();
        inner.overflow = Some(Unrecorded::and(inner.overflow, time));
    }

    pub(super) fn take_unrecorded(&self) -> Option<Unrecorded> {
        self.lock().overflow.take()
    }

    fn state(&self) -> LogState {
        let place = usize::from(self.state.load(Ordering::Acquire));
        LogState::ALL.get(place).copied().unwrap_or(LogState::DeviceFailed)
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
