//! Checks of key policy documents that CreateKey, ReplicateKey and PutKeyPolicy share.

use crate::KmsError;
use kms_types::limits;

/// Checks size and form. A document that is too large is a quota error in AWS, not a validation error.
pub(crate) fn check_policy(policy: &str) -> Result<(), KmsError> {
    if policy.len() > limits::POLICY_BYTES_MAX {
        let limit = limits::POLICY_BYTES_MAX;
        return Err(KmsError::LimitExceeded(format!("The key policy document is larger than {limit} bytes.")));
    }
    kms_policy::check_document(policy).map_err(|error| KmsError::MalformedPolicy(error.to_string()))
}
