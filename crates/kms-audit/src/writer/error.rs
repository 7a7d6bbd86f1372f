//! What can keep a record from being written, and a log from being opened.

use std::io;
use std::sync::Arc;

/// Why a record was not written, or is not known to be. The operation that it is about must not be answered with success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    // Not now.
    /// The disk is full. Operators' actions are still recorded, in space that was kept for them.
    #[error("the disk of the audit log is full")]
    Full,
    /// The disk is full, and so is the space that was kept for operators.
    #[error("the disk of the audit log is full to the last reserve")]
    Exhausted,
    /// The device failed. The writer tries again by itself.
    #[error("the device of the audit log has failed")]
    Device,
    /// More records are waiting than the queue takes.
    #[error("too many audit records are waiting to be written")]
    Busy,
    /// The device has not answered for too long.
    #[error("the device of the audit log does not answer")]
    Stalled,
    /// The record was not durable in time. It may become durable yet.
    #[error("the audit record was not written in time")]
    Deadline,
    // Stop.
    /// The writer has ended.
    #[error("the audit log is closed")]
    Closed,
}

/// Why a log was not opened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    // The operator's fault, or the surroundings'.
    /// Another writer has it.
    #[error("the audit log is in use by another process")]
    InUse,
    /// The file system failed.
    #[error("could not {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: Arc<io::Error>,
    },
    // Stop.
    /// The log is not what it was: something that had been acknowledged is gone or changed.
    #[error("the audit log is damaged: {0}")]
    Damaged(Damage),
}

impl OpenError {
    pub(super) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source: Arc::new(source) }
    }
}

/// What shows that a log was damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// There are records, and the file that remembers the head is gone or unreadable.
    #[error("the head file is missing or unreadable")]
    NoHead,
    /// The record that the head file remembers is not where it was.
    #[error("record {sequence} is not where it was written")]
    HeadMismatch {
        /// Its sequence.
        sequence: u64,
    },
    /// A file that was finished does not continue the chain.
    #[error("the chain breaks after record {last}")]
    Broken {
        /// The last record before the break.
        last: u64,
    },
    /// The last writer ended in good order, and there is something behind its last record.
    #[error("something was added after record {last}, with which the log was closed")]
    BeyondEnd {
        /// The record with which the log was closed.
        last: u64,
    },
    /// Records that are known to have existed are gone.
    #[error("the log ends with record {last}, but record {known} is known to have existed")]
    Truncated {
        /// The last record in the files.
        last: u64,
        /// A later one that somebody knows of.
        known: u64,
    },
    /// A record is another one than the caller knows.
    #[error("record {sequence} is not the one that is known")]
    Contradicted {
        /// Its sequence.
        sequence: u64,
    },
}
