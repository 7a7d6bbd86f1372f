//! What a new key begins with, as CreateKey and ReplicateKey ask for it: its key policy, description and tags.

use super::policy::{check_lockout, check_policy};
use super::tags::check_tags;
use crate::KmsError;
use crate::authorise::Access;
use kms_core::control::InitialProperties;
use kms_types::KeyArn;

/// The part of a request that says what a new key begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForNewKey<'a> {
    pub(crate) policy: Option<&'a str>,
    pub(crate) bypass_lockout_check: bool,
    pub(crate) description: Option<&'a str>,
    pub(crate) tags: &'a [(String, String)],
}

impl ForNewKey<'_> {
    /// Checks everything and fills in the defaults. `access` tells what is known of the key, `arn` names it.
    ///
    /// # Errors
    /// [`KmsError`] for tags, a policy or a lockout that AWS refuses.
    pub(crate) fn check(self, access: &Access<'_>, arn: &KeyArn) -> Result<InitialProperties, KmsError> {
        check_tags(self.tags)?;
        let policy = match self.policy {
            Some(policy) => {
                let document = check_policy(policy)?;
                if !self.bypass_lockout_check {
                    check_lockout(access, &arn.to_string(), &document)?;
                }
                policy.to_owned()
            }
            None => kms_policy::default_key_policy(&arn.account),
        };
        Ok(InitialProperties {
            policy,
            description: self.description.unwrap_or_default().to_owned(),
            tags: self.tags.iter().cloned().collect(),
        })
    }
}
