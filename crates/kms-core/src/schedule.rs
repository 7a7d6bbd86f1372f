//! What is due: deletions, automatic rotations and the end of imported material, as a function of the states and the
//! time.

use crate::control::{ControlState, KeySet};
use crate::regional::{KeyRecord, RegionalState};
use kms_types::{KeyId, KeyMaterialId, KeyState, RegionName, Timestamp};

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
    /// Imported material has expired.
    ExpireMaterial {
        /// The key.
        key_id: KeyId,
        /// The version.
        material_id: KeyMaterialId,
    },
}

/// What is due in this Region, at most `limit` items. The kinds of work take turns, each with its earliest items first:
/// work that cannot be done now, as that which needs a majority, keeps no other kind waiting.
#[must_use]
pub fn due(
    region: &RegionName,
    regional: &RegionalState,
    control: &ControlState,
    now: Timestamp,
    limit: usize,
) -> Vec<Due> {
    let deletions = regional.deletions_due(now).map(|record| Due::DestroyKey(record.key_id));
    let set_deletions = regional.set_deletions_due(now);
    let set_deletions =
        set_deletions.map(|record| leave(region, record, control.key_set(&record.key_id).map(AsRef::as_ref)));
    let expiries = regional.expiries_due(now).map(|(key_id, material_id)| Due::ExpireMaterial { key_id, material_id });
    let rotations = regional.rotations_due(now).map(|record| Due::RotateKey(record.key_id));
    let rotatable = |set: &&KeySet| {
        let enabled = regional.key(&set.key_id).is_some_and(|r| r.state() == KeyState::Enabled);
        set.primary == *region && enabled
    };
    let set_rotations = control.rotations_due(now).filter(rotatable).map(|set| Due::RotateKeySet(set.key_id));
    in_turn(
        [
            deletions.take(limit).collect(),
            set_deletions.take(limit).collect(),
            expiries.take(limit).collect(),
            rotations.take(limit).collect(),
            set_rotations.take(limit).collect(),
        ],
        limit,
    )
}

/// The end of the waiting period of a multi-Region key.
fn leave(region: &RegionName, record: &KeyRecord, set: Option<&KeySet>) -> Due {
    let key_id = record.key_id;
    match set {
        Some(set) if set.primary != *region => Due::RemoveReplica { key_id, added_at: record.created_at },
        Some(set) if set.replicas().next().is_some() => Due::AwaitReplicaDeletion(key_id),
        Some(_) => Due::DeleteKeySet(key_id),
        None => Due::DestroyKey(key_id),
    }
}

/// One of each list, then the next of each, until `limit`.
fn in_turn<const LISTS: usize>(lists: [Vec<Due>; LISTS], limit: usize) -> Vec<Due> {
    let longest = lists.iter().map(Vec::len).max().unwrap_or_default();
    let mut lists = lists.map(Vec::into_iter);
    let rounds = (0..longest).flat_map(|_| lists.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>());
    rounds.take(limit).collect()
}
