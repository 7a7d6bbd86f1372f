//! What can be wrong with a log, and where.

use crate::{CheckpointFault, Day, RecordHash};
use kms_types::RegionName;
use std::fmt;

/// One flaw and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Day of the file; `None` when no file shows it.
    pub day: Option<Day>,
    /// Line in the file, from one.
    pub line: Option<u64>,
    /// The record that it is about: the one at this place in the chain, as far as that can be told.
    pub sequence: Option<u64>,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The record was changed: its hash is not its own.
    #[error("was edited")]
    Edited,
    /// The line is not a record, or not one any more.
    #[error("is not a record")]
    NotARecord,
    /// The file ends within the line. A log that is being written may look so for a moment.
    #[error("is unfinished")]
    Unfinished,
    /// Records are gone.
    #[error("is missing, up to record {to}")]
    Missing {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
    },
    /// The record stands after a later one.
    #[error("was moved here")]
    Moved,
    /// The record, or another one of its sequence, was there before.
    #[error("was inserted: there is one with this sequence before it")]
    Repeated,
    /// It is a record of another Region's log.
    #[error("belongs to the log of {region}")]
    Foreign {
        /// The Region.
        region: RegionName,
    },
    /// The record is chained to another one than the one before it, which was replaced.
    #[error("does not follow the record before it, one of them was replaced")]
    Unlinked,
    /// The record belongs into the file of another day.
    #[error("belongs into the file of {day}")]
    OtherDay {
        /// That day.
        day: Day,
    },
    /// The end of the log is gone.
    #[error("and the following are cut off: record {to} is known to have existed")]
    CutOff {
        /// The first that is gone.
        from: u64,
        /// The last that is known.
        to: u64,
    },
    /// Somebody knows another record with this sequence: the log was written anew.
    #[error("is not the one that is known, which has the hash {known}")]
    Contradicted {
        /// The hash that is known.
        known: RecordHash,
    },
    /// A signed checkpoint has another record with this sequence: the log was written anew after it was signed.
    #[error("is not the one in the signed checkpoint, which has the hash {signed}")]
    Forked {
        /// The hash that was signed.
        signed: RecordHash,
    },
    /// A checkpoint proves nothing.
    #[error("has a checkpoint that proves nothing: {0}")]
    Checkpoint(CheckpointFault),
    /// A checkpoint is of another log, or not in order.
    #[error("has a checkpoint of another log, or out of order")]
    StrayCheckpoint,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.day, self.line) {
            (Some(day), Some(line)) => write!(f, "{day} line {line}: ")?,
            (Some(day), None) => write!(f, "{day}: ")?,
            (None, _) => {}
        }
        match self.sequence {
            Some(sequence) => write!(f, "record {sequence} {}", self.flaw),
            None => write!(f, "a line {}", self.flaw),
        }
    }
}
