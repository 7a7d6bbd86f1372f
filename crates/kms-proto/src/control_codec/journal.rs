//! Rows of the journal of changes.

use crate::format::{Format, VERSION};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::{ControlChange, JournalEntry, SharedChange};
use prost::Message as _;
use std::sync::Arc;

const ROW: Format = Format("journal entry");

pub(super) fn row_value(entry: &JournalEntry) -> Vec<u8> {
    pb::JournalEntry {
        format: VERSION,
        index: entry.index,
        region: entry.region.to_string(),
        change: entry.change.as_str().to_owned(),
    }
    .encode_to_vec()
}

pub(super) fn parse_row(bytes: &[u8]) -> Result<ControlChange, FormatError> {
    let message: pb::JournalEntry = ROW.message(bytes)?;
    ROW.version(message.format)?;
    let change = SharedChange::ALL.into_iter().find(|change| change.as_str() == message.change);
    let entry = JournalEntry {
        index: message.index,
        region: ROW.region(&message.region)?,
        change: ROW.required(change, "change")?,
    };
    Ok(ControlChange::PutJournal(Arc::new(entry)))
}
