//! A Region's signing key: Ed25519 (RFC 8032), for what a Region vouches for towards the others, such as checkpoints of its
//! audit log. It never signs for callers: keys of the API are `AsymmetricKey`s.
//!
//! ```text
//! public key   0 version, 1   1 kind, 'V'   2..4 algorithm, 1   4..36 public key (RFC 8032 §5.1.5)
//! signature    64 bytes (RFC 8032 §5.1.6)
//! ```
//! Whoever asks for a signature begins the signed bytes with a label of its own, so that a signature made for one purpose
//! means nothing for another.

use crate::row::{Header, Kind};
use crate::secret::Secret;
use crate::{CryptoError, Entropy, KekEpoch, RegionKek};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use kms_types::RegionName;
use sha2::{Digest, Sha256};
use std::fmt;

const VERSION: u8 = 1;
/// Number of the algorithm in rows and public keys; others may follow.
const ALGORITHM: u16 = 1;
const PUBLIC_BYTES: usize = 32;

/// A Region's private signing key.
pub struct SigningKey {
    /// RFC 8032 §5.1.5: the seed is all there is to keep.
    seed: Secret,
    pair: Box<Ed25519KeyPair>,
    public: SigningPublicKey,
}

impl SigningKey {
    /// Draws a new key pair.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when no random bytes are to be had.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        Self::from_seed(Secret::draw(entropy)?).ok_or(CryptoError::Library("Ed25519"))
    }

    /// The public key, for the Region directory.
    #[must_use]
    pub fn public(&self) -> SigningPublicKey {
        self.public.clone()
    }

    /// Signs bytes, which begin with the label of their purpose.
    ///
    /// # Errors
    /// [`CryptoError::Library`] when the library fails.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let signature = self.pair.try_sign(bytes).map_err(|_failed| CryptoError::Library("Ed25519"))?;
        Ok(signature.as_ref().to_vec())
    }

    /// Wraps the private key for its Region's store.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when no nonce is to be had.
    pub fn wrap(&self, kek: &RegionKek, region: &RegionName, entropy: &dyn Entropy) -> Result<Vec<u8>, CryptoError> {
        kek.wrap_row(Kind::SigningKey, ALGORITHM, &[region.as_str().as_bytes()], self.seed.expose(), entropy)
    }

    /// Opens a wrapped private key with the KEK of its epoch (see [`Self::wrapped_epoch`]).
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are no wrapped signing key or name an unknown algorithm,
    /// [`CryptoError::EpochMismatch`] when the KEK is of another epoch, [`CryptoError::Refused`] for another Region or
    /// when a byte was changed.
    pub fn unwrap(bytes: &[u8], kek: &RegionKek, region: &RegionName) -> Result<Self, CryptoError> {
        let (algorithm, seed) = kek.unwrap_row(Kind::SigningKey, &[region.as_str().as_bytes()], bytes)?;
        if algorithm != ALGORITHM {
            return Err(Kind::SigningKey.malformed());
        }
        Secret::from_slice(&seed).and_then(Self::from_seed).ok_or(Kind::SigningKey.malformed())
    }

    /// The epoch of the KEK that wrapped these bytes. Not yet authenticated: [`Self::unwrap`] does that.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are no wrapped signing key.
    pub fn wrapped_epoch(bytes: &[u8]) -> Result<KekEpoch, CryptoError> {
        Header::parse(Kind::SigningKey, bytes).map(|(header, _)| header.epoch)
    }

    fn from_seed(seed: Secret) -> Option<Self> {
        let pair = Box::new(Ed25519KeyPair::from_seed_unchecked(seed.expose()).ok()?);
        let public = SigningPublicKey::of(pair.public_key().as_ref())?;
        Some(Self { seed, pair, public })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(Ed25519, secret)")
    }
}

/// A Region's public signing key with its version and algorithm, checked when it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningPublicKey(Vec<u8>);

impl SigningPublicKey {
    const HEADER: [u8; 4] = {
        let [a0, a1] = ALGORITHM.to_be_bytes();
        [VERSION, b'V', a0, a1]
    };

    /// Reads a public key.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the bytes are no public key of a known version and algorithm.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let key = bytes.strip_prefix(&Self::HEADER).and_then(Self::of);
        key.ok_or(CryptoError::Malformed("signing public key"))
    }

    /// The bytes, as [`Self::from_bytes`] reads them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key's name: SHA-256 of its bytes.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// Whether this key has signed these bytes.
    #[must_use]
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let key = self.0.get(Self::HEADER.len()..).unwrap_or_default();
        UnparsedPublicKey::new(&ED25519, key).verify(bytes, signature).is_ok()
    }

    fn of(key: &[u8]) -> Option<Self> {
        (key.len() == PUBLIC_BYTES).then(|| Self([&Self::HEADER, key].concat()))
    }
}

impl fmt::Debug for SigningPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningPublicKey(Ed25519)")
    }
}
