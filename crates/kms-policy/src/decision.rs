//! The decision: who may do what, and the statement that decided (AWS KMS Developer Guide, "Determining access to AWS KMS
//! keys"; IAM User Guide, "Policy evaluation logic").
//!
//! 1. A Deny that applies, in any policy, denies.
//! 2. In the key's own account one of these allows: the key policy names the caller; the key policy names the account and
//!    an identity policy of the caller allows; a grant covers the request.
//! 3. From another account both sides allow: the key policy or a grant, and an identity policy of the caller; and only
//!    actions that AWS KMS offers across accounts.
//! 4. Permission boundary and session policy only narrow.
//! 5. Everything else is denied.

mod explanation;

pub use explanation::{Allowed, Decision, Denied, PolicySource, StatementRef};

use crate::action::Action;
use crate::document::PolicyDocument;
use crate::grant::GrantTerms;
use crate::principal::{Named, Principal, PrincipalKind};
use crate::request::RequestContext;
use crate::statement::Effect;
use kms_types::{AccountId, GrantId};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A policy of a principal with the name under which an explanation mentions it.
#[derive(Clone, Debug)]
pub struct NamedPolicy {
    /// The name.
    pub name: Arc<str>,
    /// The policy.
    pub document: Arc<PolicyDocument>,
}

/// The policies on the caller's side.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallerPolicies<'a> {
    /// Identity policies.
    pub identity: &'a [NamedPolicy],
    /// The permission boundary, if one is set.
    pub boundary: Option<&'a NamedPolicy>,
    /// The policy that a role session was started with, if any.
    pub session: Option<&'a NamedPolicy>,
}

/// The key that a request is about.
#[derive(Clone, Copy, Debug)]
pub struct KeyResource<'a> {
    /// The key's ARN.
    pub arn: &'a str,
    /// The key's account.
    pub account: &'a AccountId,
    /// The key policy.
    pub policy: &'a PolicyDocument,
}

/// What is asked, by whom, and the caller's policies.
#[derive(Clone, Copy, Debug)]
pub struct AccessRequest<'a> {
    /// The caller, the action and the condition keys of the request.
    pub context: &'a RequestContext<'a>,
    /// The caller's policies.
    pub policies: CallerPolicies<'a>,
}

/// Decides about an action on a key. `grants` are those of the key that may be the caller's; they are looked at only when
/// they matter, in their order. RetireGrant is decided by [`crate::decide_on_retirement`].
#[must_use]
pub fn decide_on_key<'g>(
    request: &AccessRequest<'_>,
    key: &KeyResource<'_>,
    grants: impl IntoIterator<Item = (GrantId, GrantTerms<'g>)>,
) -> Decision {
    decide_with_grants(request, key, |see| {
        for (id, terms) in grants {
            if see(id, &terms).is_break() {
                return;
            }
        }
    })
}

/// [`decide_on_key`] with grants that are walked where they are kept: `grants` is called when they matter, at most once, and
/// shows one after the other until it is told to stop.
#[must_use]
pub fn decide_with_grants(
    request: &AccessRequest<'_>,
    key: &KeyResource<'_>,
    grants: impl FnOnce(&mut dyn FnMut(GrantId, &GrantTerms<'_>) -> ControlFlow<()>),
) -> Decision {
    let (action, principal) = (request.context.action(), request.context.principal());
    if !action.is_on_key() || action == Action::RetireGrant {
        return Decision::Denied(Denied::Misplaced);
    }
    let own = principal.account == *key.account;
    if !own && !action.is_across_accounts() {
        return Decision::Denied(Denied::CrossAccount);
    }
    let on_key = judge(request, key.policy, Some(key.arn), || PolicySource::Key);
    let mut caller = Caller::judge(request, Some(key.arn));
    if let Some(statement) = on_key.deny.or(caller.deny.take()) {
        return Decision::Denied(Denied::Explicit(statement));
    }
    let is_admitted = on_key.allow.is_some();
    match on_key.allow {
        Some((Named::Exactly, statement)) if own => return caller.narrowed_for_named(statement, principal),
        Some((Named::Broadly, statement)) if own => return caller.narrowed(Allowed::KeyPolicy(statement)),
        // The account is named, or the caller is of another account: identity policies decide as well. A grant may still
        // allow what they do not.
        Some((_, statement)) => {
            if let Some(identity) = caller.identity_allows(principal) {
                return caller.narrowed(Allowed::KeyAndIdentity(statement, identity));
            }
        }
        None => {}
    }
    caller.by_grant(request.context, own, is_admitted, grants)
}

/// Decides about an action that no key policy controls, on a resource of the caller's own account, or on none: the actions of
/// an account, the half of an action on an alias that is about the alias, and TagResource of a key that is to be made with
/// tags, whose ARN is the resource.
#[must_use]
pub fn decide_on_account(request: &AccessRequest<'_>, resource: Option<&str>) -> Decision {
    let (action, principal) = (request.context.action(), request.context.principal());
    let is_on_alias = resource.is_some_and(|arn| arn.contains(":alias/"))
        && matches!(action, Action::CreateAlias | Action::UpdateAlias | Action::DeleteAlias);
    let is_on_new_key = action == Action::TagResource && resource.is_some_and(|arn| arn.contains(":key/"));
    if (action.is_on_key() && !is_on_alias && !is_on_new_key) || action.is_on_role() {
        return Decision::Denied(Denied::Misplaced);
    }
    if resource.is_some_and(|arn| arn.split(':').nth(4) != Some(principal.account.as_str())) {
        return Decision::Denied(Denied::CrossAccount);
    }
    let mut caller = Caller::judge(request, resource);
    if let Some(statement) = caller.deny.take() {
        return Decision::Denied(Denied::Explicit(statement));
    }
    match caller.identity_allows(principal) {
        Some(identity) => caller.narrowed(Allowed::Identity(identity)),
        None => Decision::Denied(Denied::NoIdentityPolicy),
    }
}

/// Decides whether a role's trust policy lets a principal assume the role. Within one account naming the caller suffices;
/// naming the account, or another account's principal, needs the caller's identity policies too.
#[must_use]
pub fn decide_on_role(
    request: &AccessRequest<'_>,
    role_arn: &str,
    role_account: &AccountId,
    trust: &PolicyDocument,
) -> Decision {
    let principal = request.context.principal();
    if !request.context.action().is_on_role() {
        return Decision::Denied(Denied::Misplaced);
    }
    let trusted = judge(request, trust, Some(role_arn), || PolicySource::Trust);
    let mut caller = Caller::judge(request, Some(role_arn));
    if let Some(statement) = trusted.deny.or(caller.deny.take()) {
        return Decision::Denied(Denied::Explicit(statement));
    }
    let own = principal.account == *role_account;
    match trusted.allow {
        None => Decision::Denied(Denied::NoKeyPolicy),
        Some((Named::Exactly, statement)) if own => caller.narrowed_for_named(statement, principal),
        Some((Named::Broadly, statement)) if own => caller.narrowed(Allowed::KeyPolicy(statement)),
        Some((_, statement)) => match caller.identity_allows(principal) {
            Some(identity) => caller.narrowed(Allowed::KeyAndIdentity(statement, identity)),
            None => Decision::Denied(Denied::NoIdentityPolicy),
        },
    }
}

/// What one policy says.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) deny: Option<StatementRef>,
    /// The Allow that names the caller most exactly.
    pub(crate) allow: Option<(Named, StatementRef)>,
}

/// Walks the statements up to the first Deny that applies.
pub(crate) fn judge(
    request: &AccessRequest<'_>,
    document: &PolicyDocument,
    resource: Option<&str>,
    source: impl Fn() -> PolicySource,
) -> Judgement {
    let place = |index: usize, sid: &Option<Arc<str>>| StatementRef { source: source(), index, sid: sid.clone() };
    let mut best: Option<(Named, usize)> = None;
    for (index, statement) in document.statements.iter().enumerate() {
        // An Allow that names the caller no better than one before has nothing to add.
        if statement.effect == Effect::Allow && matches!(best, Some((Named::Exactly, _))) {
            continue;
        }
        let Some(named) = statement.applies(request, resource) else { continue };
        match (statement.effect, best) {
            (Effect::Deny, _) => return Judgement { deny: Some(place(index, &statement.sid)), allow: None },
            (Effect::Allow, Some((before, _))) if before >= named => {}
            (Effect::Allow, _) => best = Some((named, index)),
        }
    }
    let allow = best.and_then(|(named, index)| {
        document.statements.get(index).map(|statement| (named, place(index, &statement.sid)))
    });
    Judgement { deny: None, allow }
}

/// What the policies on the caller's side say.
pub(crate) struct Caller {
    pub(crate) deny: Option<StatementRef>,
    identity: Option<StatementRef>,
    boundary_allows: bool,
    session_allows: bool,
}

impl Caller {
    pub(crate) fn judge(request: &AccessRequest<'_>, resource: Option<&str>) -> Self {
        let CallerPolicies { identity, boundary, session } = request.policies;
        let mut caller = Self { deny: None, identity: None, boundary_allows: true, session_allows: true };
        for policy in identity {
            let said = judge(request, &policy.document, resource, || PolicySource::Identity(Arc::clone(&policy.name)));
            caller.deny = caller.deny.or(said.deny);
            caller.identity = caller.identity.or(said.allow.map(|(_, statement)| statement));
        }
        if let Some(policy) = boundary {
            let said = judge(request, &policy.document, resource, || PolicySource::Boundary(Arc::clone(&policy.name)));
            caller.deny = caller.deny.or(said.deny);
            caller.boundary_allows = said.allow.is_some();
        }
        if let Some(policy) = session {
            let said = judge(request, &policy.document, resource, || PolicySource::Session(Arc::clone(&policy.name)));
            caller.deny = caller.deny.or(said.deny);
            caller.session_allows = said.allow.is_some();
        }
        caller
    }

    /// The identity policy that allows, if one does; the root user needs none.
    pub(crate) fn identity_allows(&self, principal: &Principal<'_>) -> Option<Option<StatementRef>> {
        match (&self.identity, principal.kind) {
            (Some(statement), _) => Some(Some(statement.clone())),
            (None, PrincipalKind::Root) => Some(None),
            (None, PrincipalKind::User | PrincipalKind::Session { .. }) => None,
        }
    }

    /// What is left of an allowance after boundary and session policy.
    pub(crate) fn narrowed(&self, allowed: Allowed) -> Decision {
        match (self.boundary_allows, self.session_allows) {
            (false, _) => Decision::Denied(Denied::Boundary),
            (true, false) => Decision::Denied(Denied::SessionPolicy),
            (true, true) => Decision::Allowed(allowed),
        }
    }

    /// What is left of the allowance of a statement that names this very user or session of its own account: all of it. Only
    /// a session policy narrows what names a user, because the session is then not what is named.
    fn narrowed_for_named(&self, statement: StatementRef, principal: &Principal<'_>) -> Decision {
        match principal.kind {
            PrincipalKind::Root | PrincipalKind::User if !self.session_allows => {
                Decision::Denied(Denied::SessionPolicy)
            }
            PrincipalKind::Root | PrincipalKind::User | PrincipalKind::Session { .. } => {
                Decision::Allowed(Allowed::KeyPolicy(statement))
            }
        }
    }

    /// The rest of the decision: a grant, or nothing. `is_admitted` says whether the key policy admits the caller. Boundary and
    /// session policy narrow what a grant gives, whomever it names (not documented).
    fn by_grant(
        &self,
        context: &RequestContext<'_>,
        own: bool,
        is_admitted: bool,
        grants: impl FnOnce(&mut dyn FnMut(GrantId, &GrantTerms<'_>) -> ControlFlow<()>),
    ) -> Decision {
        let (mut is_granted, mut allowed) = (false, None);
        grants(&mut |id, terms| {
            let Some(named) = terms.covers(context) else { return ControlFlow::Continue(()) };
            is_granted = true;
            // A grant to an account is that account's to give on, and another account's say is needed in any case.
            let identity =
                if own && named != Named::Account { Some(None) } else { self.identity_allows(context.principal()) };
            match identity {
                Some(identity) => {
                    allowed = Some(Allowed::Grant(id, identity));
                    ControlFlow::Break(())
                }
                None => ControlFlow::Continue(()),
            }
        });
        match allowed {
            Some(allowed) => self.narrowed(allowed),
            None if is_admitted || is_granted => Decision::Denied(Denied::NoIdentityPolicy),
            None => Decision::Denied(Denied::NoKeyPolicy),
        }
    }
}
