//! The epochs of the Region KEK: taking a new one in, wrapping what is older anew, and letting old ones go.

use super::{Keks, Keyring, KeyringError};
use kms_core::regional::{NewMaterial, RegionalBody};
use kms_crypto::{KekEpoch, KeyMaterial, RegionKek, WrapContext};
use kms_types::{KeyId, KeyMaterialId};
use std::sync::Arc;

impl Keyring {
    /// The Region KEKs that the Region has.
    #[must_use]
    pub fn keks(&self) -> Arc<Keks> {
        self.keks.load_full()
    }

    /// Takes in the KEK of a new epoch, which is on stable storage already. From now on it wraps.
    pub fn adopt(&self, kek: Arc<RegionKek>) {
        self.keks.rcu(|keks| {
            let mut keks = Keks::clone(keks);
            keks.insert(kek.epoch(), Arc::clone(&kek));
            keks
        });
    }

    /// Forgets an old KEK. The newest one stays, whatever is asked.
    pub fn retire(&self, epoch: KekEpoch) {
        self.keks.rcu(|keks| {
            let mut keks = Keks::clone(keks);
            if keks.last_key_value().is_some_and(|(newest, _)| *newest != epoch) {
                keks.remove(&epoch);
            }
            keks
        });
    }

    /// Wraps material anew if an older KEK than the newest wraps it; `None` if nothing is to be done.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when the material does not open, or randomness fails.
    pub fn wrapped_anew(&self, key_id: &KeyId, material: &NewMaterial) -> Result<Option<NewMaterial>, KeyringError> {
        let newest = self.keks.load().last_key_value().map(|(epoch, _)| *epoch);
        if Some(KeyMaterial::wrapped_epoch(&material.wrapped)?) == newest {
            return Ok(None);
        }
        let opened = self.unwrap(key_id, &material.material_id, &material.wrapped)?;
        self.wrap(key_id, &opened).map(Some)
    }

    /// Wraps the material of a command anew that was wrapped before an epoch began and arrives after it: the search for
    /// material under old KEKs must not be overtaken.
    ///
    /// # Errors
    /// As [`Keyring::wrapped_anew`].
    pub fn bring_up_to_date(&self, body: &mut RegionalBody) -> Result<(), KeyringError> {
        for (key_id, material) in body.materials_mut() {
            if let Some(anew) = self.wrapped_anew(&key_id, material)? {
                *material = anew;
            }
        }
        Ok(())
    }

    pub(super) fn unwrap(
        &self,
        key_id: &KeyId,
        material_id: &KeyMaterialId,
        wrapped: &[u8],
    ) -> Result<KeyMaterial, KeyringError> {
        let keks = self.keks.load();
        let kek = keks.get(&KeyMaterial::wrapped_epoch(wrapped)?).ok_or(KeyringError::Crypto)?;
        let context = WrapContext { region: &self.region, key_id, material_id };
        Ok(KeyMaterial::unwrap(wrapped, kek, &context)?)
    }
}
