//! The hash chain: each record carries its sequence, the hash of the record before it, and its own.
//!
//! ```text
//! … ,"chain":{"version":1,"day":"2026-11-22","sequence":42,"previous":"<hex>","hash":"<hex>"}}}\n
//! hash     = SHA-256( "meridian audit record v1\0" ‖ log ‖ previous ‖ the line up to the comma before "hash" )
//! previous of sequence 1 = SHA-256( "meridian audit origin v1\0" ‖ log )
//! log      = length (1 byte) ‖ cluster ‖ length (1 byte) ‖ Region
//! ```
//!
//! The line holds sequence, previous hash and day of the file, so that all of them are hashed. The cluster and the Region are
//! hashed and not written: a record of another log has the wrong hash here, wherever it is put. One file follows the
//! other without a new start, and so does the chain after a restart. What this cannot show is a chain that was cut
//! or written anew from some record on; a [`crate::Checkpoint`] shows that.
//!
//! The format is version 1. Another version takes other labels.

use crate::calendar::Day;
use crate::json::push_number;
use crate::uuid::push_hex;
use kms_types::{Invalid, RegionName};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;

/// Bytes that chaining adds to a record, end of line included.
pub const CHAIN_BYTES_MAX: usize = 256;
/// The label of a record's hash.
const RECORD_LABEL: &[u8] = b"meridian audit record v1\0";
/// The label of the hash before the first record.
const ORIGIN_LABEL: &[u8] = b"meridian audit origin v1\0";
/// Longest cluster ID, in bytes.
const CLUSTER_BYTES_MAX: usize = 64;

const DAY: &str = ",\"chain\":{\"version\":1,\"day\":\"";
const SEQUENCE: &str = "\",\"sequence\":";
const PREVIOUS: &str = ",\"previous\":\"";
const END_OF_PREVIOUS: &str = "\"";
const HASH: &str = ",\"hash\":\"";
const END: &str = "\"}}}";
/// Characters of a hash in hex.
const HEX_LENGTH: usize = 64;
/// Characters of a day.
const DAY_LENGTH: usize = 10;

/// A log: the cluster and the Region whose records it holds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogName {
    cluster: Arc<str>,
    region: RegionName,
}

impl LogName {
    /// Names a log.
    ///
    /// # Errors
    /// [`Invalid`] unless the cluster ID has 1 to 64 characters of `a-z`, `0-9` and `-`.
    pub fn new(cluster: &str, region: RegionName) -> Result<Self, Invalid> {
        let shaped = (1..=CLUSTER_BYTES_MAX).contains(&cluster.len())
            && cluster.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        if shaped { Ok(Self { cluster: cluster.into(), region }) } else { Err(Invalid("cluster ID")) }
    }

    /// The cluster's ID.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The Region.
    #[must_use]
    pub const fn region(&self) -> &RegionName {
        &self.region
    }

    /// The name as it goes into hashes and signatures.
    pub(crate) fn push_to(&self, out: &mut Vec<u8>) {
        for part in [self.cluster(), self.region.as_str()] {
            push_short(out, part.as_bytes());
        }
    }
}

impl fmt::Debug for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cluster, self.region)
    }
}

/// Appends at most 255 bytes behind their length.
pub(crate) fn push_short(out: &mut Vec<u8>, bytes: &[u8]) {
    // Cluster IDs have at most 64 bytes, Region names at most 32.
    out.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(bytes);
}

/// The hash of a record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordHash([u8; 32]);

impl RecordHash {
    /// Wraps the 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 lower-case hex digits; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse_hex(text.as_bytes())?.try_into().ok().map(Self)
    }
}

/// Reads lower-case hex digits; `None` for anything else.
pub(crate) fn parse_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |c: &u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let pairs = text.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

impl fmt::Display for RecordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The end of a chain: its last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// Sequence of the last record; zero when there is none.
    pub sequence: u64,
    /// Hash of the last record, or the hash before the first one.
    pub hash: RecordHash,
}

/// Computes the hashes of one log.
#[derive(Clone)]
pub struct Chain {
    log: LogName,
    /// The state after label and log, which all records share.
    prefix: Sha256,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("log", &self.log).finish_non_exhaustive()
    }
}

impl Chain {
    /// The chain of a log.
    #[must_use]
    pub fn new(log: LogName) -> Self {
        let prefix = Sha256::new_with_prefix(labelled(RECORD_LABEL, &log));
        Self { log, prefix }
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &LogName {
        &self.log
    }

    /// What the first record is chained to.
    #[must_use]
    pub fn origin(&self) -> Head {
        Head { sequence: 0, hash: RecordHash(Sha256::digest(labelled(ORIGIN_LABEL, &self.log)).into()) }
    }

    /// Appends a record with its chain members and its end of line, and returns the new head.
    pub(crate) fn seal(&self, head: &Head, day: Day, body: &str, out: &mut String) -> Head {
        let start = out.len();
        let sequence = head.sequence.saturating_add(1);
        out.push_str(body);
        out.push_str(DAY);
        day.push_to(out);
        out.push_str(SEQUENCE);
        push_number(out, sequence);
        out.push_str(PREVIOUS);
        head.hash.0.iter().for_each(|byte| push_hex(out, *byte));
        out.push_str(END_OF_PREVIOUS);
        let hash = self.hash(&head.hash, out.as_bytes().get(start..).unwrap_or_default());
        out.push_str(HASH);
        hash.0.iter().for_each(|byte| push_hex(out, *byte));
        out.push_str(END);
        out.push('\n');
        Head { sequence, hash }
    }

    /// The hash of a line as this log would have it, whatever the line says.
    pub(crate) fn hash_of(&self, line: &SealedLine<'_>) -> RecordHash {
        self.hash(&line.previous, line.covered)
    }

    fn hash(&self, previous: &RecordHash, covered: &[u8]) -> RecordHash {
        let state = self.prefix.clone().chain_update(previous.0).chain_update(covered);
        RecordHash(state.finalize().into())
    }
}

fn labelled(label: &[u8], log: &LogName) -> Vec<u8> {
    let mut out = label.to_vec();
    log.push_to(&mut out);
    out
}

/// A line that ends as a chained record does. Whether its hash is right is another question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealedLine<'a> {
    pub(crate) day: Day,
    pub(crate) sequence: u64,
    pub(crate) previous: RecordHash,
    pub(crate) hash: RecordHash,
    /// What the hash covers.
    pub(crate) covered: &'a [u8],
}

impl<'a> SealedLine<'a> {
    /// Reads the chain members from the end of a line without its end of line. They always come last and in one form, so
    /// that nothing that a caller wrote into a record can pass for them.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let rest = line.strip_suffix(END.as_bytes())?;
        let (rest, hash) = split_hash(rest)?;
        let covered = rest.strip_suffix(HASH.as_bytes())?;
        let (rest, previous) = split_hash(covered.strip_suffix(END_OF_PREVIOUS.as_bytes())?)?;
        let rest = rest.strip_suffix(PREVIOUS.as_bytes())?;
        let digits = rest.iter().rev().take_while(|c| c.is_ascii_digit()).count();
        let (rest, digits) = rest.split_at_checked(rest.len() - digits)?;
        let sequence: u64 = str::from_utf8(digits).ok()?.parse().ok()?;
        // One number has one form: no leading zeros, and no record zero.
        if digits.first() == Some(&b'0') {
            return None;
        }
        let rest = rest.strip_suffix(SEQUENCE.as_bytes())?;
        let (rest, day) = rest.split_at_checked(rest.len().checked_sub(DAY_LENGTH)?)?;
        let day = Day::parse(str::from_utf8(day).ok()?)?;
        let body = rest.strip_suffix(DAY.as_bytes())?;
        if body.first() != Some(&b'{') {
            return None;
        }
        Some(Self { day, sequence, previous, hash, covered })
    }
}

fn split_hash(text: &[u8]) -> Option<(&[u8], RecordHash)> {
    let (rest, hex) = text.split_at_checked(text.len().checked_sub(HEX_LENGTH)?)?;
    Some((rest, RecordHash(parse_hex(hex)?.try_into().ok()?)))
}

#[cfg(test)]
mod tests;
