//! Key policy documents. Pure: no clock, no I/O, no logging.
//!
//! For now it knows the default key policy and whether a document has the form of a policy at all; evaluation of
//! documents comes with the access-control work.

mod default_policy;
mod document;
mod lockout;

pub use default_policy::default_key_policy;
pub use document::{PolicyError, check_document};
pub use lockout::may_admit;
