//! The audit record of one request, from its arrival to its answer. What is not known yet, the record shows as unknown;
//! a request that nobody waits for any more is recorded as well.

use crate::json::shown_of_answer;
use crate::{Fault, Operation};
use bytes::Bytes;
use http::request::Parts;
use kms_audit::{ApiCall, Elements, Identity, Member, Outcome, Priority, Record, RequestOrigin, Resource, Tls};
use kms_service::{AuditDecision, AuditSink, Caller, Clock, KmsError, Origin, RequestId, audit_uuid};
use kms_types::{KeyRef, RegionName};
use std::sync::Arc;

/// Longest name of an unknown operation or access key that is shown, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// See the module.
pub(super) struct Draft<'a> {
    sink: &'a dyn AuditSink,
    clock: &'a dyn Clock,
    region: &'a RegionName,
    request_id: RequestId,
    origin: Origin,
    /// What the request says of itself before it is authenticated.
    claims: Claims,
    pub(super) operation: Option<Operation>,
    pub(super) caller: Option<Caller>,
    pub(super) parameters: Elements<'static>,
    finished: bool,
}

#[derive(Default)]
struct Claims {
    operation: String,
    access_key: Option<String>,
    /// The host that the client asked for; looked at on TLS connections alone, as in CloudTrail.
    host: String,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        sink: &'a dyn AuditSink,
        (clock, region): (&'a dyn Clock, &'a RegionName),
        request_id: RequestId,
        origin: Origin,
    ) -> Self {
        Self {
            sink,
            clock,
            region,
            request_id,
            origin,
            claims: Claims::default(),
            operation: None,
            caller: None,
            parameters: Elements::new(),
            finished: false,
        }
    }

    /// Notes what an unauthenticated request says of itself, as far as it is text of an ordinary kind.
    pub(super) fn note_claims(&mut self, parts: &Parts) {
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let target = text("x-amz-target");
        self.claims.operation = plain(target.strip_prefix("TrentService.").unwrap_or(target)).to_owned();
        let (authorization, query) = (text("authorization"), parts.uri.query().unwrap_or_default());
        let named = [("Credential=", authorization), ("X-Amz-Credential=", query)];
        let named = named.into_iter().find_map(|(label, text)| text.split_once(label).map(|(_, rest)| plain(rest)));
        self.claims.access_key = named.filter(|name| !name.is_empty()).map(str::to_owned);
        let user_agent = parts.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok());
        self.origin.user_agent = user_agent.map(Arc::from);
        if self.origin.tls.is_some() {
            // HTTP/2 has the host in the request line.
            let authority = parts.uri.authority().map(http::uri::Authority::as_str);
            self.claims.host = authority.unwrap_or_else(|| text("host")).to_owned();
        }
    }

    /// Where the request came from.
    pub(super) const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The record of the answered request.
    pub(super) fn finish(mut self, answered: &Result<Bytes, Fault>) -> Record {
        self.finished = true;
        match answered {
            Ok(body) => self.record(Outcome::Success, Some(body)),
            Err(fault) => {
                let message = match fault {
                    // The caller hears what it sent; what is no key identifier may be a secret that was misplaced.
                    Fault::Kms(KmsError::InvalidKeyId(_)) => "Invalid keyId".to_owned(),
                    Fault::Kms(_) | Fault::Wire(_) => fault.to_string(),
                };
                self.record(Outcome::Failure { code: fault.row().code, message: &message }, None)
            }
        }
    }

    fn record(&self, outcome: Outcome<'_>, body: Option<&Bytes>) -> Record {
        let notes = self.caller.as_ref().map(|caller| caller.trail.notes()).unwrap_or_default();
        let decision = notes.decision.as_ref().map(AuditDecision::of);
        let references: Vec<KeyRef> = notes.resources.iter().filter_map(|(arn, _)| KeyRef::parse(arn).ok()).collect();
        let resources: Vec<Resource<'_>> = references
            .iter()
            .filter_map(|reference| match reference {
                KeyRef::Arn(arn) => Some(Resource::Key(arn)),
                KeyRef::AliasArn(arn) => Some(Resource::Alias(arn)),
                KeyRef::Id(_) | KeyRef::Alias(_) => None,
            })
            .collect();
        let name: &str = match self.operation {
            Some(operation) => operation.name(),
            None => &self.claims.operation,
        };
        let operation = kms_audit::Operation::kms(name);
        let response = match body {
            Some(body) if !operation.read_only => response_elements(body, &resources),
            Some(_) | None => Elements::new(),
        };
        let address = self.origin.source_ip.map(|address| address.to_string()).unwrap_or_default();
        ApiCall {
            event_id: audit_uuid(self.request_id.event_id()),
            request_id: audit_uuid(self.request_id),
            time: self.clock.now(),
            operation,
            identity: match &self.caller {
                Some(caller) => caller.identity.in_audit(),
                None => Identity::Unknown { access_key_id: self.claims.access_key.as_deref() },
            },
            origin: RequestOrigin {
                address: &address,
                user_agent: self.origin.user_agent.as_deref().unwrap_or_default(),
                tls: self.origin.tls.as_ref().map(|tls| Tls {
                    version: tls.version,
                    cipher_suite: &tls.cipher_suite,
                    host: &self.claims.host,
                }),
            },
            outcome,
            parameters: &self.parameters,
            response: &response,
            additional: &notes.additional(),
            resources: &resources,
            recipient: self.caller.as_ref().map(Caller::account),
            decision: decision.as_ref().map(AuditDecision::view),
            control_log_index: notes.control_log_index,
        }
        .record(self.region)
    }
}

impl Drop for Draft<'_> {
    /// The caller went away, or the request took too long: what it did may have taken effect.
    fn drop(&mut self) {
        if !self.finished {
            let message = "The request ended before it was answered; it may have taken effect.";
            let record = self.record(Outcome::Failure { code: "RequestTimeoutException", message }, None);
            // Handed over by the call; nobody is there to wait.
            drop(self.sink.record(record, Priority::Request));
        }
    }
}

/// The answer of a changing operation; of one without an answer the ARN of its key, as CloudTrail has it since 2022.
fn response_elements(body: &Bytes, resources: &[Resource<'_>]) -> Elements<'static> {
    if !body.is_empty() {
        return shown_of_answer(body);
    }
    let key = resources.iter().find_map(|resource| match resource {
        Resource::Key(arn) => Some(arn.to_string()),
        Resource::Alias(_) => None,
    });
    key.map_or_else(Elements::new, |arn| Elements::new().text(Member::KEY_ID, arn))
}

/// The beginning of a text, as long as it is made of letters, digits and the marks of names.
fn plain(text: &str) -> &str {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let length = text.bytes().take(NAME_BYTES_MAX).take_while(is_plain).count();
    text.get(..length).unwrap_or_default()
}

/// What records show of algorithms that a request leaves to their default.
pub(super) fn defaults(operation: Operation) -> Elements<'static> {
    const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";
    match operation {
        Operation::Encrypt | Operation::Decrypt => Elements::new().text(Member::ENCRYPTION_ALGORITHM, SYMMETRIC),
        Operation::ReEncrypt => Elements::new()
            .text(Member::SOURCE_ENCRYPTION_ALGORITHM, SYMMETRIC)
            .text(Member::DESTINATION_ENCRYPTION_ALGORITHM, SYMMETRIC),
        _ => Elements::new(),
    }
}
