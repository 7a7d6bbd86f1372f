//! All grants of a Region with the indexes that requests need; a key may have tens of thousands of them.

use super::{GrantPrincipal, GrantRecord};
use kms_types::{GrantId, KeyId};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

/// The grants of all keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grants {
    by_key: BTreeMap<KeyId, GrantsOfKey>,
    by_retiring: BTreeMap<GrantPrincipal, BTreeSet<(KeyId, GrantId)>>,
}

/// The grants of one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct GrantsOfKey {
    by_id: BTreeMap<GrantId, Arc<GrantRecord>>,
    by_grantee: BTreeMap<GrantPrincipal, BTreeSet<GrantId>>,
    /// Grants with a name; those with the same parameters stand side by side.
    named: BTreeSet<Named>,
}

/// Orders grants by everything that their creator chose, then by ID.
#[derive(Clone, Debug)]
struct Named(Arc<GrantRecord>);

impl Grants {
    pub(super) fn insert(&mut self, grant: &Arc<GrantRecord>) {
        self.remove(&grant.key_id, &grant.grant_id);
        let of_key = self.by_key.entry(grant.key_id).or_default();
        of_key.by_grantee.entry(grant.grantee.clone()).or_default().insert(grant.grant_id);
        if grant.name.is_some() {
            of_key.named.insert(Named(Arc::clone(grant)));
        }
        of_key.by_id.insert(grant.grant_id, Arc::clone(grant));
        if let Some(retiring) = &grant.retiring {
            self.by_retiring.entry(retiring.clone()).or_default().insert((grant.key_id, grant.grant_id));
        }
    }

    pub(super) fn remove(&mut self, key_id: &KeyId, grant_id: &GrantId) {
        let Some(of_key) = self.by_key.get_mut(key_id) else { return };
        let Some(grant) = of_key.by_id.remove(grant_id) else { return };
        if let Some(retiring) = &grant.retiring {
            remove_member(&mut self.by_retiring, retiring, &(*key_id, *grant_id));
        }
        remove_member(&mut of_key.by_grantee, &grant.grantee, grant_id);
        of_key.named.remove(&Named(grant));
        if of_key.by_id.is_empty() {
            self.by_key.remove(key_id);
        }
    }

    pub(super) fn get(&self, key_id: &KeyId, grant_id: &GrantId) -> Option<&Arc<GrantRecord>> {
        self.by_key.get(key_id)?.by_id.get(grant_id)
    }

    pub(super) fn count_of(&self, key_id: &KeyId) -> usize {
        self.by_key.get(key_id).map_or(0, |of_key| of_key.by_id.len())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<GrantRecord>> {
        self.by_key.values().flat_map(|of_key| of_key.by_id.values())
    }

    pub(super) fn of_key(&self, key_id: &KeyId, after: Option<GrantId>) -> impl Iterator<Item = &Arc<GrantRecord>> {
        self.by_key.get(key_id).into_iter().flat_map(move |of_key| of_key.by_id.range(beyond(after)).map(|(_, g)| g))
    }

    pub(super) fn of_grantee(
        &self,
        key_id: &KeyId,
        grantee: &GrantPrincipal,
        after: Option<GrantId>,
    ) -> impl Iterator<Item = &Arc<GrantRecord>> {
        let of_key = self.by_key.get(key_id);
        let ids = of_key.and_then(|of_key| Some((of_key, of_key.by_grantee.get(grantee)?)));
        ids.into_iter()
            .flat_map(move |(of_key, ids)| ids.range(beyond(after)).filter_map(|grant_id| of_key.by_id.get(grant_id)))
    }

    pub(super) fn retirable_by(
        &self,
        principal: &GrantPrincipal,
        after: Option<(KeyId, GrantId)>,
    ) -> impl Iterator<Item = &Arc<GrantRecord>> {
        let places = self.by_retiring.get(principal).into_iter().flat_map(move |places| places.range(beyond(after)));
        places.filter_map(|(key_id, grant_id)| self.get(key_id, grant_id))
    }

    /// The oldest-numbered grant with the name and all parameters of another one; `None` for one without a name.
    pub(super) fn same_as(&self, other: &GrantRecord) -> Option<&Arc<GrantRecord>> {
        other.name.as_ref()?;
        let least = GrantId::from_bytes([0; 32]);
        let probe = Named(Arc::new(GrantRecord { grant_id: least, ..other.clone() }));
        let Named(found) = self.by_key.get(&other.key_id)?.named.range(&probe..).next()?;
        parameters(found).eq(&parameters(other)).then_some(found)
    }
}

/// What the creator of a grant chose. Not the time and the ID, which differ from one request to the next.
fn parameters(grant: &GrantRecord) -> impl Ord {
    let GrantRecord { name, grantee, retiring, issuing_account, operations, constraints, .. } = grant;
    (name, grantee, retiring, issuing_account, operations, constraints)
}

fn beyond<T>(after: Option<T>) -> (Bound<T>, Bound<T>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

fn remove_member<K: Ord, V: Ord>(index: &mut BTreeMap<K, BTreeSet<V>>, key: &K, member: &V) {
    if let Some(members) = index.get_mut(key) {
        members.remove(member);
        if members.is_empty() {
            index.remove(key);
        }
    }
}

impl Ord for Named {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = parameters(&self.0).cmp(&parameters(&other.0));
        order.then_with(|| self.0.grant_id.cmp(&other.0.grant_id))
    }
}

impl PartialOrd for Named {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Named {}
