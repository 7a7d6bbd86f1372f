//! The answer to a request in the form of its protocol.

use super::{ApiOperation, Outcome, Protocol};
use crate::sts::StsFault;
use crate::{Fault, WireError};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderName, HeaderValue, PRAGMA};
use http::{Response, StatusCode};
use kms_service::{KmsError, RequestId};
use std::time::Instant;

/// The body of a success, or a failure.
pub(super) type Answered = Result<Bytes, Failure>;

/// A failure as the caller gets it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: &'static str,
    status: StatusCode,
    body: Bytes,
    /// The message as the audit record has it.
    pub(super) recorded: String,
}

impl Failure {
    pub(super) fn of_json(fault: &Fault) -> Self {
        let recorded = match fault {
            // The caller hears what it sent; what is no key identifier may be a secret that was misplaced.
            Fault::Kms(KmsError::InvalidKeyId(_)) => "Invalid keyId".to_owned(),
            Fault::Kms(_) | Fault::Wire(_) => fault.to_string(),
        };
        Self { code: fault.row().code, status: fault.row().status, body: fault.body(), recorded }
    }

    pub(super) fn of_query(fault: &StsFault, request_id: RequestId) -> Self {
        let (code, status) = fault.row();
        Self { code, status, body: fault.body(request_id), recorded: fault.to_string() }
    }

    /// Something of ours failed.
    pub(super) fn internal(protocol: Protocol, request_id: RequestId) -> Self {
        match protocol {
            Protocol::Json => Self::of_json(&KmsError::Internal.into()),
            Protocol::Query => Self::of_query(&WireError::InternalFailure.into(), request_id),
        }
    }
}

pub(super) fn respond(answered: Answered, protocol: Protocol, mut outcome: Outcome) -> Response<Bytes> {
    let (status, body) = match answered {
        Ok(body) => (StatusCode::OK, body),
        Err(failure) => {
            outcome.code = Some(failure.code);
            (failure.status, failure.body)
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(protocol.content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate, private"));
    headers.insert(EXPIRES, HeaderValue::from_static("0"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    if let Ok(request_id) = HeaderValue::from_str(&outcome.request_id) {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), request_id);
    }
    response.extensions_mut().insert(outcome);
    response
}

/// The one place where requests are logged: no header, no body, no message, since those may hold what is not ours to
/// keep.
pub(super) fn log(response: &Response<Bytes>, started: Instant) {
    let Some(Outcome { request_id, operation, principal, code }) = response.extensions().get() else { return };
    let operation = operation.map_or("-", ApiOperation::name);
    let principal = principal.as_deref().unwrap_or("-");
    let code = code.unwrap_or("-");
    let status = response.status().as_u16();
    let micros = started.elapsed().as_micros();
    if response.status().is_server_error() {
        tracing::info!(request_id, operation, principal, code, status, micros, "request failed");
    } else {
        tracing::debug!(request_id, operation, principal, code, status, micros, "request answered");
    }
}
