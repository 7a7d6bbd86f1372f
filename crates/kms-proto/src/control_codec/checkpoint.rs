//! Checkpoints of audit logs, in commands and rows.

use crate::format::{Format, VERSION};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::{AuditCheckpoint, AuditSignature, ControlChange, CountersignCheckpoint};
use kms_types::{RegionName, Timestamp};
use prost::Message as _;
use std::collections::BTreeMap;
use std::sync::Arc;

const ROW: Format = Format("audit checkpoints");

pub(super) fn row_value(region: &RegionName, kept: &[AuditCheckpoint]) -> Vec<u8> {
    pb::AuditCheckpoints {
        format: VERSION,
        region: region.to_string(),
        checkpoints: kept.iter().map(checkpoint).collect(),
    }
    .encode_to_vec()
}

pub(super) fn parse_row(bytes: &[u8]) -> Result<ControlChange, FormatError> {
    let message: pb::AuditCheckpoints = ROW.message(bytes)?;
    ROW.version(message.format)?;
    let kept = message.checkpoints.into_iter().map(|kept| parse_checkpoint(ROW, kept)).collect::<Result<_, _>>()?;
    Ok(ControlChange::PutCheckpoints(ROW.region(&message.region)?, Arc::new(kept)))
}

pub(super) fn checkpoint(checkpoint: &AuditCheckpoint) -> pb::AuditCheckpoint {
    let others = checkpoint.countersignatures.iter();
    pb::AuditCheckpoint {
        sequence: checkpoint.sequence,
        hash: checkpoint.hash.to_vec(),
        control_log_index: checkpoint.control_log_index,
        signature: Some(signature(&checkpoint.signature)),
        countersignatures: others
            .map(|(region, own)| pb::RegionSignature { region: region.to_string(), signature: Some(signature(own)) })
            .collect(),
    }
}

pub(super) fn parse_checkpoint(format: Format, message: pb::AuditCheckpoint) -> Result<AuditCheckpoint, FormatError> {
    let mut countersignatures = BTreeMap::new();
    for other in message.countersignatures {
        countersignatures.insert(format.region(&other.region)?, parse_signature(format, other.signature)?);
    }
    Ok(AuditCheckpoint {
        sequence: message.sequence,
        hash: format.required(message.hash.try_into().ok(), "hash")?,
        control_log_index: message.control_log_index,
        signature: parse_signature(format, message.signature)?,
        countersignatures,
    })
}

pub(super) fn countersign(body: &CountersignCheckpoint) -> pb::CountersignCheckpoint {
    pb::CountersignCheckpoint {
        of: body.of.to_string(),
        sequence: body.sequence,
        hash: body.hash.to_vec(),
        signature: Some(signature(&body.signature)),
    }
}

pub(super) fn parse_countersign(
    format: Format,
    message: pb::CountersignCheckpoint,
) -> Result<CountersignCheckpoint, FormatError> {
    Ok(CountersignCheckpoint {
        of: format.region(&message.of)?,
        sequence: message.sequence,
        hash: format.required(message.hash.try_into().ok(), "hash")?,
        signature: parse_signature(format, message.signature)?,
    })
}

fn signature(signature: &AuditSignature) -> pb::AuditSignature {
    pb::AuditSignature { at_ms: signature.at.millis(), key: signature.key.to_vec(), signature: signature.bytes.clone() }
}

fn parse_signature(format: Format, message: Option<pb::AuditSignature>) -> Result<AuditSignature, FormatError> {
    let message = format.required(message, "signature")?;
    Ok(AuditSignature {
        at: Timestamp::from_millis(message.at_ms),
        key: format.required(message.key.try_into().ok(), "name of the signing key")?,
        bytes: message.signature,
    })
}
