//! What can go wrong with the control log of a node, sorted by whose fault it is.

use kms_proto::FormatError;
use kms_store::StoreError;
use kms_types::KeyId;
use std::io;

/// Why the control log cannot start or has stopped. Cloneable, because everyone who waits is told.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ControlError {
    // The operator's fault.
    /// The configuration contradicts itself.
    #[error("the control log cannot be configured this way: {0}")]
    Configuration(&'static str),
    /// The data directory belongs to another cluster, Region or node.
    #[error("the store belongs to {found}, not to {expected}")]
    ForeignStore {
        /// Whose store it is.
        found: String,
        /// Who wants to use it.
        expected: String,
    },
    /// An entry or row was written by a later version of this program, or is damaged. Nothing is skipped: run a version
    /// that knows it.
    #[error("entry {index} of the control log cannot be read by this version")]
    UnknownCommand {
        /// Index in the log.
        index: u64,
        /// What about it.
        #[source]
        source: FormatError,
    },
    /// A row of the state, a snapshot or Raft's own notes was written by a later version of this program, or is damaged.
    #[error("the stored {what} cannot be read by this version")]
    UnknownRow {
        /// Kind of row.
        what: &'static str,
        /// What about it.
        #[source]
        source: FormatError,
    },

    // The surroundings'.
    /// The store failed.
    #[error("the control log could not use its store")]
    Storage(#[from] StoreError),

    // Corruption: stop.
    /// An entry between two others is gone.
    #[error("entry {missing} of the control log is missing")]
    DamagedLog {
        /// Index in the log.
        missing: u64,
    },
    /// A snapshot does not have the checksum of its manifest, or parts of it are missing.
    #[error("a snapshot of the control state is damaged: {0}")]
    DamagedSnapshot(&'static str),
    /// The state broke one of its invariants.
    #[error("the control state is inconsistent at key {key_id:?}: {problem}")]
    Invariant {
        /// The key.
        key_id: KeyId,
        /// Which invariant.
        problem: &'static str,
    },
    /// Raft stopped for a reason of its own.
    #[error("the control log has stopped: {0}")]
    Raft(String),
}

impl ControlError {
    pub(crate) fn row(what: &'static str) -> impl Fn(FormatError) -> Self {
        move |source| Self::UnknownRow { what, source }
    }
}

/// openraft's storage traits speak [`io::Error`]; it carries ours inside.
impl From<ControlError> for io::Error {
    fn from(error: ControlError) -> Self {
        Self::other(error)
    }
}

pub(crate) fn storage(error: StoreError) -> io::Error {
    ControlError::Storage(error).into()
}
