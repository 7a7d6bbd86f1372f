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

use crate::context::Context;
use crate::document::PolicyDocument;
use crate::principal::{Named, Principal, PrincipalKind};
use crate::statement::Effect;
use kms_types::{AccountId, GrantId};
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

/// What is asked.
#[derive(Clone, Copy)]
pub struct AccessRequest<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The caller's policies.
    pub policies: CallerPolicies<'a>,
    /// The action, such as `kms:Decrypt`.
    pub action: &'a str,
    /// The condition keys of the request.
    pub context: &'a dyn Context,
}

impl std::fmt::Debug for AccessRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccessRequest({} by {})", self.action, self.principal.arn)
    }
}

/// Where a statement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// The key policy.
    Key,
    /// An identity policy of the caller, by name.
    Identity(Arc<str>),
    /// The caller's permission boundary, by name.
    Boundary(Arc<str>),
    /// The session policy.
    Session(Arc<str>),
}

/// A statement by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRef {
    /// The policy.
    pub source: PolicySource,
    /// Position among the statements, from zero.
    pub index: usize,
    /// The statement's `Sid`, if it has one.
    pub sid: Option<String>,
}

/// What was decided, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Allowed.
    Allowed(Allowed),
    /// Denied.
    Denied(Denied),
}

/// What allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// The key policy, by itself.
    KeyPolicy(StatementRef),
    /// The key policy leaves it to the caller's account (or, across accounts, admits the caller), and an identity policy
    /// allows; the statement of the latter is absent for an account's root user.
    KeyAndIdentity(StatementRef, Option<StatementRef>),
    /// A grant; across accounts together with an identity policy.
    Grant(GrantId, Option<StatementRef>),
    /// An identity policy, for an action that is not about one key; no statement for the root user.
    Identity(Option<StatementRef>),
}

/// What denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A Deny statement.
    Explicit(StatementRef),
    /// No identity policy allows.
    NoIdentityPolicy,
    /// Neither the key policy nor a grant allows.
    NoKeyPolicy,
    /// The permission boundary does not allow it.
    Boundary,
    /// The session policy does not allow it.
    SessionPolicy,
    /// The action is not offered across accounts.
    CrossAccount,
}

impl Decision {
    /// Whether the request may go on.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

/// Actions that a policy can open to other accounts (AWS KMS Developer Guide, "Allowing users in other accounts to use a
/// KMS key", and the column "Cross-account use" of its permissions reference).
const CROSS_ACCOUNT: [&str; 25] = [
    "kms:CreateGrant",
    "kms:Decapsulate",
    "kms:Decrypt",
    "kms:DeriveSharedSecret",
    "kms:DescribeKey",
    "kms:Encapsulate",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:GenerateMac",
    "kms:GetKeyRotationStatus",
    "kms:GetPublicKey",
    "kms:ListGrants",
    "kms:ListRetirableGrants",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:RetireGrant",
    "kms:RevokeGrant",
    "kms:Sign",
    "kms:Verify",
    "kms:VerifyMac",
    "kms:GetKeyLastUsage",
    "kms:ListKeyRotations",
];

/// Decides about an action on a key. `grant` finds a grant that covers the request; it is asked only when it matters.
#[must_use]
pub fn decide_on_key(
    request: &AccessRequest<'_>,
    key: &KeyResource<'_>,
    grant: impl FnOnce() -> Option<GrantId>,
) -> Decision {
    let own = request.principal.account == *key.account;
    if !own && !CROSS_ACCOUNT.contains(&request.action) {
        return Decision::Denied(Denied::CrossAccount);
    }
    let on_key = judge(request, key.policy, Some(key.arn), || PolicySource::Key);
    let mut caller = Caller::judge(request, Some(key.arn));
    if let Some(statement) = on_key.deny.or(caller.deny.take()) {
        return Decision::Denied(Denied::Explicit(statement));
    }
    match on_key.allow {
        Some((Named::Exactly, statement)) if own => return Decision::Allowed(Allowed::KeyPolicy(statement)),
        Some((Named::Broadly, statement)) if own => {
            return caller.narrowed(Allowed::KeyPolicy(statement));
        }
        Some((_, statement)) => {
            // The account is named, or the caller is of another account: identity policies decide as well. A grant may
            // still allow what they do not.
            match caller.identity_allows(request.principal) {
                Some(identity) => return caller.narrowed(Allowed::KeyAndIdentity(statement, identity)),
                None if !own => return Decision::Denied(Denied::NoIdentityPolicy),
                None => {}
            }
            if let Some(grant) = grant() {
                return caller.narrowed(Allowed::Grant(grant, None));
            }
            return Decision::Denied(Denied::NoIdentityPolicy);
        }
        None => {}
    }
    let Some(grant) = grant() else { return Decision::Denied(Denied::NoKeyPolicy) };
    if own {
        return caller.narrowed(Allowed::Grant(grant, None));
    }
    match caller.identity_allows(request.principal) {
        Some(identity) => caller.narrowed(Allowed::Grant(grant, identity)),
        None => Decision::Denied(Denied::NoIdentityPolicy),
    }
}

/// Decides about an action that no key policy controls, on a resource of the caller's own account, or on none.
#[must_use]
pub fn decide_on_account(request: &AccessRequest<'_>, resource: Option<&str>) -> Decision {
    let mut caller = Caller::judge(request, resource);
    if let Some(statement) = caller.deny.take() {
        return Decision::Denied(Denied::Explicit(statement));
    }
    match caller.identity_allows(request.principal) {
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
    let trusted = judge(request, trust, Some(role_arn), || PolicySource::Key);
    let mut caller = Caller::judge(request, Some(role_arn));
    if let Some(statement) = trusted.deny.or(caller.deny.take()) {
        return Decision::Denied(Denied::Explicit(statement));
    }
    let own = request.principal.account == *role_account;
    match trusted.allow {
        None => Decision::Denied(Denied::NoKeyPolicy),
        Some((Named::Exactly, statement)) if own => Decision::Allowed(Allowed::KeyPolicy(statement)),
        Some((Named::Broadly, statement)) if own => caller.narrowed(Allowed::KeyPolicy(statement)),
        Some((_, statement)) => match caller.identity_allows(request.principal) {
            Some(identity) => caller.narrowed(Allowed::KeyAndIdentity(statement, identity)),
            None => Decision::Denied(Denied::NoIdentityPolicy),
        },
    }
}

/// What one policy says.
#[derive(Debug, Default)]
struct Judgement {
    deny: Option<StatementRef>,
    /// The Allow that names the caller most exactly.
    allow: Option<(Named, StatementRef)>,
}

fn judge(
    request: &AccessRequest<'_>,
    document: &PolicyDocument,
    resource: Option<&str>,
    source: impl Fn() -> PolicySource,
) -> Judgement {
    let mut judgement = Judgement::default();
    for (index, statement) in document.statements.iter().enumerate() {
        let Some(named) = statement.applies(request.principal, request.action, resource, request.context) else {
            continue;
        };
        let place = || StatementRef { source: source(), index, sid: statement.sid.clone() };
        match (statement.effect, &judgement.allow) {
            (Effect::Deny, _) => {
                judgement.deny = Some(place());
                return judgement;
            }
            (Effect::Allow, Some((best, _))) if *best >= named => {}
            (Effect::Allow, _) => judgement.allow = Some((named, place())),
        }
    }
    judgement
}

/// What the policies on the caller's side say.
struct Caller {
    deny: Option<StatementRef>,
    identity: Option<StatementRef>,
    boundary_allows: bool,
    session_allows: bool,
}

impl Caller {
    fn judge(request: &AccessRequest<'_>, resource: Option<&str>) -> Self {
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
    fn identity_allows(&self, principal: &Principal) -> Option<Option<StatementRef>> {
        match (&self.identity, &principal.kind) {
            (Some(statement), _) => Some(Some(statement.clone())),
            (None, PrincipalKind::Root) => Some(None),
            (None, PrincipalKind::User | PrincipalKind::Session { .. }) => None,
        }
    }

    /// What is left of an allowance after boundary and session policy.
    fn narrowed(&self, allowed: Allowed) -> Decision {
        match (self.boundary_allows, self.session_allows) {
            (false, _) => Decision::Denied(Denied::Boundary),
            (true, false) => Decision::Denied(Denied::SessionPolicy),
            (true, true) => Decision::Allowed(allowed),
        }
    }
}
