//! Reconciliation of all Regions: the logs against each other, against checkpoints and against the control log.
//!
//! A Region's insider can write a new chain, and sign it. He cannot make other Regions unsign what they saw: their
//! countersigned checkpoints, which every Region holds, contradict the new chain.

use crate::event::RawEvent;
use crate::{Evidence, Flaw, Head, LogFiles, LogName, Report, SignedCheckpoint, Start, Verifier};
use changes::Changes;
use kms_types::{RegionName, Timestamp};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

mod changes;
mod discrepancy;
mod key_uses;
mod witnesses;

pub use discrepancy::Discrepancy;
pub use key_uses::{KeyUse, KeyUses};

/// Most discrepancies that are listed; more are only counted.
const DISCREPANCIES_MAX: usize = 10_000;

/// One Region's log.
#[derive(Clone, Copy, Debug)]
pub struct RegionLog<'a> {
    /// Its files.
    pub files: &'a LogFiles,
    /// Where they begin.
    pub start: Start,
    /// Records that are known to exist, besides checkpoints.
    pub heads: &'a [Head],
}

/// Everything that is known of a cluster.
#[derive(Clone, Copy, Debug)]
pub struct ClusterEvidence<'a> {
    /// The Regions that must have a log.
    pub regions: &'a [RegionName],
    /// The logs.
    pub logs: &'a [RegionLog<'a>],
    /// Checkpoints of all logs, in any order, from wherever they were kept: the more Regions' copies, the better.
    pub checkpoints: &'a [SignedCheckpoint],
    /// How many Regions must have countersigned a checkpoint or a later one of the same log, except for the last one of each
    /// Region.
    pub countersignatures_min: usize,
    /// How long countersignatures may be on their way: newer checkpoints of a log than this, counted back from its last one,
    /// need none yet.
    pub countersignatures_within: Duration,
    /// Checks signatures.
    pub verifier: &'a dyn Verifier,
    /// What the control log says; `None` leaves the logs alone with each other.
    pub control: Option<&'a ControlFacts>,
}

/// What a part of the control log obliges the Regions to record. The caller reads it from the log or from the state; a
/// long log is reconciled in parts, since all of a part is kept in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlFacts {
    /// First index of the part.
    pub from: u64,
    /// Last index of the part.
    pub to: u64,
    /// Records that must exist, in any order.
    pub obligations: Vec<Obligation>,
    /// Up to which index a Region has promised to have recorded its changes; without an entry, all of the part.
    pub recorded_to: BTreeMap<RegionName, u64>,
}

/// A record that must exist because of an applied change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Obligation {
    /// The Region that must have it.
    pub region: RegionName,
    /// Index of the change (`meridian.controlLogIndex`).
    pub index: u64,
    /// Its `eventName`.
    pub event: String,
}

/// What reconciliation found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// The verification of each log.
    pub reports: Vec<Report>,
    /// Changes in the control log that have their record.
    pub changes_recorded: u64,
    /// What does not fit together; at most 10,000.
    pub discrepancies: Vec<Discrepancy>,
    /// How much does not fit together.
    pub discrepancies_total: u64,
}

impl Reconciliation {
    /// Whether every log is whole, and all fit together.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.discrepancies_total == 0 && self.reports.iter().all(Report::is_clean)
    }

    fn find(&mut self, discrepancy: Discrepancy) {
        self.discrepancies_total += 1;
        if self.discrepancies.len() < DISCREPANCIES_MAX {
            self.discrepancies.push(discrepancy);
        }
    }
}

/// Reconciles the logs of a cluster. Each log is read once.
///
/// # Errors
/// When a file cannot be read. What is wrong with the logs is in the result.
pub fn reconcile(evidence: &ClusterEvidence<'_>) -> io::Result<Reconciliation> {
    let mut result =
        Reconciliation { reports: Vec::new(), changes_recorded: 0, discrepancies: Vec::new(), discrepancies_total: 0 };
    let (checkpoints, discrepancies) = witnesses::accepted(evidence);
    discrepancies.into_iter().for_each(|discrepancy| result.find(discrepancy));
    for region in evidence.regions {
        if !evidence.logs.iter().any(|log| log.files.log().region() == region) {
            result.find(Discrepancy::NoLog { region: region.clone() });
        }
    }
    let mut changes = evidence.control.map(Changes::new);
    for log in evidence.logs {
        let own: Vec<SignedCheckpoint> =
            checkpoints.iter().filter(|signed| signed.checkpoint.log == *log.files.log()).cloned().collect();
        let report = read_log(log, &own, evidence.verifier, changes.as_mut(), &mut result)?;
        find_rewritten(&report, &own, &mut result);
        result.reports.push(report);
    }
    if let Some(changes) = changes {
        result.changes_recorded = changes.recorded();
        changes.unrecorded().for_each(|discrepancy| result.find(discrepancy));
    }
    Ok(result)
}

fn read_log(
    log: &RegionLog<'_>,
    checkpoints: &[SignedCheckpoint],
    verifier: &dyn Verifier,
    mut changes: Option<&mut Changes>,
    result: &mut Reconciliation,
) -> io::Result<Report> {
    let name = log.files.log();
    let evidence = Evidence { start: log.start, heads: log.heads, checkpoints, verifier };
    let mut verification = crate::verify::Verification::new(name, &evidence);
    verification.read(log.files, |line, head| {
        if !is_worth_a_look(line) {
            return;
        }
        let Some(event) = RawEvent::parse(line) else { return };
        if let (Some(changes), Some(index)) = (changes.as_deref_mut(), event.meridian.control_log_index)
            && let Some(discrepancy) = changes.record(name.region(), index, &event.name, head.sequence)
        {
            result.find(discrepancy);
        }
        if let Some(discrepancy) = owned_up(name, &event, head) {
            result.find(discrepancy);
        }
    })?;
    Ok(verification.finish())
}

/// Whether a line may have a member that reconciliation reads. What a caller wrote may look so, too; parsing tells.
fn is_worth_a_look(line: &[u8]) -> bool {
    let marks = ["\"controlLogIndex\":", "\"unrecordedRequests\":", "\"wentOnAfterDamageAt\":"];
    str::from_utf8(line).is_ok_and(|text| marks.iter().any(|mark| text.contains(mark)))
}

/// What a Region itself says is missing from its log.
fn owned_up(log: &LogName, event: &RawEvent<'_>, head: Head) -> Option<Discrepancy> {
    let details = event.details.as_ref()?;
    let region = log.region().clone();
    if let Some(unrecorded) = details.unrecorded_requests {
        let (first, last) = (Timestamp::from_millis(details.first_millis), Timestamp::from_millis(details.last_millis));
        let (at_least, sequence) = (details.at_least, head.sequence);
        return Some(Discrepancy::Gap { region, sequence, unrecorded, at_least, first, last });
    }
    details.went_on_after_damage_at.map(|_| Discrepancy::WentOnAfterDamage { region, sequence: head.sequence })
}

/// Between which records a chain was written anew, from the checkpoints that it contradicts.
fn find_rewritten(report: &Report, checkpoints: &[SignedCheckpoint], result: &mut Reconciliation) {
    let forked = report.findings.iter().filter(|finding| matches!(finding.flaw, Flaw::Forked { .. }));
    let Some(by) = forked.filter_map(|finding| finding.sequence).min() else { return };
    let earlier = checkpoints.iter().map(|signed| signed.checkpoint.head.sequence).filter(|sequence| *sequence < by);
    let contradicting = checkpoints.iter().filter(|signed| signed.checkpoint.head.sequence == by);
    let witnesses = contradicting.flat_map(|signed| &signed.countersignatures).map(|c| c.region.clone()).collect();
    let (region, after) = (report.log.region().clone(), earlier.max().unwrap_or(0));
    result.find(Discrepancy::Rewritten { region, after, by, witnesses });
}
