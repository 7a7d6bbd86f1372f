//! A signed checkpoint as one line of JSON, for files beside the log. Version 1.

use super::{COUNTERSIGNATURES_MAX, Checkpoint, Countersignature, SignedCheckpoint};
use crate::chain::parse_hex;
use crate::json::JsonLine;
use crate::signing::SIGNATURE_BYTES_MAX;
use crate::{Head, LogName, RecordHash, Signature, SigningKeyId};
use kms_types::{RegionName, Timestamp};
use serde::Deserialize;
use std::borrow::Cow;

const VERSION: u64 = 1;

/// Why a line is not a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointLineError {
    /// Not the JSON of a checkpoint.
    #[error("this is not a checkpoint")]
    Form,
    /// A version that this program does not know.
    #[error("this checkpoint has version {0}, which is not known here")]
    Version(u64),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line<'a> {
    version: u64,
    #[serde(borrow)]
    cluster: Cow<'a, str>,
    #[serde(borrow)]
    region: Cow<'a, str>,
    sequence: u64,
    #[serde(borrow)]
    hash: Cow<'a, str>,
    time_millis: u64,
    control_log_index: u64,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
    #[serde(borrow)]
    countersignatures: Vec<CountersignatureLine<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CountersignatureLine<'a> {
    #[serde(borrow)]
    region: Cow<'a, str>,
    time_millis: u64,
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
}

/// The version alone, to tell an unknown one from nonsense.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl SignedCheckpoint {
    /// The line, without its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        let checkpoint = &self.checkpoint;
        let mut line = JsonLine::open_line();
        line.number("version", VERSION);
        line.word("cluster", checkpoint.log.cluster());
        line.word("region", checkpoint.log.region().as_str());
        line.number("sequence", checkpoint.head.sequence);
        line.hex("hash", checkpoint.head.hash.as_bytes());
        line.number("timeMillis", checkpoint.time.millis());
        line.number("controlLogIndex", checkpoint.control_log_index);
        write_signature(&mut line, &self.signature);
        line.open_list("countersignatures");
        for countersignature in &self.countersignatures {
            line.open_item();
            line.word("region", countersignature.region.as_str());
            line.number("timeMillis", countersignature.time.millis());
            write_signature(&mut line, &countersignature.signature);
            line.close();
        }
        line.close_list();
        line.close();
        line.into_text()
    }

    /// Reads a line. Signatures are not checked.
    ///
    /// # Errors
    /// [`CheckpointLineError`] when the line is not what [`SignedCheckpoint::to_line`] writes.
    pub fn parse_line(line: &str) -> Result<Self, CheckpointLineError> {
        let Versioned { version } = serde_json::from_str(line).map_err(|_form| CheckpointLineError::Form)?;
        if version != VERSION {
            return Err(CheckpointLineError::Version(version));
        }
        let read: Line<'_> = serde_json::from_str(line).map_err(|_form| CheckpointLineError::Form)?;
        let parsed = read.into_checkpoint().ok_or(CheckpointLineError::Form)?;
        // One checkpoint has one line.
        if parsed.to_line() == line { Ok(parsed) } else { Err(CheckpointLineError::Form) }
    }
}

impl Line<'_> {
    fn into_checkpoint(self) -> Option<SignedCheckpoint> {
        if self.version != VERSION || self.countersignatures.len() > COUNTERSIGNATURES_MAX {
            return None;
        }
        let countersignatures = self.countersignatures.into_iter().map(|c| {
            Some(Countersignature {
                region: RegionName::parse(&c.region).ok()?,
                time: Timestamp::from_millis(c.time_millis),
                signature: read_signature(&c.key, &c.signature)?,
            })
        });
        Some(SignedCheckpoint {
            checkpoint: Checkpoint {
                log: LogName::new(&self.cluster, RegionName::parse(&self.region).ok()?).ok()?,
                head: Head { sequence: self.sequence, hash: RecordHash::parse(&self.hash)? },
                time: Timestamp::from_millis(self.time_millis),
                control_log_index: self.control_log_index,
            },
            signature: read_signature(&self.key, &self.signature)?,
            countersignatures: countersignatures.collect::<Option<_>>()?,
        })
    }
}

fn write_signature(line: &mut JsonLine, signature: &Signature) {
    line.hex("key", signature.key.as_bytes());
    line.hex("signature", &signature.bytes);
}

fn read_signature(key: &str, bytes: &str) -> Option<Signature> {
    let key = SigningKeyId::from_bytes(parse_hex(key.as_bytes())?.try_into().ok()?);
    let bytes = parse_hex(bytes.as_bytes())?;
    (bytes.len() <= SIGNATURE_BYTES_MAX).then_some(Signature { key, bytes })
}
