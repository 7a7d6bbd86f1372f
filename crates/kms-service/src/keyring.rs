//! The Region's own keys, and the key material they protect: the only place of the service that touches secrets.

mod epochs;
mod prepared;
mod secrets;
mod tokens;

use crate::{KmsError, RegionalLog};
use kms_core::control::SealedBox;
use kms_core::regional::NewMaterial;
use kms_crypto::{
    AsymmetricKey, CryptoError, DataKeyPair, Entropy, KekEpoch, KeyMaterial, MacKey, MessageCipher, RegionKek,
    SealInfo, SealingKey, SealingPublicKey, WrapContext,
};
use kms_types::{KeyId, KeyMaterialId, KeySpec, RegionName};
use prepared::{Prepared, PreparedKeys};
pub(crate) use secrets::SecretName;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The Region KEKs by epoch; the newest one wraps.
pub type Keks = BTreeMap<KekEpoch, Arc<RegionKek>>;

/// Holds the Region KEKs and the sealing key, and caches prepared keys.
pub struct Keyring {
    cluster_id: String,
    region: RegionName,
    keks: arc_swap::ArcSwap<Keks>,
    sealing: SealingKey,
    entropy: Arc<dyn Entropy>,
    regional: Arc<dyn RegionalLog>,
    prepared: PreparedKeys,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({}, {} prepared keys)", self.region, self.prepared.len())
    }
}

/// Why the keyring could not do its work. Carries no secret and no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// The material is not in this Region's store.
    #[error("the key material is not in this Region's store")]
    Missing,
    /// The store failed.
    #[error("the store failed")]
    Store,
    /// The bytes do not open, or a key of the hierarchy is missing.
    #[error("the cryptography refused")]
    Crypto,
}

impl From<CryptoError> for KeyringError {
    fn from(_: CryptoError) -> Self {
        Self::Crypto
    }
}

impl From<KeyringError> for KmsError {
    fn from(_: KeyringError) -> Self {
        Self::Internal
    }
}

impl Keyring {
    /// A keyring over at least one KEK. `prepared_max` bounds the prepared keys that are kept in memory, counted in
    /// symmetric keys of about a kilobyte; a key of another kind counts several times, by its size.
    #[must_use]
    pub fn new(
        identity: (String, RegionName),
        keks: Keks,
        sealing: SealingKey,
        entropy: Arc<dyn Entropy>,
        regional: Arc<dyn RegionalLog>,
        prepared_max: usize,
    ) -> Self {
        let (cluster_id, region) = identity;
        let keks = arc_swap::ArcSwap::from_pointee(keks);
        Self { cluster_id, region, keks, sealing, entropy, regional, prepared: PreparedKeys::new(prepared_max) }
    }

    /// The public half of the sealing key, for the Region directory.
    #[must_use]
    pub fn sealing_public_key(&self) -> SealingPublicKey {
        self.sealing.public()
    }

    /// Draws new material.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when randomness fails or the spec has no material of this kind.
    pub fn generate(&self, spec: KeySpec) -> Result<KeyMaterial, KeyringError> {
        Ok(KeyMaterial::generate(spec, self.entropy.as_ref())?)
    }

    /// Draws a key pair for a caller's own use.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when randomness fails or there are no such data key pairs.
    pub fn generate_pair(&self, spec: KeySpec) -> Result<DataKeyPair, KeyringError> {
        Ok(kms_crypto::generate_data_key_pair(spec, self.entropy.as_ref())?)
    }

    /// Wraps material for this Region's store.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when randomness fails or there is no KEK.
    pub fn wrap(&self, key_id: &KeyId, material: &KeyMaterial) -> Result<NewMaterial, KeyringError> {
        let material_id = material.material_id(key_id);
        let keks = self.keks.load();
        let (_, kek) = keks.last_key_value().ok_or(KeyringError::Crypto)?;
        let context = WrapContext { region: &self.region, key_id, material_id: &material_id };
        let wrapped = material.wrap(kek, &context, self.entropy.as_ref())?;
        Ok(NewMaterial { material_id, wrapped })
    }

    /// Seals material to a Region that holds the key.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when the public key is not one.
    pub fn seal(
        &self,
        key_id: &KeyId,
        material: &KeyMaterial,
        destination: &RegionName,
        public_key: &[u8],
    ) -> Result<SealedBox, KeyringError> {
        let material_id = material.material_id(key_id);
        let info = self.seal_info(key_id, &material_id, &self.region, destination);
        let public = SealingPublicKey::from_bytes(public_key)?;
        let bytes = kms_crypto::seal(&public, &info, material, self.entropy.as_ref())?;
        Ok(SealedBox { source: self.region.clone(), bytes })
    }

    /// Opens a box that was sealed to this Region.
    ///
    /// # Errors
    /// [`KeyringError::Crypto`] when it was not, or holds other material.
    pub fn open(
        &self,
        key_id: &KeyId,
        material_id: &KeyMaterialId,
        spec: KeySpec,
        sealed: &SealedBox,
    ) -> Result<KeyMaterial, KeyringError> {
        let info = self.seal_info(key_id, material_id, &sealed.source, &self.region);
        Ok(self.sealing.open(&info, &sealed.bytes, spec)?)
    }

    /// Reads and unwraps material from this Region's store.
    ///
    /// # Errors
    /// [`KeyringError::Missing`] when the store does not have it.
    pub fn material(&self, key_id: &KeyId, material_id: &KeyMaterialId) -> Result<KeyMaterial, KeyringError> {
        let stored = || self.regional.wrapped_material(key_id, material_id).map_err(|_invalid| KeyringError::Store);
        let mut wrapped = stored()?.ok_or(KeyringError::Missing)?;
        if !self.keks.load().contains_key(&KeyMaterial::wrapped_epoch(&wrapped)?) {
            // Its KEK was destroyed since the row was read; then the row has been wrapped anew before.
            wrapped = stored()?.ok_or(KeyringError::Missing)?;
        }
        self.unwrap(key_id, material_id, &wrapped)
    }

    /// The prepared cipher of a version of a symmetric key; from memory for a key in use, then without a lock.
    ///
    /// # Errors
    /// As [`Keyring::material`], and [`KeyringError::Crypto`] for a key of another kind.
    pub fn cipher(&self, key_id: &KeyId, material_id: &KeyMaterialId) -> Result<Arc<MessageCipher>, KeyringError> {
        match self.prepared(key_id, material_id)? {
            Prepared::Cipher(cipher) => Ok(cipher),
            Prepared::Mac(_) | Prepared::Asymmetric(_) => Err(KeyringError::Crypto),
        }
    }

    /// The prepared key of an HMAC key.
    ///
    /// # Errors
    /// As [`Keyring::cipher`].
    pub fn mac(&self, key_id: &KeyId, material_id: &KeyMaterialId) -> Result<Arc<MacKey>, KeyringError> {
        match self.prepared(key_id, material_id)? {
            Prepared::Mac(key) => Ok(key),
            Prepared::Cipher(_) | Prepared::Asymmetric(_) => Err(KeyringError::Crypto),
        }
    }

    /// The prepared key pair of an asymmetric key.
    ///
    /// # Errors
    /// As [`Keyring::cipher`].
    pub fn asymmetric(&self, key_id: &KeyId, material_id: &KeyMaterialId) -> Result<Arc<AsymmetricKey>, KeyringError> {
        match self.prepared(key_id, material_id)? {
            Prepared::Asymmetric(key) => Ok(key),
            Prepared::Cipher(_) | Prepared::Mac(_) => Err(KeyringError::Crypto),
        }
    }

    /// Drops prepared keys of destroyed material.
    pub fn forget(&self, key_id: &KeyId, material_id: &KeyMaterialId) {
        self.prepared.forget(&(*key_id, *material_id));
    }

    fn prepared(&self, key_id: &KeyId, material_id: &KeyMaterialId) -> Result<Prepared, KeyringError> {
        let version = (*key_id, *material_id);
        if let Some(key) = self.prepared.find(&version) {
            return Ok(key);
        }
        let key = Prepared::of(&self.material(key_id, material_id)?)?;
        self.prepared.keep(version, &key);
        // The material may have been destroyed between the read and the insertion; nothing may keep it then.
        if !matches!(self.regional.wrapped_material(key_id, material_id), Ok(Some(_))) {
            self.prepared.forget(&version);
        }
        Ok(key)
    }

    fn seal_info<'a>(
        &'a self,
        key_id: &'a KeyId,
        material_id: &'a KeyMaterialId,
        source: &'a RegionName,
        destination: &'a RegionName,
    ) -> SealInfo<'a> {
        SealInfo { cluster_id: &self.cluster_id, key_id, material_id, source, destination }
    }
}
