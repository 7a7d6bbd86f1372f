//! Encrypt and Decrypt with a symmetric key: the hot path.

use crate::aead::Cipher;
use crate::blob::{BlobHeader, HEADER_BYTES};
use crate::kdf::derive;
use crate::material::IdSeed;
use crate::{CryptoError, Entropy, KeyMaterial};
use kms_types::{EncryptionContext, KeyId, KeyMaterialId, KeySpec};
use std::fmt;
use std::sync::OnceLock;
use zeroize::Zeroizing;

const MESSAGE_LABEL: &str = "meridian/v1/key-material/message";

/// A symmetric key in one material version, prepared once: key schedule, subkeys and material ID. Shared by reference
/// between any number of threads, without a lock.
pub struct MessageCipher {
    cipher: Cipher,
    id_seed: IdSeed,
    /// The key ID and material ID that were first found to belong together. A cipher serves one key, so only one.
    known: OnceLock<(KeyId, KeyMaterialId)>,
}

impl MessageCipher {
    /// Prepares the cipher of some key material.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSpec`] when the material is not for `SYMMETRIC_DEFAULT`.
    pub fn new(material: &KeyMaterial) -> Result<Self, CryptoError> {
        if material.spec() != KeySpec::SymmetricDefault {
            return Err(CryptoError::UnsupportedSpec(material.spec()));
        }
        Ok(Self {
            cipher: Cipher::new(&derive(MESSAGE_LABEL, material.secret(), &[])),
            id_seed: material.id_seed(),
            known: OnceLock::new(),
        })
    }

    /// Encrypts a message into a blob. The limit on plaintexts is the caller's to enforce.
    ///
    /// # Errors
    /// [`CryptoError::MaterialMismatch`] when the material ID is not that of this material under the key ID: such a
    /// blob could not be decrypted again. [`CryptoError::Entropy`] when no nonce is to be had.
    pub fn encrypt(
        &self,
        key_id: &KeyId,
        material_id: &KeyMaterialId,
        context: &EncryptionContext,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        if !self.has_id(key_id, material_id) {
            return Err(CryptoError::MaterialMismatch);
        }
        let header = BlobHeader::to_bytes(key_id, material_id);
        self.cipher.seal(&header, &associated_data(&header, context), plaintext, entropy)
    }

    /// Decrypts a blob.
    ///
    /// The check of the material ID makes the blob commit to one key (GCM alone does not): no blob opens under two
    /// different materials, even for someone who knows both.
    ///
    /// # Errors
    /// [`CryptoError::Refused`], whatever the reason.
    pub fn decrypt(&self, blob: &[u8], context: &EncryptionContext) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (header, bytes, sealed) = BlobHeader::split(blob).ok_or(CryptoError::Refused)?;
        if !self.has_id(&header.key_id, &header.material_id) {
            return Err(CryptoError::Refused);
        }
        self.cipher.open(&associated_data(bytes, context), sealed)
    }

    fn has_id(&self, key_id: &KeyId, material_id: &KeyMaterialId) -> bool {
        if let Some((known_key, known_id)) = self.known.get()
            && known_key == key_id
        {
            return known_id == material_id;
        }
        let id = self.id_seed.material_id(key_id);
        if id != *material_id {
            // Not remembered: a forged header must not push the true key out of the fast path.
            return false;
        }
        self.known.get_or_init(|| (*key_id, id));
        true
    }
}

impl fmt::Debug for MessageCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageCipher(SYMMETRIC_DEFAULT, secret)")
    }
}

fn associated_data(header: &[u8; HEADER_BYTES], context: &EncryptionContext) -> Vec<u8> {
    let context = context.canonical_bytes();
    let mut out = Vec::with_capacity(HEADER_BYTES.saturating_add(context.len()));
    out.extend_from_slice(header);
    out.extend_from_slice(&context);
    out
}
