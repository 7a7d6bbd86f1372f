//! Checkpoints of all Regions, brought together: copies become one, contradictions come to light.

use super::{ClusterEvidence, Discrepancy};
use crate::{LogName, SignedCheckpoint};
use std::collections::BTreeMap;

/// The checkpoints that prove something, by log and sequence, and what is wrong with the rest.
pub(super) fn accepted(evidence: &ClusterEvidence<'_>) -> (Vec<SignedCheckpoint>, Vec<Discrepancy>) {
    let mut discrepancies = Vec::new();
    let mut accepted: BTreeMap<(LogName, u64), SignedCheckpoint> = BTreeMap::new();
    for signed in evidence.checkpoints {
        let (log, sequence) = (&signed.checkpoint.log, signed.checkpoint.head.sequence);
        let region = log.region().clone();
        if !evidence.logs.iter().any(|other| other.files.log() == log) {
            discrepancies.push(Discrepancy::StrayCheckpoint { region, sequence });
            continue;
        }
        if let Err(fault) = signed.check(evidence.verifier) {
            discrepancies.push(Discrepancy::BadCheckpoint { region, sequence, fault });
            continue;
        }
        match accepted.get_mut(&(log.clone(), sequence)) {
            None => {
                accepted.insert((log.clone(), sequence), signed.clone());
            }
            Some(known) => discrepancies.extend(join(known, signed)),
        }
    }
    let accepted: Vec<SignedCheckpoint> = accepted.into_values().collect();
    check_order(evidence, &accepted, &mut discrepancies);
    (accepted, discrepancies)
}

/// Joins two checkpoints of one sequence. Of two that contradict each other, the one with more witnesses stays: nobody
/// can add countersignatures of Regions that he does not hold.
fn join(known: &mut SignedCheckpoint, other: &SignedCheckpoint) -> Option<Discrepancy> {
    if known.checkpoint == other.checkpoint && known.signature == other.signature {
        other.countersignatures.iter().for_each(|countersignature| known.add(countersignature.clone()));
        return None;
    }
    let before = known.checkpoint.head.hash;
    if other.countersignatures.len() > known.countersignatures.len() {
        *known = other.clone();
    }
    let (ours, theirs) = (known.checkpoint.head.hash, other.checkpoint.head.hash);
    let loser = if ours == before { theirs } else { before };
    (before != theirs).then(|| Discrepancy::Fork {
        region: known.checkpoint.log.region().clone(),
        sequence: known.checkpoint.head.sequence,
        hashes: [ours, loser],
    })
}

/// The control-log index never goes back, and enough Regions vouch for all but the last checkpoint of a log. Whoever vouches for
/// a later one vouches for the chain before it, so a checkpoint that witnesses passed over, because a newer one was there when
/// they looked, is no matter.
fn check_order(evidence: &ClusterEvidence<'_>, accepted: &[SignedCheckpoint], discrepancies: &mut Vec<Discrepancy>) {
    for (at, signed) in accepted.iter().enumerate() {
        let (log, sequence) = (&signed.checkpoint.log, signed.checkpoint.head.sequence);
        let region = log.region();
        let before = at.checked_sub(1).and_then(|before| accepted.get(before));
        if before.is_some_and(|before| {
            before.checkpoint.log == *log && before.checkpoint.control_log_index > signed.checkpoint.control_log_index
        }) {
            discrepancies.push(Discrepancy::ControlLogWentBack { region: region.clone(), sequence });
        }
        let witnesses = signed.countersignatures.len();
        let later = || accepted.iter().skip(at + 1).take_while(|next| next.checkpoint.log == *log);
        let age = later().last().map(|last| last.checkpoint.time.since(signed.checkpoint.time));
        let is_due = age.is_some_and(|age| age >= evidence.countersignatures_within);
        let is_covered = later().any(|next| next.countersignatures.len() >= evidence.countersignatures_min);
        if witnesses < evidence.countersignatures_min && is_due && !is_covered {
            discrepancies.push(Discrepancy::Unwitnessed { region: region.clone(), sequence, witnesses });
        }
    }
}
