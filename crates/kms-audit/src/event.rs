//! A record read back, as far as people ask for it.

use crate::{Head, RecordHash};
use kms_types::{KeyId, Timestamp};
use serde::Deserialize;
use std::borrow::Cow;

/// The members of a record by which it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub time: Timestamp,
    /// `awsRegion`.
    pub region: String,
    /// `eventSource`.
    pub source: String,
    /// `eventName`.
    pub name: String,
    /// `eventID`, as text.
    pub event_id: String,
    /// `requestID`, as text.
    pub request_id: Option<String>,
    /// The caller's ARN, or what `userIdentity` has in its place.
    pub principal: String,
    /// `sourceIPAddress`.
    pub source_address: String,
    /// `errorCode`; `None` for success.
    pub error_code: Option<String>,
    /// ARNs of the keys and aliases that it touched.
    pub resources: Vec<String>,
    /// `meridian.controlLogIndex`.
    pub control_log_index: Option<u64>,
    /// Its place in the chain.
    pub head: Head,
}

impl Event {
    /// Reads a line of a log. `None` when it is not a record of this crate's form; whether it is genuine is for
    /// [`crate::verify`] to say.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        RawEvent::parse(line.as_bytes())?.to_event()
    }
}

/// A record whose texts still lie in its line.
#[derive(Debug, Deserialize)]
pub(crate) struct RawEvent<'a> {
    #[serde(borrow, rename = "userIdentity")]
    identity: RawIdentity<'a>,
    #[serde(borrow, rename = "eventSource")]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "eventName")]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, rename = "awsRegion")]
    pub(crate) region: Cow<'a, str>,
    #[serde(borrow, rename = "sourceIPAddress")]
    source_address: Cow<'a, str>,
    #[serde(borrow, rename = "errorCode")]
    pub(crate) error_code: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "requestParameters")]
    parameters: Option<RawParameters<'a>>,
    #[serde(borrow, rename = "requestID")]
    request_id: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "eventID")]
    event_id: Cow<'a, str>,
    #[serde(borrow, default)]
    resources: Vec<RawResource<'a>>,
    #[serde(borrow, rename = "serviceEventDetails")]
    pub(crate) details: Option<RawDetails<'a>>,
    #[serde(borrow)]
    pub(crate) meridian: RawMeridian<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawIdentity<'a> {
    #[serde(borrow)]
    arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    principal_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    access_key_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    invoked_by: Option<Cow<'a, str>>,
}

/// How a caller can name a key.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawParameters<'a> {
    #[serde(borrow)]
    key_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source_key_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    destination_key_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    target_key_id: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct RawResource<'a> {
    #[serde(borrow, rename = "ARN")]
    arn: Cow<'a, str>,
}

/// Details of service events that somebody looks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawDetails<'a> {
    #[serde(borrow)]
    key_id: Option<Cow<'a, str>>,
    pub(crate) unrecorded_requests: Option<u64>,
    #[serde(default)]
    pub(crate) at_least: bool,
    #[serde(default)]
    pub(crate) first_millis: u64,
    #[serde(default)]
    pub(crate) last_millis: u64,
    pub(crate) went_on_after_damage_at: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawMeridian<'a> {
    pub(crate) time_millis: u64,
    pub(crate) control_log_index: Option<u64>,
    #[serde(borrow)]
    chain: RawChain<'a>,
}

#[derive(Debug, Deserialize)]
struct RawChain<'a> {
    sequence: u64,
    #[serde(borrow)]
    hash: Cow<'a, str>,
}

impl<'a> RawEvent<'a> {
    /// Reads a line without its end; `None` when it is not a record.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    pub(crate) const fn time(&self) -> Timestamp {
        Timestamp::from_millis(self.meridian.time_millis)
    }

    /// Whether the event is about a key: it touched the key, or the caller named it.
    pub(crate) fn is_about(&self, key: &KeyId) -> bool {
        let named = |text: &str| {
            let before = text.strip_suffix(key.as_str());
            before.is_some_and(|before| before.is_empty() || before.ends_with(":key/"))
        };
        let parameters = self.parameters.iter().flat_map(|parameters| {
            [&parameters.key_id, &parameters.source_key_id, &parameters.destination_key_id, &parameters.target_key_id]
        });
        let details = self.details.iter().map(|details| &details.key_id);
        self.resources.iter().any(|resource| named(&resource.arn))
            || parameters.chain(details).flatten().any(|text| named(text))
    }

    /// Whether somebody is the caller, by ARN, name, unique ID or access key ID.
    pub(crate) fn is_by(&self, principal: &str) -> bool {
        let identity = &self.identity;
        let names =
            [&identity.arn, &identity.principal_id, &identity.access_key_id, &identity.user_name, &identity.invoked_by];
        names.into_iter().flatten().any(|name| name == principal)
    }

    pub(crate) fn to_event(&self) -> Option<Event> {
        let identity = &self.identity;
        let principal = [&identity.arn, &identity.invoked_by, &identity.principal_id].into_iter().flatten();
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        Some(Event {
            time: self.time(),
            region: self.region.to_string(),
            source: self.source.to_string(),
            name: self.name.to_string(),
            event_id: self.event_id.to_string(),
            request_id: text(&self.request_id),
            principal: principal.into_iter().next().map_or_else(String::new, |name| name.to_string()),
            source_address: self.source_address.to_string(),
            error_code: text(&self.error_code),
            resources: self.resources.iter().map(|resource| resource.arn.to_string()).collect(),
            control_log_index: self.meridian.control_log_index,
            head: Head { sequence: self.meridian.chain.sequence, hash: RecordHash::parse(&self.meridian.chain.hash)? },
        })
    }
}
