//! GenerateMac and VerifyMac: HMAC (RFC 2104), never truncated.

use crate::{CryptoError, KeyMaterial};
use aws_lc_rs::hmac;
use kms_types::{KeySpec, MacAlgorithm};
use std::fmt;

/// An HMAC key, prepared once and shared by reference between any number of threads. Its algorithm is the only one of
/// its key spec.
pub struct MacKey {
    algorithm: MacAlgorithm,
    key: hmac::Key,
}

impl MacKey {
    /// Prepares the key of some key material.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSpec`] when the material is not that of an HMAC key.
    pub fn new(material: &KeyMaterial) -> Result<Self, CryptoError> {
        let (algorithm, hash) = match material.spec() {
            KeySpec::Hmac224 => (MacAlgorithm::HmacSha224, hmac::HMAC_SHA224),
            KeySpec::Hmac256 => (MacAlgorithm::HmacSha256, hmac::HMAC_SHA256),
            KeySpec::Hmac384 => (MacAlgorithm::HmacSha384, hmac::HMAC_SHA384),
            KeySpec::Hmac512 => (MacAlgorithm::HmacSha512, hmac::HMAC_SHA512),
            other => return Err(CryptoError::UnsupportedSpec(other)),
        };
        Ok(Self { algorithm, key: hmac::Key::new(hash, material.secret()) })
    }

    /// The algorithm of the key.
    #[must_use]
    pub const fn algorithm(&self) -> MacAlgorithm {
        self.algorithm
    }

    /// The MAC of a message: 28, 32, 48 or 64 bytes, as long as the hash.
    #[must_use]
    pub fn generate(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key, message).as_ref().to_vec()
    }

    /// Checks a MAC in constant time.
    ///
    /// # Errors
    /// [`CryptoError::Refused`] when it is not that of the message.
    pub fn verify(&self, message: &[u8], mac: &[u8]) -> Result<(), CryptoError> {
        hmac::verify(&self.key, message, mac).map_err(|_differs| CryptoError::Refused)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({}, secret)", self.algorithm)
    }
}
