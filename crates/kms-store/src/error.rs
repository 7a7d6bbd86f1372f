//! What can go wrong with the store, sorted by whose fault it is.

use std::{io, path::PathBuf, sync::Arc};

/// Failures of the store. Cloneable, because one failed barrier is told to everyone who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    // The caller's fault.
    /// A key is longer than the store takes; nothing was written.
    #[error("a key of {length} bytes is longer than {limit} bytes")]
    KeyTooLong {
        /// Length of the key in bytes.
        length: usize,
        /// Longest key in bytes.
        limit: usize,
    },
    /// A value is longer than the store takes; nothing was written.
    #[error("a value of {length} bytes is longer than {limit} bytes")]
    ValueTooLong {
        /// Length of the value in bytes.
        length: usize,
        /// Longest value in bytes.
        limit: usize,
    },

    // The operator's fault, or the surroundings'.
    /// Another process, or another store of this process, has the directory open.
    #[error("the store in {} is in use by another process", directory.display())]
    InUse {
        /// The directory that was to be opened.
        directory: PathBuf,
    },
    /// The directory was written by a version of this program that stores differently.
    #[error("the store has format {found}, but this program knows format {supported} only")]
    UnknownFormat {
        /// The format version found in the store.
        found: u32,
        /// The format version that this program reads and writes.
        supported: u32,
    },
    /// The operating system refused a file operation.
    #[error("the store could not {action}")]
    Io {
        /// What was being done, as an infinitive.
        action: &'static str,
        /// The refusal.
        #[source]
        source: Arc<io::Error>,
    },

    // Not now.
    /// The barrier did not finish in time. The outcome is unknown: the writes may or may not be durable.
    #[error("the storage device did not finish a barrier within {seconds} seconds")]
    BarrierTimeout {
        /// How long the caller waited, in seconds.
        seconds: u64,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,

    // Stop.
    /// An earlier flush or sync failed, so nobody knows what is on the disk; only a restart helps.
    #[error("the store has stopped after an earlier failure of its storage device")]
    Poisoned,
    /// The database is damaged and must be restored.
    #[error("the store is damaged: {damage}")]
    Corrupt {
        /// Which check failed.
        damage: Corruption,
    },
}

/// Which check found the database damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Corruption {
    /// sled itself reported corruption or met a state that it takes for impossible.
    #[error("the database does not read back")]
    Database,
    /// The format row or a keyspace that was written at creation is gone.
    #[error("what was written at creation is missing")]
    Creation,
    /// A row does not start with a known mark, or its parts do not add up to its length.
    #[error("a row is incomplete")]
    Row,
}

impl StoreError {
    pub(crate) fn io(action: &'static str, source: io::Error) -> Self {
        Self::Io { action, source: Arc::new(source) }
    }

    pub(crate) const fn corrupt(damage: Corruption) -> Self {
        Self::Corrupt { damage }
    }

    /// Translates sled's errors, whose texts stay out of ours: they name paths and offsets and help nobody.
    pub(crate) fn from_sled(action: &'static str, error: sled::Error) -> Self {
        match error {
            sled::Error::Io(source) => Self::io(action, source),
            sled::Error::CollectionNotFound(_)
            | sled::Error::Unsupported(_)
            | sled::Error::ReportableBug(_)
            | sled::Error::Corruption { .. } => Self::corrupt(Corruption::Database),
        }
    }
}
