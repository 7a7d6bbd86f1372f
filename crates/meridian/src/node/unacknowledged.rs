//! Changes of multi-Region keys that some Region may not have applied yet, as far as this Region knows.
//!
//! Every Region tells in answer to probes up to which index it has applied the control log. What this Region applied itself
//! is kept here, with its time, until every other Region that holds keys has said that it is beyond.

use kms_control::PeerProbe;
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

/// The latest word of a Region.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) region: RegionName,
    /// It has applied everything up to here; 0 for one that said nothing since the start.
    pub(crate) applied: u64,
    /// When it was asked, if it answers: what was applied here later, it may have by now. `None` while it does not answer.
    pub(crate) asked_at: Option<Timestamp>,
}

impl Said {
    /// What a probe brought.
    pub(crate) fn of(peer: &PeerProbe) -> Self {
        let asked = |seen: Timestamp| {
            let round_trip = peer.round_trip.unwrap_or_default().as_millis();
            Timestamp::from_millis(seen.millis().saturating_sub(u64::try_from(round_trip).unwrap_or(u64::MAX)))
        };
        let asked_at = peer.last_seen.filter(|_| peer.reachable).map(asked);
        Self { region: peer.region.clone(), applied: peer.applied.unwrap_or_default(), asked_at }
    }
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

    /// What waits for these Regions. `holds` says whether a Region holds a key. Forgets what none of them waits for.
    pub(crate) fn waiting(&self, regions: &[Said], holds: impl Fn(&RegionName, &KeyId) -> bool) -> Vec<Waiting> {
        let mut kept = self.changes.lock();
        match regions.iter().map(|said| said.applied).min() {
            Some(index) => *kept = kept.split_off(&index.saturating_add(1)),
            None => kept.clear(),
        }
        let mut found = Vec::new();
        for said in regions {
            let mut oldest: BTreeMap<KeyId, Timestamp> = BTreeMap::new();
            let missing = kept.range(said.applied.saturating_add(1)..).map(|(_, change)| change);
            for change in missing.filter(|change| said.asked_at.is_none_or(|asked| change.at <= asked)) {
                if holds(&said.region, &change.key_id) {
                    oldest.entry(change.key_id).or_insert(change.at);
                }
            }
            let waits = |(key_id, since)| Waiting { key_id, region: said.region.clone(), since };
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

    fn said(name: &str, applied: u64) -> Said {
        Said { region: region(name), applied, asked_at: None }
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
        let found = log.waiting(&[said("eu-west-1", 6), said("us-east-1", 9)], |_, _| true);
        let expected = Waiting { key_id: key(1), region: region("eu-west-1"), since: Timestamp::from_millis(2) };
        assert_eq!(found, [expected]);
        assert_eq!(log.changes.lock().len(), 2, "what all have is forgotten");
        let regions = [said("eu-west-1", 0), said("us-east-1", 9)];
        let found = log.waiting(&regions, |region, _| region.as_str() == "us-east-1");
        assert_eq!(found, [], "a Region that does not hold the key does not wait for it");
    }

    #[test]
    fn what_was_applied_after_a_region_was_asked_is_not_counted_while_it_answers() {
        let log = Unacknowledged::new(Arc::new(Ticking::default()));
        log.note(5, key(1));
        log.note(6, key(2));
        let answers = Said { asked_at: Some(Timestamp::from_millis(0)), ..said("eu-west-1", 4) };
        let keys: Vec<KeyId> = log.waiting(&[answers], |_, _| true).iter().map(|waiting| waiting.key_id).collect();
        assert_eq!(keys, [key(1)]);
        assert_eq!(log.waiting(&[said("eu-west-1", 4)], |_, _| true).len(), 2, "it does not answer any more");
    }

    #[test]
    fn a_region_that_was_never_heard_of_waits_for_everything_since_the_start() {
        let log = Unacknowledged::new(Arc::new(Ticking::default()));
        log.note(5, key(1));
        let found = log.waiting(&[said("eu-west-1", 0)], |_, _| true);
        assert_eq!(found.len(), 1);
        assert_eq!(log.waiting(&[], |_, _| true), [], "alone, nobody waits");
    }
}
