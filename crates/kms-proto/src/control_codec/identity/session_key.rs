//! Rows of session token keys.

use super::{parse_recipients, recipients};
use crate::format::{Format, VERSION};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::identity::{IdentityChange, SessionKeyEntry};
use kms_types::Timestamp;
use prost::Message;
use std::sync::Arc;

/// First byte of the row of a session token key.
pub(super) const PREFIX: u8 = 0x23;

const SESSION_KEY: Format = Format("session token key");

pub(super) fn row_key(epoch: u64) -> Vec<u8> {
    super::row_key(PREFIX, &epoch.to_be_bytes())
}

pub(super) fn encode(entry: &SessionKeyEntry) -> Vec<u8> {
    pb::SessionKeyEntry {
        format: VERSION,
        epoch: entry.epoch,
        created_at_ms: entry.created_at.millis(),
        boxes: recipients(&entry.boxes),
    }
    .encode_to_vec()
}

pub(super) fn decode(bytes: &[u8]) -> Result<IdentityChange, FormatError> {
    let m: pb::SessionKeyEntry = SESSION_KEY.message(bytes)?;
    SESSION_KEY.version(m.format)?;
    Ok(IdentityChange::PutSessionKey(Arc::new(SessionKeyEntry {
        epoch: m.epoch,
        created_at: Timestamp::from_millis(m.created_at_ms),
        boxes: parse_recipients(SESSION_KEY, m.boxes)?,
    })))
}
