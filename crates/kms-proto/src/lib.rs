//! Generated RPC code, and every persisted and peer format with its conversions.
//!
//! The `.proto` files in `proto/` are the reference. Conversions turn bytes into the types of `kms-core` before they
//! reach a state machine; an unknown version or a value out of range is a [`FormatError`], never skipped.

pub mod control_codec;
mod format;
mod generated;
pub mod regional_codec;

pub use generated::{cluster, kms, peer, state};

/// Encoded `FileDescriptorSet` of all services, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/meridian_descriptor.bin"));

/// Bytes or a message that do not have the form of the format they claim. Names the format and field, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {format}: {problem}")]
pub struct FormatError {
    /// Which format.
    pub format: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}
