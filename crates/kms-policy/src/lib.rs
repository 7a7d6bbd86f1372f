//! Policies and the decision who may do what. Pure: no clock, no I/O, no logging.
//!
//! A document is parsed and compiled once, when it is put; a decision walks the compiled statements and looks up only the
//! condition keys that they mention. Every decision says which statement decided. The meaning is that of AWS: the IAM
//! User Guide's policy language and evaluation logic, with the key policy as the primary way to control a key.

mod arn;
mod condition;
mod context;
mod decision;
mod default_policy;
mod document;
mod json;
mod lockout;
mod pattern;
mod principal;
mod statement;

pub use context::{Context, Facts};
pub use decision::{
    AccessRequest, Allowed, CallerPolicies, Decision, Denied, KeyResource, NamedPolicy, PolicySource, StatementRef,
    decide_on_account, decide_on_key, decide_on_role,
};
pub use default_policy::default_key_policy;
pub use document::{DOCUMENT_BYTES_MAX, DocumentKind, PolicyDocument, PolicyError, check_document};
pub use lockout::may_admit;
pub use principal::{Principal, PrincipalKind};
