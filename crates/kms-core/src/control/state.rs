//! The control state itself and how rows come back into it.

use super::identity::{IdentityState, RecipientBox};
use super::{AuditCheckpoint, ControlChange, JournalEntry, KeyHistory, KeySet, RecentProposals, ResidencyRules};
use kms_types::{KeyId, RegionName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Everything the Regions agree on. Cloning is cheap enough for snapshots: rows are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlState {
    pub(super) regions: BTreeMap<RegionName, Arc<RegionEntry>>,
    pub(super) key_sets: BTreeMap<KeyId, Arc<KeySet>>,
    pub(super) recent: RecentProposals,
    pub(super) identities: IdentityState,
    pub(super) residency: Option<Arc<ResidencyRules>>,
    pub(super) histories: BTreeMap<KeyId, Arc<KeyHistory>>,
    /// Checkpoints of each Region's audit log, oldest first.
    pub(super) checkpoints: BTreeMap<RegionName, Arc<Vec<AuditCheckpoint>>>,
    /// The journal, by index.
    pub(super) journal: BTreeMap<u64, Arc<JournalEntry>>,
    /// Automatic rotations by due date; derived from the key sets.
    pub(super) rotations_due: BTreeSet<(Timestamp, KeyId)>,
}

/// Most former signing keys that a Region's line keeps.
pub const FORMER_SIGNING_KEYS_MAX: usize = 16;

/// A line of the Region directory.
#[derive(Clone, PartialEq, Eq)]
pub struct RegionEntry {
    /// The Region.
    pub region: RegionName,
    /// Encoded HPKE public key; empty for a witness.
    pub sealing_public_key: Vec<u8>,
    /// Whether the Region may hold keys.
    pub role: RegionRole,
    /// When the line was last changed.
    pub registered_at: Timestamp,
    /// Encoded public key that checks what the Region signs; empty until the Region has registered one.
    pub signing_public_key: Vec<u8>,
    /// The keys before it, oldest first, so that old signatures can be checked; at most [`FORMER_SIGNING_KEYS_MAX`].
    pub former_signing_keys: Vec<Vec<u8>>,
}

impl fmt::Debug for RegionEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RegionEntry({}, {:?})", self.region, self.role)
    }
}

/// What a Region is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionRole {
    /// Holds keys and serves requests.
    Full,
    /// Votes only; holds no key and opens no box.
    Witness,
}

impl ControlState {
    /// A key set.
    #[must_use]
    pub fn key_set(&self, key_id: &KeyId) -> Option<&Arc<KeySet>> {
        self.key_sets.get(key_id)
    }

    /// All key sets, by key ID.
    pub fn key_sets(&self) -> impl Iterator<Item = &Arc<KeySet>> {
        self.key_sets.values()
    }

    /// A line of the Region directory.
    #[must_use]
    pub fn region(&self, region: &RegionName) -> Option<&Arc<RegionEntry>> {
        self.regions.get(region)
    }

    /// The Region directory, by name.
    pub fn regions(&self) -> impl Iterator<Item = &Arc<RegionEntry>> {
        self.regions.values()
    }

    /// Key sets whose automatic rotation is due, earliest first; none with a rotation in progress.
    pub fn rotations_due(&self, now: Timestamp) -> impl Iterator<Item = &KeySet> {
        let passed = self.rotations_due.iter().take_while(move |(due, _)| *due <= now);
        passed.filter_map(|(_, key_id)| self.key_sets.get(key_id).map(AsRef::as_ref))
    }

    /// The directory of principals.
    #[must_use]
    pub fn identities(&self) -> &IdentityState {
        &self.identities
    }

    /// Whether a box is sealed to the key that a Region serving requests has now.
    #[must_use]
    pub fn is_recipient(&self, region: &RegionName, sealed: &RecipientBox) -> bool {
        let entry = self.regions.get(region).filter(|entry| entry.role == RegionRole::Full);
        entry.is_some_and(|entry| entry.registered_at == sealed.registered_at)
    }

    /// The residency rules in force; `None` before any were put.
    #[must_use]
    pub fn residency(&self) -> Option<&Arc<ResidencyRules>> {
        self.residency.as_ref()
    }

    /// Where the material of a key has been. `None` for a key of which no command was applied since histories are kept.
    #[must_use]
    pub fn history(&self, key_id: &KeyId) -> Option<&Arc<KeyHistory>> {
        self.histories.get(key_id)
    }

    /// The latest changes of shared properties, at most [`super::JOURNAL_MAX`], by index.
    pub fn journal(&self) -> impl ExactSizeIterator<Item = &Arc<JournalEntry>> {
        self.journal.values()
    }

    /// The changes after an index.
    pub fn journal_after(&self, index: u64) -> impl Iterator<Item = &Arc<JournalEntry>> {
        self.journal.range(index.saturating_add(1)..).map(|(_, entry)| entry)
    }

    /// Outcomes of the latest proposals.
    #[must_use]
    pub fn recent(&self) -> &RecentProposals {
        &self.recent
    }

    /// Takes in one row, from `apply`, from the store or from a snapshot.
    pub fn absorb(&mut self, change: &ControlChange) {
        match change {
            ControlChange::PutKeySet(set) => {
                self.forget_deadline(&set.key_id);
                if let Some(due) = rotation_deadline(set) {
                    self.rotations_due.insert((due, set.key_id));
                }
                self.key_sets.insert(set.key_id, Arc::clone(set));
            }
            ControlChange::DeleteKeySet(key_id) => {
                self.forget_deadline(key_id);
                self.key_sets.remove(key_id);
            }
            ControlChange::PutRegion(entry) => {
                self.regions.insert(entry.region.clone(), Arc::clone(entry));
            }
            ControlChange::Identity(change) => self.identities.absorb(change),
            ControlChange::PutResidencyRules(rules) => self.residency = Some(Arc::clone(rules)),
            ControlChange::PutKeyHistory(history) => {
                self.histories.insert(history.key_id, Arc::clone(history));
            }
            ControlChange::PutCheckpoints(region, kept) => {
                self.checkpoints.insert(region.clone(), Arc::clone(kept));
            }
            ControlChange::PutJournal(entry) => {
                self.journal.insert(entry.index, Arc::clone(entry));
            }
            ControlChange::DeleteJournal(index) => {
                self.journal.remove(index);
            }
            ControlChange::PutRecent { sequence, id, outcome, .. } => {
                self.recent.insert(*sequence, *id, outcome.clone());
            }
        }
    }

    /// Every row of the state; absorbing them all into an empty state gives this state again.
    pub fn rows(&self) -> impl Iterator<Item = ControlChange> {
        let regions = self.regions.values().map(|e| ControlChange::PutRegion(Arc::clone(e)));
        let sets = self.key_sets.values().map(|s| ControlChange::PutKeySet(Arc::clone(s)));
        let recent = self.recent.iter().map(|(sequence, id, outcome)| ControlChange::PutRecent {
            slot: RecentProposals::slot(sequence),
            sequence,
            id: *id,
            outcome: outcome.clone(),
        });
        let residency = self.residency.iter().map(|r| ControlChange::PutResidencyRules(Arc::clone(r)));
        let histories = self.histories.values().map(|h| ControlChange::PutKeyHistory(Arc::clone(h)));
        let checkpoints = self.checkpoints.iter();
        let checkpoints =
            checkpoints.map(|(region, kept)| ControlChange::PutCheckpoints(region.clone(), Arc::clone(kept)));
        let journal = self.journal.values().map(|entry| ControlChange::PutJournal(Arc::clone(entry)));
        let identities = self.identities.rows().map(ControlChange::Identity);
        let all = regions.chain(sets).chain(identities).chain(recent);
        all.chain(checkpoints).chain(residency).chain(histories).chain(journal)
    }

    /// Checks every key set, and that each holder is a known Region that may hold keys.
    ///
    /// # Errors
    /// The key and the first broken invariant, in words.
    pub fn check_invariants(&self) -> Result<(), (KeyId, &'static str)> {
        for (key_id, set) in &self.key_sets {
            set.check_invariants().map_err(|broken| (*key_id, broken))?;
            let holds = |region| self.regions.get(region).is_some_and(|e| e.role == RegionRole::Full);
            if !set.holders.keys().all(holds) {
                return Err((*key_id, "a holder is not a Region that may hold keys"));
            }
            if self.histories.get(key_id).is_some_and(|history| !history.tells(set)) {
                return Err((*key_id, "the history does not tell who holds the material"));
            }
        }
        Ok(())
    }

    fn forget_deadline(&mut self, key_id: &KeyId) {
        if let Some(due) = self.key_sets.get(key_id).and_then(|old| rotation_deadline(old)) {
            self.rotations_due.remove(&(due, *key_id));
        }
    }
}

/// When the set is due for automatic rotation; not while a rotation is in progress.
fn rotation_deadline(set: &KeySet) -> Option<Timestamp> {
    if set.staged().is_some() { None } else { set.rotation.map(|r| r.next_at) }
}
