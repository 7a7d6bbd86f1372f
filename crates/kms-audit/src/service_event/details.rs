//! `serviceEventDetails` of each event. AWS's events have AWS's members; the others say what an operator asks first.

use super::{LogEvent, NAME_BYTES_MAX, REGIONS_MAX, ServiceEvent, Started, TEXT_BYTES_MAX};
use crate::json::JsonLine;
use crate::{Checkpoint, Gap, Signature};

impl ServiceEvent<'_> {
    pub(super) fn write_details(&self, line: &mut JsonLine) {
        match self {
            Self::RotateKey { key, rotation_type, origin, previous, current } => {
                line.word("keyId", key.key_id.as_str());
                line.word("rotationType", rotation_type.as_str());
                line.word("keyOrigin", origin.as_str());
                if let Some(previous) = previous {
                    line.hex("previousKeyMaterialId", previous.as_bytes());
                }
                line.hex("currentKeyMaterialId", current.as_bytes());
            }
            // An API call by CloudTrail's count, which has no such details.
            Self::SynchronizeMultiRegionKey { .. } => {}
            Self::DeleteKey { key } => line.word("keyId", key.key_id.as_str()),
            Self::DeleteExpiredKeyMaterial { key, material } => {
                line.word("keyId", key.key_id.as_str());
                line.hex("keyMaterialId", material.as_bytes());
            }
            Self::PromotePrimaryRegion { key, from, to, epoch, unreachable, duration } => {
                line.word("keyId", key.key_id.as_str());
                line.word("fromRegion", from.as_str());
                line.word("toRegion", to.as_str());
                line.number("epoch", *epoch);
                line.open_list("unreachableRegions");
                unreachable.iter().take(REGIONS_MAX).for_each(|region| line.item(region.as_str(), NAME_BYTES_MAX));
                line.close_list();
                line.number("durationMillis", u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
            }
            Self::ChangeMembership { region, change } => {
                line.word("region", region.as_str());
                line.word("change", change.as_str());
            }
            Self::ApplyControlChange { change } => line.word("change", change),
            Self::ReportFault { component, text } | Self::ReportRecovery { component, text } => {
                line.word("component", component);
                line.text("text", text, TEXT_BYTES_MAX);
            }
            Self::Log(event) => event.write_details(line),
        }
    }
}

impl LogEvent<'_> {
    fn write_details(&self, line: &mut JsonLine) {
        match self {
            Self::Started(started) => write_started(line, started),
            Self::Stopped => {}
            Self::Recovered { since, refused } => {
                line.event_time("since", *since);
                line.number("refusedRequests", *refused);
            }
            Self::Gap { gap, signature } => write_gap(line, gap, *signature),
            Self::SignedCheckpoint(checkpoint) | Self::CountersignedCheckpoint(checkpoint) => {
                write_checkpoint(line, checkpoint);
            }
        }
    }
}

fn write_started(line: &mut JsonLine, started: &Started) {
    line.flag("stoppedCleanly", started.stopped_cleanly);
    line.number("droppedBytes", started.dropped_bytes);
    if let Some(sequence) = started.went_on_after_damage_at {
        line.number("wentOnAfterDamageAt", sequence);
    }
}

fn write_gap(line: &mut JsonLine, gap: &Gap, signature: Option<&Signature>) {
    line.number("unrecordedRequests", gap.unrecorded);
    line.flag("atLeast", gap.at_least);
    line.number("firstMillis", gap.first.millis());
    line.number("lastMillis", gap.last.millis());
    line.number("afterSequence", gap.after.sequence);
    line.hex("afterHash", gap.after.hash.as_bytes());
    if let Some(signature) = signature {
        line.hex("signingKey", signature.key.as_bytes());
        line.hex("gapSignature", &signature.bytes);
    }
}

fn write_checkpoint(line: &mut JsonLine, checkpoint: &Checkpoint) {
    line.word("region", checkpoint.log.region().as_str());
    line.number("sequence", checkpoint.head.sequence);
    line.hex("hash", checkpoint.head.hash.as_bytes());
    line.number("timeMillis", checkpoint.time.millis());
    line.number("controlLogIndex", checkpoint.control_log_index);
}
