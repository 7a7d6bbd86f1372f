//! What this Region has published: keys and aliases that requests may see.
//!
//! The data path reads two concurrent maps and takes no lock. The full states, ordered, are behind a lock that only
//! writers, listings and schedulers take. Both are changed by rows that are on stable storage already.

use crate::KeyEntry;
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
    states: RwLock<States>,
}

#[derive(Debug, Default)]
struct States {
    regional: RegionalState,
    control: ControlState,
}

impl Directory {
    /// An empty directory.
    #[must_use]
    pub fn new(region: RegionName) -> Self {
        Self {
            region,
            entries: papaya::HashMap::new(),
            aliases: papaya::HashMap::new(),
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
                RegionalChange::PutKey(record) => self.publish(&states, &record.key_id),
                RegionalChange::DeleteKey(key_id) => self.publish(&states, key_id),
                RegionalChange::PutAlias(alias) => {
                    self.aliases.pin().insert((alias.account, alias.name.clone()), alias.target);
                }
                RegionalChange::DeleteAlias(account, name) => {
                    self.aliases.pin().remove(&(*account, name.clone()));
                }
                RegionalChange::PutMaterial(..)
                | RegionalChange::DeleteMaterial(..)
                | RegionalChange::PutGrant(_)
                | RegionalChange::DeleteGrant(..)
                | RegionalChange::PutLastUse(..)
                | RegionalChange::DeleteLastUse(_) => {}
            }
        }
    }

    /// Publishes control rows.
    pub fn absorb_control(&self, changes: &[ControlChange]) {
        let mut states = self.states.write();
        for change in changes {
            states.control.absorb(change);
            match change {
                ControlChange::PutKeySet(set) => self.publish(&states, &set.key_id),
                ControlChange::DeleteKeySet(key_id) => self.publish(&states, key_id),
                ControlChange::PutRegion(_) | ControlChange::PutRecent { .. } => {}
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
            self.publish(&states, &key_id);
        }
    }

    fn publish(&self, states: &States, key_id: &KeyId) {
        match states.regional.key(key_id) {
            Some(record) => {
                let set = states.control.key_set(key_id).cloned();
                let entry = KeyEntry::new(&self.region, Arc::clone(record), set);
                self.entries.pin().insert(*key_id, Arc::new(entry));
            }
            None => {
                self.entries.pin().remove(key_id);
            }
        }
    }
}
