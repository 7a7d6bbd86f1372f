//! Checkpoints of audit logs, as the Regions hand them to each other. The state machine keeps them; whether a signature
//! holds, those who sign and those who read find out.

use super::{ControlChange, ControlState, Refusal};
use kms_types::{RegionName, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most checkpoints of one Region's log that are kept; the oldest go first.
pub const CHECKPOINTS_MAX: usize = 8;
/// Longest signature, in bytes; that of ML-DSA-87 fits.
const SIGNATURE_BYTES_MAX: usize = 5 * 1024;

/// What a Region says of its own audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheckpoint {
    /// Sequence of the last durable record.
    pub sequence: u64,
    /// Its hash.
    pub hash: [u8; 32],
    /// Index up to which the Region had applied the control log.
    pub control_log_index: u64,
    /// The Region's own signature, and when it looked.
    pub signature: AuditSignature,
    /// Signatures of other Regions.
    pub countersignatures: BTreeMap<RegionName, AuditSignature>,
}

/// A Region's signature.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditSignature {
    /// When.
    pub at: Timestamp,
    /// Name of the signing key.
    pub key: [u8; 32],
    /// The signature.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for AuditSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AuditSignature({:?}, {} bytes)", self.at, self.bytes.len())
    }
}

/// Another Region's signature under a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountersignCheckpoint {
    /// Whose log it is.
    pub of: RegionName,
    /// The checkpoint's sequence.
    pub sequence: u64,
    /// The checkpoint's hash.
    pub hash: [u8; 32],
    /// The signature of the proposing Region.
    pub signature: AuditSignature,
}

type Step = Result<(Vec<ControlChange>, Vec<super::ControlEffect>), Refusal>;

impl ControlState {
    /// Checkpoints of a Region's audit log, oldest first.
    #[must_use]
    pub fn checkpoints(&self, region: &RegionName) -> &[AuditCheckpoint] {
        self.checkpoints.get(region).map(|kept| kept.as_slice()).unwrap_or_default()
    }

    pub(super) fn sign_checkpoint(&self, region: &RegionName, body: &AuditCheckpoint) -> Step {
        self.check_known(region)?;
        let mut kept = self.checkpoints(region).to_vec();
        let goes_on = kept.last().is_none_or(|last| {
            body.control_log_index >= last.control_log_index
                && (body.sequence > last.sequence || (body.sequence == last.sequence && body.hash == last.hash))
        });
        if !goes_on || is_malformed(&body.signature) || !body.countersignatures.is_empty() {
            return Err(Refusal::Malformed);
        }
        if kept.last().is_some_and(|last| last.sequence == body.sequence) {
            return Ok((Vec::new(), Vec::new()));
        }
        kept.push(body.clone());
        let surplus = kept.len().saturating_sub(CHECKPOINTS_MAX);
        kept.drain(..surplus);
        Ok((vec![ControlChange::PutCheckpoints(region.clone(), Arc::new(kept))], Vec::new()))
    }

    pub(super) fn countersign_checkpoint(&self, region: &RegionName, body: &CountersignCheckpoint) -> Step {
        self.check_known(region)?;
        if *region == body.of || is_malformed(&body.signature) {
            return Err(Refusal::Malformed);
        }
        let mut kept = self.checkpoints(&body.of).to_vec();
        let signed = kept.iter_mut().find(|kept| (kept.sequence, kept.hash) == (body.sequence, body.hash));
        // A checkpoint that newer ones have displaced needs no witness any more.
        let Some(signed) = signed else { return Ok((Vec::new(), Vec::new())) };
        signed.countersignatures.insert(region.clone(), body.signature.clone());
        Ok((vec![ControlChange::PutCheckpoints(body.of.clone(), Arc::new(kept))], Vec::new()))
    }

    fn check_known(&self, region: &RegionName) -> Result<(), Refusal> {
        if self.region(region).is_some() { Ok(()) } else { Err(Refusal::RegionUnknown) }
    }
}

fn is_malformed(signature: &AuditSignature) -> bool {
    signature.bytes.is_empty() || signature.bytes.len() > SIGNATURE_BYTES_MAX
}
