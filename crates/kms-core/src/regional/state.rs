//! The regional state itself and how rows come back into it.

use super::{AliasRecord, KeyRecord, Lifecycle, RegionalChange};
use kms_types::{AccountId, AliasName, KeyId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All key resources and aliases of one Region, without material.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionalState {
    keys: BTreeMap<KeyId, Arc<KeyRecord>>,
    aliases: BTreeMap<(AccountId, AliasName), Arc<AliasRecord>>,
    /// Alias names by target; derived.
    aliases_by_key: BTreeMap<KeyId, BTreeSet<AliasName>>,
    /// What is due and when; derived.
    deadlines: BTreeSet<(Timestamp, KeyId)>,
}

impl RegionalState {
    /// A key.
    #[must_use]
    pub fn key(&self, key_id: &KeyId) -> Option<&Arc<KeyRecord>> {
        self.keys.get(key_id)
    }

    /// All keys by ID, from the one after `after`.
    pub fn keys_after<'a>(&'a self, after: Option<&KeyId>) -> impl Iterator<Item = &'a Arc<KeyRecord>> + use<'a> {
        use std::ops::Bound;
        let from = after.map_or(Bound::Unbounded, |id| Bound::Excluded(*id));
        self.keys.range((from, Bound::Unbounded)).map(|(_, record)| record)
    }

    /// How many keys there are.
    #[must_use]
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// An alias.
    #[must_use]
    pub fn alias(&self, account: &AccountId, name: &AliasName) -> Option<&Arc<AliasRecord>> {
        self.aliases.get(&(*account, name.clone()))
    }

    /// All aliases of an account by name, from the one after `after`.
    pub fn aliases_after<'a>(
        &'a self,
        account: AccountId,
        after: Option<&AliasName>,
    ) -> impl Iterator<Item = &'a Arc<AliasRecord>> + use<'a> {
        use std::ops::Bound;
        let first = AliasName::parse("alias/-").ok().map(|least| (account, least));
        let from = match (after, first) {
            (Some(name), _) => Bound::Excluded((account, name.clone())),
            (None, Some(least)) => Bound::Included(least),
            (None, None) => Bound::Unbounded,
        };
        self.aliases.range((from, Bound::Unbounded)).map(|(_, alias)| alias).take_while(move |a| a.account == account)
    }

    /// All aliases, of all accounts.
    pub fn aliases(&self) -> impl Iterator<Item = &Arc<AliasRecord>> {
        self.aliases.values()
    }

    /// Names of the aliases that point at a key.
    pub fn aliases_of(&self, key_id: &KeyId) -> impl Iterator<Item = &AliasName> {
        self.aliases_by_key.get(key_id).into_iter().flatten()
    }

    /// Keys whose deadline has passed, earliest first: a deletion date, or an automatic rotation of an Enabled key.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &Arc<KeyRecord>> {
        self.deadlines.iter().take_while(move |(due, _)| *due <= now).filter_map(|(_, key_id)| self.keys.get(key_id))
    }

    /// Takes in one row, from `apply` or from the store.
    pub fn absorb(&mut self, change: &RegionalChange) {
        match change {
            RegionalChange::PutKey(record) => {
                self.forget_deadline(&record.key_id);
                if let Some(due) = deadline(record) {
                    self.deadlines.insert((due, record.key_id));
                }
                self.keys.insert(record.key_id, Arc::clone(record));
            }
            RegionalChange::DeleteKey(key_id) => {
                self.forget_deadline(key_id);
                self.keys.remove(key_id);
            }
            RegionalChange::PutAlias(alias) => {
                self.forget_alias_target(&alias.account, &alias.name);
                self.aliases_by_key.entry(alias.target).or_default().insert(alias.name.clone());
                self.aliases.insert((alias.account, alias.name.clone()), Arc::clone(alias));
            }
            RegionalChange::DeleteAlias(account, name) => {
                self.forget_alias_target(account, name);
                self.aliases.remove(&(*account, name.clone()));
            }
            RegionalChange::PutMaterial(..) | RegionalChange::DeleteMaterial(..) => {}
        }
    }

    /// Every row of the state but the wrapped material, which only the store has.
    pub fn rows(&self) -> impl Iterator<Item = RegionalChange> {
        let keys = self.keys.values().map(|k| RegionalChange::PutKey(Arc::clone(k)));
        keys.chain(self.aliases.values().map(|a| RegionalChange::PutAlias(Arc::clone(a))))
    }

    /// Checks that aliases point at keys of their own account and that single-Region keys have material.
    ///
    /// # Errors
    /// The first broken invariant, in words.
    pub fn check_invariants(&self) -> Result<(), &'static str> {
        let target_is_there = |a: &Arc<AliasRecord>| self.keys.get(&a.target).is_some_and(|k| k.account == a.account);
        if !self.aliases.values().all(target_is_there) {
            return Err("an alias points at no key of its account");
        }
        let has_material = |k: &Arc<KeyRecord>| !k.materials.is_empty() || k.lifecycle == Lifecycle::Creating;
        if !self.keys.values().filter(|k| !k.is_multi_region()).all(has_material) {
            return Err("a single-Region key has no material");
        }
        if self.keys.values().any(|k| k.is_multi_region() && k.rotation.is_some()) {
            return Err("a multi-Region key has a rotation schedule of its own");
        }
        Ok(())
    }

    fn forget_deadline(&mut self, key_id: &KeyId) {
        if let Some(due) = self.keys.get(key_id).and_then(|old| deadline(old)) {
            self.deadlines.remove(&(due, *key_id));
        }
    }

    fn forget_alias_target(&mut self, account: &AccountId, name: &AliasName) {
        let Some(old) = self.aliases.get(&(*account, name.clone())) else { return };
        if let Some(names) = self.aliases_by_key.get_mut(&old.target) {
            names.remove(name);
            if names.is_empty() {
                self.aliases_by_key.remove(&old.target);
            }
        }
    }
}

fn deadline(record: &KeyRecord) -> Option<Timestamp> {
    match record.lifecycle {
        Lifecycle::PendingDeletion { deletion_date, .. } => Some(deletion_date),
        Lifecycle::Enabled => record.rotation.map(|r| r.next_at),
        Lifecycle::Creating | Lifecycle::Disabled | Lifecycle::PendingReplicaDeletion { .. } => None,
    }
}
