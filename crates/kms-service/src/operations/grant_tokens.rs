//! Grant tokens of a request.

use crate::KmsError;

/// Checks that every token belongs to a grant. There are no grants yet, so a token is always unknown. Refused rather
/// than ignored: a caller who presents one relies on it.
pub(crate) fn check_grant_tokens(tokens: &[String]) -> Result<(), KmsError> {
    if tokens.is_empty() { Ok(()) } else { Err(KmsError::InvalidGrantToken) }
}
