//! The AWS wire: SigV4, JSON 1.1, one table of error codes.
//!
//! STS is served beside KMS, in the Query protocol.
//!
//! [`Api::handle`] turns an HTTP request into a call of [`kms_service::Service`] and its answer back into an HTTP
//! response. Every request is authenticated before its body is read for meaning; every failure is an AWS error. This
//! crate opens no socket, knows no storage and no log of changes, and decides nothing about keys.

mod error;
mod handler;
mod json;
mod operations;
mod principals;
mod session_cache;
mod sigv4;
mod sts;

pub use error::{ErrorRow, Fault, MessageMember, WireError};
pub use handler::{Api, ApiOperation, BODY_BYTES_MAX, Outcome, RequestIds};
pub use operations::Operation;
pub use principals::{DuplicateAccessKey, Principal, Principals, SecretKey};
pub use sigv4::{DateFault, ScopeFault, SignatureFault};
pub use sts::StsOperation;
