//! What is due: deletions and automatic rotations, as a function of the states and the time.

use crate::control::{ControlState, KeySet};
use crate::regional::{KeyRecord, Lifecycle, RegionalState};
use kms_types::{KeyId, RegionName, Timestamp};

/// Something whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// The waiting period of a single-Region key is over.
    DestroyKey(KeyId),
    /// The waiting period of a replica is over: leave the key set.
    RemoveReplica {
        /// The key.
        key_id: KeyId,
        /// When the Region was added, which tells this life of the replica from another.
        added_at: Timestamp,
    },
    /// The waiting period of a primary without replicas is over: delete the key set.
    DeleteKeySet(KeyId),
    /// A primary's waiting period is over but replicas have appeared: wait for them.
    AwaitReplicaDeletion(KeyId),
    /// A single-Region key is due for automatic rotation.
    RotateKey(KeyId),
    /// A multi-Region key whose primary is here is due for automatic rotation.
    RotateKeySet(KeyId),
}

/// Everything that is due in this Region, at most `limit` items, deletions and single-Region rotations first.
#[must_use]
pub fn due(
    region: &RegionName,
    regional: &RegionalState,
    control: &ControlState,
    now: Timestamp,
    limit: usize,
) -> Vec<Due> {
    let local =
        regional.due(now).map(|record| local_due(region, record, control.key_set(&record.key_id).map(AsRef::as_ref)));
    let rotatable = |set: &&KeySet| {
        let enabled = regional.key(&set.key_id).is_some_and(|r| r.lifecycle == Lifecycle::Enabled);
        set.primary == *region && enabled
    };
    let rotations = control.rotations_due(now).filter(rotatable).map(|set| Due::RotateKeySet(set.key_id));
    local.chain(rotations).take(limit).collect()
}

fn local_due(region: &RegionName, record: &KeyRecord, set: Option<&KeySet>) -> Due {
    let key_id = record.key_id;
    match (record.lifecycle, set) {
        (Lifecycle::PendingDeletion { .. }, Some(set)) if set.primary != *region => {
            Due::RemoveReplica { key_id, added_at: record.created_at }
        }
        (Lifecycle::PendingDeletion { .. }, Some(set)) if set.replicas().next().is_some() => {
            Due::AwaitReplicaDeletion(key_id)
        }
        (Lifecycle::PendingDeletion { .. }, Some(_)) => Due::DeleteKeySet(key_id),
        (Lifecycle::PendingDeletion { .. }, None) => Due::DestroyKey(key_id),
        _ => Due::RotateKey(key_id),
    }
}
