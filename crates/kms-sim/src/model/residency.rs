//! The naive model's view of the residency guard: which commands the rules refuse, and who held what from when to when.
//! Each kind of command says by itself what it begins and ends; the core derives the same from what became of the key set.

use super::Model;
use kms_core::control::{ControlBody, ControlCommand, HoldingEnd, InitialProperties, PutResidencyRules, ResidencyRule};
use kms_types::{AccountId, KeyId, KeyMaterialId, RegionName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A Region's time with a material version: from, known to be installed, ended and why.
pub type Life = (RegionName, KeyMaterialId, Timestamp, Option<Timestamp>, Option<(Timestamp, HoldingEnd)>);

/// What the model believes about residency.
#[derive(Clone, Debug, Default)]
pub(super) struct Residency {
    version: u64,
    rules: Vec<ResidencyRule>,
    accepted: BTreeSet<(KeyId, RegionName)>,
    accounts: BTreeMap<KeyId, AccountId>,
    /// Tags that a resource is being created with, until it is ready.
    creating: BTreeMap<(KeyId, RegionName), InitialProperties>,
    lives: BTreeMap<KeyId, Vec<Life>>,
    /// Activated material, and which Regions were left out.
    without: BTreeMap<KeyMaterialId, BTreeSet<RegionName>>,
}

impl Model {
    /// Every life of every material version of a key.
    #[must_use]
    pub fn lives(&self, key_id: &KeyId) -> &[Life] {
        self.residency.lives.get(key_id).map_or(&[], Vec::as_slice)
    }

    /// Keys that were ever created.
    pub fn keys_ever(&self) -> impl Iterator<Item = &KeyId> {
        self.residency.lives.keys()
    }

    pub(super) fn allowed(
        &self,
        account: &AccountId,
        key_id: &KeyId,
        tags: &[&BTreeMap<String, String>],
        region: &RegionName,
    ) -> Option<()> {
        let Residency { rules, accepted, .. } = &self.residency;
        allowed(rules, accepted, (account, key_id, tags), region).then_some(())
    }

    pub(super) fn account_of(&self, key_id: &KeyId) -> Option<AccountId> {
        self.residency.accounts.get(key_id).copied()
    }

    pub(super) fn take_in_rules(&mut self, b: &PutResidencyRules) -> Option<()> {
        let names: BTreeSet<_> = b.rules.iter().map(|rule| &rule.name).collect();
        let well_formed = names.len() == b.rules.len() && b.rules.iter().all(|rule| !rule.allow.is_empty());
        (well_formed && b.expected_version == self.residency.version).then_some(())?;
        for (key_id, key) in &self.keys {
            for region in key.holders.keys() {
                let account = self.account_of(key_id)?;
                let creating = self.residency.creating.get(&(*key_id, region.clone()));
                let tags: Vec<_> = creating.iter().map(|initial| &initial.tags).collect();
                allowed(&b.rules, &b.accepted, (&account, key_id, &tags), region).then_some(())?;
            }
        }
        self.residency.version += 1;
        self.residency.rules.clone_from(&b.rules);
        self.residency.accepted.clone_from(&b.accepted);
        Some(())
    }

    /// Notes what an accepted command means for who holds what. `was_ready` is from before the command.
    pub(super) fn note_lives(&mut self, command: &ControlCommand, was_ready: bool, external: bool) {
        let (me, at) = (&command.region, command.at);
        let residency = &mut self.residency;
        match &command.body {
            ControlBody::CreateKeySet(b) => {
                residency.accounts.insert(b.key_id, b.account);
                residency.creating.insert((b.key_id, me.clone()), b.initial.clone());
                let lives = residency.lives.entry(b.key_id).or_default();
                lives.extend(b.first.iter().map(|(id, _)| (me.clone(), *id, at, None, None)));
                residency.without.extend(b.first.iter().map(|(id, _)| (*id, BTreeSet::new())));
            }
            ControlBody::AddReplica(b) => {
                residency.creating.insert((b.key_id, b.replica.clone()), b.initial.clone());
                let lives = residency.lives.entry(b.key_id).or_default();
                lives.extend(b.boxes.keys().map(|id| (b.replica.clone(), *id, at, None, None)));
            }
            ControlBody::ReplicaReady { key_id, .. } => {
                residency.creating.remove(&(*key_id, me.clone()));
                let without = residency.without.clone();
                let told = |id: &KeyMaterialId| without.get(id).is_some_and(|regions| !regions.contains(me));
                let installed = |life: &&mut Life| !was_ready && life.0 == *me && told(&life.1);
                residency.open(key_id).filter(installed).for_each(|life| life.3 = life.3.or(Some(at)));
            }
            ControlBody::RemoveReplica { key_id, .. } => {
                residency.creating.remove(&(*key_id, me.clone()));
                let mine = |life: &&mut Life| life.0 == *me;
                residency.open(key_id).filter(mine).for_each(|life| life.4 = Some((at, HoldingEnd::ReplicaRemoved)));
            }
            ControlBody::DeleteKeySet { key_id } => {
                residency.open(key_id).for_each(|life| life.4 = Some((at, HoldingEnd::KeyDeleted)));
            }
            ControlBody::StageMaterial(b) => {
                let lives = residency.lives.entry(b.key_id).or_default();
                lives.extend(b.boxes.keys().map(|region| (region.clone(), b.material_id, at, None, None)));
            }
            ControlBody::ActivateMaterial(b) if !external => {
                residency.without.insert(b.material_id, b.without.clone());
                let asked = |life: &&mut Life| life.1 == b.material_id && !b.without.contains(&life.0);
                residency.open(&b.key_id).filter(asked).for_each(|life| life.3 = Some(at));
            }
            ControlBody::ReportImport(b) => {
                let mine = |life: &&mut Life| life.0 == *me && life.1 == b.material_id;
                let known = residency.open(&b.key_id).any(|life| mine(&&mut *life));
                if b.present && !known {
                    let lives = residency.lives.entry(b.key_id).or_default();
                    lives.push((me.clone(), b.material_id, at, Some(at), None));
                } else if !b.present {
                    let ended = Some((at, HoldingEnd::ImportRemoved));
                    residency.open(&b.key_id).filter(mine).for_each(|life| life.4 = ended);
                }
            }
            ControlBody::WithdrawImportedMaterial { key_id, material_id, .. } => {
                let of_it = |life: &&mut Life| life.1 == *material_id;
                residency.open(key_id).filter(of_it).for_each(|life| life.4 = Some((at, HoldingEnd::Withdrawn)));
            }
            ControlBody::RegisterRegion(_)
            | ControlBody::ActivateMaterial(_)
            | ControlBody::SetRotation(_)
            | ControlBody::UpdatePrimary(_)
            | ControlBody::OfferImportedMaterial(_)
            | ControlBody::Identity(_)
            | ControlBody::SignCheckpoint(_)
            | ControlBody::CountersignCheckpoint(_)
            | ControlBody::PutResidencyRules(_) => {}
        }
    }
}

impl Residency {
    fn open(&mut self, key_id: &KeyId) -> impl Iterator<Item = &mut Life> {
        self.lives.get_mut(key_id).into_iter().flatten().filter(|life| life.4.is_none())
    }
}

fn allowed(
    rules: &[ResidencyRule],
    accepted: &BTreeSet<(KeyId, RegionName)>,
    (account, key_id, tags): (&AccountId, &KeyId, &[&BTreeMap<String, String>]),
    region: &RegionName,
) -> bool {
    if accepted.contains(&(*key_id, region.clone())) {
        return true;
    }
    for rule in rules {
        let owner = rule.accounts.is_empty() || rule.accounts.contains(account);
        let named = rule.keys.is_empty() || rule.keys.contains(key_id);
        let tagged = match &rule.tag {
            None => true,
            Some((key, value)) => tags.iter().any(|tags| tags.get(key).is_some_and(|found| found == value)),
        };
        if owner && named && tagged && !rule.allow.contains(region) {
            return false;
        }
    }
    true
}
