//! Claims about the audit log as a whole, on the twin of the file system and on a real one.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a step that fails is the result of the test")]

mod fixture;
mod gate;

mod crash;
mod damage;
mod disk;
mod frozen;
mod mutation;
mod queue;
mod reconciliation;
mod records;
mod searching;
mod trouble;
