//! Checks of key policy documents that CreateKey, ReplicateKey, PutKeyPolicy and GetKeyPolicy share.

use crate::{Caller, KmsError};
use kms_policy::{
    AccessRequest, Action, CallerPolicies, DocumentKind, PolicyDocument, PolicyError, Principal, PrincipalKind,
    RequestContext,
};
use kms_types::{PARTITION, RegionName, limits};

/// The name of the one policy that a key has.
pub(crate) const DEFAULT_POLICY_NAME: &str = "default";

/// Checks the name of a policy; an absent one means the one that every key has.
pub(crate) fn check_policy_name(name: Option<&str>) -> Result<&'static str, KmsError> {
    match name {
        None | Some(DEFAULT_POLICY_NAME) => Ok(DEFAULT_POLICY_NAME),
        Some(_) => Err(KmsError::PolicyNotFound),
    }
}

/// Checks size and form. A document that is too large is a quota error in AWS, not a validation error.
pub(crate) fn check_policy(policy: &str) -> Result<(), KmsError> {
    if policy.len() > limits::POLICY_BYTES_MAX {
        let limit = limits::POLICY_BYTES_MAX;
        return Err(KmsError::LimitExceeded(format!("The key policy document is larger than {limit} bytes.")));
    }
    parse(policy).map(drop)
}

fn parse(policy: &str) -> Result<PolicyDocument, KmsError> {
    PolicyDocument::parse(policy, DocumentKind::Key).map_err(|error| match error {
        PolicyError::InvalidArn => KmsError::InvalidArn("An ARN in the specified key policy is invalid."),
        other => KmsError::MalformedPolicy(other.to_string()),
    })
}

/// The lockout safety check: whoever installs a policy must be able to replace it. `key_arn` is the ARN of the key that the
/// policy is for; a key that is yet to be has no ARN of its own, and any ID will do.
pub(crate) fn check_lockout(caller: &Caller, key_arn: &str, policy: &str) -> Result<(), KmsError> {
    let is_root = **caller.arn() == *Principal::account_arn(&caller.account());
    let kind = if is_root { PrincipalKind::Root } else { PrincipalKind::User };
    let principal = Principal { arn: caller.arn(), account: caller.account(), kind };
    let context = RequestContext::new(Action::PutKeyPolicy, principal);
    let request = AccessRequest { context: &context, policies: CallerPolicies::default() };
    if kms_policy::may_put_next_policy(&parse(policy)?, key_arn, &request) {
        return Ok(());
    }
    Err(KmsError::MalformedPolicy(
        "The new key policy will not allow you to update the key policy in the future.".to_owned(),
    ))
}

/// The ARN of a key of the caller's account that is yet to be, for [`check_lockout`].
pub(crate) fn arn_of_new_key(caller: &Caller, region: &RegionName) -> String {
    format!("arn:{PARTITION}:kms:{region}:{}:key/00000000-0000-0000-0000-000000000000", caller.account())
}
