//! Who may retire a grant: the grant itself says so, and policies can only forbid it (AWS KMS Developer Guide, "Retiring and
//! revoking grants").

use crate::action::Action;
use crate::decision::{AccessRequest, Allowed, Caller, Decision, Denied, KeyResource, PolicySource, judge};
use crate::grant::GrantTerms;
use crate::principal::Named;
use kms_types::{AccountId, GrantId};

/// A grant that somebody wants to retire.
#[derive(Clone, Copy, Debug)]
pub struct RetirableGrant<'a> {
    /// The grant.
    pub id: GrantId,
    /// Its terms.
    pub terms: GrantTerms<'a>,
    /// The retiring principal that it names.
    pub retiring_principal: Option<&'a str>,
    /// The account that created it.
    pub issuing_account: AccountId,
}

/// Decides about RetireGrant.
///
/// The retiring principal may, and the grantee if RetireGrant is among the operations, without any policy. An account that is
/// one of them, or that created the grant, leaves it to its identity policies with `kms:RetireGrant`. That permission alone
/// is not enough, and in a key policy only its Deny counts.
#[must_use]
pub fn decide_on_retirement(
    request: &AccessRequest<'_>,
    key: &KeyResource<'_>,
    grant: &RetirableGrant<'_>,
) -> Decision {
    let principal = request.context.principal();
    if request.context.action() != Action::RetireGrant {
        return Decision::Denied(Denied::Misplaced);
    }
    let mut caller = Caller::judge(request, Some(key.arn));
    let on_key = judge(request, key.policy, Some(key.arn), || PolicySource::Key);
    if let Some(statement) = on_key.deny.or(caller.deny.take()) {
        return Decision::Denied(Denied::Explicit(statement));
    }
    let retiring = grant.retiring_principal.and_then(|name| principal.named_by(name));
    let issuing = (principal.account == grant.issuing_account).then_some(Named::Account);
    match retiring.max(grant.terms.covers(request.context)).max(issuing) {
        Some(Named::Exactly | Named::Broadly) => caller.narrowed(Allowed::Grant(grant.id, None)),
        Some(Named::Account) => match caller.identity_allows(principal) {
            Some(identity) => caller.narrowed(Allowed::Grant(grant.id, identity)),
            None => Decision::Denied(Denied::NoIdentityPolicy),
        },
        None => Decision::Denied(Denied::NoKeyPolicy),
    }
}
