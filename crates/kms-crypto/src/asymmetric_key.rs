//! Keys with a public half: Sign, Verify, Encrypt, Decrypt, DeriveSharedSecret, Encapsulate, Decapsulate.

use crate::{CryptoError, Entropy, KeyMaterial};
use kms_types::{EncryptionAlgorithm, KeySpec, MessageType, SigningAlgorithm};
use std::fmt;
use zeroize::Zeroizing;

/// An asymmetric key in one material version, parsed once and shared by reference between any number of threads.
///
/// What a key can do follows from its spec. Its `KeyUsage` is the caller's to check: an RSA key here signs and decrypts.
pub struct AsymmetricKey {
    spec: KeySpec,
    public_key_der: Vec<u8>,
    family: Family,
}

/// The library's key, by algorithm family.
enum Family {}

impl AsymmetricKey {
    /// Parses the key of some key material. Takes up to a few milliseconds.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSpec`] when the material is not that of an asymmetric key,
    /// [`CryptoError::Malformed`] when it is not a key of its spec.
    pub fn new(material: &KeyMaterial) -> Result<Self, CryptoError> {
        Err(CryptoError::UnsupportedSpec(material.spec()))
    }

    /// The key spec.
    #[must_use]
    pub const fn spec(&self) -> KeySpec {
        self.spec
    }

    /// The public key as a DER `SubjectPublicKeyInfo` (RFC 5280).
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }

    /// Signs a message.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not sign with this algorithm and message type,
    /// [`CryptoError::Length`] when a digest or µ does not have the length that they require,
    /// [`CryptoError::Entropy`] when no random bytes are to be had.
    pub fn sign(
        &self,
        _algorithm: SigningAlgorithm,
        _message_type: MessageType,
        _message: &[u8],
        _entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        match self.family {}
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// [`CryptoError::Refused`] when it is not one of this key on this message; [`CryptoError::UnsupportedAlgorithm`] and
    /// [`CryptoError::Length`] as in [`Self::sign`].
    pub fn verify(
        &self,
        _algorithm: SigningAlgorithm,
        _message_type: MessageType,
        _message: &[u8],
        _signature: &[u8],
    ) -> Result<(), CryptoError> {
        match self.family {}
    }

    /// Encrypts with the public key of an RSA key.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not encrypt with this algorithm, [`CryptoError::Length`]
    /// when the plaintext is too long for both.
    pub fn encrypt(
        &self,
        _algorithm: EncryptionAlgorithm,
        _plaintext: &[u8],
        _entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        match self.family {}
    }

    /// Decrypts what [`Self::encrypt`] made.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not decrypt with this algorithm, else
    /// [`CryptoError::Refused`], whatever the reason.
    pub fn decrypt(
        &self,
        _algorithm: EncryptionAlgorithm,
        _ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match self.family {}
    }

    /// Agrees on a secret with the holder of another key of the same NIST curve: the x-coordinate of the common point, 32,
    /// 48 or 66 bytes.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the peer's bytes are not a `SubjectPublicKeyInfo` of a point of this curve,
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not agree on secrets.
    pub fn derive_shared_secret(&self, _peer_spki_der: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match self.family {}
    }

    /// Draws a 32-byte secret and encapsulates it to the public key of an ML-KEM key: the ciphertext, then the secret.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not encapsulate, [`CryptoError::Entropy`] when no random
    /// bytes are to be had.
    pub fn encapsulate(&self, _entropy: &dyn Entropy) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), CryptoError> {
        match self.family {}
    }

    /// The secret inside an encapsulation; for an altered one of the right length, other bytes that only this key can tell
    /// (implicit rejection, FIPS 203 §6.3).
    ///
    /// # Errors
    /// [`CryptoError::Length`] when the ciphertext has not the length of this spec's,
    /// [`CryptoError::UnsupportedAlgorithm`] when the key does not decapsulate.
    pub fn decapsulate(&self, _ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match self.family {}
    }
}

impl fmt::Debug for AsymmetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsymmetricKey({}, secret)", self.spec)
    }
}
