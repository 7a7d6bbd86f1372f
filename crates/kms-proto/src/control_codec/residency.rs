//! The residency rules, the histories of keys, and the statement that a Region signs about one.

use crate::format::{Format, VERSION};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::{Holding, HoldingEnd, KeyHistory, Mark, PutResidencyRules, ResidencyRule, ResidencyRules};
use kms_types::{KeyId, KeyMaterialId, RegionName, Timestamp};
use prost::Message;
use std::collections::BTreeSet;

const RULES: Format = Format("residency rules");
const HISTORY: Format = Format("key history");
const STATEMENT: Format = Format("residency statement");

/// What signed statements begin with, so that the signature means nothing for another purpose.
pub const STATEMENT_LABEL: &[u8] = b"meridian residency statement v1\0";

/// What a Region says, and signs, of where the material of a key has been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResidencyStatement {
    /// The cluster.
    pub cluster_id: String,
    /// The Region that states this.
    pub region: RegionName,
    /// The control log up to here is what the history is derived from.
    pub applied_index: u64,
    /// When this is stated, by the Region's clock.
    pub stated_at: Timestamp,
    /// The history; without holdings for a key that the log does not know.
    pub history: KeyHistory,
    /// The versions that the Region has in its own store at this moment.
    pub present: BTreeSet<KeyMaterialId>,
}

/// Encodes a statement: the bytes that are signed.
#[must_use]
pub fn encode_statement(statement: &ResidencyStatement) -> Vec<u8> {
    pb::ResidencyStatement {
        format: VERSION,
        cluster_id: statement.cluster_id.clone(),
        region: statement.region.to_string(),
        applied_index: statement.applied_index,
        stated_at_ms: statement.stated_at.millis(),
        history: Some(history(&statement.history)),
        present: statement.present.iter().map(|id| id.as_bytes().to_vec()).collect(),
    }
    .encode_to_vec()
}

/// Decodes a statement.
///
/// # Errors
/// [`FormatError`] for any bytes that [`encode_statement`] does not write.
pub fn decode_statement(bytes: &[u8]) -> Result<ResidencyStatement, FormatError> {
    let message: pb::ResidencyStatement = STATEMENT.message(bytes)?;
    STATEMENT.version(message.format)?;
    let statement = ResidencyStatement {
        cluster_id: message.cluster_id,
        region: STATEMENT.region(&message.region)?,
        applied_index: message.applied_index,
        stated_at: Timestamp::from_millis(message.stated_at_ms),
        history: parse_history(STATEMENT.required(message.history, "history")?)?,
        present: message.present.iter().map(|id| STATEMENT.material_id(id)).collect::<Result<_, _>>()?,
    };
    STATEMENT.canonical(bytes, &encode_statement(&statement))?;
    Ok(statement)
}

pub(super) fn put_rules(body: &PutResidencyRules) -> pb::PutResidencyRules {
    pb::PutResidencyRules {
        expected_version: body.expected_version,
        rules: body.rules.iter().map(rule).collect(),
        accepted: accepted(&body.accepted),
    }
}

pub(super) fn parse_put_rules(format: Format, m: pb::PutResidencyRules) -> Result<PutResidencyRules, FormatError> {
    Ok(PutResidencyRules {
        expected_version: m.expected_version,
        rules: m.rules.into_iter().map(|rule| parse_rule(format, rule)).collect::<Result<_, _>>()?,
        accepted: parse_accepted(format, &m.accepted)?,
    })
}

pub(super) fn encode_rules(rules: &ResidencyRules) -> Vec<u8> {
    pb::ResidencyRules {
        format: VERSION,
        version: rules.version,
        put_at_ms: rules.put_at.millis(),
        put_by: rules.put_by.to_string(),
        rules: rules.rules.iter().map(rule).collect(),
        accepted: accepted(&rules.accepted),
    }
    .encode_to_vec()
}

pub(super) fn decode_rules(bytes: &[u8]) -> Result<ResidencyRules, FormatError> {
    let message: pb::ResidencyRules = RULES.message(bytes)?;
    RULES.version(message.format)?;
    Ok(ResidencyRules {
        version: message.version,
        put_at: Timestamp::from_millis(message.put_at_ms),
        put_by: RULES.region(&message.put_by)?,
        rules: message.rules.into_iter().map(|rule| parse_rule(RULES, rule)).collect::<Result<_, _>>()?,
        accepted: parse_accepted(RULES, &message.accepted)?,
    })
}

pub(super) fn encode_history(value: &KeyHistory) -> Vec<u8> {
    history(value).encode_to_vec()
}

pub(super) fn decode_history(bytes: &[u8]) -> Result<KeyHistory, FormatError> {
    parse_history(HISTORY.message(bytes)?)
}

fn rule(value: &ResidencyRule) -> pb::ResidencyRule {
    pb::ResidencyRule {
        name: value.name.clone(),
        accounts: value.accounts.iter().map(ToString::to_string).collect(),
        tag: value.tag.as_ref().map(|(key, value)| pb::TextPair { key: key.clone(), value: value.clone() }),
        keys: value.keys.iter().map(ToString::to_string).collect(),
        allow: value.allow.iter().map(ToString::to_string).collect(),
    }
}

fn parse_rule(format: Format, value: pb::ResidencyRule) -> Result<ResidencyRule, FormatError> {
    Ok(ResidencyRule {
        name: value.name,
        accounts: value.accounts.iter().map(|account| format.account(account)).collect::<Result<_, _>>()?,
        tag: value.tag.map(|tag| (tag.key, tag.value)),
        keys: value.keys.iter().map(|key| format.key_id(key)).collect::<Result<_, _>>()?,
        allow: format.regions(&value.allow)?,
    })
}

fn accepted(values: &BTreeSet<(KeyId, RegionName)>) -> Vec<pb::KeyInRegion> {
    let entry = |(key_id, region): &(KeyId, RegionName)| pb::KeyInRegion {
        key_id: key_id.to_string(),
        region: region.to_string(),
    };
    values.iter().map(entry).collect()
}

fn parse_accepted(format: Format, values: &[pb::KeyInRegion]) -> Result<BTreeSet<(KeyId, RegionName)>, FormatError> {
    values.iter().map(|entry| Ok((format.key_id(&entry.key_id)?, format.region(&entry.region)?))).collect()
}

fn history(value: &KeyHistory) -> pb::KeyHistory {
    pb::KeyHistory {
        format: VERSION,
        key_id: value.key_id.to_string(),
        account: value.account.to_string(),
        reconstructed: value.reconstructed,
        dropped: value.dropped,
        deleted: value.deleted.map(mark),
        holdings: value.holdings.iter().map(holding).collect(),
    }
}

fn parse_history(value: pb::KeyHistory) -> Result<KeyHistory, FormatError> {
    HISTORY.version(value.format)?;
    Ok(KeyHistory {
        key_id: HISTORY.key_id(&value.key_id)?,
        account: HISTORY.account(&value.account)?,
        reconstructed: value.reconstructed,
        dropped: value.dropped,
        deleted: value.deleted.map(parse_mark),
        holdings: value.holdings.into_iter().map(parse_holding).collect::<Result<_, _>>()?,
    })
}

fn mark(value: Mark) -> pb::LogMark {
    pb::LogMark { index: value.index, at_ms: value.at.millis() }
}

fn parse_mark(value: pb::LogMark) -> Mark {
    Mark { index: value.index, at: Timestamp::from_millis(value.at_ms) }
}

fn holding(value: &Holding) -> pb::Holding {
    let end = value.ended.map_or(pb::HoldingEnd::Unspecified, |(_, end)| match end {
        HoldingEnd::ReplicaRemoved => pb::HoldingEnd::ReplicaRemoved,
        HoldingEnd::KeyDeleted => pb::HoldingEnd::KeyDeleted,
        HoldingEnd::ImportRemoved => pb::HoldingEnd::ImportRemoved,
        HoldingEnd::Withdrawn => pb::HoldingEnd::Withdrawn,
    });
    pb::Holding {
        region: value.region.to_string(),
        material_id: value.material_id.as_bytes().to_vec(),
        from: Some(mark(value.from)),
        installed: value.installed.map(mark),
        ended: value.ended.map(|(at, _)| mark(at)),
        end: end.into(),
    }
}

fn parse_holding(value: pb::Holding) -> Result<Holding, FormatError> {
    let end = match pb::HoldingEnd::try_from(value.end) {
        Ok(pb::HoldingEnd::Unspecified) => None,
        Ok(pb::HoldingEnd::ReplicaRemoved) => Some(HoldingEnd::ReplicaRemoved),
        Ok(pb::HoldingEnd::KeyDeleted) => Some(HoldingEnd::KeyDeleted),
        Ok(pb::HoldingEnd::ImportRemoved) => Some(HoldingEnd::ImportRemoved),
        Ok(pb::HoldingEnd::Withdrawn) => Some(HoldingEnd::Withdrawn),
        Err(_) => return Err(HISTORY.error("end of a holding")),
    };
    let ended = match (value.ended, end) {
        (None, None) => None,
        (Some(at), Some(end)) => Some((parse_mark(at), end)),
        (Some(_), None) | (None, Some(_)) => return Err(HISTORY.error("half an end of a holding")),
    };
    Ok(Holding {
        region: HISTORY.region(&value.region)?,
        material_id: HISTORY.material_id(&value.material_id)?,
        from: parse_mark(HISTORY.required(value.from, "begin of a holding")?),
        installed: value.installed.map(parse_mark),
        ended,
    })
}
