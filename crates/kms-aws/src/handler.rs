//! From an HTTP request to an HTTP response: authenticate, find the operation, run it, say how it went.

mod draft;

use crate::operations::Operation;
use crate::sigv4::Verifier;
use crate::{Fault, Principals, WireError};
use bytes::Bytes;
use draft::Draft;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderName, HeaderValue, PRAGMA};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use kms_audit::{AuditError, Priority};
use kms_service::{AuditSink, Caller, Clock, KmsError, Origin, RequestId, Service};
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
    audit: Arc<dyn AuditSink>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl Api {
    /// The API of the service's Region. Nobody is answered before `audit` has the record.
    #[must_use]
    pub fn new(
        service: Arc<Service>,
        principals: Arc<Principals>,
        clock: Arc<dyn Clock>,
        request_ids: RequestIds,
        audit: Arc<dyn AuditSink>,
    ) -> Self {
        let gate = Gate { principals, clock, verifier: Verifier::new(service.region().clone()) };
        Self { service, gate, request_ids, audit }
    }

    /// Answers a request whose body has been read. Never fails: every failure is an AWS error. Dropping the future records
    /// the request as one that ended before it was answered.
    pub async fn handle(&self, request_id: RequestId, request: Request<Bytes>) -> Response<Bytes> {
        let started = Instant::now();
        let mut outcome = Outcome::of(request_id);
        let (parts, body) = request.into_parts();
        // Asked before the work: nothing is done that could not be recorded.
        if let Err(error) = self.audit.check(Priority::Request) {
            return unrecorded(error, outcome, started);
        }
        let mut draft = self.draft(request_id, parts.extensions.get().cloned().unwrap_or_default());
        draft.note_claims(&parts);
        let answered = self.answer(&parts, body, (request_id, &mut outcome), &mut draft).await;
        self.conclude(answered, outcome, draft, started).await
    }

    /// The response to a request that the listener cannot hand over: malformed, too large, or too slow. It is recorded too.
    pub async fn refuse(&self, request_id: RequestId, origin: Origin, error: WireError) -> Response<Bytes> {
        let started = Instant::now();
        let draft = self.draft(request_id, origin);
        self.conclude(Err(error.into()), Outcome::of(request_id), draft, started).await
    }

    /// The response to a request whose [`Api::handle`] was given up: its record is written already.
    #[must_use]
    pub fn given_up(&self, request_id: RequestId) -> Response<Bytes> {
        let response = respond(Err(WireError::RequestTimeout.into()), Outcome::of(request_id));
        log(&response, Instant::now());
        response
    }

    /// A new request ID.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        RequestId::from_random((self.request_ids)())
    }

    fn draft(&self, request_id: RequestId, origin: Origin) -> Draft<'_> {
        Draft::new(self.audit.as_ref(), (self.gate.clock.as_ref(), self.service.region()), request_id, origin)
    }

    /// Persist, then speak: the record is on stable storage before anybody sees the answer.
    async fn conclude(
        &self,
        answered: Result<Bytes, Fault>,
        outcome: Outcome,
        draft: Draft<'_>,
        started: Instant,
    ) -> Response<Bytes> {
        let record = draft.finish(&answered);
        if let Err(error) = self.audit.record(record, Priority::Request).await {
            return unrecorded(error, outcome, started);
        }
        let response = respond(answered, outcome);
        log(&response, started);
        response
    }

    async fn answer(
        &self,
        parts: &Parts,
        body: Bytes,
        (request_id, outcome): (RequestId, &mut Outcome),
        draft: &mut Draft<'_>,
    ) -> Result<Bytes, Fault> {
        let mut caller = self.gate.admit(parts, &body, request_id)?;
        caller.origin = draft.origin().clone();
        draft.caller = Some(caller.clone());
        outcome.principal = Some(Arc::clone(caller.arn()));
        let operation = operation(parts)?;
        outcome.operation = Some(operation);
        draft.operation = Some(operation);
        draft.parameters = draft::defaults(operation);
        operation.run(&self.service, caller, body, &mut draft.parameters).await
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
        Ok(self.verifier.verify(&self.principals, parts, body, self.clock.now(), request_id)?)
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

/// The answer to a request whose record cannot be made durable (fail closed). AWS has no error of its own for it; this
/// one may be tried again.
fn unrecorded(error: AuditError, outcome: Outcome, started: Instant) -> Response<Bytes> {
    tracing::warn!(%error, "a request is refused because it cannot be recorded");
    let response = respond(Err(KmsError::Internal.into()), outcome);
    log(&response, started);
    response
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
