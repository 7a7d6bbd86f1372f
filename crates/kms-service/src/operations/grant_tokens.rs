//! Grant tokens of a request.

use crate::{KmsError, Service};

impl Service {
    /// Checks that every token belongs to a grant. Grants are in force at once in their Region, so a token gives no
    /// right beyond the grant that it names; but a caller who presents a token that means nothing relies on something
    /// that is not there, and is told so.
    ///
    /// # Errors
    /// `InvalidGrantTokenException` for any other token.
    pub(crate) fn check_grant_tokens(&self, tokens: &[String]) -> Result<(), KmsError> {
        // There are no grants yet, so a token is always unknown.
        if tokens.is_empty() { Ok(()) } else { Err(KmsError::InvalidGrantToken) }
    }
}
