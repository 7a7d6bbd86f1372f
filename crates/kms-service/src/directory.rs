//! What this Region has published: keys and aliases that requests may see.
//!
//! The data path reads two concurrent maps and takes no lock. The full states, ordered, are behind a lock that only
//! writers, listings and schedulers take. Both are changed by rows that are on stable storage already.

use crate::KeyEntry;
use crate::compiled_policies::CompiledPolicies;
use crate::entry::Live;
use kms_core::control::{ControlChange, ControlState};
use kms_core::regional::{RegionalChange, RegionalState};
use kms_types::{AccountId, AliasName, KeyId, RegionName};
use parking_lot::RwLock;
use std::sync::Arc;

/// The published state of one Region.
#[derive(Debug)]
pub struct Directory {
    region: RegionName,
    entries: papaya::HashMap<KeyId, Arc<KeyEntry>>,
    aliases: papaya::HashMap<(AccountId, AliasName), KeyId>,
    /// Keys with a use that is not saved yet.
    unsaved_uses: papaya::HashMap<KeyId, ()>,
    /// Keys that this Region does not take in because a residency rule forbids them here, with the rule's name.
    refused_residency: papaya::HashMap<KeyId, String>,
    states: RwLock<States>,
}

#[derive(Debug, Default)]
struct States {
    regional: RegionalState,
    control: ControlState,
    policies: CompiledPolicies,
}

impl Directory {
    /// An empty directory.
    #[must_use]
    pub fn new(region: RegionName) -> Self {
        Self {
            region,
            entries: papaya::HashMap::new(),
            aliases: papaya::HashMap::new(),
            unsaved_uses: papaya::HashMap::new(),
            refused_residency: papaya::HashMap::new(),
            states: RwLock::new(States::default()),
        }
    }

    /// The Region whose keys these are.
    #[must_use]
    pub fn region(&self) -> &RegionName {
        &self.region
    }

    /// A key of this Region. Takes no lock.
    #[must_use]
    pub fn key(&self, key_id: &KeyId) -> Option<Arc<KeyEntry>> {
        self.entries.pin().get(key_id).cloned()
    }

    /// The key that an alias points at. Takes no lock.
    #[must_use]
    pub fn alias_target(&self, account: AccountId, name: AliasName) -> Option<KeyId> {
        self.aliases.pin().get(&(account, name)).copied()
    }

    /// Reads both states under one lock: for listings, schedulers and the operator's view, not for the data path.
    pub fn read<T>(&self, read: impl FnOnce(&RegionalState, &ControlState) -> T) -> T {
        let states = self.states.read();
        read(&states.regional, &states.control)
    }

    /// Publishes regional rows.
    pub fn absorb_regional(&self, changes: &[RegionalChange]) {
        let mut states = self.states.write();
        for change in changes {
            states.regional.absorb(change);
            match change {
                RegionalChange::PutKey(record) => self.publish(&mut states, &record.key_id),
                RegionalChange::DeleteKey(key_id) => self.publish(&mut states, key_id),
                RegionalChange::PutAlias(alias) => {
                    let before = self
                        .aliases
                        .pin()
                        .insert((alias.account, alias.name.clone()), alias.target)
                        .copied()
                        .filter(|before| *before != alias.target);
                    before.iter().chain([&alias.target]).for_each(|key_id| self.publish(&mut states, key_id));
                }
                RegionalChange::DeleteAlias(account, name) => {
                    let before = self.aliases.pin().remove(&(*account, name.clone())).copied();
                    before.iter().for_each(|key_id| self.publish(&mut states, key_id));
                }
                // Material stays in the store, and only a key that is gone forgets its last use.
                RegionalChange::PutMaterial(..)
                | RegionalChange::DeleteMaterial(..)
                | RegionalChange::DeleteLastUse(_) => {}
                RegionalChange::PutGrant(grant) => self.with_live(&grant.key_id, |live| live.grants.insert(grant)),
                RegionalChange::DeleteGrant(key_id, grant_id) => {
                    self.with_live(key_id, |live| live.grants.remove(grant_id));
                }
                RegionalChange::PutLastUse(key_id, last_use) => {
                    self.with_live(key_id, |live| live.last_use.restore(last_use));
                }
            }
        }
    }

    /// Publishes control rows.
    pub fn absorb_control(&self, changes: &[ControlChange]) {
        let mut states = self.states.write();
        for change in changes {
            states.control.absorb(change);
            match change {
                ControlChange::PutKeySet(set) => self.publish(&mut states, &set.key_id),
                ControlChange::DeleteKeySet(key_id) => self.publish(&mut states, key_id),
                ControlChange::PutRegion(_)
                | ControlChange::PutRecent { .. }
                | ControlChange::PutResidencyRules(_)
                | ControlChange::PutKeyHistory(_)
                | ControlChange::PutJournal(_)
                | ControlChange::DeleteJournal(_)
                | ControlChange::PutCheckpoints(..)
                | ControlChange::Identity(_) => {}
            }
        }
    }

    /// Publishes a whole control state, as after the installation of a snapshot.
    pub fn replace_control(&self, control: ControlState) {
        let mut states = self.states.write();
        let mut touched: Vec<KeyId> = states.control.key_sets().map(|s| s.key_id).collect();
        touched.extend(control.key_sets().map(|s| s.key_id));
        states.control = control;
        for key_id in touched {
            self.publish(&mut states, &key_id);
        }
    }

    /// Keys that this Region refuses to take in, with the residency rule that forbids them here.
    #[must_use]
    pub fn refused_residency(&self) -> Vec<(KeyId, String)> {
        self.refused_residency.pin().iter().map(|(key_id, rule)| (*key_id, rule.clone())).collect()
    }

    /// Notes that a rule keeps a key out of this Region, or that none does.
    pub(crate) fn note_refused_residency(&self, key_id: KeyId, rule: Option<&str>) {
        let refused = self.refused_residency.pin();
        match rule {
            Some(rule) if refused.insert(key_id, rule.to_owned()).is_none() => {
                tracing::error!(%key_id, rule, "a residency rule forbids this key here: its material is not opened");
            }
            Some(_) => {}
            None => drop(refused.remove(&key_id)),
        }
    }

    /// Notes that a key has a use that is not saved yet. Takes no lock.
    pub(crate) fn add_unsaved_use(&self, key_id: KeyId) {
        self.unsaved_uses.pin().insert(key_id, ());
    }

    /// The keys with a use that is not saved yet: at most those used in the few seconds between two savings.
    pub(crate) fn unsaved_uses(&self) -> Vec<KeyId> {
        self.unsaved_uses.pin().keys().copied().collect()
    }

    /// Takes at most `limit` of the keys with a use that is not saved yet.
    pub(crate) fn take_unsaved_uses(&self, limit: usize) -> Vec<KeyId> {
        let unsaved = self.unsaved_uses.pin();
        let taken: Vec<KeyId> = unsaved.keys().take(limit).copied().collect();
        // Before the uses are read: a later use adds its key again.
        for key_id in &taken {
            unsaved.remove(key_id);
        }
        taken
    }

    fn with_live(&self, key_id: &KeyId, change: impl FnOnce(&Live)) {
        if let Some(entry) = self.entries.pin().get(key_id) {
            change(&entry.live);
        }
    }

    /// What outlives an entry; for a key that is new here, from the rows.
    fn live(&self, states: &States, key_id: &KeyId) -> Arc<Live> {
        if let Some(entry) = self.entries.pin().get(key_id) {
            return Arc::clone(&entry.live);
        }
        let live = Live::default();
        states.regional.grants_of(key_id, None).for_each(|grant| live.grants.insert(grant));
        if let Some(last_use) = states.regional.last_use(key_id) {
            live.last_use.restore(last_use);
        }
        Arc::new(live)
    }

    fn publish(&self, states: &mut States, key_id: &KeyId) {
        match states.regional.key(key_id).cloned() {
            Some(record) => {
                let set = states.control.key_set(key_id).cloned();
                let before = self.key(key_id).filter(|entry| entry.record.policy == record.policy);
                let policy = match before {
                    Some(entry) => Arc::clone(&entry.policy),
                    None => states.policies.compiled(&record.policy),
                };
                let aliases = states.regional.aliases_of(key_id).cloned().collect();
                let live = self.live(states, key_id);
                let entry = KeyEntry::new(&self.region, record, set, policy, aliases, live);
                self.entries.pin().insert(*key_id, Arc::new(entry));
            }
            None => {
                self.entries.pin().remove(key_id);
            }
        }
    }
}
