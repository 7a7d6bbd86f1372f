//! From the fields of a stored message to the words of the domain, and the rule that stored bytes are canonical.

use crate::{FormatError, state::v1 as pb};
use kms_core::RotationSchedule;
use kms_types::{
    AccountId, AliasName, KeyId, KeyMaterialId, KeySpec, KeyUsage, Origin, RegionName, RotationType, Timestamp, limits,
};
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};

/// The version of every stored message. Another one is refused, never skipped.
pub(crate) const VERSION: u32 = 1;

/// One row of a folded state, as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The kind of row, at least 0x10, and what identifies it within its kind.
    pub key: Vec<u8>,
    /// The encoded row; `None` removes it.
    pub value: Option<Vec<u8>>,
}

/// A named format; its methods read single fields and name the field when they fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format(pub(crate) &'static str);

impl Format {
    pub(crate) fn error(self, problem: &'static str) -> FormatError {
        FormatError { format: self.0, problem }
    }

    pub(crate) fn message<M: Message + Default>(self, bytes: &[u8]) -> Result<M, FormatError> {
        M::decode(bytes).ok().ok_or(self.error("not a protobuf message of this type"))
    }

    pub(crate) fn version(self, found: u32) -> Result<(), FormatError> {
        if found == VERSION { Ok(()) } else { Err(self.error("unknown format version")) }
    }

    /// Refuses bytes that this version would not have written itself: what they say beyond that would be lost, and
    /// replicas must stay byte-equal.
    pub(crate) fn canonical(self, bytes: &[u8], encoded: &[u8]) -> Result<(), FormatError> {
        if bytes == encoded { Ok(()) } else { Err(self.error("unknown fields or not in canonical order")) }
    }

    pub(crate) fn required<T>(self, value: Option<T>, problem: &'static str) -> Result<T, FormatError> {
        value.ok_or(self.error(problem))
    }

    pub(crate) fn region(self, value: &str) -> Result<RegionName, FormatError> {
        self.required(RegionName::parse(value).ok(), "Region name")
    }

    pub(crate) fn key_id(self, value: &str) -> Result<KeyId, FormatError> {
        self.required(KeyId::parse(value).ok(), "key ID")
    }

    pub(crate) fn account(self, value: &str) -> Result<AccountId, FormatError> {
        self.required(AccountId::parse(value).ok(), "account ID")
    }

    pub(crate) fn alias(self, value: &str) -> Result<AliasName, FormatError> {
        self.required(AliasName::parse(value).ok(), "alias name")
    }

    pub(crate) fn spec(self, value: &str) -> Result<KeySpec, FormatError> {
        self.required(KeySpec::parse(value).ok(), "key spec")
    }

    pub(crate) fn usage(self, value: &str) -> Result<KeyUsage, FormatError> {
        self.required(KeyUsage::parse(value).ok(), "key usage")
    }

    pub(crate) fn origin(self, value: &str) -> Result<Origin, FormatError> {
        self.required(Origin::parse(value).ok(), "origin")
    }

    pub(crate) fn material_id(self, value: &[u8]) -> Result<KeyMaterialId, FormatError> {
        self.required(value.try_into().ok().map(KeyMaterialId::from_bytes), "key material ID")
    }

    pub(crate) fn rotation_type(self, value: i32) -> Result<Option<RotationType>, FormatError> {
        match pb::RotationType::try_from(value) {
            Ok(pb::RotationType::Unspecified) => Ok(None),
            Ok(pb::RotationType::Automatic) => Ok(Some(RotationType::Automatic)),
            Ok(pb::RotationType::OnDemand) => Ok(Some(RotationType::OnDemand)),
            Err(_) => Err(self.error("rotation type")),
        }
    }

    pub(crate) fn regions(self, names: &[String]) -> Result<BTreeSet<RegionName>, FormatError> {
        names.iter().map(|name| self.region(name)).collect()
    }
}

pub(crate) fn rotation_type(value: RotationType) -> pb::RotationType {
    match value {
        RotationType::Automatic => pb::RotationType::Automatic,
        RotationType::OnDemand => pb::RotationType::OnDemand,
    }
}

/// A limit that is AWS's own is not written: the field is younger than the messages that have it.
pub(crate) fn on_demand_limit(value: u32) -> Option<u32> {
    (value != limits::ON_DEMAND_ROTATIONS_MAX).then_some(value)
}

pub(crate) fn parse_on_demand_limit(value: Option<u32>) -> u32 {
    value.unwrap_or(limits::ON_DEMAND_ROTATIONS_MAX)
}

pub(crate) fn names(regions: &BTreeSet<RegionName>) -> Vec<String> {
    regions.iter().map(ToString::to_string).collect()
}

pub(crate) fn pairs(texts: &BTreeMap<String, String>) -> Vec<pb::TextPair> {
    texts.iter().map(|(key, value)| pb::TextPair { key: key.clone(), value: value.clone() }).collect()
}

pub(crate) fn texts(pairs: Vec<pb::TextPair>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|pair| (pair.key, pair.value)).collect()
}

pub(crate) fn schedule(value: RotationSchedule) -> pb::RotationSchedule {
    pb::RotationSchedule { period_days: value.period_days, next_at_ms: value.next_at.millis() }
}

pub(crate) fn parse_schedule(value: pb::RotationSchedule) -> RotationSchedule {
    RotationSchedule { period_days: value.period_days, next_at: Timestamp::from_millis(value.next_at_ms) }
}
