//! Secrets that are no key material, those of access keys and the keys of session tokens: drawn here, sealed to Regions like key material.
//!
//! The suite and the layout are those of a sealed box of key material (`sealing.rs`), with `S` in place of `B` and
//! another label, so that neither kind opens as the other. `info` carries the cluster, what the secret is of, both Regions.

use crate::kdf::fields;
use crate::sealing::{SealingKey, SealingPublicKey};
use crate::secret::Secret;
use crate::{CryptoError, Entropy, Zeroizing};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kms_types::RegionName;
use std::fmt;

const INFO_LABEL: &str = "meridian/v1/sealed-secret";
/// Longest name of the cluster and of a secret, in bytes; keeps `info` far below the 2^16 bytes at which the library
/// would panic.
const NAME_BYTES_MAX: usize = 256;
/// Random bytes of the secret of an access key; 40 characters in base64.
const ACCESS_SECRET_BYTES: usize = 30;

/// What a sealed secret is bound to. A box opens only under exactly these values.
#[derive(Clone, Copy, Debug)]
pub struct SecretInfo<'a> {
    /// The cluster.
    pub cluster_id: &'a str,
    /// What the secret is of, kind and name, such as `access-key/AKIA…` or `session-key/1`.
    pub name: &'a str,
    /// The Region that seals.
    pub source: &'a RegionName,
    /// The Region that opens.
    pub destination: &'a RegionName,
}

impl SecretInfo<'_> {
    fn to_bytes(self) -> Result<Vec<u8>, CryptoError> {
        for (what, name) in [("a cluster ID", self.cluster_id), ("the name of a secret", self.name)] {
            if name.len() > NAME_BYTES_MAX {
                return Err(CryptoError::Length { what, found: name.len() });
            }
        }
        Ok(fields(&[
            INFO_LABEL.as_bytes(),
            self.cluster_id.as_bytes(),
            self.name.as_bytes(),
            self.source.as_str().as_bytes(),
            self.destination.as_str().as_bytes(),
        ]))
    }

    fn seal(&self, public: &SealingPublicKey, secret: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, CryptoError> {
        public.seal_secret(&self.to_bytes()?, secret, entropy)
    }

    fn open(&self, key: &SealingKey, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        key.open_secret(&self.to_bytes()?, sealed)
    }
}

/// The secret of an access key: 40 characters. Wiped when dropped, never shown.
pub struct AccessSecret(Zeroizing<String>);

impl AccessSecret {
    /// Draws a secret.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when no random bytes are to be had.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        let mut random = Zeroizing::new([0; ACCESS_SECRET_BYTES]);
        entropy.fill(random.as_mut_slice())?;
        Ok(Self(Zeroizing::new(BASE64_STANDARD.encode(random.as_slice()))))
    }

    /// The characters, for the signature and for showing them once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Seals the secret to a Region.
    ///
    /// # Errors
    /// [`CryptoError::Length`] when a name has more than 256 bytes, [`CryptoError::Entropy`] when no random bytes are to
    /// be had.
    pub fn seal(
        &self,
        public: &SealingPublicKey,
        info: &SecretInfo<'_>,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        info.seal(public, self.0.as_bytes(), entropy)
    }

    /// Opens a sealed secret.
    ///
    /// # Errors
    /// [`CryptoError::Refused`], whatever the reason; [`CryptoError::Length`] when a name is too long.
    pub fn open(key: &SealingKey, info: &SecretInfo<'_>, sealed: &[u8]) -> Result<Self, CryptoError> {
        let opened = info.open(key, sealed)?;
        let text = str::from_utf8(&opened).map_err(|_not_text| CryptoError::Refused)?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for AccessSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessSecret(secret)")
    }
}

/// The key of one epoch that seals session tokens: 32 bytes. Wiped when dropped, never shown.
pub struct SessionTokenKey(Secret);

impl SessionTokenKey {
    /// Draws a key.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when no random bytes are to be had.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        Ok(Self(Secret::draw(entropy)?))
    }

    /// Seals the key to a Region.
    ///
    /// # Errors
    /// As [`AccessSecret::seal`].
    pub fn seal(
        &self,
        public: &SealingPublicKey,
        info: &SecretInfo<'_>,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        info.seal(public, self.0.expose(), entropy)
    }

    /// Opens a sealed key.
    ///
    /// # Errors
    /// As [`AccessSecret::open`].
    pub fn open(key: &SealingKey, info: &SecretInfo<'_>, sealed: &[u8]) -> Result<Self, CryptoError> {
        let opened = info.open(key, sealed)?;
        let own = Secret::from_slice(&opened).ok_or(CryptoError::Refused)?;
        Ok(Self(own))
    }
}

impl fmt::Debug for SessionTokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionTokenKey(secret)")
    }
}
