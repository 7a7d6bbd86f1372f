//! The table of error codes of STS: codes and statuses of the Query protocol, which differ from those of KMS.
//!
//! Sources: the STS API Reference, "Common Error Types" and the errors of AssumeRole, and answers of STS.

#![deny(clippy::wildcard_enum_match_arm)]

use super::xml;
use crate::{SignatureFault, WireError};
use bytes::Bytes;
use http::StatusCode;
use kms_service::{AssumeRoleError, RequestId};

/// Any failure of a request to STS. `Display` is the message that the caller gets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StsFault {
    /// Before the operation.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// AssumeRole's own.
    #[error(transparent)]
    AssumeRole(#[from] AssumeRoleError),
    /// There is no `Action`.
    #[error("The request must contain the parameter Action.")]
    MissingAction,
    /// There is no such operation in that version of the API.
    #[error("Could not find operation {action} for version {version}")]
    InvalidAction {
        /// `Action` of the request.
        action: String,
        /// `Version` of the request.
        version: String,
    },
    /// A parameter is there more than once.
    #[error("The request must contain the parameter {0} no more than once.")]
    RepeatedParameter(&'static str),
    /// There are more parameters than any operation has.
    #[error("The request has too many parameters.")]
    TooManyParameters,
}

impl From<SignatureFault> for StsFault {
    fn from(fault: SignatureFault) -> Self {
        Self::Wire(WireError::Signature(fault))
    }
}

impl StsFault {
    /// Code and status.
    pub(crate) const fn row(&self) -> (&'static str, StatusCode) {
        match self {
            Self::Wire(error) => of_wire(error),
            Self::AssumeRole(error) => of_assume_role(error),
            Self::MissingAction => ("MissingAction", StatusCode::BAD_REQUEST),
            Self::InvalidAction { .. } => ("InvalidAction", StatusCode::BAD_REQUEST),
            Self::RepeatedParameter(_) | Self::TooManyParameters => ("MalformedQueryString", StatusCode::BAD_REQUEST),
        }
    }

    /// The error body.
    pub(crate) fn body(&self, request_id: RequestId) -> Bytes {
        let (code, status) = self.row();
        xml::error((code, status.is_server_error()), &self.to_string(), request_id)
    }
}

const fn of_wire(error: &WireError) -> (&'static str, StatusCode) {
    use WireError as E;
    match error {
        E::Signature(fault) => of_signature(fault),
        E::UndeterminedOperation => ("MissingAction", StatusCode::BAD_REQUEST),
        E::UnknownOperation => ("InvalidAction", StatusCode::BAD_REQUEST),
        E::Serialization(_) => ("MalformedQueryString", StatusCode::BAD_REQUEST),
        E::MalformedHttpRequest => ("MalformedHttpRequest", StatusCode::BAD_REQUEST),
        E::RequestEntityTooLarge => ("RequestEntityTooLarge", StatusCode::PAYLOAD_TOO_LARGE),
        E::RequestTimeout => ("RequestTimeout", StatusCode::REQUEST_TIMEOUT),
        E::ServiceUnavailable => ("ServiceUnavailable", StatusCode::SERVICE_UNAVAILABLE),
        E::InternalFailure => ("InternalFailure", StatusCode::INTERNAL_SERVER_ERROR),
    }
}

const fn of_signature(fault: &SignatureFault) -> (&'static str, StatusCode) {
    use SignatureFault as S;
    match fault {
        S::MissingToken => ("MissingAuthenticationToken", StatusCode::FORBIDDEN),
        S::Incomplete(_) => ("IncompleteSignature", StatusCode::BAD_REQUEST),
        S::UnrecognizedClient => ("InvalidClientTokenId", StatusCode::FORBIDDEN),
        S::ExpiredToken => ("ExpiredToken", StatusCode::FORBIDDEN),
        S::Unconfirmed => ("ServiceUnavailable", StatusCode::SERVICE_UNAVAILABLE),
        S::UnsignedHeader(_) | S::Mismatch | S::Expired(_) | S::NotYetCurrent(_) | S::Scope(_) => {
            ("SignatureDoesNotMatch", StatusCode::FORBIDDEN)
        }
    }
}

const fn of_assume_role(error: &AssumeRoleError) -> (&'static str, StatusCode) {
    use AssumeRoleError as E;
    match error {
        E::Validation(_) => ("ValidationError", StatusCode::BAD_REQUEST),
        E::AccessDenied(_) => ("AccessDenied", StatusCode::FORBIDDEN),
        E::MalformedPolicy(_) => ("MalformedPolicyDocument", StatusCode::BAD_REQUEST),
        E::PackedPolicyTooLarge(_) => ("PackedPolicyTooLarge", StatusCode::BAD_REQUEST),
        E::Unconfirmed => ("ServiceUnavailable", StatusCode::SERVICE_UNAVAILABLE),
        E::Internal => ("InternalFailure", StatusCode::INTERNAL_SERVER_ERROR),
    }
}
