//! The regional state itself and how rows come back into it.

use super::deadlines::Deadlines;
use super::grants::Grants;
use super::{AliasRecord, GrantPrincipal, GrantRecord, KeyRecord, LastUse, RegionalChange};
use kms_types::{AccountId, AliasName, GrantId, KeyId, KeyMaterialId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All key resources, aliases and grants of one Region, without material.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegionalState {
    keys: BTreeMap<KeyId, Arc<KeyRecord>>,
    aliases: BTreeMap<(AccountId, AliasName), Arc<AliasRecord>>,
    /// Alias names by target; derived.
    aliases_by_key: BTreeMap<KeyId, BTreeSet<AliasName>>,
    grants: Grants,
    last_uses: BTreeMap<KeyId, LastUse>,
    /// How many keys each account has; derived.
    key_counts: BTreeMap<AccountId, usize>,
    /// What is due and when; derived.
    deadlines: Deadlines,
}

impl RegionalState {
    /// When the next imported material is deleted; `None` when none expires.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.deadlines.expiries.first().map(|(at, _, _)| *at)
    }

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

    /// How many keys an account has. Takes no longer for many keys.
    #[must_use]
    pub fn key_count_of(&self, account: &AccountId) -> usize {
        self.key_counts.get(account).copied().unwrap_or_default()
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

    /// How many aliases point at a key.
    #[must_use]
    pub fn alias_count_of(&self, key_id: &KeyId) -> usize {
        self.aliases_by_key.get(key_id).map_or(0, BTreeSet::len)
    }

    /// A grant.
    #[must_use]
    pub fn grant(&self, key_id: &KeyId, grant_id: &GrantId) -> Option<&Arc<GrantRecord>> {
        self.grants.get(key_id, grant_id)
    }

    /// All grants on a key by ID, from the one after `after`.
    pub fn grants_of(&self, key_id: &KeyId, after: Option<GrantId>) -> impl Iterator<Item = &Arc<GrantRecord>> {
        self.grants.of_key(key_id, after)
    }

    /// How many grants there are on a key.
    #[must_use]
    pub fn grant_count_of(&self, key_id: &KeyId) -> usize {
        self.grants.count_of(key_id)
    }

    /// The grants on a key for one grantee, by ID, from the one after `after`.
    pub fn grants_of_grantee(
        &self,
        key_id: &KeyId,
        grantee: &GrantPrincipal,
        after: Option<GrantId>,
    ) -> impl Iterator<Item = &Arc<GrantRecord>> {
        self.grants.of_grantee(key_id, grantee, after)
    }

    /// The grants on all keys that a principal may retire, by key and ID, from the one after `after`.
    pub fn grants_retirable_by(
        &self,
        principal: &GrantPrincipal,
        after: Option<(KeyId, GrantId)>,
    ) -> impl Iterator<Item = &Arc<GrantRecord>> {
        self.grants.retirable_by(principal, after)
    }

    /// The grant with the same name and parameters as another one, if that has a name.
    pub(super) fn grant_like(&self, other: &GrantRecord) -> Option<&Arc<GrantRecord>> {
        self.grants.same_as(other)
    }

    /// When a key was last used.
    #[must_use]
    pub fn last_use(&self, key_id: &KeyId) -> Option<&LastUse> {
        self.last_uses.get(key_id)
    }

    /// Single-Region keys whose waiting period is over, earliest first.
    pub fn deletions_due(&self, now: Timestamp) -> impl Iterator<Item = &Arc<KeyRecord>> {
        self.passed(&self.deadlines.deletions, now)
    }

    /// Multi-Region keys whose waiting period is over, earliest first.
    pub fn set_deletions_due(&self, now: Timestamp) -> impl Iterator<Item = &Arc<KeyRecord>> {
        self.passed(&self.deadlines.set_deletions, now)
    }

    /// Enabled single-Region keys whose automatic rotation is due, earliest first.
    pub fn rotations_due(&self, now: Timestamp) -> impl Iterator<Item = &Arc<KeyRecord>> {
        self.passed(&self.deadlines.rotations, now)
    }

    /// Imported material whose time has come, in keys of every state, earliest first.
    pub fn expiries_due(&self, now: Timestamp) -> impl Iterator<Item = (KeyId, KeyMaterialId)> {
        let passed = self.deadlines.expiries.iter().take_while(move |(due, _, _)| *due <= now);
        passed.map(|(_, key_id, material_id)| (*key_id, *material_id))
    }

    /// Takes in one row, from `apply` or from the store.
    pub fn absorb(&mut self, change: &RegionalChange) {
        match change {
            RegionalChange::PutKey(record) => {
                self.forget_key(&record.key_id);
                self.deadlines.insert(record);
                let count = self.key_counts.entry(record.account).or_default();
                *count = count.saturating_add(1);
                self.keys.insert(record.key_id, Arc::clone(record));
            }
            RegionalChange::DeleteKey(key_id) => self.forget_key(key_id),
            RegionalChange::PutAlias(alias) => {
                self.forget_alias_target(&alias.account, &alias.name);
                self.aliases_by_key.entry(alias.target).or_default().insert(alias.name.clone());
                self.aliases.insert((alias.account, alias.name.clone()), Arc::clone(alias));
            }
            RegionalChange::DeleteAlias(account, name) => {
                self.forget_alias_target(account, name);
                self.aliases.remove(&(*account, name.clone()));
            }
            RegionalChange::PutGrant(grant) => self.grants.insert(grant),
            RegionalChange::DeleteGrant(key_id, grant_id) => self.grants.remove(key_id, grant_id),
            RegionalChange::PutLastUse(key_id, last_use) => {
                self.last_uses.insert(*key_id, last_use.clone());
            }
            RegionalChange::DeleteLastUse(key_id) => {
                self.last_uses.remove(key_id);
            }
            RegionalChange::PutMaterial(..) | RegionalChange::DeleteMaterial(..) => {}
        }
    }

    /// Every row of the state but the wrapped material, which only the store has.
    pub fn rows(&self) -> impl Iterator<Item = RegionalChange> {
        let keys = self.keys.values().map(|k| RegionalChange::PutKey(Arc::clone(k)));
        let aliases = self.aliases.values().map(|a| RegionalChange::PutAlias(Arc::clone(a)));
        let grants = self.grants.iter().map(|g| RegionalChange::PutGrant(Arc::clone(g)));
        let uses = self.last_uses.iter().map(|(key_id, u)| RegionalChange::PutLastUse(*key_id, u.clone()));
        keys.chain(aliases).chain(grants).chain(uses)
    }

    /// Checks every key, and that aliases, grants and last uses belong to keys.
    ///
    /// # Errors
    /// The first broken invariant, in words.
    pub fn check_invariants(&self) -> Result<(), &'static str> {
        self.keys.values().try_for_each(|record| record.check_invariants())?;
        let target_is_there = |a: &Arc<AliasRecord>| self.keys.get(&a.target).is_some_and(|k| k.account == a.account);
        if !self.aliases.values().all(target_is_there) {
            return Err("an alias points at no key of its account");
        }
        let key_is_there = |g: &Arc<GrantRecord>| self.keys.get(&g.key_id).is_some_and(|k| k.account == g.account);
        if !self.grants.iter().all(key_is_there) {
            return Err("a grant is on no key of its account");
        }
        if !self.last_uses.keys().all(|key_id| self.keys.contains_key(key_id)) {
            return Err("a key that is not there was used");
        }
        Ok(())
    }

    fn passed<'a>(
        &'a self,
        deadlines: &'a BTreeSet<(Timestamp, KeyId)>,
        now: Timestamp,
    ) -> impl Iterator<Item = &'a Arc<KeyRecord>> {
        deadlines.iter().take_while(move |(due, _)| *due <= now).filter_map(|(_, key_id)| self.keys.get(key_id))
    }

    fn forget_key(&mut self, key_id: &KeyId) {
        let Some(old) = self.keys.remove(key_id) else { return };
        self.deadlines.remove(&old);
        if let Some(count) = self.key_counts.get_mut(&old.account) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.key_counts.remove(&old.account);
            }
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
