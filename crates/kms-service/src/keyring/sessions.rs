//! Session tokens under the session token keys of the directory.

use super::{Keyring, KeyringError};
use kms_crypto::{SessionClaims, SessionTokenKey, open_session_token, seal_session_token};

impl Keyring {
    /// Seals the claims of a session into a token that every Region of the cluster opens.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when randomness fails or the token would be too long.
    pub(crate) fn seal_session(
        &self,
        (epoch, key): (u64, &SessionTokenKey),
        claims: &SessionClaims,
    ) -> Result<Vec<u8>, KeyringError> {
        Ok(seal_session_token(key, epoch, &self.cluster_id, claims, self.entropy.as_ref())?)
    }

    /// Opens a session token of this cluster with the key of its epoch; `None` for anything else.
    pub(crate) fn open_session(&self, key: &SessionTokenKey, token: &[u8]) -> Option<SessionClaims> {
        open_session_token(key, &self.cluster_id, token).ok()
    }
}
