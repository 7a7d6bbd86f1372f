//! The bytes of the control log's commands and outcomes, and the rows of the control state.
//!
//! Decoding accepts exactly the bytes that encoding writes. Row keys: 0x10 and a Region name, 0x11 and a key ID, 0x12
//! and a slot of the ring of recent outcomes (8 bytes, big endian), 0x20 and account, type and name of a principal, 0x21
//! and an access key ID, 0x22 and account and name of a role, 0x23 and an epoch (8 bytes, big endian) for a session token
//! key, 0x28 and an index (8 bytes, big endian) for the journal, 0x2d alone for the residency rules, 0x2e
//! and a key ID for the history of a key.

mod checkpoint;
mod command;
mod identity;
mod journal;
mod key_set;
mod outcome;
mod parts;
mod residency;

pub use crate::format::Row;
pub use command::{decode_command, encode_command};
pub use outcome::{decode_outcome, encode_outcome};
pub use residency::{ResidencyStatement, STATEMENT_LABEL, decode_statement, encode_statement};

use crate::format::{Format, VERSION};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::{ControlChange, ProposalId, RecentProposals, RegionEntry};
use kms_types::{KeyId, Timestamp};
use prost::Message;
use std::sync::Arc;

/// First byte of the row of a Region.
pub const REGION_PREFIX: u8 = 0x10;
/// First byte of the row of a key set.
pub const KEY_SET_PREFIX: u8 = 0x11;
/// First byte of the row of a Region's checkpoints.
pub const CHECKPOINTS_PREFIX: u8 = 0x18;
/// First byte of the row of a journal entry.
pub const JOURNAL_PREFIX: u8 = 0x28;
/// First byte of the row of a recent outcome.
pub const RECENT_PREFIX: u8 = 0x12;

/// The row of the residency rules.
pub const RESIDENCY_PREFIX: u8 = 0x2d;
/// First byte of the row of a key's history.
pub const HISTORY_PREFIX: u8 = 0x2e;

const ROW: Format = Format("control row key");
const REGION: Format = Format("Region entry");
const RECENT: Format = Format("recent outcome");

/// Encodes a changed row.
#[must_use]
pub fn change_to_row(change: &ControlChange) -> Row {
    match change {
        ControlChange::PutRegion(entry) => {
            Row { key: row_key(REGION_PREFIX, entry.region.as_str().as_bytes()), value: Some(encode_region(entry)) }
        }
        ControlChange::PutKeySet(set) => {
            Row { key: row_key(KEY_SET_PREFIX, set.key_id.as_bytes()), value: Some(key_set::encode(set)) }
        }
        ControlChange::DeleteKeySet(key_id) => Row { key: row_key(KEY_SET_PREFIX, key_id.as_bytes()), value: None },
        ControlChange::Identity(change) => identity::to_row(change),
        ControlChange::PutResidencyRules(rules) => {
            Row { key: vec![RESIDENCY_PREFIX], value: Some(residency::encode_rules(rules)) }
        }
        ControlChange::PutKeyHistory(history) => Row {
            key: row_key(HISTORY_PREFIX, history.key_id.as_bytes()),
            value: Some(residency::encode_history(history)),
        },
        ControlChange::PutCheckpoints(region, kept) => Row {
            key: row_key(CHECKPOINTS_PREFIX, region.as_str().as_bytes()),
            value: Some(checkpoint::row_value(region, kept)),
        },
        ControlChange::PutJournal(entry) => {
            Row { key: row_key(JOURNAL_PREFIX, &entry.index.to_be_bytes()), value: Some(journal::row_value(entry)) }
        }
        ControlChange::DeleteJournal(index) => Row { key: row_key(JOURNAL_PREFIX, &index.to_be_bytes()), value: None },
        ControlChange::PutRecent { slot, sequence, id, outcome } => {
            let message = pb::RecentOutcome {
                format: VERSION,
                sequence: *sequence,
                proposal_id: id.0.to_vec(),
                refused: outcome::refused(outcome),
            };
            Row { key: row_key(RECENT_PREFIX, &slot.to_be_bytes()), value: Some(message.encode_to_vec()) }
        }
    }
}

/// Reads a stored row back into the change that wrote it.
///
/// # Errors
/// [`FormatError`] when the key or the value is not one that [`change_to_row`] writes, or the two do not belong together.
pub fn row_to_change(key: &[u8], value: &[u8]) -> Result<ControlChange, FormatError> {
    let change = match key.first() {
        Some(&REGION_PREFIX) => decode_region(value)?,
        Some(&KEY_SET_PREFIX) => ControlChange::PutKeySet(Arc::new(key_set::decode(value)?)),
        Some(&RECENT_PREFIX) => decode_recent(value)?,
        Some(&prefix) if identity::PREFIXES.contains(&prefix) => {
            ControlChange::Identity(identity::decode(prefix, value)?)
        }
        Some(&RESIDENCY_PREFIX) => ControlChange::PutResidencyRules(Arc::new(residency::decode_rules(value)?)),
        Some(&HISTORY_PREFIX) => ControlChange::PutKeyHistory(Arc::new(residency::decode_history(value)?)),
        Some(&JOURNAL_PREFIX) => journal::parse_row(value)?,
        Some(&CHECKPOINTS_PREFIX) => checkpoint::parse_row(value)?,
        _ => return Err(ROW.error("unknown kind of row")),
    };
    let row = change_to_row(&change);
    if row.key != key {
        return Err(ROW.error("the key does not belong to the value"));
    }
    Format("control row").canonical(value, row.value.as_deref().unwrap_or_default())?;
    Ok(change)
}

/// The key of a key set's row.
#[must_use]
pub fn key_set_key(key_id: &KeyId) -> Vec<u8> {
    row_key(KEY_SET_PREFIX, key_id.as_bytes())
}

fn row_key(prefix: u8, rest: &[u8]) -> Vec<u8> {
    [&[prefix], rest].concat()
}

fn encode_region(entry: &RegionEntry) -> Vec<u8> {
    pb::RegionEntry {
        format: VERSION,
        region: entry.region.to_string(),
        sealing_public_key: entry.sealing_public_key.clone(),
        role: parts::role(entry.role).into(),
        registered_at_ms: entry.registered_at.millis(),
        signing_public_key: entry.signing_public_key.clone(),
        former_signing_keys: entry.former_signing_keys.clone(),
    }
    .encode_to_vec()
}

fn decode_region(bytes: &[u8]) -> Result<ControlChange, FormatError> {
    let message: pb::RegionEntry = REGION.message(bytes)?;
    REGION.version(message.format)?;
    Ok(ControlChange::PutRegion(Arc::new(RegionEntry {
        region: REGION.region(&message.region)?,
        role: parts::parse_role(REGION, message.role)?,
        sealing_public_key: message.sealing_public_key,
        registered_at: Timestamp::from_millis(message.registered_at_ms),
        signing_public_key: message.signing_public_key,
        former_signing_keys: message.former_signing_keys,
    })))
}

fn decode_recent(bytes: &[u8]) -> Result<ControlChange, FormatError> {
    let message: pb::RecentOutcome = RECENT.message(bytes)?;
    RECENT.version(message.format)?;
    Ok(ControlChange::PutRecent {
        slot: RecentProposals::slot(message.sequence),
        sequence: message.sequence,
        id: ProposalId(RECENT.required(message.proposal_id.try_into().ok(), "proposal ID")?),
        outcome: outcome::parse_refused(RECENT, message.refused)?,
    })
}
