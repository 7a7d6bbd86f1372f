//! From an HTTP request to an HTTP response: authenticate, find the operation, run it, say how it went.

use crate::connection::origin;
use crate::operations::Operation;
use crate::sigv4::Verifier;
use crate::{Fault, Principals, WireError};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderName, HeaderValue, PRAGMA};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use kms_service::{Caller, Clock, RequestId, Service};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Largest request body, in bytes; the listener stops reading behind it. The largest request that the API model admits
/// is a policy of 128 KiB with 50 tags.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
/// The service's historical name before each operation in `X-Amz-Target`.
const TARGET_PREFIX: &str = "TrentService.";

/// Draws the 16 random bytes of a request ID.
pub type RequestIds = Arc<dyn Fn() -> [u8; 16] + Send + Sync>;

/// How a request ended, for metrics and audit; every response carries one among its extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The request ID that the caller got.
    pub request_id: String,
    /// The operation, once it is known.
    pub operation: Option<Operation>,
    /// ARN of the principal, once it is authenticated.
    pub principal: Option<Arc<str>>,
    /// The error code; `None` for success.
    pub code: Option<&'static str>,
}

impl Outcome {
    /// A request of which nothing is known yet.
    fn of(request_id: RequestId) -> Self {
        Self { request_id: request_id.to_string(), operation: None, principal: None, code: None }
    }
}

/// The AWS API of one Region.
pub struct Api {
    service: Arc<Service>,
    gate: Gate,
    request_ids: RequestIds,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl Api {
    /// The API of the service's Region.
    #[must_use]
    pub fn new(
        service: Arc<Service>,
        principals: Arc<Principals>,
        clock: Arc<dyn Clock>,
        request_ids: RequestIds,
    ) -> Self {
        let gate = Gate { principals, clock, verifier: Verifier::new(service.region().clone()) };
        Self { service, gate, request_ids }
    }

    /// Answers a request whose body has been read. Never fails: every failure is an AWS error.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let started = Instant::now();
        let request_id = self.request_id();
        let mut outcome = Outcome::of(request_id);
        let (parts, body) = request.into_parts();
        let answered = self.answer(&parts, body, request_id, &mut outcome).await;
        let response = respond(answered, outcome);
        log(&response, started);
        response
    }

    /// The response to a request that the listener cannot hand over: malformed, too large, too slow, or at a bad time.
    #[must_use]
    pub fn refuse(&self, error: WireError) -> Response<Bytes> {
        let started = Instant::now();
        let response = respond(Err(error.into()), Outcome::of(self.request_id()));
        log(&response, started);
        response
    }

    async fn answer(
        &self,
        parts: &Parts,
        body: Bytes,
        request_id: RequestId,
        outcome: &mut Outcome,
    ) -> Result<Bytes, Fault> {
        let caller = self.gate.admit(parts, &body, request_id)?;
        outcome.principal = Some(Arc::clone(caller.arn()));
        let operation = operation(parts)?;
        outcome.operation = Some(operation);
        operation.run(&self.service, caller, body).await
    }

    fn request_id(&self) -> RequestId {
        RequestId::from_random((self.request_ids)())
    }
}

/// What every request must pass before anything is made of its body.
#[derive(Debug)]
struct Gate {
    principals: Arc<Principals>,
    clock: Arc<dyn Clock>,
    verifier: Verifier,
}

impl Gate {
    fn admit(&self, parts: &Parts, body: &[u8], request_id: RequestId) -> Result<Caller, Fault> {
        if parts.method != Method::POST || parts.uri.path() != "/" {
            return Err(WireError::UnknownOperation.into());
        }
        if body.len() > BODY_BYTES_MAX {
            return Err(WireError::RequestEntityTooLarge.into());
        }
        let caller = self.verifier.verify(&self.principals, parts, body, self.clock.now(), request_id)?;
        Ok(Caller { origin: origin(parts), ..caller })
    }
}

/// The operation that `X-Amz-Target` names.
fn operation(parts: &Parts) -> Result<Operation, WireError> {
    let mut targets = parts.headers.get_all(TARGET).iter();
    let (Some(target), None) = (targets.next(), targets.next()) else {
        return Err(WireError::UndeterminedOperation);
    };
    let name = target.to_str().ok().and_then(|target| target.strip_prefix(TARGET_PREFIX));
    Operation::parse(name.ok_or(WireError::UndeterminedOperation)?).ok_or(WireError::UnknownOperation)
}

fn respond(answered: Result<Bytes, Fault>, mut outcome: Outcome) -> Response<Bytes> {
    let (status, body) = match answered {
        Ok(body) => (StatusCode::OK, body),
        Err(fault) => {
            outcome.code = Some(fault.row().code);
            (fault.row().status, fault.body())
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
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
fn log(response: &Response<Bytes>, started: Instant) {
    let Some(Outcome { request_id, operation, principal, code }) = response.extensions().get() else { return };
    let operation = operation.map_or("-", Operation::name);
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

#[cfg(test)]
mod tests;
