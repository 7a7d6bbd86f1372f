//! GetParametersForImport and ImportKeyMaterial: a wrapping key pair whose private half travels in the import token.
//!
//! Nothing is stored for a token. It is sealed under a key that follows from the Region KEK (`OVERVIEW.md`, "Tokens"), and
//! ends to be valid when that epoch of the KEK is destroyed.

use crate::asymmetric_key::rsa::OaepDecryptor;
use crate::row::{Header, Kind};
use crate::{CryptoError, Entropy, KekEpoch, RegionKek, rsa_primes};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm};
use kms_types::{KeyId, RegionName, Timestamp, WrappingAlgorithm, WrappingKeySpec};
use std::fmt;
use zeroize::Zeroizing;

const KEY_ID_BYTES: usize = 36;

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
/// [`CryptoError::UnsupportedAlgorithm`] for `RSAES_PKCS1_V1_5` (AWS refuses it since October 2023) and SM2,
/// [`CryptoError::Entropy`] when no random bytes are to be had.
pub fn new_import_token(
    kek: &RegionKek,
    region: &RegionName,
    parameters: &ImportParameters,
    spec: WrappingKeySpec,
    entropy: &dyn Entropy,
) -> Result<ImportToken, CryptoError> {
    let method = Method::of(parameters.algorithm)?;
    let size = Size::of(spec)?;
    let primes = rsa_primes::generate(size.key_size())?;
    let public_key_der = rsa_primes::public_key_der(&rsa_primes::key_pair(size.key_size(), &primes)?)?;
    let expires_at = parameters.expires_at.millis().to_be_bytes();
    let content = Zeroizing::new([parameters.key_id.as_bytes(), expires_at.as_slice(), &primes].concat());
    let parameter = u16::from_be_bytes([method.number(), size.number()]);
    let token = kek.wrap_row(Kind::ImportToken, parameter, &[region.as_str().as_bytes()], &content, entropy)?;
    Ok(ImportToken { token, public_key_der })
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
    method: Method,
    decryptor: OaepDecryptor,
}

impl OpenedImportToken {
    /// Opens a token with the KEK of its epoch (see [`import_token_epoch`]).
    ///
    /// # Errors
    /// [`CryptoError::EpochMismatch`] when the KEK is of another epoch, else [`CryptoError::Refused`], whatever the
    /// reason.
    pub fn open(token: &[u8], kek: &RegionKek, region: &RegionName) -> Result<Self, CryptoError> {
        let (parameter, content) = kek.unwrap_row(Kind::ImportToken, &[region.as_str().as_bytes()], token)?;
        let [method, size] = parameter.to_be_bytes();
        let method = Method::ALL.into_iter().find(|m| m.number() == method).ok_or(CryptoError::Refused)?;
        let size = Size::ALL.into_iter().find(|s| s.number() == size).ok_or(CryptoError::Refused)?;
        let (key_id, rest) = content.split_first_chunk::<KEY_ID_BYTES>().ok_or(CryptoError::Refused)?;
        let (expires_at, primes) = rest.split_first_chunk::<8>().ok_or(CryptoError::Refused)?;
        let key_id = str::from_utf8(key_id).ok().and_then(|id| KeyId::parse(id).ok()).ok_or(CryptoError::Refused)?;
        let expires_at = Timestamp::from_millis(u64::from_be_bytes(*expires_at));
        // What was sealed here was sound; anything else is a defect of ours and is refused all the same.
        let key = rsa_primes::key_pair(size.key_size(), primes).map_err(|_unsound| CryptoError::Refused)?;
        let parameters = ImportParameters { key_id, algorithm: method.algorithm(), expires_at };
        Ok(Self { parameters, method, decryptor: OaepDecryptor::new(&key)? })
    }

    /// What the token is good for.
    #[must_use]
    pub const fn parameters(&self) -> &ImportParameters {
        &self.parameters
    }

    /// Unwraps key material with the algorithm of the token: the bytes that [`crate::KeyMaterial::import`] takes.
    ///
    /// # Errors
    /// [`CryptoError::Refused`], whatever the reason.
    pub fn unwrap(&self, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match self.method {
            Method::OaepSha1 => self.decryptor.decrypt(&OAEP_SHA1_MGF1SHA1, encrypted),
            Method::OaepSha256 => self.decryptor.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted),
            Method::AesKeyWrapSha1 => self.unwrap_both(&OAEP_SHA1_MGF1SHA1, encrypted),
            Method::AesKeyWrapSha256 => self.unwrap_both(&OAEP_SHA256_MGF1SHA256, encrypted),
        }
    }

    /// An AES key under OAEP, then the material under that AES key (`CKM_RSA_AES_KEY_WRAP` of PKCS #11).
    fn unwrap_both(&self, oaep: &'static OaepAlgorithm, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let split = encrypted.split_at_checked(self.decryptor.ciphertext_bytes());
        let (key, material) = split.ok_or(CryptoError::Refused)?;
        unwrap_padded(&self.decryptor.decrypt(oaep, key)?, material)
    }
}

impl fmt::Debug for OpenedImportToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedImportToken({:?}, secret)", self.parameters)
    }
}

/// AES key wrap with padding (RFC 5649) under a 256-bit key, the only size that AWS documents.
fn unwrap_padded(key: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let kek = AesKek::new(&AES_256, key).map_err(|_length| CryptoError::Refused)?;
    let mut material = Zeroizing::new(vec![0; wrapped.len()]);
    let length = kek.unwrap_with_padding(wrapped, &mut material).map_err(|_opaque| CryptoError::Refused)?.len();
    material.truncate(length);
    Ok(material)
}

/// The wrapping algorithms that are offered, with their numbers in tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    OaepSha1,
    OaepSha256,
    AesKeyWrapSha1,
    AesKeyWrapSha256,
}

impl Method {
    const ALL: [Self; 4] = [Self::OaepSha1, Self::OaepSha256, Self::AesKeyWrapSha1, Self::AesKeyWrapSha256];

    const fn of(algorithm: WrappingAlgorithm) -> Result<Self, CryptoError> {
        match algorithm {
            WrappingAlgorithm::RsaesOaepSha1 => Ok(Self::OaepSha1),
            WrappingAlgorithm::RsaesOaepSha256 => Ok(Self::OaepSha256),
            WrappingAlgorithm::RsaAesKeyWrapSha1 => Ok(Self::AesKeyWrapSha1),
            WrappingAlgorithm::RsaAesKeyWrapSha256 => Ok(Self::AesKeyWrapSha256),
            WrappingAlgorithm::RsaesPkcs1V15 | WrappingAlgorithm::Sm2Pke => {
                Err(CryptoError::UnsupportedAlgorithm(algorithm.as_str()))
            }
        }
    }

    const fn algorithm(self) -> WrappingAlgorithm {
        match self {
            Self::OaepSha1 => WrappingAlgorithm::RsaesOaepSha1,
            Self::OaepSha256 => WrappingAlgorithm::RsaesOaepSha256,
            Self::AesKeyWrapSha1 => WrappingAlgorithm::RsaAesKeyWrapSha1,
            Self::AesKeyWrapSha256 => WrappingAlgorithm::RsaAesKeyWrapSha256,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::OaepSha1 => 1,
            Self::OaepSha256 => 2,
            Self::AesKeyWrapSha1 => 3,
            Self::AesKeyWrapSha256 => 4,
        }
    }
}

/// The sizes of wrapping keys, with their numbers in tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Rsa2048,
    Rsa3072,
    Rsa4096,
}

impl Size {
    const ALL: [Self; 3] = [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    const fn of(spec: WrappingKeySpec) -> Result<Self, CryptoError> {
        match spec {
            WrappingKeySpec::Rsa2048 => Ok(Self::Rsa2048),
            WrappingKeySpec::Rsa3072 => Ok(Self::Rsa3072),
            WrappingKeySpec::Rsa4096 => Ok(Self::Rsa4096),
            WrappingKeySpec::Sm2 => Err(CryptoError::UnsupportedAlgorithm(spec.as_str())),
        }
    }

    const fn key_size(self) -> KeySize {
        match self {
            Self::Rsa2048 => KeySize::Rsa2048,
            Self::Rsa3072 => KeySize::Rsa3072,
            Self::Rsa4096 => KeySize::Rsa4096,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Rsa2048 => 1,
            Self::Rsa3072 => 2,
            Self::Rsa4096 => 3,
        }
    }
}

#[cfg(test)]
mod tests;
