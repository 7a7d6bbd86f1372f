//! Checks of key policy documents that CreateKey, ReplicateKey, PutKeyPolicy and GetKeyPolicy share.

use crate::KmsError;
use crate::authorise::Access;
use kms_policy::{DocumentKind, PolicyDocument, PolicyError};
use kms_types::limits;

/// The name of the one policy that a key has.
pub(crate) const DEFAULT_POLICY_NAME: &str = "default";

/// Checks the name of a policy; an absent one means the one that every key has.
pub(crate) fn check_policy_name(name: Option<&str>) -> Result<&'static str, KmsError> {
    match name {
        None | Some(DEFAULT_POLICY_NAME) => Ok(DEFAULT_POLICY_NAME),
        Some(_) => Err(KmsError::PolicyNotFound),
    }
}

/// Checks size and form, and compiles the document. One that is too large is a quota error in AWS, not a validation error.
pub(crate) fn check_policy(policy: &str) -> Result<PolicyDocument, KmsError> {
    if policy.len() > limits::POLICY_BYTES_MAX {
        let limit = limits::POLICY_BYTES_MAX;
        return Err(KmsError::LimitExceeded(format!("The key policy document is larger than {limit} bytes.")));
    }
    PolicyDocument::parse(policy, DocumentKind::Key).map_err(|error| match error {
        PolicyError::InvalidArn => KmsError::InvalidArn("An ARN in the specified key policy is invalid."),
        other => KmsError::MalformedPolicy(other.to_string()),
    })
}

/// The lockout safety check: whoever installs a policy must be able to replace it. `access` is any action of the caller that
/// tells what is known of the key, and `key_arn` the ARN of the key that the policy is for.
pub(crate) fn check_lockout(access: &Access<'_>, key_arn: &str, policy: &PolicyDocument) -> Result<(), KmsError> {
    if access.may_put_next_policy(policy, key_arn) {
        return Ok(());
    }
    Err(KmsError::MalformedPolicy(
        "The new key policy will not allow you to update the key policy in the future.".to_owned(),
    ))
}
