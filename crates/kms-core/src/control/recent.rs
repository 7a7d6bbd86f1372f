//! Outcomes of the latest proposals, so that a repeated proposal takes effect once.

use super::{ControlOutcome, ProposalId};
use std::collections::BTreeMap;

/// How many outcomes are remembered. A proposer repeats itself within seconds; no cluster commits this many changes
/// of shared properties in that time.
pub const RECENT_PROPOSALS: u64 = 4096;

/// A ring of the latest outcomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentProposals {
    next_sequence: u64,
    ring: BTreeMap<u64, ProposalId>,
    outcomes: BTreeMap<ProposalId, ControlOutcome>,
}

impl RecentProposals {
    /// The outcome of a proposal that was applied lately.
    #[must_use]
    pub fn find(&self, id: &ProposalId) -> Option<&ControlOutcome> {
        self.outcomes.get(id)
    }

    /// The sequence number that the next outcome gets.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Remembers an outcome under a sequence number and forgets the one whose place it takes.
    pub fn insert(&mut self, sequence: u64, id: ProposalId, outcome: ControlOutcome) {
        if let Some(old) = self.ring.insert(Self::slot(sequence), id) {
            self.outcomes.remove(&old);
        }
        self.outcomes.insert(id, outcome);
        self.next_sequence = self.next_sequence.max(sequence.saturating_add(1));
    }

    /// The place in the ring of a sequence number.
    #[must_use]
    pub fn slot(sequence: u64) -> u64 {
        sequence.checked_rem(RECENT_PROPOSALS).unwrap_or_default()
    }

    /// All remembered outcomes with slot and sequence, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &ProposalId, &ControlOutcome)> {
        let first = self.next_sequence.saturating_sub(RECENT_PROPOSALS);
        (first..self.next_sequence).filter_map(|sequence| {
            let id = self.ring.get(&Self::slot(sequence))?;
            Some((sequence, id, self.outcomes.get(id)?))
        })
    }
}
