//! New session token keys: when one is due, and when an operator asks.

use super::{IdentityError, SEAL_ATTEMPTS, refused, serving};
use crate::Service;
use kms_core::control::Refusal;
use kms_core::control::identity::IdentityBody;

impl Service {
    /// Draws the next session token key if one is due. Several Regions may do it at the same time; the first has its way.
    /// Returns its epoch if this Region was the first.
    ///
    /// # Errors
    /// [`IdentityError`]; asking again later is always right.
    pub async fn renew_session_key(&self) -> Result<Option<u64>, IdentityError> {
        let now = self.now();
        let due = self.directory().read(|_, control| control.identities().session_key_due(now));
        let Some(epoch) = due else { return Ok(None) };
        match self.propose_session_key(epoch, false).await? {
            Ok(()) => Ok(Some(epoch)),
            // Another Region was first, or a Region registered meanwhile: the next look will tell.
            Err(Refusal::WrongEpoch { .. } | Refusal::BoxesMismatch) => Ok(None),
            Err(refusal) => Err(refused("session token keys", &refusal)),
        }
    }

    /// Draws the next session token key, due or not. With `end_sessions` every older key goes, and no session that began
    /// before is honoured any more. Returns the epoch of the new key.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn rotate_session_key(&self, end_sessions: bool) -> Result<u64, IdentityError> {
        for _ in 0..SEAL_ATTEMPTS {
            let epoch = self.directory().read(|_, control| control.identities().next_session_epoch());
            match self.propose_session_key(epoch, end_sessions).await? {
                Ok(()) => return Ok(epoch),
                // The key of another Region came first, or a Region registered meanwhile.
                Err(Refusal::WrongEpoch { .. } | Refusal::BoxesMismatch) => {}
                Err(refusal) => return Err(refused("session token keys", &refusal)),
            }
        }
        Err(IdentityError::Internal)
    }

    async fn propose_session_key(&self, epoch: u64, end_sessions: bool) -> Result<Result<(), Refusal>, IdentityError> {
        let regions = self.directory().read(|_, control| serving(control));
        let sealed = self
            .keyring()
            .new_session_key()
            .and_then(|key| self.keyring().seal_session_key(epoch, &key, regions.iter().map(AsRef::as_ref)));
        let boxes = sealed.map_err(|_told_by_the_keyring| IdentityError::Internal)?;
        self.propose_identity(IdentityBody::CreateSessionKey { epoch, boxes, end_sessions }).await
    }
}
