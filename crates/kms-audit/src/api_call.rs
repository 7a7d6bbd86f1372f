//! The record of a request, allowed or denied.

use crate::record::{Envelope, EventType, Record, Resource, Tls};
use crate::{Decision, Elements, Identity, Operation, Uuid};
use kms_types::{AccountId, RegionName, Timestamp};

/// A request and what came of it. Every member has to be thought of: there are no defaults.
#[derive(Clone, Copy, Debug)]
pub struct ApiCall<'a> {
    /// Names this record.
    pub event_id: Uuid,
    /// The request ID that the caller got.
    pub request_id: Uuid,
    /// When the request was answered.
    pub time: Timestamp,
    /// What was asked.
    pub operation: Operation<'a>,
    /// Who asked.
    pub identity: Identity<'a>,
    /// From where.
    pub origin: RequestOrigin<'a>,
    /// How it ended.
    pub outcome: Outcome<'a>,
    /// The request's parameters, defaults of algorithms included; never a payload.
    pub parameters: &'a Elements<'a>,
    /// The answer of a changing operation; empty for reading, for cryptography and for failures.
    pub response: &'a Elements<'a>,
    /// `additionalEventData`, such as the grant that RetireGrant retired.
    pub additional: &'a Elements<'a>,
    /// The keys and aliases that the operation touched.
    pub resources: &'a [Resource<'a>],
    /// The account of the caller, or of the key; `None` while neither is known.
    pub recipient: Option<AccountId>,
    /// What decided that the caller may or may not; `None` when it did not come to that.
    pub decision: Option<Decision<'a>>,
    /// Index in the control log of the change that the request made, if it made a shared one.
    pub control_log_index: Option<u64>,
}

/// Where a request came from.
#[derive(Clone, Copy, Debug)]
pub struct RequestOrigin<'a> {
    /// The peer's IP address.
    pub address: &'a str,
    /// `User-Agent`, or what the protocol has in its place.
    pub user_agent: &'a str,
    /// The TLS connection, if there was one.
    pub tls: Option<Tls<'a>>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It was done.
    Success,
    /// It failed, or was refused.
    Failure {
        /// The error code that the caller got, such as `AccessDeniedException`.
        code: &'a str,
        /// The text that the caller got; empty when there was none.
        message: &'a str,
    },
}

impl ApiCall<'_> {
    /// The record of this request in a Region.
    #[must_use]
    pub fn record(&self, region: &RegionName) -> Record {
        let envelope = Envelope {
            event_id: self.event_id,
            request_id: Some(self.request_id),
            time: self.time,
            source: self.operation.source,
            name: self.operation.name,
            event_type: EventType::ApiCall,
            read_only: self.operation.read_only,
            identity: self.identity,
            source_address: self.origin.address,
            user_agent: self.origin.user_agent,
            tls: self.origin.tls,
            error: match self.outcome {
                Outcome::Success => None,
                Outcome::Failure { code, message } => Some((code, message)),
            },
            parameters: self.parameters,
            response: self.response,
            additional: self.additional,
            resources: self.resources,
            recipient: self.recipient,
            decision: self.decision,
            control_log_index: self.control_log_index,
        };
        envelope.record(region, |_| (), |_| ())
    }
}
