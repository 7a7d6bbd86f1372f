//! Changes of the control log, each with the records that it must have.

use super::{ControlFacts, Discrepancy};
use kms_types::RegionName;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Obligations and whether they are met.
#[derive(Debug)]
pub(super) struct Changes {
    part: RangeInclusive<u64>,
    /// By Region, index and event name.
    obligations: BTreeMap<(RegionName, u64, String), bool>,
}

impl Changes {
    pub(super) fn new(facts: &ControlFacts) -> Self {
        let keys = facts.obligations.iter().map(|o| (o.region.clone(), o.index, o.event.clone()));
        Self { part: facts.from..=facts.to, obligations: keys.map(|key| (key, false)).collect() }
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
        let open = self.obligations.into_iter().filter(|(_, recorded)| !recorded);
        open.map(|((region, index, event), _)| Discrepancy::UnrecordedChange { region, index, event })
    }
}
