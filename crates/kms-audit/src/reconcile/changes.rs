//! Changes of the control log, each with the records that it must have.

use super::{ControlFacts, Discrepancy};
use kms_types::RegionName;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Obligations and whether they are met.
#[derive(Debug)]
pub(super) struct Changes {
    part: RangeInclusive<u64>,
    /// By Region, index and event name.
    obligations: BTreeMap<(RegionName, u64, String), bool>,
    /// The changes of each Region: the records of requests may name them, too.
    known: BTreeSet<(RegionName, u64)>,
    recorded_to: BTreeMap<RegionName, u64>,
}

impl Changes {
    pub(super) fn new(facts: &ControlFacts) -> Self {
        let keys = facts.obligations.iter().map(|o| (o.region.clone(), o.index, o.event.clone()));
        Self {
            part: facts.from..=facts.to,
            obligations: keys.map(|key| (key, false)).collect(),
            known: facts.obligations.iter().map(|o| (o.region.clone(), o.index)).collect(),
            recorded_to: facts.recorded_to.clone(),
        }
    }

    /// A record that names a change. Says what is wrong with that.
    pub(super) fn record(
        &mut self,
        region: &RegionName,
        index: u64,
        event: &str,
        sequence: u64,
    ) -> Option<Discrepancy> {
        if !self.part.contains(&index) {
            return None;
        }
        let (region, event) = (region.clone(), event.to_owned());
        match self.obligations.get_mut(&(region.clone(), index, event.clone())) {
            // A request that says which change it made. It does so only if it got to know.
            None if self.known.contains(&(region.clone(), index)) => None,
            None => Some(Discrepancy::UnfoundedRecord { region, sequence, index, event }),
            Some(recorded) if *recorded => Some(Discrepancy::RecordedTwice { region, sequence, index, event }),
            Some(recorded) => {
                *recorded = true;
                None
            }
        }
    }

    /// Changes that have all their records.
    pub(super) fn recorded(&self) -> u64 {
        u64::try_from(self.obligations.values().filter(|recorded| **recorded).count()).unwrap_or(u64::MAX)
    }

    /// Those that have not.
    pub(super) fn unrecorded(self) -> impl Iterator<Item = Discrepancy> {
        let recorded_to = self.recorded_to;
        let is_due = move |region: &RegionName, index: u64| recorded_to.get(region).is_none_or(|to| index <= *to);
        let open = self
            .obligations
            .into_iter()
            .filter(move |((region, index, _), recorded)| !recorded && is_due(region, *index));
        open.map(|((region, index, event), _)| Discrepancy::UnrecordedChange { region, index, event })
    }
}
