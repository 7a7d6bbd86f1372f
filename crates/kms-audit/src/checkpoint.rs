//! Checkpoints: what a Region says of its own log, countersigned by Regions that cannot be made to forget it.
//!
//! A hash chain shows every change except a new chain written by whoever holds the disk. So each Region signs the head
//! of its log from time to time and hands it to the others, who sign it once more. From then on a log that does not have
//! this record with this hash at this sequence is not the log that the others saw: a fork.

use crate::chain::push_short;
use crate::{Head, LogName, Signature, Signer, SignerError, Verifier};
use kms_types::{RegionName, Timestamp};

mod line;

pub use line::CheckpointLineError;

/// The label of a Region's signature.
const LABEL: &[u8] = b"meridian audit checkpoint v1\0";
/// The label of a countersignature.
const COUNTERSIGN_LABEL: &[u8] = b"meridian audit countersignature v1\0";
/// Most countersignatures of one checkpoint.
pub const COUNTERSIGNATURES_MAX: usize = 64;

/// The state of a log at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub log: LogName,
    /// Its last durable record.
    pub head: Head,
    /// When the Region looked.
    pub time: Timestamp,
    /// Index up to which the Region had applied the control log, and recorded what followed from it.
    pub control_log_index: u64,
}

impl Checkpoint {
    /// The canonical bytes: what the Region signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut out = LABEL.to_vec();
        self.log.push_to(&mut out);
        out.extend_from_slice(&self.head.sequence.to_be_bytes());
        out.extend_from_slice(self.head.hash.as_bytes());
        out.extend_from_slice(&self.time.millis().to_be_bytes());
        out.extend_from_slice(&self.control_log_index.to_be_bytes());
        out
    }

    /// Signs the checkpoint in the name of its Region.
    ///
    /// # Errors
    /// [`SignerError`] when the key cannot be used.
    pub fn sign(self, signer: &dyn Signer) -> Result<SignedCheckpoint, SignerError> {
        let signature = signer.sign(&self.signed_bytes())?;
        Ok(SignedCheckpoint { checkpoint: self, signature, countersignatures: Vec::new() })
    }
}

/// A checkpoint with its Region's signature and those of other Regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is said.
    pub checkpoint: Checkpoint,
    /// The Region's own signature.
    pub signature: Signature,
    /// Other Regions' signatures, at most one each, ordered by Region.
    pub countersignatures: Vec<Countersignature>,
}

/// Another Region's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countersignature {
    /// Who signs.
    pub region: RegionName,
    /// When.
    pub time: Timestamp,
    /// The signature.
    pub signature: Signature,
}

/// Why a checkpoint proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// The Region has not signed this.
    #[error("the signature of its Region is wrong")]
    Signature,
    /// Another Region has not signed this.
    #[error("the countersignature of {0} is wrong")]
    Countersignature(RegionName),
    /// A Region cannot vouch for itself, and none counts twice.
    #[error("{0} may not countersign, or has done so already")]
    Witness(RegionName),
    /// More countersignatures than a cluster has Regions.
    #[error("there are too many countersignatures")]
    TooMany,
}

impl SignedCheckpoint {
    /// The bytes that a witness signs at a time. They bind the Region's signature, so that a later one over the same
    /// checkpoint needs countersignatures of its own.
    #[must_use]
    pub fn countersigned_bytes(&self, witness: &RegionName, time: Timestamp) -> Vec<u8> {
        let mut out = COUNTERSIGN_LABEL.to_vec();
        push_short(&mut out, witness.as_str().as_bytes());
        out.extend_from_slice(&time.millis().to_be_bytes());
        out.extend_from_slice(self.signature.key.as_bytes());
        // Both parts behind a length: neither can borrow bytes from the other.
        for part in [&self.checkpoint.signed_bytes(), &self.signature.bytes] {
            out.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            out.extend_from_slice(part);
        }
        out
    }

    /// Adds a witness's signature; a second one of the same Region replaces the first. The caller has checked the
    /// checkpoint with [`SignedCheckpoint::check`], and that it does not contradict one that it countersigned before
    /// ([`SignedCheckpoint::follows`]).
    ///
    /// # Errors
    /// [`SignerError`] when the key cannot be used.
    pub fn countersign(
        &mut self,
        witness: RegionName,
        time: Timestamp,
        signer: &dyn Signer,
    ) -> Result<(), SignerError> {
        let signature = signer.sign(&self.countersigned_bytes(&witness, time))?;
        self.add(Countersignature { region: witness, time, signature });
        Ok(())
    }

    /// Adds a countersignature that was made elsewhere.
    pub fn add(&mut self, countersignature: Countersignature) {
        match self.countersignatures.binary_search_by(|other| other.region.cmp(&countersignature.region)) {
            Ok(at) => {
                if let Some(slot) = self.countersignatures.get_mut(at) {
                    *slot = countersignature;
                }
            }
            Err(at) => self.countersignatures.insert(at, countersignature),
        }
    }

    /// Whether this checkpoint may come after an earlier one of the same log: neither sequence, nor control-log index
    /// goes back, and an equal sequence has an equal hash. A witness signs nothing else.
    #[must_use]
    pub fn follows(&self, earlier: &Checkpoint) -> bool {
        let later = &self.checkpoint;
        later.log == earlier.log
            && later.head.sequence >= earlier.head.sequence
            && later.control_log_index >= earlier.control_log_index
            && (later.head.sequence > earlier.head.sequence || later.head.hash == earlier.head.hash)
    }

    /// Checks all signatures, and returns the Regions that vouch for it besides its own.
    ///
    /// # Errors
    /// [`CheckpointFault`] names the first signature that is wrong.
    pub fn check(&self, verifier: &dyn Verifier) -> Result<Vec<RegionName>, CheckpointFault> {
        if self.countersignatures.len() > COUNTERSIGNATURES_MAX {
            return Err(CheckpointFault::TooMany);
        }
        let own = self.checkpoint.log.region();
        if !verifier.verify(own, &self.checkpoint.signed_bytes(), &self.signature) {
            return Err(CheckpointFault::Signature);
        }
        let mut witnesses: Vec<RegionName> = Vec::new();
        for Countersignature { region, time, signature } in &self.countersignatures {
            if region == own || witnesses.contains(region) {
                return Err(CheckpointFault::Witness(region.clone()));
            }
            if !verifier.verify(region, &self.countersigned_bytes(region, *time), signature) {
                return Err(CheckpointFault::Countersignature(region.clone()));
            }
            witnesses.push(region.clone());
        }
        Ok(witnesses)
    }
}
