//! What is due and when, one list for each kind of work, so that no kind waits behind another.

use super::{KeyRecord, Lifecycle};
use kms_types::{KeyId, KeyMaterialId, Timestamp};
use std::collections::BTreeSet;

/// Derived from the key records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Deadlines {
    /// Ends of waiting periods of single-Region keys.
    pub(super) deletions: BTreeSet<(Timestamp, KeyId)>,
    /// Ends of waiting periods of multi-Region keys.
    pub(super) set_deletions: BTreeSet<(Timestamp, KeyId)>,
    /// Automatic rotations of Enabled single-Region keys.
    pub(super) rotations: BTreeSet<(Timestamp, KeyId)>,
    /// Ends of imported material, in every key state.
    pub(super) expiries: BTreeSet<(Timestamp, KeyId, KeyMaterialId)>,
}

impl Deadlines {
    pub(super) fn insert(&mut self, record: &KeyRecord) {
        let key_id = record.key_id;
        match record.lifecycle {
            Lifecycle::PendingDeletion { deletion_date, .. } => {
                self.deletions_like(record).insert((deletion_date, key_id));
            }
            Lifecycle::Enabled => self.rotations.extend(record.rotation.map(|r| (r.next_at, key_id))),
            Lifecycle::Creating | Lifecycle::Disabled | Lifecycle::PendingReplicaDeletion { .. } => {}
        }
        self.expiries.extend(expiries(record));
    }

    pub(super) fn remove(&mut self, record: &KeyRecord) {
        let key_id = record.key_id;
        if let Lifecycle::PendingDeletion { deletion_date, .. } = record.lifecycle {
            self.deletions_like(record).remove(&(deletion_date, key_id));
        }
        if let Some(schedule) = record.rotation {
            self.rotations.remove(&(schedule.next_at, key_id));
        }
        for expiry in expiries(record) {
            self.expiries.remove(&expiry);
        }
    }

    fn deletions_like(&mut self, record: &KeyRecord) -> &mut BTreeSet<(Timestamp, KeyId)> {
        if record.is_multi_region() { &mut self.set_deletions } else { &mut self.deletions }
    }
}

fn expiries(record: &KeyRecord) -> impl Iterator<Item = (Timestamp, KeyId, KeyMaterialId)> {
    record.materials.iter().filter_map(|m| Some((m.expires_at()?, record.key_id, m.material_id)))
}
