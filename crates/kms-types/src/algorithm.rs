//! Algorithms of the API, and what may be done to a message with them.

use crate::Invalid;
use std::fmt;

/// The `EncryptionAlgorithmSpec` of the API model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the API model's own names")]
pub enum EncryptionAlgorithm {
    SymmetricDefault,
    RsaesOaepSha1,
    RsaesOaepSha256,
    Sm2Pke,
}

impl EncryptionAlgorithm {
    /// Every value, in the API model's order.
    pub const ALL: [Self; 4] = [Self::SymmetricDefault, Self::RsaesOaepSha1, Self::RsaesOaepSha256, Self::Sm2Pke];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SymmetricDefault => "SYMMETRIC_DEFAULT",
            Self::RsaesOaepSha1 => "RSAES_OAEP_SHA_1",
            Self::RsaesOaepSha256 => "RSAES_OAEP_SHA_256",
            Self::Sm2Pke => "SM2PKE",
        }
    }

    /// Reads a wire value.
    ///
    /// # Errors
    /// [`Invalid`] for any other text.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|v| v.as_str() == value).ok_or(Invalid("encryption algorithm"))
    }
}

impl fmt::Display for EncryptionAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The `SigningAlgorithmSpec` of the API model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the API model's own names")]
pub enum SigningAlgorithm {
    RsassaPssSha256,
    RsassaPssSha384,
    RsassaPssSha512,
    RsassaPkcs1V15Sha256,
    RsassaPkcs1V15Sha384,
    RsassaPkcs1V15Sha512,
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    Sm2Dsa,
    MlDsaShake256,
    Ed25519Sha512,
    Ed25519PhSha512,
}

impl SigningAlgorithm {
    /// Every value, in the API model's order.
    pub const ALL: [Self; 13] = [
        Self::RsassaPssSha256,
        Self::RsassaPssSha384,
        Self::RsassaPssSha512,
        Self::RsassaPkcs1V15Sha256,
        Self::RsassaPkcs1V15Sha384,
        Self::RsassaPkcs1V15Sha512,
        Self::EcdsaSha256,
        Self::EcdsaSha384,
        Self::EcdsaSha512,
        Self::Sm2Dsa,
        Self::MlDsaShake256,
        Self::Ed25519Sha512,
        Self::Ed25519PhSha512,
    ];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsassaPssSha256 => "RSASSA_PSS_SHA_256",
            Self::RsassaPssSha384 => "RSASSA_PSS_SHA_384",
            Self::RsassaPssSha512 => "RSASSA_PSS_SHA_512",
            Self::RsassaPkcs1V15Sha256 => "RSASSA_PKCS1_V1_5_SHA_256",
            Self::RsassaPkcs1V15Sha384 => "RSASSA_PKCS1_V1_5_SHA_384",
            Self::RsassaPkcs1V15Sha512 => "RSASSA_PKCS1_V1_5_SHA_512",
            Self::EcdsaSha256 => "ECDSA_SHA_256",
            Self::EcdsaSha384 => "ECDSA_SHA_384",
            Self::EcdsaSha512 => "ECDSA_SHA_512",
            Self::Sm2Dsa => "SM2DSA",
            Self::MlDsaShake256 => "ML_DSA_SHAKE_256",
            Self::Ed25519Sha512 => "ED25519_SHA_512",
            Self::Ed25519PhSha512 => "ED25519_PH_SHA_512",
        }
    }

    /// Reads a wire value.
    ///
    /// # Errors
    /// [`Invalid`] for any other text.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|v| v.as_str() == value).ok_or(Invalid("signing algorithm"))
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The `MacAlgorithmSpec` of the API model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the API model's own names")]
pub enum MacAlgorithm {
    HmacSha224,
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

impl MacAlgorithm {
    /// Every value, in the API model's order.
    pub const ALL: [Self; 4] = [Self::HmacSha224, Self::HmacSha256, Self::HmacSha384, Self::HmacSha512];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha224 => "HMAC_SHA_224",
            Self::HmacSha256 => "HMAC_SHA_256",
            Self::HmacSha384 => "HMAC_SHA_384",
            Self::HmacSha512 => "HMAC_SHA_512",
        }
    }

    /// Reads a wire value.
    ///
    /// # Errors
    /// [`Invalid`] for any other text.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|v| v.as_str() == value).ok_or(Invalid("MAC algorithm"))
    }
}

impl fmt::Display for MacAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The `KeyAgreementAlgorithmSpec` of the API model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the API model's own names")]
pub enum KeyAgreementAlgorithm {
    Ecdh,
}

impl KeyAgreementAlgorithm {
    /// Every value, in the API model's order.
    pub const ALL: [Self; 1] = [Self::Ecdh];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ecdh => "ECDH",
        }
    }

    /// Reads a wire value.
    ///
    /// # Errors
    /// [`Invalid`] for any other text.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|v| v.as_str() == value).ok_or(Invalid("key agreement algorithm"))
    }
}

impl fmt::Display for KeyAgreementAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The `EncapsulationAlgorithmSpec` of the API model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the API model's own names")]
pub enum EncapsulationAlgorithm {
    MlKem,
}

impl EncapsulationAlgorithm {
    /// Every value, in the API model's order.
    pub const ALL: [Self; 1] = [Self::MlKem];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MlKem => "ML_KEM",
        }
    }

    /// Reads a wire value.
    ///
    /// # Errors
    /// [`Invalid`] for any other text.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|v| v.as_str() == value).ok_or(Invalid("encapsulation algorithm"))
    }
}

impl fmt::Display for EncapsulationAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The `MessageType` of the API model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the API model's own names")]
pub enum MessageType {
    Raw,
    Digest,
    ExternalMu,
}

impl MessageType {
    /// Every value, in the API model's order.
    pub const ALL: [Self; 3] = [Self::Raw, Self::Digest, Self::ExternalMu];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "RAW",
            Self::Digest => "DIGEST",
            Self::ExternalMu => "EXTERNAL_MU",
        }
    }

    /// Reads a wire value.
    ///
    /// # Errors
    /// [`Invalid`] for any other text.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|v| v.as_str() == value).ok_or(Invalid("message type"))
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
