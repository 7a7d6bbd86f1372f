//! Requests for the tests of this crate.

use crate::action::Action;
use crate::pattern::Syntax;
use crate::principal::{Principal, PrincipalKind};
use crate::request::{Facts, RequestContext};
use kms_types::AccountId;

/// What identity policies of the current version understand.
pub(crate) const SYNTAX: Syntax = Syntax { variables: true, identity_keys: true };

/// The user Ada of account 111122223333.
pub(crate) fn ada() -> Principal<'static> {
    let account = AccountId::parse("111122223333").unwrap();
    Principal { arn: "arn:aws:iam::111122223333:user/ada", account, kind: PrincipalKind::User }
}

/// A session of the role Builder of account 111122223333.
pub(crate) fn builder() -> Principal<'static> {
    let role_arn = "arn:aws:iam::111122223333:role/Builder";
    let arn = "arn:aws:sts::111122223333:assumed-role/Builder/ci";
    Principal { arn, kind: PrincipalKind::Session { role_arn }, ..ada() }
}

/// Looks at an Encrypt by Ada that brings these condition keys.
pub(crate) fn with_request<T>(facts: &Facts, look: impl FnOnce(&RequestContext<'_>) -> T) -> T {
    look(&RequestContext::new(Action::Encrypt, ada()).other(facts))
}
