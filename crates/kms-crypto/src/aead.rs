//! XAES-256-GCM (<https://c2sp.org/XAES-256-GCM>), the one cipher of this crate for data at rest.
//!
//! Its nonce has 192 bits, so random nonces are safe for 2^80 messages under one key. The library does the work; this
//! file only lays out `nonce ‖ ciphertext ‖ tag`.

use crate::secret::Secret;
use crate::{CryptoError, Entropy};
use xaes_256_gcm::aead::{AeadInOut, KeyInit};
use xaes_256_gcm::{Nonce, Tag, Xaes256Gcm};
use zeroize::Zeroizing;

/// Bytes of the nonce.
pub(crate) const NONCE_BYTES: usize = 24;
/// Bytes of the authentication tag.
pub(crate) const TAG_BYTES: usize = 16;

/// A prepared cipher: the key schedule is computed once. On the heap for the same reason as `Secret`.
pub(crate) struct Cipher(Box<Xaes256Gcm>);

impl Cipher {
    pub(crate) fn new(key: &Secret) -> Self {
        Self(Box::new(Xaes256Gcm::new(key.expose().into())))
    }

    /// Encrypts under a fresh random nonce and returns `head ‖ nonce ‖ ciphertext ‖ tag`.
    pub(crate) fn seal(
        &self,
        head: &[u8],
        associated_data: &[u8],
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce)?;
        let body = head.len().saturating_add(NONCE_BYTES);
        let mut out = Vec::with_capacity(body.saturating_add(plaintext.len()).saturating_add(TAG_BYTES));
        out.extend_from_slice(head);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plaintext);
        let buffer = out.get_mut(body..).unwrap_or_default();
        let tag = self
            .0
            .encrypt_inout_detached(&Nonce::from(nonce), associated_data, buffer.into())
            .map_err(|_too_long| CryptoError::Library("XAES-256-GCM"))?;
        out.extend_from_slice(&tag);
        Ok(out)
    }

    /// Opens `nonce ‖ ciphertext ‖ tag`.
    ///
    /// # Errors
    /// [`CryptoError::Refused`], whatever the reason.
    pub(crate) fn open(&self, associated_data: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(CryptoError::Refused)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_BYTES>().ok_or(CryptoError::Refused)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        self.0
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                associated_data,
                buffer.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .map_err(|_opaque| CryptoError::Refused)?;
        Ok(buffer)
    }
}
