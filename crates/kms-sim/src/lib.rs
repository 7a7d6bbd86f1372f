//! A judge for the pure core: random sequences of commands, a naive model that knows nothing of the core's code, and a
//! simulated cluster with lag, crashes, lost and repeated proposals. Never shipped, and nothing depends on it.
//!
//! Everything here is a function of its input: no clock, no threads, no randomness but what proptest draws. A failing
//! case is replayed from the seed file that proptest writes beside the test; commit that file with the repair.
#![expect(clippy::unwrap_used, reason = "only tests use this crate, and a broken harness should fail them")]

pub mod cast;
pub mod claims;
pub mod cluster;
pub mod draw;
pub mod model;
pub mod region_model;
pub mod rows;
