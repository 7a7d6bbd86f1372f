//! Durable key-value storage: five keyspaces, atomic batches, and a barrier that holds after a power cut.
//!
//! Place in the system: the control log, both folded states and the node's own rows lie here as bytes. This crate
//! is the only one that names sled, so that it could be replaced, and it knows nothing of what the bytes mean.
//!
//! Invariants:
//! - Nothing is called durable before sled has flushed its log **and** the kernel has been told to sync the file.
//! - After one failed flush or sync every later write and barrier fails (fail-stop); only a restart clears it.
//! - No value ever spills into sled's blob files, which the barrier would not cover.
//! - There is no async and no tokio here; callers put slow calls on a thread of their own.
//!
//! `OVERVIEW.md` beside this crate tells the contract, the write flow, recovery and the failures.

mod committer;
mod error;
mod layout;
mod memory_store;
mod rows;
mod sled_store;
mod store;

pub use error::{Corruption, StoreError};
pub use memory_store::MemoryStore;
pub use sled_store::{SledStore, StoreOptions};
pub use store::{DurableCallback, Keyspace, Row, Store, WriteBatch, scan_prefix};
