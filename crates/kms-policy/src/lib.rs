//! Key policy documents. Pure: no clock, no I/O, no logging.
//!
//! For now it knows the default key policy and whether a document has the form of a policy at all; evaluation of
//! documents comes with the access-control work.

mod default_policy;
mod document;

pub use default_policy::default_key_policy;
pub use document::{PolicyError, check_document};
