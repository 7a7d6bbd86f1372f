//! Who calls, and whether they may.
//!
//! Until key policies, identity policies and grants are evaluated, administrators may do everything in their own
//! account and everyone else is denied.

use crate::{KeyEntry, KmsError, RequestId};
use kms_types::{AccountId, EncryptionContext, KeyArn};
use std::sync::Arc;

/// An authenticated principal and the request that it makes. Only authentication makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The principal's ARN.
    pub arn: Arc<str>,
    /// The principal's account.
    pub account: AccountId,
    /// Whether the principal is an administrator of its account.
    pub administrator: bool,
    /// The request that it makes.
    pub request_id: RequestId,
}

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
    #[expect(dead_code, reason = "read by the constraints of grants, which come next")]
    pub(crate) context: Option<&'a EncryptionContext>,
}

impl<'a> Access<'a> {
    /// An action without an encryption context.
    pub(crate) const fn to(caller: &'a Caller, action: &'static str) -> Self {
        Self { caller, action, context: None }
    }

    /// An action with an encryption context, which may be empty.
    pub(crate) const fn with_context(self, context: &'a EncryptionContext) -> Self {
        Self { context: Some(context), ..self }
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
}

impl<'a> Resource<'a> {
    fn key(self) -> Option<&'a KeyArn> {
        match self {
            Self::Key(entry) | Self::Ciphertext(entry) => Some(&entry.arn),
            Self::Absent(arn) => Some(arn),
            Self::Account => None,
        }
    }
}

impl Caller {
    /// Decides on an action without an encryption context; see [`Access::authorise`].
    pub(crate) fn authorise(&self, action: &'static str, resource: Resource<'_>) -> Result<(), KmsError> {
        Access::to(self, action).authorise(resource)
    }
}

impl Access<'_> {
    /// Decides whether the caller may do the action to the resource. Every decision is made here.
    ///
    /// # Errors
    /// [`KmsError::AccessDenied`] with AWS's text; a key of another account is not told from a missing one.
    pub(crate) fn authorise(&self, resource: Resource<'_>) -> Result<(), KmsError> {
        let foreign = resource.key().is_some_and(|key| key.account != self.caller.account);
        if self.caller.administrator && !foreign {
            return Ok(());
        }
        Err(self.denied(resource, foreign))
    }

    fn denied(&self, resource: Resource<'_>, foreign: bool) -> KmsError {
        let (user, action) = (&self.caller.arn, self.action);
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
            Resource::Account => format!("{start} resource: * {because}"),
        })
    }
}
