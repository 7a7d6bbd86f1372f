//! The truth of a Region: two pure functions that fold commands into states.
//!
//! [`control`] is the state that all Regions share through the control log; [`regional`] is what one Region keeps for
//! itself. Both have the shape `apply(&mut state, position, &command) -> Applied { outcome, changes, effects }`: no I/O,
//! no clock, no randomness, no panic. Times, ids and sealed or wrapped bytes are in the command. A refusal is an
//! ordinary outcome, the same on every node. [`reconcile`] compares the two states and says what this Region still has
//! to do; [`schedule`] says what is due.
//!
//! Invariants: at every position each key set has exactly one primary, which holds the key; each material version has
//! one sealed box per holding Region and none for any other, and imported material none at all; a refused command changes nothing. This crate knows no
//! plaintext material, no storage and no network.
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod control;
pub mod reconcile;
pub mod regional;
pub mod schedule;
pub mod state_matrix;

pub use state_matrix::{KeyOperation, StateFault};

/// A place in a log: Raft term and index for the control log, a local sequence number for the regional one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition {
    /// Raft term; zero in the regional log.
    pub term: u64,
    /// Index in the log.
    pub index: u64,
}

/// When a key is next rotated, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationSchedule {
    /// Period in days, 90 to 2560.
    pub period_days: u32,
    /// When the next automatic rotation is due.
    pub next_at: kms_types::Timestamp,
}
