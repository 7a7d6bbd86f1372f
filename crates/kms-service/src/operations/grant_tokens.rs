//! Grant tokens of a request.

use crate::{KmsError, Service};
use kms_types::{GrantId, KeyId};

impl Service {
    /// Checks that every token belongs to a grant. Grants are in force at once in their Region, so a token gives no
    /// right beyond the grant that it names; but a caller who presents a token that means nothing relies on something
    /// that is not there, and is told so.
    ///
    /// # Errors
    /// `InvalidGrantTokenException` for a token of another Region, of a grant that is gone, and for any other text.
    pub(crate) fn check_grant_tokens(&self, tokens: &[String]) -> Result<(), KmsError> {
        tokens.iter().try_for_each(|token| self.grant_of_token(token).map(|_| ()))
    }

    /// The key and the grant that a token names.
    ///
    /// # Errors
    /// As [`Service::check_grant_tokens`].
    pub(crate) fn grant_of_token(&self, token: &str) -> Result<(KeyId, GrantId), KmsError> {
        let (key_id, grant_id) = self.keyring().open_grant_token(token).ok_or(KmsError::InvalidGrantToken)?;
        let exists = self.directory().key(&key_id).is_some_and(|entry| entry.live.grants.has(&grant_id));
        if exists { Ok((key_id, grant_id)) } else { Err(KmsError::InvalidGrantToken) }
    }
}
