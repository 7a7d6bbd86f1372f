//! The audit record: one line of canonical JSON in CloudTrail's form for KMS, complete but for its place in the chain.
//!
//! Members stand in one fixed order. What Meridian adds to CloudTrail's members is under `meridian`, and no caller of
//! the API sees it. Nothing in a record is longer than its bound: long texts are cut and end in `…`, parameters or
//! elements that are too long as a whole give way to their length and SHA-256, and `meridian.cutValues` counts both.

use crate::calendar::Day;
use crate::json::JsonLine;
use crate::{Decision, Elements, EventSource, Identity, Uuid};
use kms_types::{AccountId, AliasArn, KeyArn, RegionName, Timestamp};
use sha2::{Digest as _, Sha256};

/// Longest record, in bytes with its chain members and its end of line.
pub const RECORD_BYTES_MAX: usize = 192 * 1024;
/// Longest name in a record, in bytes as written.
pub(crate) const NAME_BYTES_MAX: usize = 1024;
/// Longest error message, in bytes as written. A validation message repeats values of the caller.
const MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// Longest parameters, and longest elements, in bytes. A policy with a description and 50 tags fits.
const SECTION_BYTES_MAX: usize = 64 * 1024;
/// Longest `additionalEventData`, in bytes.
const ADDITIONAL_BYTES_MAX: usize = 8 * 1024;
/// Most resources in a record; no operation has more than two.
const RESOURCES_MAX: usize = 4;
/// The version of CloudTrail's record that this follows.
const EVENT_VERSION: &str = "1.11";
/// The version of the members under `meridian`.
const MERIDIAN_VERSION: u64 = 1;

/// A record that is ready to be chained and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    time: Timestamp,
    /// The line up to the end of the last member before `meridian.chain`.
    body: String,
}

impl Record {
    /// When the event happened.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// The UTC day of the event.
    pub(crate) fn day(&self) -> Day {
        Day::of(self.time)
    }

    /// The line so far.
    pub(crate) fn body(&self) -> &str {
        &self.body
    }
}

/// What an event touched.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// A key.
    Key(&'a KeyArn),
    /// An alias; CloudTrail gives it the type of a key.
    Alias(&'a AliasArn),
}

/// The TLS connection of a request.
#[derive(Clone, Copy, Debug)]
pub struct Tls<'a> {
    /// Such as `TLSv1.3`.
    pub version: &'a str,
    /// Such as `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: &'a str,
    /// The host name that the client asked for.
    pub host: &'a str,
}

/// How an event came about (`eventType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventType {
    ApiCall,
    ServiceEvent,
}

/// Everything that a record can hold.
pub(crate) struct Envelope<'a> {
    pub(crate) event_id: Uuid,
    pub(crate) request_id: Option<Uuid>,
    pub(crate) time: Timestamp,
    pub(crate) source: EventSource,
    pub(crate) name: &'a str,
    pub(crate) event_type: EventType,
    pub(crate) read_only: bool,
    pub(crate) identity: Identity<'a>,
    pub(crate) source_address: &'a str,
    pub(crate) user_agent: &'a str,
    pub(crate) tls: Option<Tls<'a>>,
    /// Code and message.
    pub(crate) error: Option<(&'a str, &'a str)>,
    pub(crate) parameters: &'a Elements<'a>,
    pub(crate) response: &'a Elements<'a>,
    pub(crate) additional: &'a Elements<'a>,
    pub(crate) resources: &'a [Resource<'a>],
    pub(crate) recipient: Option<AccountId>,
    pub(crate) decision: Option<Decision<'a>>,
    pub(crate) control_log_index: Option<u64>,
}

impl Envelope<'_> {
    /// Writes the record. `details` writes `serviceEventDetails`, and `ours` the further members under `meridian`.
    pub(crate) fn record(
        &self,
        region: &RegionName,
        details: impl FnOnce(&mut JsonLine),
        ours: impl FnOnce(&mut JsonLine),
    ) -> Record {
        let mut line = JsonLine::open_line();
        self.write_event(&mut line, region);
        self.write_request(&mut line);
        self.write_context(&mut line, details);
        self.write_ours(&mut line, ours);
        Record { time: self.time, body: line.into_text() }
    }

    fn write_event(&self, line: &mut JsonLine, region: &RegionName) {
        line.word("eventVersion", EVENT_VERSION);
        self.identity.write(line);
        line.event_time("eventTime", self.time);
        line.word("eventSource", self.source.as_str());
        line.text("eventName", self.name, NAME_BYTES_MAX);
        line.word("awsRegion", region.as_str());
        line.text("sourceIPAddress", self.source_address, NAME_BYTES_MAX);
        line.text("userAgent", self.user_agent, NAME_BYTES_MAX);
        if let Some((code, message)) = self.error {
            line.text("errorCode", code, NAME_BYTES_MAX);
            if !message.is_empty() {
                line.text("errorMessage", message, MESSAGE_BYTES_MAX);
            }
        }
    }

    fn write_request(&self, line: &mut JsonLine) {
        write_section(line, "requestParameters", self.parameters, SECTION_BYTES_MAX);
        write_section(line, "responseElements", self.response, SECTION_BYTES_MAX);
        if !self.additional.is_empty() {
            write_section(line, "additionalEventData", self.additional, ADDITIONAL_BYTES_MAX);
        }
        if let Some(request_id) = &self.request_id {
            line.uuid("requestID", request_id);
        }
        line.uuid("eventID", &self.event_id);
        line.flag("readOnly", self.read_only);
        if !self.resources.is_empty() {
            write_resources(line, self.resources);
        }
    }

    fn write_context(&self, line: &mut JsonLine, details: impl FnOnce(&mut JsonLine)) {
        let event_type = match self.event_type {
            EventType::ApiCall => "AwsApiCall",
            EventType::ServiceEvent => "AwsServiceEvent",
        };
        line.word("eventType", event_type);
        line.flag("managementEvent", true);
        if let Some(recipient) = &self.recipient {
            line.word("recipientAccountId", recipient.as_str());
        }
        if self.event_type == EventType::ServiceEvent {
            line.open("serviceEventDetails");
            details(line);
            line.close();
        }
        line.word("eventCategory", "Management");
        if let Some(tls) = &self.tls {
            line.open("tlsDetails");
            line.text("tlsVersion", tls.version, NAME_BYTES_MAX);
            line.text("cipherSuite", tls.cipher_suite, NAME_BYTES_MAX);
            line.text("clientProvidedHostHeader", tls.host, NAME_BYTES_MAX);
            line.close();
        }
    }

    fn write_ours(&self, line: &mut JsonLine, ours: impl FnOnce(&mut JsonLine)) {
        line.open("meridian");
        line.number("version", MERIDIAN_VERSION);
        line.number("timeMillis", self.time.millis());
        if let Some(index) = self.control_log_index {
            line.number("controlLogIndex", index);
        }
        if let Some(decision) = &self.decision {
            decision.write(line);
        }
        ours(line);
        if line.cut_values() > 0 {
            line.number("cutValues", line.cut_values());
        }
    }
}

/// Writes parameters or elements; too long ones give way to what identifies them.
fn write_section(line: &mut JsonLine, name: &str, elements: &Elements<'_>, bytes_max: usize) {
    if elements.is_empty() {
        return line.null(name);
    }
    let (before, cut_before) = (line.length(), line.cut_values());
    line.open(name);
    let start = line.length() - 1;
    elements.write(line);
    line.close();
    let written = line.since(start);
    if written.len() > bytes_max {
        let (length, digest) = (u64::try_from(written.len()).unwrap_or(u64::MAX), Sha256::digest(written));
        line.rewind(before, cut_before);
        line.count_cut();
        line.open(name);
        line.flag("omitted", true);
        line.number("originalBytes", length);
        line.hex("sha256", &digest);
        line.close();
    }
}

fn write_resources(line: &mut JsonLine, resources: &[Resource<'_>]) {
    line.open_list("resources");
    for resource in resources.iter().take(RESOURCES_MAX) {
        let (account, arn) = match resource {
            Resource::Key(arn) => (&arn.account, arn.to_string()),
            Resource::Alias(arn) => (&arn.account, arn.to_string()),
        };
        line.open_item();
        line.word("accountId", account.as_str());
        line.word("type", "AWS::KMS::Key");
        line.text("ARN", &arn, NAME_BYTES_MAX);
        line.close();
    }
    line.close_list();
    if resources.len() > RESOURCES_MAX {
        line.count_cut();
    }
}
