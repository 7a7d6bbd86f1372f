//! A gap: requests that went on without a record, because fail-open was configured and no record could be written.

use crate::{Head, LogName};
use kms_types::Timestamp;

/// The label of a gap's signature.
const LABEL: &[u8] = b"meridian audit gap v1\0";

/// What a gap record owns up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Requests that were answered and not recorded.
    pub unrecorded: u64,
    /// Whether there may have been more: the process was killed in between.
    pub at_least: bool,
    /// Time of the first one.
    pub first: Timestamp,
    /// Time of the last one.
    pub last: Timestamp,
    /// The last record before them.
    pub after: Head,
}

impl Gap {
    /// The bytes that the Region signs.
    #[must_use]
    pub fn signed_bytes(&self, log: &LogName) -> Vec<u8> {
        let mut out = LABEL.to_vec();
        log.push_to(&mut out);
        out.extend_from_slice(&self.after.sequence.to_be_bytes());
        out.extend_from_slice(self.after.hash.as_bytes());
        out.extend_from_slice(&self.unrecorded.to_be_bytes());
        out.push(u8::from(self.at_least));
        for time in [self.first, self.last] {
            out.extend_from_slice(&time.millis().to_be_bytes());
        }
        out
    }
}
