//! Secrets of the directory of principals: drawn, sealed to the Regions that serve requests, opened here.

use super::{Keyring, KeyringError};
use kms_core::control::identity::{RecipientBox, RecipientBoxes};
use kms_core::control::{RegionEntry, SealedBox};
use kms_crypto::{AccessSecret, SealingPublicKey, SecretInfo};
use kms_types::AccessKeyId;

impl Keyring {
    /// Draws the secret of a new access key.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when randomness fails.
    pub fn new_access_secret(&self) -> Result<AccessSecret, KeyringError> {
        Ok(AccessSecret::generate(self.entropy.as_ref())?)
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
        let name = access_key_name(id);
        let sealed = destinations.into_iter().map(|entry| {
            let public = SealingPublicKey::from_bytes(&entry.sealing_public_key)?;
            let (source, destination) = (&self.region, &entry.region);
            let info = SecretInfo { cluster_id: &self.cluster_id, name: &name, source, destination };
            let bytes = secret.seal(&public, &info, self.entropy.as_ref())?;
            let sealed = SealedBox { source: self.region.clone(), bytes };
            Ok((entry.region.clone(), RecipientBox { registered_at: entry.registered_at, sealed }))
        });
        sealed.collect()
    }

    /// Opens the secret of an access key with this Region's box.
    ///
    /// # Errors
    /// [`KeyringError::Missing`] when there is none, [`KeyringError::Crypto`] when it does not open.
    pub fn open_access_secret(&self, id: &AccessKeyId, boxes: &RecipientBoxes) -> Result<AccessSecret, KeyringError> {
        let own = boxes.get(&self.region).ok_or(KeyringError::Missing)?;
        let (source, destination) = (&own.sealed.source, &self.region);
        let name = access_key_name(id);
        let info = SecretInfo { cluster_id: &self.cluster_id, name: &name, source, destination };
        Ok(AccessSecret::open(&self.sealing, &info, &own.sealed.bytes)?)
    }
}

fn access_key_name(id: &AccessKeyId) -> String {
    format!("access-key/{id}")
}
