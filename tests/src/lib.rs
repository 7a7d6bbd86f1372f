//! The harness of the tests on real processes: clusters of the real binary, real clients, faults, and a look at what
//! is on disk. Used by `e2e`, `chaos` and the load generator; never shipped.
//!
//! Nothing here knows how the product works inside, except `offline`, which opens the store of a stopped Region.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a failed step of a test is its result"
)]

pub mod aws;
pub mod binary;
pub mod cli;
pub mod cluster;
pub mod collector;
pub mod http1;
pub mod installed;
pub mod keys;
pub mod mutual_tls;
pub mod offline;
pub mod ports;
pub mod random;
pub mod recording;
pub mod search;
pub mod sigv4;
pub mod waiting;

pub use aws::{Kms, Refusal, blob, refused};
pub use cluster::{AP, Cluster, ClusterOptions, EU, REGIONS, Shared, US};
pub use waiting::{eventually, eventually_within};
