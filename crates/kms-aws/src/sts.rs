//! STS on the same endpoint: the Query protocol, `GetCallerIdentity` and `AssumeRole`.
//!
//! A request is a form in the body of a POST, or the query of a GET such as a presigned one; the answer is XML. Errors have
//! other names and statuses than those of KMS: they are in a table of their own, `error.rs`.

mod assume_role;
mod error;
mod form;
mod operation;
mod parameters;
mod xml;

pub(crate) use error::StsFault;
pub(crate) use form::{Form, is_query_request};
pub(crate) use operation::Shown;
pub use operation::StsOperation;

/// The service in the credential scope of these requests.
pub(crate) const STS: &str = "sts";
