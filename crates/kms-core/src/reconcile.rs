//! What a Region still has to do so that its own rows match the control state.
//!
//! Level-triggered: the steps follow from the two states alone, so a crash at any point is mended by asking again.

use crate::control::{HolderStatus, KeySet};
use crate::regional::{KeyRecord, Lifecycle};
use kms_types::{KeyMaterialId, RegionName};

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
    let missing = |id: &KeyMaterialId| !record.has_material(id);
    let materials: Vec<_> = set.materials.iter().map(|m| m.material_id).filter(missing).collect();
    if !materials.is_empty() || record.lifecycle == Lifecycle::Creating {
        return Some(Step::Install { materials, complete: record.lifecycle == Lifecycle::Creating });
    }
    if holder.status != HolderStatus::Ready {
        return Some(Step::ReportReady);
    }
    let waits_for_replicas = set.primary == *region && set.replicas().next().is_some();
    if let (Lifecycle::PendingReplicaDeletion { window_days }, false) = (record.lifecycle, waits_for_replicas) {
        return Some(Step::StartDeletionClock { window_days });
    }
    match set.staged() {
        Some(staged) if set.primary == *region => Some(Step::DriveRotation(staged.material_id)),
        _ => None,
    }
}
