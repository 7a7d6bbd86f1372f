//! From an HTTP request to an HTTP response: authenticate, find the operation, run it, say how it went.

mod answer;
mod draft;
mod protocol;

pub use protocol::ApiOperation;

use crate::operations::Operation;
use crate::sigv4::{KMS, Verifier};
use crate::sts::{Form, STS, StsFault, StsOperation};
use crate::{Fault, Principals, WireError};
use answer::{Answered, Failure, log, respond};
use bytes::Bytes;
use draft::Draft;
use http::header::HeaderName;
use http::request::Parts;
use http::{Request, Response};
use kms_audit::{AuditError, Priority};
use kms_service::{AuditSink, Caller, Clock, Origin, RequestId, Service};
use protocol::Protocol;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Largest request body, in bytes; the listener stops reading behind it. The largest request that the API model admits
/// is a policy of 128 KiB with 50 tags.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

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
    pub operation: Option<ApiOperation>,
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
        let verifier = |name| Verifier::new(service.region().clone(), name);
        let gate = Gate { principals, clock, kms: verifier(KMS), sts: verifier(STS) };
        Self { service, gate, request_ids, audit }
    }

    /// Answers a request whose body has been read. Never fails: every failure is an AWS error. Dropping the future records
    /// the request as one that ended before it was answered.
    pub async fn handle(&self, request_id: RequestId, request: Request<Bytes>) -> Response<Bytes> {
        let started = Instant::now();
        let mut outcome = Outcome::of(request_id);
        let (parts, body) = request.into_parts();
        let protocol = Protocol::of(&parts);
        // Asked before the work: nothing is done that could not be recorded.
        if let Err(error) = self.audit.check(Priority::Request) {
            return unrecorded(error, (protocol, request_id), outcome, started);
        }
        let mut draft = self.draft(request_id, parts.extensions.get().cloned().unwrap_or_default());
        draft.note_claims(&parts);
        let answered = match protocol {
            Protocol::Json => {
                let answered = self.answer(&parts, body, (request_id, &mut outcome), &mut draft).await;
                answered.map_err(|fault| Failure::of_json(&fault))
            }
            Protocol::Query => {
                let answered = self.answer_query(&parts, &body, (request_id, &mut outcome), &mut draft);
                answered.map_err(|fault| Failure::of_query(&fault, request_id))
            }
        };
        self.conclude((answered, protocol), (request_id, outcome), draft, started).await
    }

    /// The response to a request that the listener cannot hand over: malformed, too large, or too slow. It is recorded too.
    pub async fn refuse(&self, request_id: RequestId, origin: Origin, error: WireError) -> Response<Bytes> {
        let started = Instant::now();
        let draft = self.draft(request_id, origin);
        let answered = Err(Failure::of_json(&error.into()));
        self.conclude((answered, Protocol::Json), (request_id, Outcome::of(request_id)), draft, started).await
    }

    /// The response to a request whose [`Api::handle`] was given up: its record is written already.
    #[must_use]
    pub fn given_up(&self, request_id: RequestId) -> Response<Bytes> {
        let failure = Failure::of_json(&WireError::RequestTimeout.into());
        let response = respond(Err(failure), Protocol::Json, Outcome::of(request_id));
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
        (answered, protocol): (Answered, Protocol),
        (request_id, outcome): (RequestId, Outcome),
        draft: Draft<'_>,
        started: Instant,
    ) -> Response<Bytes> {
        let record = draft.finish(&answered);
        if let Err(error) = self.audit.record(record, Priority::Request).await {
            return unrecorded(error, (protocol, request_id), outcome, started);
        }
        let response = respond(answered, protocol, outcome);
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
        if !protocol::is_for_kms(parts) {
            return Err(WireError::UnknownOperation.into());
        }
        let caller = self.admit((&self.gate.kms, parts), &body, (request_id, outcome), draft)?;
        let operation = operation(parts)?;
        outcome.operation = Some(ApiOperation::Kms(operation));
        draft.operation = outcome.operation;
        draft.parameters = draft::defaults(operation);
        operation.run(&self.service, caller, body, &mut draft.parameters).await
    }

    /// A request to STS. Nothing in it waits: what it needs is in this Region.
    fn answer_query(
        &self,
        parts: &Parts,
        body: &Bytes,
        (request_id, outcome): (RequestId, &mut Outcome),
        draft: &mut Draft<'_>,
    ) -> Result<Bytes, StsFault> {
        if !protocol::is_for_sts(parts) {
            return Err(WireError::UnknownOperation.into());
        }
        let form = Form::read(parts, body);
        let named = form.as_ref().ok().and_then(|form| form.only("Action").ok().flatten());
        draft.note_claimed_action(named.unwrap_or_default());
        let caller = self.admit((&self.gate.sts, parts), body, (request_id, outcome), draft)?;
        let form = form?;
        let operation = StsOperation::of(&form)?;
        outcome.operation = Some(ApiOperation::Sts(operation));
        draft.operation = outcome.operation;
        let mut shown = crate::sts::Shown::default();
        let answered = operation.run((&self.service, self.gate.principals.sessions()), caller, &form, &mut shown);
        draft.parameters = shown.parameters;
        draft.response = Some(shown.response);
        answered
    }

    /// Authenticates a request, and notes who makes it.
    fn admit(
        &self,
        (verifier, parts): (&Verifier, &Parts),
        body: &[u8],
        (request_id, outcome): (RequestId, &mut Outcome),
        draft: &mut Draft<'_>,
    ) -> Result<Caller, WireError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(WireError::RequestEntityTooLarge);
        }
        let Gate { principals, clock, .. } = &self.gate;
        let mut caller = verifier.verify(principals, parts, body, clock.now(), request_id)?;
        caller.origin = draft.origin().clone();
        draft.caller = Some(caller.clone());
        outcome.principal = Some(Arc::clone(caller.arn()));
        Ok(caller)
    }
}

/// What every request must pass before anything is made of its body.
#[derive(Debug)]
struct Gate {
    principals: Arc<Principals>,
    clock: Arc<dyn Clock>,
    kms: Verifier,
    sts: Verifier,
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
fn unrecorded(
    error: AuditError,
    (protocol, request_id): (Protocol, RequestId),
    outcome: Outcome,
    started: Instant,
) -> Response<Bytes> {
    tracing::warn!(%error, "a request is refused because it cannot be recorded");
    let response = respond(Err(Failure::internal(protocol, request_id)), protocol, outcome);
    log(&response, started);
    response
}

#[cfg(test)]
mod tests;
