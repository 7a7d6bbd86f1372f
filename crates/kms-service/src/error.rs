//! Everything an operation can answer instead of a result, sorted by whose fault it is. The AWS code, status and
//! message form of each variant are in one table, `kms-aws/src/error.rs`; the texts are the API's own
//! (see the AWS KMS API Reference and recordings of the service).

use kms_core::StateFault;
use kms_types::{AliasArn, GrantId, KeyArn, KeyMaterialId, KeySpec, KeyUsage, RegionName};
use std::ops::RangeInclusive;

/// An operation's error. `Display` is the message that the caller gets, where AWS sends one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KmsError {
    // The caller's fault.
    /// A constraint of the API model or of the service is violated (`ValidationException`).
    #[error("{0}")]
    Validation(Validation),
    /// The caller may not do this (`AccessDeniedException`). The text is complete.
    #[error("{0}")]
    AccessDenied(String),
    /// `Key '<arn>' does not exist`.
    #[error("Key '{0}' does not exist")]
    KeyNotFound(KeyArn),
    /// Not a key ID at all; AWS answers NotFound.
    #[error("Invalid keyId '{0}'")]
    InvalidKeyId(String),
    /// A key ARN of another Region; AWS answers NotFound. Carries that Region.
    #[error("Invalid arn {0}")]
    ForeignRegionArn(RegionName),
    /// Unknown alias.
    #[error("Alias {0} is not found.")]
    AliasNotFound(AliasArn),
    /// GetKeyPolicy with a name other than `default`.
    #[error("No such policy exists")]
    PolicyNotFound,
    /// UpdatePrimaryRegion to a Region without a replica (text not documented).
    #[error("{key} has no replica key in Region {region}.")]
    ReplicaNotFound {
        /// The primary.
        key: KeyArn,
        /// The Region without a replica.
        region: RegionName,
    },
    /// RevokeGrant and RetireGrant of a grant that is not there (text not verified).
    #[error("Grant '{grant_id}' does not exist on key '{key}'")]
    GrantNotFound {
        /// The key.
        key: KeyArn,
        /// The grant.
        grant_id: GrantId,
    },
    /// DeleteImportedKeyMaterial of material that the key does not have (code and text not verified).
    #[error("Key material '{material_id}' does not exist on key '{key}'")]
    KeyMaterialNotFound {
        /// The key.
        key: KeyArn,
        /// The material.
        material_id: KeyMaterialId,
    },
    /// An ARN that is nobody's identity, in a grant.
    #[error("ARN does not refer to a valid principal: {0}")]
    InvalidPrincipal(String),
    /// Malformed ARN, or an alias where only key ID and ARN are accepted.
    #[error("{0}")]
    InvalidArn(&'static str),
    /// The key state does not allow the operation: `DisabledException` or `KMSInvalidStateException`.
    #[error("{key} {fault}")]
    InvalidState {
        /// The key.
        key: KeyArn,
        /// Why.
        fault: StateFault,
    },
    /// The key's imported material does not allow the operation (`KMSInvalidStateException`). The text is complete.
    #[error("{0}")]
    MaterialState(String),
    /// The key's usage does not include the operation.
    #[error("{key} key usage is {usage} which is not valid for {operation}.")]
    InvalidKeyUsage {
        /// The key.
        key: KeyArn,
        /// Its usage.
        usage: KeyUsage,
        /// The operation's name.
        operation: &'static str,
    },
    /// The algorithm does not fit the key spec.
    #[error("Algorithm {algorithm} is incompatible with key spec {spec}.")]
    IncompatibleAlgorithm {
        /// The algorithm named in the request.
        algorithm: String,
        /// The key's spec.
        spec: KeySpec,
    },
    /// A ciphertext that cannot be opened. AWS sends no message.
    #[error("invalid ciphertext")]
    InvalidCiphertext,
    /// `KeyId` is not the key that made the ciphertext.
    #[error("The key ID in the request does not identify a CMK that can perform this operation.")]
    IncorrectKey,
    /// A signature that does not verify (`KMSInvalidSignatureException`). AWS sends no message.
    #[error("invalid signature")]
    InvalidSignature,
    /// A MAC that does not verify (`KMSInvalidMacException`). AWS sends no message.
    #[error("invalid MAC")]
    InvalidMac,
    /// A peer's public key that is none, or of another curve; `ValidationException` without a message.
    #[error("invalid public key")]
    InvalidPublicKey,
    /// No custom key store has this ID or name. AWS's text is not verified.
    #[error("Custom key store '{0}' does not exist")]
    CustomKeyStoreNotFound(String),
    /// The name or replica exists already; the text is complete.
    #[error("{0}")]
    AlreadyExists(String),
    /// Not a possible alias name.
    #[error("{0}")]
    InvalidAliasName(&'static str),
    /// A name under `alias/aws/`; `NotAuthorizedException`, not AccessDenied.
    #[error("The alias name for a customer managed CMK cannot begin with alias/aws/.")]
    ReservedAlias,
    /// A quota is used up; the text is complete.
    #[error("{0}")]
    LimitExceeded(String),
    /// `TagException`.
    #[error("{0}")]
    Tag(&'static str),
    /// `MalformedPolicyDocumentException`.
    #[error("{0}")]
    MalformedPolicy(String),
    /// `InvalidMarkerException`.
    #[error("Invalid marker")]
    InvalidMarker,
    /// `UnsupportedOperationException`, with AWS's text where it sends one.
    #[error("{}", .0.as_deref().unwrap_or("unsupported operation"))]
    UnsupportedOperation(Option<String>),
    /// `ConflictException`.
    #[error("{0}")]
    Conflict(&'static str),
    /// A grant token that means nothing here (`InvalidGrantTokenException`).
    #[error("The grant token is invalid.")]
    InvalidGrantToken,
    /// A grant ID of another form than those that are given out (`InvalidGrantIdException`, text not verified).
    #[error("Invalid grantId '{0}'")]
    InvalidGrantId(String),
    /// Key material that is not what the key expects (`IncorrectKeyMaterialException`, texts not verified).
    #[error("{0}")]
    IncorrectKeyMaterial(&'static str),
    /// An import token that this Region did not make, or made for another key (text not verified).
    #[error("The import token is invalid or is associated with a different KMS key.")]
    InvalidImportToken,
    /// An import token whose time is over (text not verified).
    #[error("The import token has expired. Use GetParametersForImport to get a new import token and public key.")]
    ExpiredImportToken,
    /// It would have worked, but `DryRun` was set.
    #[error("The request would have succeeded, but the DryRun option is set.")]
    DryRun,

    // Not now; worth another try.
    /// The control log has no majority within reach (`DependencyTimeoutException`).
    #[error("The system timed out while trying to fulfill the request. You can retry the request.")]
    DependencyTimeout,
    /// This Region does not have the key's newer material yet (`KeyUnavailableException`).
    #[error(
        "The request was rejected because the key material is not available in this Region yet. You can retry the request."
    )]
    KeyUnavailable,
    /// Too much at once (`ThrottlingException`).
    #[error("You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")]
    Throttled,

    // Ours.
    /// Something failed inside; details are in the log, not here (`KMSInternalException`).
    #[error("The request was rejected because an internal exception occurred. The request can be retried.")]
    Internal,
}

/// A `ValidationException`. `Display` is AWS's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Validation {
    /// One or more constraints of the API model, as `Value … failed to satisfy constraint: …` sentences.
    #[error("{} validation error{} detected: {}", .0.len(), if .0.len() == 1 { "" } else { "s" }, .0.join("; "))]
    Constraints(Vec<String>),
    /// A check of the service itself; the text is complete.
    #[error("{0}")]
    Service(String),
}

impl KmsError {
    /// A check of the service itself failed.
    pub fn service(text: impl Into<String>) -> Self {
        Self::Validation(Validation::Service(text.into()))
    }
}

impl Validation {
    /// Checks a number of the request as the API model does, for bounds that are the service's own or that callers of
    /// another wire than AWS's have not been held to yet. `member` is the path as AWS writes it, in lowerCamelCase.
    pub(crate) fn check_range(value: u32, member: &str, range: RangeInclusive<u32>) -> Result<(), KmsError> {
        let (bound, limit) = match value {
            v if v < *range.start() => ("greater", range.start()),
            v if v > *range.end() => ("less", range.end()),
            _ => return Ok(()),
        };
        Err(KmsError::Validation(Self::Constraints(vec![format!(
            "Value '{value}' at '{member}' failed to satisfy constraint: Member must have value {bound} than or equal \
             to {limit}"
        )])))
    }

    /// Checks the length of secret or binary bytes, which the text does not repeat.
    pub(crate) fn check_length(length: usize, member: &str, max: usize) -> Result<(), KmsError> {
        if length <= max {
            return Ok(());
        }
        Err(KmsError::Validation(Self::Constraints(vec![format!(
            "Value at '{member}' failed to satisfy constraint: Member must have length less than or equal to {max}"
        )])))
    }
}
