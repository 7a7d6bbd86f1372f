//! The one table of AWS error codes: what each failure looks like on the wire.
//!
//! Sources: the API model for the names, recordings of the service for status and message form. Client faults are 400
//! whatever the model says, since that is what the service sends.

#![deny(clippy::wildcard_enum_match_arm)]

use crate::SignatureFault;
use crate::json;
use bytes::Bytes;
use http::StatusCode;
use kms_service::{KmsError, StateFault};
use std::borrow::Cow;

/// Failures that come before any operation runs. `Display` is the message that the caller gets, where there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The request is not, or not rightly, signed.
    #[error(transparent)]
    Signature(#[from] SignatureFault),
    /// `X-Amz-Target` is missing or names no operation of this service.
    #[error("Unable to determine service/operation name to be authorized")]
    UndeterminedOperation,
    /// There is no such operation. AWS sends no message.
    #[error("unknown operation")]
    UnknownOperation,
    /// The body is no JSON object, or a member has another JSON type than the API model says.
    #[error("{0}")]
    Serialization(Cow<'static, str>),
    /// Not HTTP, or HTTP that makes no sense.
    #[error("The request is not well-formed HTTP.")]
    MalformedHttpRequest,
    /// The body is larger than [`crate::BODY_BYTES_MAX`].
    #[error("The request body is too large.")]
    RequestEntityTooLarge,
    /// The client took too long to send its request.
    #[error("The request took too long to arrive.")]
    RequestTimeout,
    /// The node is starting, stopping or overloaded.
    #[error("The service is not available. Try again.")]
    ServiceUnavailable,
    /// Something failed that no operation answers for.
    #[error("The request failed because of an internal error.")]
    InternalFailure,
}

/// Any failure of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Before the operation.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The operation's own.
    #[error(transparent)]
    Kms(#[from] KmsError),
}

impl From<SignatureFault> for Fault {
    fn from(fault: SignatureFault) -> Self {
        Self::Wire(WireError::Signature(fault))
    }
}

/// Whether an error body has a message, and what the member is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageMember {
    /// No message member at all.
    Absent,
    /// `message`.
    Lower,
    /// `Message`.
    Capital,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorRow {
    /// `__type`.
    pub code: &'static str,
    /// HTTP status.
    pub status: StatusCode,
    /// Form of the message.
    pub message: MessageMember,
    /// Whether SDKs try again by themselves.
    pub retryable: bool,
}

impl ErrorRow {
    const fn caller(code: &'static str) -> Self {
        Self { code, status: StatusCode::BAD_REQUEST, message: MessageMember::Lower, retryable: false }
    }

    const fn service(code: &'static str, status: StatusCode) -> Self {
        Self { code, status, message: MessageMember::Lower, retryable: true }
    }

    const fn silent(self) -> Self {
        Self { message: MessageMember::Absent, ..self }
    }

    const fn capital(self) -> Self {
        Self { message: MessageMember::Capital, ..self }
    }

    /// The row of an operation's error.
    #[must_use]
    pub const fn of_kms(error: &KmsError) -> Self {
        use KmsError as E;
        match error {
            E::Validation(_) => Self::caller("ValidationException"),
            E::AccessDenied(_) => Self::caller("AccessDeniedException").capital(),
            E::KeyNotFound(_)
            | E::InvalidKeyId(_)
            | E::ForeignRegionArn(_)
            | E::AliasNotFound(_)
            | E::PolicyNotFound
            | E::ReplicaNotFound { .. }
            | E::GrantNotFound { .. }
            | E::KeyMaterialNotFound { .. } => Self::caller("NotFoundException"),
            E::InvalidArn(_) | E::InvalidPrincipal(_) => Self::caller("InvalidArnException"),
            E::InvalidState { fault, .. } => Self::of_state(*fault),
            E::MaterialState(_) => Self::caller("KMSInvalidStateException"),
            E::InvalidKeyUsage { .. } | E::IncompatibleAlgorithm { .. } => Self::caller("InvalidKeyUsageException"),
            E::InvalidCiphertext => Self::caller("InvalidCiphertextException").silent(),
            E::IncorrectKey => Self::caller("IncorrectKeyException"),
            E::InvalidSignature => Self::caller("KMSInvalidSignatureException").silent(),
            E::InvalidMac => Self::caller("KMSInvalidMacException").silent(),
            E::InvalidPublicKey => Self::caller("ValidationException").silent(),
            E::CustomKeyStoreNotFound(_) => Self::caller("CustomKeyStoreNotFoundException"),
            E::AlreadyExists(_) => Self::caller("AlreadyExistsException"),
            E::InvalidAliasName(_) => Self::caller("InvalidAliasNameException"),
            E::ReservedAlias => Self::caller("NotAuthorizedException"),
            E::LimitExceeded(_) => Self::caller("LimitExceededException"),
            E::Tag(_) => Self::caller("TagException"),
            E::MalformedPolicy(_) => Self::caller("MalformedPolicyDocumentException"),
            E::InvalidMarker => Self::caller("InvalidMarkerException"),
            E::UnsupportedOperation(Some(_)) => Self::caller("UnsupportedOperationException"),
            E::UnsupportedOperation(None) => Self::caller("UnsupportedOperationException").silent(),
            E::Conflict(_) => Self::caller("ConflictException"),
            E::InvalidGrantToken => Self::caller("InvalidGrantTokenException"),
            E::InvalidGrantId(_) => Self::caller("InvalidGrantIdException"),
            E::IncorrectKeyMaterial(_) => Self::caller("IncorrectKeyMaterialException"),
            E::InvalidImportToken => Self::caller("InvalidImportTokenException"),
            E::ExpiredImportToken => Self::caller("ExpiredImportTokenException"),
            E::DryRun => Self::caller("DryRunOperationException"),
            E::DependencyTimeout => Self::service("DependencyTimeoutException", StatusCode::SERVICE_UNAVAILABLE),
            E::KeyUnavailable => Self::service("KeyUnavailableException", StatusCode::INTERNAL_SERVER_ERROR),
            E::Throttled => Self::service("ThrottlingException", StatusCode::BAD_REQUEST),
            E::Internal => Self::service("KMSInternalException", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    const fn of_state(fault: StateFault) -> Self {
        use StateFault as S;
        match fault {
            S::Disabled => Self::caller("DisabledException"),
            S::PendingDeletion
            | S::NotPendingDeletion
            | S::PendingImport
            | S::Unavailable
            | S::Creating
            | S::Updating => Self::caller("KMSInvalidStateException"),
        }
    }

    /// The row of a failure before the operation.
    #[must_use]
    pub const fn of_wire(error: &WireError) -> Self {
        use WireError as E;
        match error {
            E::Signature(fault) => Self::of_signature(fault),
            E::UndeterminedOperation => Self::caller("AccessDeniedException").capital(),
            E::UnknownOperation => Self::caller("UnknownOperationException").silent(),
            E::Serialization(_) => Self::caller("SerializationException"),
            E::MalformedHttpRequest => Self::caller("MalformedHttpRequestException"),
            E::RequestEntityTooLarge => {
                Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..Self::caller("RequestEntityTooLargeException") }
            }
            E::RequestTimeout => Self::service("RequestTimeoutException", StatusCode::REQUEST_TIMEOUT),
            E::ServiceUnavailable => Self::service("ServiceUnavailableException", StatusCode::SERVICE_UNAVAILABLE),
            E::InternalFailure => Self::service("InternalFailure", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    const fn of_signature(fault: &SignatureFault) -> Self {
        use SignatureFault as S;
        match fault {
            S::MissingToken => Self::caller("MissingAuthenticationTokenException"),
            S::Incomplete(_) => Self::caller("IncompleteSignatureException"),
            S::Unconfirmed => Self::service("ServiceUnavailableException", StatusCode::SERVICE_UNAVAILABLE),
            S::UnrecognizedClient => Self::caller("UnrecognizedClientException"),
            S::ExpiredToken => Self::caller("ExpiredTokenException"),
            S::UnsignedHeader(_) | S::Mismatch | S::Expired(_) | S::NotYetCurrent(_) | S::Scope(_) => {
                Self::caller("InvalidSignatureException")
            }
        }
    }
}

impl Fault {
    /// The row of the table that says how the failure looks on the wire.
    #[must_use]
    pub const fn row(&self) -> ErrorRow {
        match self {
            Self::Wire(error) => ErrorRow::of_wire(error),
            Self::Kms(error) => ErrorRow::of_kms(error),
        }
    }

    /// The error body.
    pub(crate) fn body(&self) -> Bytes {
        let row = self.row();
        json::object(256, |body| {
            body.text("__type", row.code);
            match row.message {
                MessageMember::Absent => {}
                MessageMember::Lower => body.text("message", &self.to_string()),
                MessageMember::Capital => body.text("Message", &self.to_string()),
            }
        })
        .into()
    }
}

#[cfg(test)]
mod tests;
