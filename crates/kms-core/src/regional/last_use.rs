//! When a key last served a cryptographic operation.

use crate::KeyOperation;
use kms_types::Timestamp;

/// The last successful use of a key in this Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// What it was used for.
    pub operation: TrackedOperation,
    /// When.
    pub at: Timestamp,
    /// The ID of the request.
    pub request_id: String,
}

/// The `KeyLastUsageTrackingOperation` of the API model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are the API's own operation names")]
pub enum TrackedOperation {
    Decrypt,
    DeriveSharedSecret,
    Encrypt,
    GenerateDataKey,
    GenerateDataKeyPair,
    GenerateDataKeyPairWithoutPlaintext,
    GenerateDataKeyWithoutPlaintext,
    GenerateMac,
    ReEncrypt,
    Sign,
    Verify,
    VerifyMac,
    Encapsulate,
    Decapsulate,
}

impl TrackedOperation {
    /// Every value, in the API model's order.
    pub const ALL: [Self; 14] = [
        Self::Decrypt,
        Self::DeriveSharedSecret,
        Self::Encrypt,
        Self::GenerateDataKey,
        Self::GenerateDataKeyPair,
        Self::GenerateDataKeyPairWithoutPlaintext,
        Self::GenerateDataKeyWithoutPlaintext,
        Self::GenerateMac,
        Self::ReEncrypt,
        Self::Sign,
        Self::Verify,
        Self::VerifyMac,
        Self::Encapsulate,
        Self::Decapsulate,
    ];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decrypt => "Decrypt",
            Self::DeriveSharedSecret => "DeriveSharedSecret",
            Self::Encrypt => "Encrypt",
            Self::GenerateDataKey => "GenerateDataKey",
            Self::GenerateDataKeyPair => "GenerateDataKeyPair",
            Self::GenerateDataKeyPairWithoutPlaintext => "GenerateDataKeyPairWithoutPlaintext",
            Self::GenerateDataKeyWithoutPlaintext => "GenerateDataKeyWithoutPlaintext",
            Self::GenerateMac => "GenerateMac",
            Self::ReEncrypt => "ReEncrypt",
            Self::Sign => "Sign",
            Self::Verify => "Verify",
            Self::VerifyMac => "VerifyMac",
            Self::Encapsulate => "Encapsulate",
            Self::Decapsulate => "Decapsulate",
        }
    }

    /// Reads a wire value.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == value)
    }

    /// The tracked operation that an operation is; `None` for one that does not count as use.
    #[must_use]
    pub const fn of(operation: KeyOperation) -> Option<Self> {
        use KeyOperation as O;
        Some(match operation {
            O::Decrypt => Self::Decrypt,
            O::DeriveSharedSecret => Self::DeriveSharedSecret,
            O::Encrypt => Self::Encrypt,
            O::GenerateDataKey => Self::GenerateDataKey,
            O::GenerateDataKeyPair => Self::GenerateDataKeyPair,
            O::GenerateDataKeyPairWithoutPlaintext => Self::GenerateDataKeyPairWithoutPlaintext,
            O::GenerateDataKeyWithoutPlaintext => Self::GenerateDataKeyWithoutPlaintext,
            O::GenerateMac => Self::GenerateMac,
            O::ReEncrypt => Self::ReEncrypt,
            O::Sign => Self::Sign,
            O::Verify => Self::Verify,
            O::VerifyMac => Self::VerifyMac,
            O::Encapsulate => Self::Encapsulate,
            O::Decapsulate => Self::Decapsulate,
            _ => return None,
        })
    }
}
