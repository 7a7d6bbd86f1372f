//! What must hold for the control state at every index, each claim by itself.

use crate::cast;
use crate::model::{DirectoryModel, Model, Role, User};
use kms_core::control::identity::{PrincipalEntry, RecipientBoxes, RoleEntry};
use kms_core::control::{ControlState, HolderStatus, KeySet, MaterialVersion, RegionRole};
use kms_types::{KeyId, KeyMaterialId, Origin, RegionName};
use std::collections::{BTreeMap, BTreeSet};

/// Every key set has exactly one primary, which holds the key.
///
/// # Errors
/// The key for which it does not hold; so for the other claims.
pub fn one_primary(state: &ControlState) -> Result<(), String> {
    check(state, "one primary among the holders", |set| set.holders.keys().filter(|r| **r == set.primary).count() == 1)
}

/// Sealed boxes exist for holding Regions only, open there, and hold the version that they are listed under. Imported
/// material has no box.
///
/// # Errors
/// See [`one_primary`].
pub fn boxes_for_holders_only(state: &ControlState) -> Result<(), String> {
    check(state, "boxes exactly for the holders", |set| {
        set.materials.iter().all(|version| {
            if set.origin == Origin::External {
                return version.boxes.is_empty();
            }
            let addressed: BTreeSet<&RegionName> = version.boxes.keys().collect();
            let opens = |(region, sealed)| cast::open(region, sealed) == Some(version.material_id);
            addressed == set.holders.keys().collect() && version.boxes.iter().all(opens)
        })
    })
}

/// The secrets of access keys and the session token keys are sealed to Regions that serve requests and to nobody else, and
/// each box is addressed to the Region that it is listed under.
///
/// # Errors
/// The secret for which it does not hold.
pub fn secrets_for_serving_regions_only(state: &ControlState) -> Result<(), String> {
    let identities = state.identities();
    let access_keys = identities.access_keys().map(|key| (cast::access_key_secret(&key.id), &key.boxes));
    let session_keys = identities.session_keys().map(|key| (cast::session_key_secret(key.epoch), &key.boxes));
    for (secret, boxes) in access_keys.chain(session_keys) {
        for (region, sealed) in boxes {
            let serves = state.region(region).is_some_and(|entry| entry.role == RegionRole::Full);
            if !serves || cast::sealed_secret(&sealed.sealed.source, region, &secret) != sealed.sealed {
                return Err(format!("{secret}: a box for {region}"));
            }
        }
    }
    Ok(())
}

/// No Region holds a key that a rule about its owner or its ID forbids there, unless an operator left it there.
///
/// # Errors
/// See [`one_primary`].
pub fn nobody_holds_what_the_rules_forbid(state: &ControlState) -> Result<(), String> {
    let Some(rules) = state.residency() else { return Ok(()) };
    check(state, "residency", |set| {
        set.holders.keys().all(|region| {
            let about = |rule: &&kms_core::control::ResidencyRule| {
                let owner = rule.accounts.is_empty() || rule.accounts.contains(&set.account);
                owner && (rule.keys.is_empty() || rule.keys.contains(&set.key_id)) && rule.tag.is_none()
            };
            let left_there = rules.accepted.contains(&(set.key_id, region.clone()));
            left_there || rules.rules.iter().filter(about).all(|rule| rule.allow.contains(region))
        })
    })
}

/// Every key's history, of deleted keys too, is what the model noted.
///
/// # Errors
/// See [`one_primary`].
pub fn histories_are_the_models(state: &ControlState, model: &Model) -> Result<(), String> {
    for key_id in model.keys_ever() {
        let history = state.history(key_id).ok_or_else(|| format!("{key_id}: no history"))?;
        let told = history.holdings.iter().map(|h| {
            let ended = h.ended.map(|(mark, end)| (mark.at, end.as_str()));
            (h.region.clone(), h.material_id, h.from.at, h.installed.map(|mark| mark.at), ended)
        });
        let mut told: Vec<_> = told.collect();
        let lives = model.lives(key_id).iter().cloned();
        let mut noted: Vec<_> = lives
            .map(|(r, m, from, installed, end)| (r, m, from, installed, end.map(|(at, end)| (at, end.as_str()))))
            .collect();
        told.sort();
        noted.sort();
        let gone = !model.keys().any(|(known, _)| known == key_id);
        if told != noted || history.deleted.is_some() != gone {
            return Err(format!("{key_id}: the history says {told:?}, the model {noted:?}"));
        }
    }
    Ok(())
}

/// The core's own invariants.
///
/// # Errors
/// See [`one_primary`].
pub fn invariants(state: &ControlState) -> Result<(), String> {
    state.identities().check_invariants()?;
    state.check_invariants().map_err(|(key_id, broken)| format!("{key_id}: {broken}"))
}

/// No key's epoch falls, and a new primary means a higher epoch. Remembers what it saw.
#[derive(Debug, Default)]
pub struct EpochsRise(BTreeMap<KeyId, (u64, RegionName)>);

impl EpochsRise {
    /// Looks at the next state.
    ///
    /// # Errors
    /// See [`one_primary`].
    pub fn check(&mut self, state: &ControlState) -> Result<(), String> {
        let before = std::mem::take(&mut self.0);
        self.0 = state.key_sets().map(|set| (set.key_id, (set.epoch, set.primary.clone()))).collect();
        for (key_id, now) in &self.0 {
            let Some(before) = before.get(key_id) else { continue };
            let rose = now.0 == before.0.saturating_add(1) && now.1 != before.1;
            if now != before && !rose {
                return Err(format!("{key_id}: from {before:?} to {now:?}"));
            }
        }
        Ok(())
    }
}

/// The state says what the naive model says about primary, epoch, holders, materials and imports.
///
/// # Errors
/// See [`one_primary`].
pub fn as_the_model_says(state: &ControlState, model: &Model) -> Result<(), String> {
    let ids: Vec<_> = state.key_sets().map(|set| &set.key_id).collect();
    if !model.keys().map(|(key_id, _)| key_id).eq(ids) {
        return Err("the model knows other keys".to_owned());
    }
    for ((key_id, key), set) in model.keys().zip(state.key_sets()) {
        let ready = |status: &HolderStatus| *status == HolderStatus::Ready;
        let holders = set.holders.iter().map(|(r, h)| (r.clone(), (h.added_at, ready(&h.status)))).collect();
        let activated = set.materials.iter().filter(|m| m.activation.is_some()).map(|m| m.material_id);
        let same = key.primary == set.primary
            && key.epoch == set.epoch
            && key.holders == holders
            && activated.eq(key.activated.iter().copied())
            && set.staged().map(|m| m.material_id) == key.staged
            && imports(set) == key.imports;
        if !same {
            return Err(format!("{key_id}: the model says {key:?}, the core {set:?}"));
        }
    }
    Ok(())
}

/// The directory of principals says what the naive model says.
///
/// # Errors
/// Both sides, where they differ.
pub fn directory_as_the_model_says(state: &ControlState, model: &Model) -> Result<(), String> {
    let users: BTreeMap<_, _> = state
        .identities()
        .principals()
        .map(|entry| {
            let PrincipalEntry { enabled, certificate, policies, boundary, .. } = PrincipalEntry::clone(entry);
            (entry.id.clone(), User { enabled, certificate, policies, boundary })
        })
        .collect();
    let recipients = |boxes: &RecipientBoxes| -> BTreeMap<_, _> {
        boxes.iter().map(|(region, b)| (region.clone(), b.registered_at)).collect()
    };
    let keys: BTreeMap<_, _> = state
        .identities()
        .access_keys()
        .map(|entry| (entry.id.clone(), (entry.user.clone(), entry.enabled, recipients(&entry.boxes))))
        .collect();
    let roles: BTreeMap<_, _> = state
        .identities()
        .roles()
        .map(|entry| {
            let RoleEntry { enabled, policies, boundary, trust, max_session_seconds, .. } = RoleEntry::clone(entry);
            let user = User { enabled, certificate: None, policies, boundary };
            (entry.id.clone(), Role { user, trust, max_session_seconds })
        })
        .collect();
    let session_keys: BTreeMap<_, _> = state
        .identities()
        .session_keys()
        .map(|entry| (entry.epoch, (entry.created_at, recipients(&entry.boxes))))
        .collect();
    let told = DirectoryModel { users, keys, roles, session_keys };
    let directory = model.directory();
    if told == *directory {
        return Ok(());
    }
    Err(format!("the model says {directory:?}, the core {told:?}"))
}

fn imports(set: &KeySet) -> BTreeSet<(KeyMaterialId, RegionName)> {
    let of_version = |m: &MaterialVersion| m.imported_by.iter().map(|r| (m.material_id, r.clone())).collect::<Vec<_>>();
    set.materials.iter().flat_map(of_version).collect()
}

fn check(state: &ControlState, claim: &str, holds: impl Fn(&KeySet) -> bool) -> Result<(), String> {
    match state.key_sets().find(|set| !holds(set)) {
        Some(set) => Err(format!("{}: not {claim}: {set:?}", set.key_id)),
        None => Ok(()),
    }
}
