//! The audit record of one gRPC call. The call is answered only after its record is on stable storage, and a call whose
//! client goes away is recorded as well.

use super::identity::address_of;
use super::identity::new_request_id;
use super::identity_of;
use super::status;
use crate::node::{Handles, RequestSpan};
use crate::tls::PeerIdentity;
use kms_audit::{
    ApiCall, Elements, EventSource, Identity, Operation, Outcome, Priority, Record, RequestOrigin, Resource,
    ServiceEvent, ServiceRecord, Uuid,
};
use kms_service::{AuditDecision, AuditSink as _, Caller, KmsError, Promoted, Trail, audit_uuid};
use kms_types::KeyRef;
use opentelemetry::trace::FutureExt as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;
use tonic::{Request, Response, Status};

/// What an operator's certificate names: one certificate for all of them.
const OPERATOR: &str = "operator";
/// Outcome of a call that could not be recorded.
const UNRECORDED: &str = "KMSInternalException";
/// Outcome of a call whose client went away.
const CANCELLED: &str = "Cancelled";

/// See the module.
#[derive(Debug)]
pub(super) struct Recording {
    handles: Arc<Handles>,
    operation: Operation<'static>,
    shown: Elements<'static>,
    response: Elements<'static>,
    priority: Priority,
    address: String,
    user_agent: String,
    caller: Option<Caller>,
    trail: Arc<Trail>,
    span: Option<RequestSpan>,
    started: Instant,
    finished: bool,
}

/// An operation of Meridian's own.
pub(super) const fn own(name: &'static str, read_only: bool) -> Operation<'static> {
    Operation { source: EventSource::Meridian, name, read_only }
}

impl Recording {
    /// Begins with a call, before it is authenticated. `shown` are its parameters.
    ///
    /// # Errors
    /// `INTERNAL` when the call could not be recorded: then it is not made.
    pub(super) fn begin<T>(
        handles: &Arc<Handles>,
        operation: Operation<'static>,
        request: &Request<T>,
        shown: Elements<'static>,
    ) -> Result<Self, Status> {
        let is_operator = matches!(identity_of(request), Ok(PeerIdentity::Operator));
        let priority = if is_operator { Priority::Operator } else { Priority::Request };
        handles.audit.check(priority).map_err(|error| unrecorded(&error))?;
        let parent = request.metadata().get("traceparent").and_then(|value| value.to_str().ok());
        let user_agent = request.metadata().get("user-agent").and_then(|value| value.to_str().ok());
        Ok(Self {
            handles: Arc::clone(handles),
            operation,
            shown,
            response: Elements::new(),
            priority,
            address: address_of(request).map(|address| address.to_string()).unwrap_or_default(),
            user_agent: user_agent.unwrap_or_default().to_owned(),
            caller: None,
            trail: Arc::default(),
            span: handles.traces.as_ref().map(|traces| traces.request(parent)),
            started: Instant::now(),
            finished: false,
        })
    }

    /// The caller is known by now.
    pub(super) fn authenticated(&mut self, caller: &Caller) {
        self.caller = Some(caller.clone());
        self.trail = Arc::clone(&caller.trail);
    }

    /// Where to note what the call does. Operators' calls have a trail, too.
    pub(super) fn trail(&self) -> &Arc<Trail> {
        &self.trail
    }

    /// Runs the call below its span, so that what it proposes to the control log is told with it.
    pub(super) async fn traced<T>(&self, call: impl Future<Output = T>) -> T {
        match &self.span {
            Some(span) => call.with_context(span.context().clone()).await,
            None => call.await,
        }
    }

    /// What of the answer belongs in the record.
    pub(super) fn answered(&mut self, response: Elements<'static>) {
        self.response = response;
    }

    /// Records how the call went, then answers.
    pub(super) async fn finish<T>(mut self, outcome: Result<T, Status>) -> Result<Response<T>, Status> {
        self.finished = true;
        let record = match &outcome {
            Ok(_) => self.record(Outcome::Success),
            Err(status) => {
                let code = status::error_code(status);
                self.record(Outcome::Failure { code: &code, message: status.message() })
            }
        };
        let code = outcome.as_ref().err().map(status::error_code);
        if let Some(span) = &self.span {
            let request_id = self.caller.as_ref().map(|caller| caller.request_id.to_string());
            span.answered(self.operation.name, request_id, code.as_deref());
        }
        let recorded = self.handles.audit.record(record, self.priority).await;
        let code = if recorded.is_err() { Some(UNRECORDED) } else { code.as_deref() };
        self.handles.calls.record(self.operation.name, code, self.started.elapsed());
        recorded.map_err(|error| unrecorded(&error))?;
        outcome.map(Response::new)
    }

    fn record(&self, outcome: Outcome<'_>) -> Record {
        let notes = self.trail.notes();
        let decision = notes.decision.as_ref().map(AuditDecision::of);
        let references: Vec<KeyRef> = notes.resources.iter().filter_map(|(arn, _)| KeyRef::parse(arn).ok()).collect();
        let resources = references.iter().filter_map(|reference| match reference {
            KeyRef::Arn(arn) => Some(Resource::Key(arn)),
            KeyRef::AliasArn(arn) => Some(Resource::Alias(arn)),
            KeyRef::Id(_) | KeyRef::Alias(_) => None,
        });
        let request_id = self.caller.as_ref().map_or_else(new_request_id, |caller| caller.request_id);
        ApiCall {
            event_id: audit_uuid(request_id.event_id()),
            request_id: audit_uuid(request_id),
            time: self.handles.clock.now(),
            operation: self.operation,
            identity: match (&self.caller, self.priority) {
                (_, Priority::Operator) => Identity::Operator { name: OPERATOR },
                (Some(caller), Priority::Request) => caller.identity.in_audit(),
                (None, Priority::Request) => Identity::Unknown { access_key_id: None },
            },
            origin: RequestOrigin { address: &self.address, user_agent: &self.user_agent, tls: None },
            outcome,
            parameters: &self.shown,
            response: &self.response,
            additional: &Elements::new(),
            resources: &resources.collect::<Vec<_>>(),
            recipient: self.caller.as_ref().map(Caller::account),
            decision: decision.as_ref().map(AuditDecision::view),
            control_log_index: notes.control_log_index,
        }
        .record(self.handles.service.region())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if !self.finished {
            let message = "The call ended before it was answered; it may have taken effect.";
            self.handles.calls.record(self.operation.name, Some(CANCELLED), self.started.elapsed());
            let record = self.record(Outcome::Failure { code: CANCELLED, message });
            // Handed over by the call; nobody is there to wait.
            drop(self.handles.audit.record(record, self.priority));
        }
    }
}

/// Records, in the Region that asked for it, that a promotion was applied. Its request has a record of its own.
///
/// # Errors
/// `INTERNAL` when it could not be recorded: then the caller gets no answer, as for any other record.
pub(super) async fn record_promotion(
    handles: &Handles,
    promoted: &Promoted,
    control_log_index: Option<u64>,
) -> Result<(), Status> {
    let Promoted { plan, epoch, duration } = promoted;
    let region = handles.service.region();
    let event_id = Uuid::derived(&[
        handles.cluster_id.as_bytes(),
        region.as_str().as_bytes(),
        b"PromotePrimaryRegion",
        plan.key.key_id.as_bytes(),
        &epoch.to_be_bytes(),
    ]);
    let event = ServiceEvent::PromotePrimaryRegion {
        key: &plan.key,
        from: &plan.from,
        to: &plan.to,
        epoch: *epoch,
        unreachable: &plan.unreachable,
        duration: *duration,
    };
    let record = ServiceRecord { event_id, time: handles.clock.now(), event, control_log_index };
    let recorded = handles.audit.record(record.record(region), Priority::Operator).await;
    recorded.map_err(|error| unrecorded(&error))
}

/// The status of a call that cannot be recorded (fail closed).
fn unrecorded(error: &kms_audit::AuditError) -> Status {
    tracing::warn!(%error, "a call is refused because it cannot be recorded");
    status::from_kms(&KmsError::Internal)
}
