//! Rows of the last use of keys.

use crate::format::{Format, VERSION};
use crate::{FormatError, state::v1 as pb};
use kms_core::regional::{LastUse, TrackedOperation};
use kms_types::Timestamp;
use prost::Message;

const F: Format = Format("last use");

pub(super) fn encode(value: &LastUse) -> Vec<u8> {
    pb::LastUse {
        format: VERSION,
        operation: value.operation.as_str().to_owned(),
        at_ms: value.at.millis(),
        request_id: value.request_id.clone(),
    }
    .encode_to_vec()
}

pub(super) fn decode(bytes: &[u8]) -> Result<LastUse, FormatError> {
    let m: pb::LastUse = F.message(bytes)?;
    F.version(m.format)?;
    Ok(LastUse {
        operation: F.required(TrackedOperation::parse(&m.operation), "operation")?,
        at: Timestamp::from_millis(m.at_ms),
        request_id: m.request_id,
    })
}
