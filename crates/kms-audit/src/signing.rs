//! Signatures, as this crate sees them: bytes to sign, and two ports. Keys live in `kms-crypto`, elsewhere.

use kms_types::RegionName;
use std::fmt;

/// Longest signature, in bytes; that of ML-DSA-87 fits.
pub const SIGNATURE_BYTES_MAX: usize = 5 * 1024;

/// Names a Region's signing key: a hash of the public key, so that old signatures can be checked after a change of keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigningKeyId([u8; 32]);

impl SigningKeyId {
    /// Wraps the 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SigningKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A signature and the key that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The key.
    pub key: SigningKeyId,
    /// At most [`SIGNATURE_BYTES_MAX`] bytes.
    pub bytes: Vec<u8>,
}

/// Signs in the name of this Region.
pub trait Signer: Send + Sync + fmt::Debug {
    /// Signs bytes that start with a label of this crate.
    ///
    /// # Errors
    /// [`SignerError`] when the key cannot be used now.
    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignerError>;
}

/// The Region's key cannot be used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this Region's signing key cannot be used")]
pub struct SignerError;

/// Knows the public keys of all Regions, former ones included.
pub trait Verifier: fmt::Debug {
    /// Whether a Region has signed these bytes.
    fn verify(&self, region: &RegionName, bytes: &[u8], signature: &Signature) -> bool;
}
