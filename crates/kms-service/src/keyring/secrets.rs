//! Secrets of the directory of principals: drawn, sealed to the Regions that serve requests, opened here.

use super::{Keyring, KeyringError};
use kms_core::control::identity::{RecipientBox, RecipientBoxes};
use kms_core::control::{RegionEntry, SealedBox};
use kms_crypto::{AccessSecret, CryptoError, SealingPublicKey, SecretInfo, SessionTokenKey};
use kms_types::AccessKeyId;
use std::fmt;

/// What a secret of the directory is of. Its text is part of what a box is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SecretName {
    /// An access key.
    AccessKey(AccessKeyId),
    /// The session token key of an epoch.
    SessionKey(u64),
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccessKey(id) => write!(f, "access-key/{id}"),
            Self::SessionKey(epoch) => write!(f, "session-key/{epoch}"),
        }
    }
}

impl Keyring {
    /// Draws the secret of a new access key.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when randomness fails.
    pub fn new_access_secret(&self) -> Result<AccessSecret, KeyringError> {
        Ok(AccessSecret::generate(self.entropy.as_ref())?)
    }

    /// Draws a session token key.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when randomness fails.
    pub fn new_session_key(&self) -> Result<SessionTokenKey, KeyringError> {
        Ok(SessionTokenKey::generate(self.entropy.as_ref())?)
    }

    /// Seals the secret of an access key to Regions.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when randomness fails or a Region has no usable sealing key.
    pub fn seal_access_secret<'a>(
        &self,
        id: &AccessKeyId,
        secret: &AccessSecret,
        destinations: impl IntoIterator<Item = &'a RegionEntry>,
    ) -> Result<RecipientBoxes, KeyringError> {
        let entropy = self.entropy.as_ref();
        let name = SecretName::AccessKey(id.clone());
        self.seal_to(&name, destinations, |public, info| secret.seal(public, info, entropy))
    }

    /// Seals the session token key of an epoch to Regions.
    ///
    /// # Errors
    /// As [`Self::seal_access_secret`].
    pub fn seal_session_key<'a>(
        &self,
        epoch: u64,
        key: &SessionTokenKey,
        destinations: impl IntoIterator<Item = &'a RegionEntry>,
    ) -> Result<RecipientBoxes, KeyringError> {
        let entropy = self.entropy.as_ref();
        self.seal_to(&SecretName::SessionKey(epoch), destinations, |public, info| key.seal(public, info, entropy))
    }

    /// Opens the secret of an access key with this Region's box.
    ///
    /// # Errors
    /// [`KeyringError::Missing`] when there is none, [`KeyringError::Crypto`] when it does not open.
    pub fn open_access_secret(&self, id: &AccessKeyId, boxes: &RecipientBoxes) -> Result<AccessSecret, KeyringError> {
        let name = SecretName::AccessKey(id.clone());
        self.open_own(&name, boxes, |info, sealed| AccessSecret::open(&self.sealing, info, sealed))
    }

    /// Opens the session token key of an epoch with this Region's box.
    ///
    /// # Errors
    /// As [`Self::open_access_secret`].
    pub fn open_session_key(&self, epoch: u64, boxes: &RecipientBoxes) -> Result<SessionTokenKey, KeyringError> {
        let name = SecretName::SessionKey(epoch);
        self.open_own(&name, boxes, |info, sealed| SessionTokenKey::open(&self.sealing, info, sealed))
    }

    /// Opens a secret with this Region's box and seals it to further Regions.
    ///
    /// # Errors
    /// As for opening and for sealing.
    pub(crate) fn reseal<'a>(
        &self,
        name: &SecretName,
        boxes: &RecipientBoxes,
        destinations: impl IntoIterator<Item = &'a RegionEntry>,
    ) -> Result<RecipientBoxes, KeyringError> {
        match name {
            SecretName::AccessKey(id) => {
                self.seal_access_secret(id, &self.open_access_secret(id, boxes)?, destinations)
            }
            SecretName::SessionKey(epoch) => {
                self.seal_session_key(*epoch, &self.open_session_key(*epoch, boxes)?, destinations)
            }
        }
    }

    fn seal_to<'a>(
        &self,
        name: &SecretName,
        destinations: impl IntoIterator<Item = &'a RegionEntry>,
        seal: impl Fn(&SealingPublicKey, &SecretInfo<'_>) -> Result<Vec<u8>, CryptoError>,
    ) -> Result<RecipientBoxes, KeyringError> {
        let name = name.to_string();
        let sealed = destinations.into_iter().map(|entry| {
            let public = SealingPublicKey::from_bytes(&entry.sealing_public_key)?;
            let (source, destination) = (&self.region, &entry.region);
            let info = SecretInfo { cluster_id: &self.cluster_id, name: &name, source, destination };
            let sealed = SealedBox { source: self.region.clone(), bytes: seal(&public, &info)? };
            Ok((entry.region.clone(), RecipientBox { registered_at: entry.registered_at, sealed }))
        });
        sealed.collect()
    }

    fn open_own<S>(
        &self,
        name: &SecretName,
        boxes: &RecipientBoxes,
        open: impl FnOnce(&SecretInfo<'_>, &[u8]) -> Result<S, CryptoError>,
    ) -> Result<S, KeyringError> {
        let own = boxes.get(&self.region).ok_or(KeyringError::Missing)?;
        let (source, destination) = (&own.sealed.source, &self.region);
        let name = name.to_string();
        let info = SecretInfo { cluster_id: &self.cluster_id, name: &name, source, destination };
        Ok(open(&info, &own.sealed.bytes)?)
    }
}
