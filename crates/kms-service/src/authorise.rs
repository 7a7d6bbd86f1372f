//! Who calls, and whether they may.
//!
//! Until key policies and identity policies are evaluated, administrators may do everything in their own account, and
//! everyone else what grants permit.

mod constraints;

use crate::operations::grants::{account_arn, account_of_principal};
use crate::{Caller, KeyEntry, KmsError};
use kms_core::regional::{GrantConstraints, GrantPrincipal, GrantRecord};
use kms_types::{AccountId, EncryptionContext, GrantOperation, KeyArn, PARTITION};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::iter;

/// A request whose caller has been authenticated. Handlers take nothing else, so that none can run unauthenticated.
#[derive(Debug)]
pub struct Authenticated<T> {
    /// Who calls.
    pub caller: Caller,
    /// What is asked.
    pub request: T,
}

/// An action that somebody wants to do to a key: what a decision depends on besides the key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access<'a> {
    /// Who.
    pub(crate) caller: &'a Caller,
    /// The action without its `kms:` prefix.
    pub(crate) action: &'static str,
    /// The encryption context of the request; `None` for actions that have none.
    pub(crate) context: Option<&'a EncryptionContext>,
    /// What a new grant would permit, for CreateGrant.
    pub(crate) terms: Option<Terms<'a>>,
}

/// What a new grant would permit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) operations: &'a BTreeSet<GrantOperation>,
    pub(crate) constraints: &'a GrantConstraints,
}

impl<'a> Access<'a> {
    /// An action without an encryption context.
    pub(crate) const fn to(caller: &'a Caller, action: &'static str) -> Self {
        Self { caller, action, context: None, terms: None }
    }

    /// An action with an encryption context, which may be empty.
    pub(crate) const fn with_context(self, context: &'a EncryptionContext) -> Self {
        Self { context: Some(context), ..self }
    }

    /// The creation of a grant.
    pub(crate) const fn with_terms(self, terms: Terms<'a>) -> Self {
        Self { terms: Some(terms), ..self }
    }
}

/// What an action is done to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resource<'a> {
    /// A key of this Region.
    Key(&'a KeyEntry),
    /// A key that is not in this Region, or may not be.
    Absent(&'a KeyArn),
    /// No key: account-wide actions such as `kms:ListKeys`.
    Account,
    /// The key that a ciphertext names.
    Ciphertext(&'a KeyEntry),
    /// The principal with this ARN.
    Principal(&'a str),
}

impl<'a> Resource<'a> {
    /// The account that owns the resource; `None` when that is the caller's in any case.
    fn account(self) -> Option<AccountId> {
        match self {
            Self::Key(entry) | Self::Ciphertext(entry) => Some(entry.arn.account),
            Self::Absent(arn) => Some(arn.account),
            Self::Principal(arn) => account_of_principal(arn),
            Self::Account => None,
        }
    }

    fn entry(self) -> Option<&'a KeyEntry> {
        match self {
            Self::Key(entry) | Self::Ciphertext(entry) => Some(entry),
            Self::Absent(_) | Self::Principal(_) | Self::Account => None,
        }
    }
}

impl Caller {
    /// Decides on an action without an encryption context; see [`Access::authorise`].
    pub(crate) fn authorise(&self, action: &'static str, resource: Resource<'_>) -> Result<(), KmsError> {
        Access::to(self, action).authorise(resource)
    }

    /// The ARNs by which a grant can mean this principal: its own; the role's for a session of a role, as far as the ARN
    /// of a session tells it, which has no path; and the account's for its administrators. An account as grantee leaves
    /// the decision to its identity policies, and the only one there is yet is that of administrators.
    fn grant_names(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let role = self.arn().strip_prefix(&format!("arn:{PARTITION}:sts::{}:assumed-role/", self.account()));
        let role = role.and_then(|session| session.split_once('/'));
        let role = role.map(|(role, _)| format!("arn:{PARTITION}:iam::{}:role/{role}", self.account()));
        let account = self.identity.is_administrator().then(|| account_arn(&self.account()));
        iter::once(Cow::Borrowed(&**self.arn())).chain(role.map(Cow::Owned)).chain(account.map(Cow::Owned))
    }
}

impl Access<'_> {
    /// Decides whether the caller may do the action to the resource. Every decision is made here: an administrator may
    /// do everything in its own account, anybody else what a grant permits.
    ///
    /// # Errors
    /// [`KmsError::AccessDenied`] with AWS's text; a key of another account is not told from a missing one.
    pub(crate) fn authorise(&self, resource: Resource<'_>) -> Result<(), KmsError> {
        let foreign = resource.account().is_some_and(|owner| owner != self.caller.account());
        if self.caller.identity.is_administrator() && !foreign {
            return Ok(());
        }
        if resource.entry().is_some_and(|entry| self.is_granted(entry)) {
            return Ok(());
        }
        Err(self.denied(resource, foreign))
    }

    /// Decides whether the caller may retire a grant on a key: the retiring principal may, the grantee if the grant
    /// permits it, and the account that created the grant, for which its administrators act ("Retiring and revoking
    /// grants" in the AWS KMS Developer Guide).
    ///
    /// # Errors
    /// As [`Access::authorise`].
    pub(crate) fn authorise_retirement(&self, entry: &KeyEntry, grant: &GrantRecord) -> Result<(), KmsError> {
        let caller = self.caller;
        let is_caller = |principal: &GrantPrincipal| match principal {
            GrantPrincipal::Arn(arn) => caller.grant_names().any(|name| name == *arn),
            GrantPrincipal::Service(_) => false,
        };
        let may = caller.identity.is_administrator() && caller.account() == grant.issuing_account
            || grant.retiring.as_ref().is_some_and(is_caller)
            || grant.operations.contains(&GrantOperation::RetireGrant) && is_caller(&grant.grantee);
        let foreign = entry.arn.account != caller.account();
        if may { Ok(()) } else { Err(self.denied(Resource::Key(entry), foreign)) }
    }

    fn is_granted(&self, entry: &KeyEntry) -> bool {
        let Ok(operation) = GrantOperation::parse(self.action) else { return false };
        let permits = |grant: &GrantRecord| grant.operations.contains(&operation) && self.satisfies(operation, grant);
        self.caller.grant_names().any(|name| entry.live.grants.any(&name, permits))
    }

    /// Whether the constraints of a grant on the operation hold.
    fn satisfies(&self, operation: GrantOperation, grant: &GrantRecord) -> bool {
        // No request is made by a service on behalf of a resource here.
        if grant.constraints.source_arn.is_some() {
            return false;
        }
        match (operation, &self.terms) {
            (GrantOperation::DescribeKey | GrantOperation::RetireGrant, _) => true,
            (GrantOperation::CreateGrant, Some(terms)) => {
                terms.operations.is_subset(&grant.operations)
                    && constraints::is_as_strict(terms.constraints, &grant.constraints)
            }
            (GrantOperation::CreateGrant, None) => false,
            (_, _) => constraints::hold(&grant.constraints, self.context),
        }
    }

    fn denied(&self, resource: Resource<'_>, foreign: bool) -> KmsError {
        let (user, action) = (self.caller.arn(), self.action);
        let because = format!("because no identity-based policy allows the kms:{action} action");
        let start = format!("User: {user} is not authorized to perform: kms:{action} on");
        KmsError::AccessDenied(match resource {
            Resource::Key(_) | Resource::Absent(_) if foreign => format!(
                "{start} this resource because the resource does not exist in this Region, no resource-based policies \
                 allow access, or a resource-based policy explicitly denies access"
            ),
            Resource::Key(entry) => format!("{start} resource: {} {because}", entry.arn),
            Resource::Absent(arn) => format!("{start} resource: {arn} {because}"),
            Resource::Ciphertext(_) => format!("{start} the resource associated with this ciphertext {because}"),
            Resource::Principal(arn) => format!("{start} resource: {arn} {because}"),
            Resource::Account => format!("{start} resource: * {because}"),
        })
    }
}
