//! Who calls, and whether they may.
//!
//! Until key policies, identity policies and grants are evaluated, administrators may do everything in their own
//! account and everyone else is denied.

use crate::KmsError;
use kms_types::{AccountId, KeyArn};
use std::sync::Arc;

/// An authenticated principal. Only authentication makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The principal's ARN.
    pub arn: Arc<str>,
    /// The principal's account.
    pub account: AccountId,
    /// Whether the principal is an administrator of its account.
    pub administrator: bool,
}

/// A request whose caller has been authenticated. Handlers take nothing else, so that none can run unauthenticated.
#[derive(Debug)]
pub struct Authenticated<T> {
    /// Who calls.
    pub caller: Caller,
    /// What is asked.
    pub request: T,
}

/// What an action is done to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resource<'a> {
    /// A key.
    Key(&'a KeyArn),
    /// No key: account-wide actions such as `kms:ListKeys`.
    Account,
    /// The key that a ciphertext names.
    Ciphertext(&'a KeyArn),
}

impl Caller {
    /// Decides whether the caller may do `action` (without the `kms:` prefix) to the resource.
    ///
    /// # Errors
    /// [`KmsError::AccessDenied`] with AWS's text; a key of another account is not told from a missing one.
    pub(crate) fn authorise(&self, action: &str, resource: Resource<'_>) -> Result<(), KmsError> {
        let foreign = match resource {
            Resource::Key(key) | Resource::Ciphertext(key) => key.account != self.account,
            Resource::Account => false,
        };
        if self.administrator && !foreign {
            return Ok(());
        }
        let user = &self.arn;
        let because = format!("because no identity-based policy allows the kms:{action} action");
        Err(KmsError::AccessDenied(match resource {
            Resource::Key(_) if foreign => format!(
                "User: {user} is not authorized to perform: kms:{action} on this resource because the resource does \
                 not exist in this Region, no resource-based policies allow access, or a resource-based policy \
                 explicitly denies access"
            ),
            Resource::Key(key) => {
                format!("User: {user} is not authorized to perform: kms:{action} on resource: {key} {because}")
            }
            Resource::Ciphertext(_) => format!(
                "User: {user} is not authorized to perform: kms:{action} on the resource associated with this \
                 ciphertext {because}"
            ),
            Resource::Account => {
                format!("User: {user} is not authorized to perform: kms:{action} on resource: * {because}")
            }
        }))
    }
}
