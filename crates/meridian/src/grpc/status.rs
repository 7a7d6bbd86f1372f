//! From errors of the service to gRPC statuses. The AWS code travels in the trailer `x-meridian-error`.

use kms_service::{KmsError, PromoteError};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

/// Trailer with the AWS error code.
const ERROR_TRAILER: &str = "x-meridian-error";

/// The status of a KMS error. The message is the one that the AWS wire sends.
pub(super) fn from_kms(error: &KmsError) -> Status {
    let row = kms_aws::ErrorRow::of_kms(error);
    let code = match error {
        KmsError::Validation(_)
        | KmsError::InvalidArn(_)
        | KmsError::InvalidCiphertext
        | KmsError::IncorrectKey
        | KmsError::InvalidSignature
        | KmsError::InvalidMac
        | KmsError::InvalidPublicKey
        | KmsError::InvalidAliasName(_)
        | KmsError::Tag(_)
        | KmsError::MalformedPolicy(_)
        | KmsError::InvalidMarker
        | KmsError::InvalidPrincipal(_)
        | KmsError::InvalidGrantToken
        | KmsError::InvalidGrantId(_)
        | KmsError::IncorrectKeyMaterial(_)
        | KmsError::InvalidImportToken
        | KmsError::ExpiredImportToken => Code::InvalidArgument,
        KmsError::AccessDenied(_) | KmsError::ReservedAlias => Code::PermissionDenied,
        KmsError::KeyNotFound(_)
        | KmsError::InvalidKeyId(_)
        | KmsError::ForeignRegionArn(_)
        | KmsError::AliasNotFound(_)
        | KmsError::PolicyNotFound
        | KmsError::CustomKeyStoreNotFound(_)
        | KmsError::ReplicaNotFound { .. }
        | KmsError::GrantNotFound { .. }
        | KmsError::KeyMaterialNotFound { .. } => Code::NotFound,
        KmsError::InvalidState { .. }
        | KmsError::MaterialState(_)
        | KmsError::InvalidKeyUsage { .. }
        | KmsError::IncompatibleAlgorithm { .. }
        | KmsError::UnsupportedOperation(_)
        | KmsError::DryRun => Code::FailedPrecondition,
        KmsError::AlreadyExists(_) => Code::AlreadyExists,
        KmsError::LimitExceeded(_) | KmsError::Throttled => Code::ResourceExhausted,
        KmsError::Conflict(_) => Code::Aborted,
        KmsError::DependencyTimeout | KmsError::KeyUnavailable => Code::Unavailable,
        KmsError::Internal => Code::Internal,
    };
    with_code(code, error.to_string(), row.code)
}

/// The status of a refused promotion.
pub(super) fn from_promotion(error: &PromoteError) -> Status {
    let code = match error {
        PromoteError::Kms(error) => return from_kms(error),
        PromoteError::RegionName => Code::InvalidArgument,
        PromoteError::NotMultiRegion(_) | PromoteError::Refused(_) => Code::FailedPrecondition,
        PromoteError::NoMajority => Code::Unavailable,
        PromoteError::StalePlan(_) => Code::Aborted,
    };
    Status::new(code, error.to_string())
}

/// The AWS error code of a status, or gRPC's own name for what went wrong.
pub(super) fn error_code(status: &Status) -> String {
    let named = status.metadata().get(ERROR_TRAILER).and_then(|code| code.to_str().ok());
    named.map_or_else(|| format!("{:?}", status.code()), str::to_owned)
}

pub(super) fn with_code(code: Code, message: String, aws_code: &'static str) -> Status {
    let mut trailers = MetadataMap::new();
    trailers.insert(ERROR_TRAILER, MetadataValue::from_static(aws_code));
    Status::with_metadata(code, message, trailers)
}
