//! Make-believe Nitro enclaves for tests: a PKI like that of AWS, attestation documents signed by it, and the opening of
//! answers that were encrypted for an enclave. Never shipped, and imported by tests alone.
//!
//! Written from the documents that describe the formats and not from the code that reads them here, so that both have to
//! agree.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "only tests use this crate, and a broken harness should fail them"
)]

mod enclave;
mod envelope;
mod nitro_system;

pub use enclave::{Draft, Enclave};
pub use envelope::{Envelope, parse_envelope};
pub use nitro_system::{ChainPlan, NitroSystem};
