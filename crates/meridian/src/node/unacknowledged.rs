//! Changes of multi-Region keys that some Region may not have applied yet, as far as this Region knows.
//!
//! Every Region tells in answer to probes up to which index it has applied the control log. What this Region applied itself
//! is kept here, with its time, until every other Region that holds keys has said that it is beyond.

use kms_core::control::ControlChange;
use kms_service::Clock;
use kms_types::{KeyId, RegionName, Timestamp};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most changes that are kept. When there are more, the oldest stay: how long the longest lag is remains right, and only keys
/// that were changed later are not named.
const CHANGES_MAX: usize = 10_000;

/// See the module. What was applied before the start of the node is not known.
pub(crate) struct Unacknowledged {
    clock: Arc<dyn Clock>,
    changes: Mutex<BTreeMap<u64, Change>>,
}

#[derive(Clone, Copy, Debug)]
struct Change {
    key_id: KeyId,
    at: Timestamp,
}

/// A key whose oldest unacknowledged change in a Region is from this time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) key_id: KeyId,
    pub(crate) region: RegionName,
    pub(crate) since: Timestamp,
}

impl std::fmt::Debug for Unacknowledged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unacknowledged")
    }
}

impl Unacknowledged {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, changes: Mutex::default() }
    }

    /// Notes the keys that the entry at `index` changed.
    pub(crate) fn applied(&self, index: u64, changes: &[ControlChange]) {
        let changed = changes.iter().find_map(|change| match change {
            ControlChange::PutKeySet(set) => Some(set.key_id),
            _ => None,
        });
        let Some(key_id) = changed else { return };
        let at = self.clock.now();
        let mut kept = self.changes.lock();
        if kept.len() < CHANGES_MAX {
            kept.insert(index, Change { key_id, at });
        }
    }

    /// What waits for these Regions, each of which said that it has applied everything up to an index, or never said anything
    /// since the start. `holds` says whether a Region holds a key. Forgets what none of them waits for.
    pub(crate) fn waiting(
        &self,
        regions: &[(RegionName, Option<u64>)],
        holds: impl Fn(&RegionName, &KeyId) -> bool,
    ) -> Vec<Waiting> {
        let mut kept = self.changes.lock();
        let everywhere = regions.iter().map(|(_, applied)| applied.unwrap_or_default()).min();
        match everywhere {
            Some(index) => *kept = kept.split_off(&index.saturating_add(1)),
            None => kept.clear(),
        }
        let mut found = Vec::new();
        for (region, applied) in regions {
            let mut oldest: BTreeMap<KeyId, Timestamp> = BTreeMap::new();
            for (_, change) in kept.range(applied.unwrap_or_default().saturating_add(1)..) {
                if holds(region, &change.key_id) {
                    oldest.entry(change.key_id).or_insert(change.at);
                }
            }
            let waits = |(key_id, since)| Waiting { key_id, region: region.clone(), since };
            found.extend(oldest.into_iter().map(waits));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Debug, Default)]
    struct Ticking(AtomicU64);

    impl Clock for Ticking {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.fetch_add(1, Ordering::Relaxed))
        }
    }

    fn key(n: u8) -> KeyId {
        KeyId::parse(&format!("mrk-{n:032x}")).unwrap()
    }

    fn region(name: &str) -> RegionName {
        RegionName::parse(name).unwrap()
    }

    impl Unacknowledged {
        fn note(&self, index: u64, key_id: KeyId) {
            let at = self.clock.now();
            self.changes.lock().insert(index, Change { key_id, at });
        }
    }

    #[test]
    fn the_oldest_change_that_a_region_has_not_applied_counts() {
        let log = Unacknowledged::new(Arc::new(Ticking::default()));
        for (index, n) in [(5, 1), (6, 2), (7, 1), (9, 1)] {
            log.note(index, key(n));
        }
        let (eu, us) = (region("eu-west-1"), region("us-east-1"));
        let found = log.waiting(&[(eu.clone(), Some(6)), (us.clone(), Some(9))], |_, _| true);
        assert_eq!(found, [Waiting { key_id: key(1), region: eu.clone(), since: Timestamp::from_millis(2) }]);
        assert_eq!(log.changes.lock().len(), 2, "what all have is forgotten");
        let found = log.waiting(&[(eu, None), (us, Some(9))], |region, _| region.as_str() == "us-east-1");
        assert_eq!(found, [], "a Region that does not hold the key does not wait for it");
    }

    #[test]
    fn a_region_that_was_never_heard_of_waits_for_everything_since_the_start() {
        let log = Unacknowledged::new(Arc::new(Ticking::default()));
        log.note(5, key(1));
        let found = log.waiting(&[(region("eu-west-1"), None)], |_, _| true);
        assert_eq!(found.len(), 1);
        assert_eq!(log.waiting(&[], |_, _| true), [], "alone, nobody waits");
    }
}
