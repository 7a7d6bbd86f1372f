//! Tokens that carry their own meaning, protected under the Region KEK: of grants, and of imports.

use super::{Keyring, KeyringError};
use kms_crypto::{
    ImportParameters, ImportToken, OpenedImportToken, grant_token_epoch, import_token_epoch, new_grant_token,
    new_import_token, open_grant_token,
};
use kms_types::{GrantId, KeyId, WrappingKeySpec};

impl Keyring {
    /// A new token for a grant; each call gives another one.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when randomness fails or there is no KEK.
    pub fn grant_token(&self, key_id: &KeyId, grant_id: &GrantId) -> Result<String, KeyringError> {
        let keks = self.keks.load();
        let (_, kek) = keks.last_key_value().ok_or(KeyringError::Crypto)?;
        Ok(new_grant_token(kek, &self.region, key_id, grant_id, self.entropy.as_ref())?)
    }

    /// The key and grant that a token was made for; `None` for anything that this Region did not make.
    #[must_use]
    pub fn open_grant_token(&self, token: &str) -> Option<(KeyId, GrantId)> {
        let epoch = grant_token_epoch(token).ok()?;
        let keks = self.keks.load();
        open_grant_token(token, keks.get(&epoch)?, &self.region).ok()
    }

    /// A new wrapping key and its token. Draws an RSA key: takes up to a second, and belongs on a worker thread.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when randomness fails, there is no KEK or the spec is not RSA.
    pub fn import_token(
        &self,
        parameters: &ImportParameters,
        spec: WrappingKeySpec,
    ) -> Result<ImportToken, KeyringError> {
        let keks = self.keks.load();
        let (_, kek) = keks.last_key_value().ok_or(KeyringError::Crypto)?;
        Ok(new_import_token(kek, &self.region, parameters, spec, self.entropy.as_ref())?)
    }

    /// What an import token carries; `None` for anything that this Region did not make.
    #[must_use]
    pub fn open_import_token(&self, token: &[u8]) -> Option<OpenedImportToken> {
        let epoch = import_token_epoch(token).ok()?;
        let keks = self.keks.load();
        OpenedImportToken::open(token, keks.get(&epoch)?, &self.region).ok()
    }
}
