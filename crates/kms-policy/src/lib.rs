//! Policies and the decision who may do what. Pure: no clock, no I/O, no logging.
//!
//! A document is parsed and compiled once, when it is put; a decision walks the compiled statements and looks up only the
//! condition keys that they mention. Every decision says which statement decided. The meaning is that of AWS: the IAM
//! User Guide's policy language and evaluation logic, with the key policy as the primary way to control a key. What is not
//! understood is refused, and what cannot be compared never helps the caller. `OVERVIEW.md` has the rules.

mod action;
mod arn;
mod condition;
mod condition_key;
mod decision;
mod default_policy;
mod document;
mod error;
mod grant;
mod json;
mod lockout;
mod pattern;
mod principal;
mod request;
mod retirement;
mod statement;

#[cfg(test)]
mod test_requests;

pub use action::Action;
pub use decision::{
    AccessRequest, Allowed, CallerPolicies, Decision, Denied, KeyResource, NamedPolicy, PolicySource, StatementRef,
    decide_on_account, decide_on_key, decide_on_role, decide_with_grants,
};
pub use default_policy::default_key_policy;
pub use document::{DOCUMENT_BYTES_MAX, DocumentKind, PolicyDocument};
pub use error::PolicyError;
pub use grant::{GrantConstraints, GrantTerms};
pub use lockout::may_put_next_policy;
pub use principal::{Principal, PrincipalKind};
pub use request::{Facts, KeyFacts, MultiRegionKeyType, Names, Pairs, RequestContext};
pub use retirement::{RetirableGrant, decide_on_retirement};
