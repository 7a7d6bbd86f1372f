//! Checkpoints of the audit logs: this Region signs the head of its own log from time to time and countersigns those of the
//! others, through the control log; and it keeps a copy of all of them beside its log.
//!
//! A Region countersigns only what follows what it has seen of that log, so that nobody can have two versions of one record
//! witnessed.

use super::Handles;
use crate::signatures::RegionKeys;
use crate::witnesses::Witnesses;
use kms_audit::{Checkpoint, Countersignature, Head, LogName, RecordHash, Signature, SignedCheckpoint, SigningKeyId};
use kms_core::control::{
    AuditCheckpoint, AuditSignature, ControlBody, ControlOutcome, ControlState, CountersignCheckpoint,
};
use kms_crypto::SigningPublicKey;
use kms_service::ControlLog as _;
use kms_types::RegionName;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two looks at what others have signed: a checkpoint finds its witnesses within about a second.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Longest wait for a checkpoint at shutdown; without a majority there is none.
const LAST_DEADLINE: Duration = Duration::from_secs(1);

/// Signs, countersigns and keeps copies until shutdown.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    handles: Arc<Handles>,
    directory: PathBuf,
    interval: Duration,
    /// What was written into the copy last.
    copied: Option<(usize, Vec<SignedCheckpoint>)>,
    contradicted: bool,
}

impl Checkpoints {
    pub(crate) const fn new(handles: Arc<Handles>, directory: PathBuf, interval: Duration) -> Self {
        Self { handles, directory, interval, copied: None, contradicted: false }
    }

    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut signed_at = tokio::time::Instant::now();
        loop {
            self.keep_copy();
            self.countersign_others().await;
            if signed_at.elapsed() >= self.interval {
                signed_at = tokio::time::Instant::now();
                self.sign_own().await;
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(LOOK_INTERVAL.min(self.interval)) => {}
            }
        }
        if tokio::time::timeout(LAST_DEADLINE, self.sign_own()).await.is_err() {
            tracing::debug!("no checkpoint was signed at the end");
        }
        self.keep_copy();
    }

    async fn sign_own(&mut self) {
        let region = self.handles.service.region().clone();
        let state = self.handles.control.state();
        let (head, control_log_index) = (self.handles.audit.status().head, self.handles.control.applied_index());
        if let Some(last) = state.checkpoints(&region).last() {
            if last.sequence == head.sequence && last.hash == *head.hash.as_bytes() {
                return;
            }
            if last.sequence >= head.sequence {
                if !self.contradicted {
                    tracing::error!(
                        signed = last.sequence,
                        last = head.sequence,
                        "the audit log is not the one that this \
                         Region has signed; it signs no more checkpoints"
                    );
                }
                self.contradicted = true;
                return;
            }
        }
        let Some(log) = self.log_of(&region) else { return };
        let checkpoint = Checkpoint { log, head, time: self.handles.clock.now(), control_log_index };
        match checkpoint.sign(self.handles.signer.as_ref()) {
            Ok(signed) => self.propose(ControlBody::SignCheckpoint(to_core(&signed))).await,
            Err(error) => tracing::error!(%error, "no checkpoint can be signed"),
        }
    }

    async fn countersign_others(&self) {
        let own = self.handles.service.region();
        let state = self.handles.control.state();
        let keys = RegionKeys::of(&state);
        for line in state.regions().filter(|line| line.region != *own) {
            let Some(log) = self.log_of(&line.region) else { continue };
            let kept: Vec<SignedCheckpoint> =
                state.checkpoints(&line.region).iter().map(|kept| from_core(&log, kept)).collect();
            let Some((newest, earlier)) = kept.split_last() else { continue };
            let is_mine = |other: &Countersignature| other.region == *own;
            if newest.countersignatures.iter().any(is_mine) {
                continue;
            }
            let goes_on = earlier.last().is_none_or(|before| newest.follows(&before.checkpoint));
            if !goes_on || newest.check(&keys).is_err() {
                tracing::warn!(region = %line.region, "a checkpoint of another Region proves nothing");
                continue;
            }
            let mut signed = newest.clone();
            let now = self.handles.clock.now();
            if let Err(error) = signed.countersign(own.clone(), now, self.handles.signer.as_ref()) {
                tracing::error!(%error, "no checkpoint can be countersigned");
                continue;
            }
            let Some(mine) = signed.countersignatures.iter().find(|other| is_mine(other)) else { continue };
            let body = CountersignCheckpoint {
                of: line.region.clone(),
                sequence: signed.checkpoint.head.sequence,
                hash: *signed.checkpoint.head.hash.as_bytes(),
                signature: to_core_signature(mine.time, &mine.signature),
            };
            self.propose(ControlBody::CountersignCheckpoint(body)).await;
        }
    }

    async fn propose(&self, body: ControlBody) {
        match self.handles.control.propose(body).await {
            Ok(ControlOutcome::Done) => {}
            Ok(ControlOutcome::Refused(refusal)) => tracing::warn!(%refusal, "a checkpoint was refused"),
            Err(error) => tracing::debug!(%error, "a checkpoint waits for a majority"),
        }
    }

    /// Writes keys and checkpoints of all Regions beside the log, if they have changed.
    fn keep_copy(&mut self) {
        let state = self.handles.control.state();
        let known = witnesses(&state, &self.handles.cluster_id);
        let wanted = (known.keys.len(), known.checkpoints.clone());
        if self.copied.as_ref() == Some(&wanted) {
            return;
        }
        match known.write(&self.directory) {
            Ok(()) => self.copied = Some(wanted),
            Err(error) => tracing::warn!(%error, "the copy of checkpoints could not be written"),
        }
    }

    fn log_of(&self, region: &RegionName) -> Option<LogName> {
        LogName::new(&self.handles.cluster_id, region.clone()).ok()
    }
}

/// What the control state knows of all Regions' logs.
fn witnesses(state: &ControlState, cluster_id: &str) -> Witnesses {
    let mut known = Witnesses { cluster_id: cluster_id.to_owned(), ..Witnesses::default() };
    for line in state.regions() {
        for key in line.former_signing_keys.iter().chain([&line.signing_public_key]) {
            if let Ok(key) = SigningPublicKey::from_bytes(key) {
                known.keys.push((line.region.clone(), key));
            }
        }
        if let Ok(log) = LogName::new(cluster_id, line.region.clone()) {
            let kept = state.checkpoints(&line.region).iter();
            known.checkpoints.extend(kept.map(|kept| from_core(&log, kept)));
        }
    }
    known
}

/// Records of this Region's own log that must be in it, as the control log remembers them.
pub(crate) fn known_heads(state: &ControlState, region: &RegionName) -> Vec<Head> {
    let kept = state.checkpoints(region).iter();
    kept.map(|kept| Head { sequence: kept.sequence, hash: RecordHash::from_bytes(kept.hash) }).collect()
}

fn to_core(signed: &SignedCheckpoint) -> AuditCheckpoint {
    let checkpoint = &signed.checkpoint;
    AuditCheckpoint {
        sequence: checkpoint.head.sequence,
        hash: *checkpoint.head.hash.as_bytes(),
        control_log_index: checkpoint.control_log_index,
        signature: to_core_signature(checkpoint.time, &signed.signature),
        countersignatures: Default::default(),
    }
}

fn to_core_signature(at: kms_types::Timestamp, signature: &Signature) -> AuditSignature {
    AuditSignature { at, key: *signature.key.as_bytes(), bytes: signature.bytes.clone() }
}

fn from_core(log: &LogName, kept: &AuditCheckpoint) -> SignedCheckpoint {
    let others = kept.countersignatures.iter().map(|(region, other)| Countersignature {
        region: region.clone(),
        time: other.at,
        signature: from_core_signature(other),
    });
    SignedCheckpoint {
        checkpoint: Checkpoint {
            log: log.clone(),
            head: Head { sequence: kept.sequence, hash: RecordHash::from_bytes(kept.hash) },
            time: kept.signature.at,
            control_log_index: kept.control_log_index,
        },
        signature: from_core_signature(&kept.signature),
        countersignatures: others.collect(),
    }
}

fn from_core_signature(signature: &AuditSignature) -> Signature {
    Signature { key: SigningKeyId::from_bytes(signature.key), bytes: signature.bytes.clone() }
}
