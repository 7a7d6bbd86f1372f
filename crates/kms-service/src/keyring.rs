//! The Region's own keys, and the key material they protect: the only place of the service that touches secrets.

use crate::{KmsError, RegionalLog};
use kms_core::control::SealedBox;
use kms_core::regional::NewMaterial;
use kms_crypto::{
    CryptoError, Entropy, KekEpoch, KeyMaterial, MessageCipher, RegionKek, SealInfo, SealingKey, SealingPublicKey,
    WrapContext,
};
use kms_types::{KeyId, KeyMaterialId, KeySpec, RegionName};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The Region KEKs by epoch; the newest one wraps.
pub type Keks = BTreeMap<KekEpoch, Arc<RegionKek>>;

/// Holds the Region KEKs and the sealing key, and caches prepared ciphers of the keys in use.
pub struct Keyring {
    cluster_id: String,
    region: RegionName,
    keks: arc_swap::ArcSwap<Keks>,
    sealing: SealingKey,
    entropy: Arc<dyn Entropy>,
    regional: Arc<dyn RegionalLog>,
    ciphers: papaya::HashMap<(KeyId, KeyMaterialId), Arc<MessageCipher>>,
    ciphers_max: usize,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({}, {} ciphers)", self.region, self.ciphers.len())
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
    /// A keyring over at least one KEK. `ciphers_max` bounds the prepared ciphers that are kept in memory.
    #[must_use]
    pub fn new(
        identity: (String, RegionName),
        keks: Keks,
        sealing: SealingKey,
        entropy: Arc<dyn Entropy>,
        regional: Arc<dyn RegionalLog>,
        ciphers_max: usize,
    ) -> Self {
        let (cluster_id, region) = identity;
        let keks = arc_swap::ArcSwap::from_pointee(keks);
        Self { cluster_id, region, keks, sealing, entropy, regional, ciphers: papaya::HashMap::new(), ciphers_max }
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
        let stored = self.regional.wrapped_material(key_id, material_id).map_err(|_invalid| KeyringError::Store)?;
        let wrapped = stored.ok_or(KeyringError::Missing)?;
        let epoch = KeyMaterial::wrapped_epoch(&wrapped)?;
        let keks = self.keks.load();
        let kek = keks.get(&epoch).ok_or(KeyringError::Crypto)?;
        let context = WrapContext { region: &self.region, key_id, material_id };
        Ok(KeyMaterial::unwrap(&wrapped, kek, &context)?)
    }

    /// The prepared cipher of a material version; from memory for a key in use.
    ///
    /// # Errors
    /// As [`Keyring::material`].
    pub fn cipher(&self, key_id: &KeyId, material_id: &KeyMaterialId) -> Result<Arc<MessageCipher>, KeyringError> {
        if let Some(cipher) = self.ciphers.pin().get(&(*key_id, *material_id)) {
            return Ok(Arc::clone(cipher));
        }
        let cipher = Arc::new(MessageCipher::new(&self.material(key_id, material_id)?)?);
        self.remember(*key_id, *material_id, &cipher);
        Ok(cipher)
    }

    /// Drops prepared ciphers of destroyed material.
    pub fn forget(&self, key_id: &KeyId, material_id: &KeyMaterialId) {
        self.ciphers.pin().remove(&(*key_id, *material_id));
    }

    /// Keeps a cipher. A full cache first drops an arbitrary one: hash order is as good as random, needs no bookkeeping
    /// on the read path, and a hot key that is dropped costs one store read.
    fn remember(&self, key_id: KeyId, material_id: KeyMaterialId, cipher: &Arc<MessageCipher>) {
        let ciphers = self.ciphers.pin();
        if ciphers.len() >= self.ciphers_max {
            let victim = ciphers.keys().next().copied();
            if let Some(victim) = victim {
                ciphers.remove(&victim);
            }
        }
        ciphers.insert((key_id, material_id), Arc::clone(cipher));
        // The material may have been destroyed between the read and the insertion; nothing may keep it then.
        if !matches!(self.regional.wrapped_material(&key_id, &material_id), Ok(Some(_))) {
            ciphers.remove(&(key_id, material_id));
        }
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
