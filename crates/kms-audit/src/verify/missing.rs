//! Sequences that should have come and did not, yet.

use crate::Day;
use std::collections::BTreeMap;

/// Most ranges that are remembered. Of more than these, it cannot be told whether their records come later.
const RANGES_MAX: usize = 4096;

/// Ranges of sequences, by their first.
#[derive(Debug, Default)]
pub(super) struct Missing(BTreeMap<u64, Range>);

#[derive(Debug)]
struct Range {
    to: u64,
    /// Where they were missed.
    place: (Day, u64),
}

impl Missing {
    /// Adds a range. A range that finds no room comes back.
    pub(super) fn add(&mut self, place: (Day, u64), from: u64, to: u64) -> Option<(u64, u64)> {
        if self.0.len() >= RANGES_MAX {
            return Some((from, to));
        }
        self.0.insert(from, Range { to, place });
        None
    }

    /// Takes one sequence out; `false` when it was not missing.
    pub(super) fn remove(&mut self, sequence: u64) -> bool {
        let Some((&from, range)) = self.0.range(..=sequence).next_back() else { return false };
        let (to, place) = (range.to, range.place);
        if to < sequence {
            return false;
        }
        self.0.remove(&from);
        if from < sequence {
            self.0.insert(from, Range { to: sequence - 1, place });
        }
        if sequence < to {
            self.0.insert(sequence + 1, Range { to, place });
        }
        true
    }

    /// What is still missing, with the place where it was missed.
    pub(super) fn into_ranges(self) -> impl Iterator<Item = ((Day, u64), u64, u64)> {
        self.0.into_iter().map(|(from, range)| (range.place, from, range.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_types::Timestamp;

    #[test]
    fn a_sequence_is_taken_out_of_the_midst_of_a_range() {
        let place = (Day::of(Timestamp::default()), 1);
        let mut missing = Missing::default();
        assert_eq!(missing.add(place, 3, 6), None);
        assert_eq!(missing.add(place, 9, 9), None);
        for (sequence, was_missing) in [(2, false), (4, true), (4, false), (7, false), (9, true), (3, true)] {
            assert_eq!(missing.remove(sequence), was_missing, "{sequence}");
        }
        assert_eq!(missing.into_ranges().collect::<Vec<_>>(), [(place, 5, 6)]);
    }

    #[test]
    fn ranges_beyond_the_bound_come_back() {
        let place = (Day::of(Timestamp::default()), 1);
        let mut missing = Missing::default();
        for at in 0..u64::try_from(RANGES_MAX).unwrap() {
            assert_eq!(missing.add(place, 2 * at, 2 * at), None);
        }
        assert_eq!(missing.add(place, 100_000, 100_001), Some((100_000, 100_001)));
    }
}
