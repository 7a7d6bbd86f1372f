//! What a Region still has to do so that its own rows match the control state.
//!
//! Level-triggered: the steps follow from the two states alone, so a crash at any point is mended by asking again.

use crate::control::{ControlState, HolderStatus, KeySet, MaterialVersion, ResidencyRule, Subject};
use crate::regional::{ExpectMaterial, KeyRecord, Lifecycle};
use kms_types::{KeyId, KeyMaterialId, RegionName};

/// One thing to do for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The Region no longer holds the key: destroy every row of it.
    Destroy,
    /// Create the key resource, in state `Creating`.
    CreateResource,
    /// Open the boxes of these versions, wrap them, install them. `complete` ends `Creating`.
    Install {
        /// The missing versions, oldest first.
        materials: Vec<KeyMaterialId>,
        /// Whether the key becomes usable by it.
        complete: bool,
    },
    /// Tell the control log that the replica is usable.
    ReportReady,
    /// The waiting period of a former primary, or of a primary without replicas, starts now.
    StartDeletionClock {
        /// Waiting period in days.
        window_days: u32,
    },
    /// This Region is primary and a rotation is in progress: ask the holders, activate when all have the material.
    DriveRotation(KeyMaterialId),
    /// The key set of an EXTERNAL key has a version that the record does not know: take it in, absent.
    ExpectMaterial(ExpectMaterial),
    /// The key set of an EXTERNAL key has activated a version that waits here: it is part of the key for good.
    SettleMaterial(KeyMaterialId),
    /// The key set of an EXTERNAL key has no such version any more, or has it in another life: destroy it. Imported bytes
    /// may go with it, so whoever does this first makes sure that the key set is the latest.
    ForgetMaterial(KeyMaterialId),
    /// Tell the control log whether this Region has imported a version.
    ReportImport {
        /// The version.
        material_id: KeyMaterialId,
        /// Whether its bytes are here.
        present: bool,
    },
}

/// The residency rule for which this Region may not take a step: it creates no resource and opens no box of a key that
/// the rules forbid here, whatever the control log has let pass. Tags are looked at in the Region's own resource, or
/// in what it is to be created from.
#[must_use]
pub fn forbidden_step<'a>(
    region: &RegionName,
    control: &'a ControlState,
    record: Option<&KeyRecord>,
    key_id: &KeyId,
    step: &Step,
) -> Option<&'a ResidencyRule> {
    if !matches!(step, Step::CreateResource | Step::Install { .. } | Step::ExpectMaterial(_)) {
        return None;
    }
    let set = control.key_set(key_id)?;
    let initial = set.holders.get(region).and_then(|holder| match &holder.status {
        HolderStatus::Creating(initial) => Some(&initial.tags),
        HolderStatus::Ready => None,
    });
    let tags: Vec<_> = initial.into_iter().chain(record.map(|record| &record.tags)).collect();
    let subject = Subject { account: &set.account, key_id: Some(key_id), tags: &tags };
    control.residency()?.forbidding(&subject, region)
}

/// The next step for one multi-Region key in this Region, `None` when the two states agree. Call again after each step.
///
/// A former primary in `PendingReplicaDeletion` starts its own clock: a replica waits for nobody (not documented by
/// AWS, where such a primary cannot be moved).
#[must_use]
pub fn next_step(region: &RegionName, set: Option<&KeySet>, record: Option<&KeyRecord>) -> Option<Step> {
    let Some((set, holder)) = set.and_then(|s| s.holders.get(region).map(|h| (s, h))) else {
        return record.map(|_| Step::Destroy);
    };
    let Some(record) = record else {
        return Some(Step::CreateResource);
    };
    if record.created_at != holder.added_at {
        // A resource of an earlier life: the Region left the set and was added again before it had cleaned up.
        return Some(Step::Destroy);
    }
    if let Some(step) = material_step(set, record) {
        return Some(step);
    }
    if holder.status != HolderStatus::Ready {
        return Some(Step::ReportReady);
    }
    if let Some(step) = report_step(region, set, record) {
        return Some(step);
    }
    let waits_for_replicas = set.primary == *region && set.replicas().next().is_some();
    if let (Lifecycle::PendingReplicaDeletion { window_days }, false) = (record.lifecycle, waits_for_replicas) {
        return Some(Step::StartDeletionClock { window_days });
    }
    match set.staged() {
        // Imported material waits for RotateKeyOnDemand.
        Some(staged) if set.primary == *region && !set.is_external() => Some(Step::DriveRotation(staged.material_id)),
        _ => None,
    }
}

/// What the record lacks, or has too much, of the versions of the key set.
fn material_step(set: &KeySet, record: &KeyRecord) -> Option<Step> {
    if set.is_external() {
        return import_step(set, record);
    }
    let missing = |id: &KeyMaterialId| !record.has_material(id);
    let materials: Vec<_> = set.materials.iter().map(|m| m.material_id).filter(missing).collect();
    let complete = record.lifecycle == Lifecycle::Creating;
    (complete || !materials.is_empty()).then_some(Step::Install { materials, complete })
}

fn import_step(set: &KeySet, record: &KeyRecord) -> Option<Step> {
    let stale = record.materials.iter().find(|local| {
        let version = set.material(&local.material_id);
        version.is_none_or(|version| version.created_at != local.created_at)
    });
    if let Some(stale) = stale {
        return Some(Step::ForgetMaterial(stale.material_id));
    }
    set.materials.iter().find_map(|version| match record.material(&version.material_id) {
        None => Some(Step::ExpectMaterial(ExpectMaterial {
            key_id: set.key_id,
            material_id: version.material_id,
            created_at: version.created_at,
            description: version.description.clone(),
            pending: version.activation.is_none(),
        })),
        Some(local) if local.is_pending() && version.activation.is_some() => {
            Some(Step::SettleMaterial(version.material_id))
        }
        Some(_) => None,
    })
}

/// The first version of an EXTERNAL key of which the key set believes something else than the record says.
fn report_step(region: &RegionName, set: &KeySet, record: &KeyRecord) -> Option<Step> {
    let differs =
        |version: &&MaterialVersion| record.has_material(&version.material_id) != version.imported_by.contains(region);
    let version = set.materials.iter().filter(|_| set.is_external()).find(differs)?;
    let present = record.has_material(&version.material_id);
    Some(Step::ReportImport { material_id: version.material_id, present })
}
