//! What this Region tells others of its replicas.

use kms_service::{Directory, KeyRoom, ReplicaReport};
use kms_types::KeyId;
use std::sync::Arc;

/// Answers from the published directory: only what is on stable storage here.
#[derive(Debug)]
pub(crate) struct LocalReplicas {
    pub(crate) directory: Arc<Directory>,
    /// Most keys of one account in this Region.
    pub(crate) keys_per_account: usize,
}

impl LocalReplicas {
    /// Of the account that owns the key, also before this Region has taken its replica in.
    fn room(&self, key_id: &KeyId) -> Option<KeyRoom> {
        let count = self.directory.read(|regional, control| {
            let account = regional.key(key_id).map(|record| record.account);
            let account = account.or_else(|| control.key_set(key_id).map(|set| set.account))?;
            Some(regional.key_count_of(&account))
        })?;
        Some(KeyRoom { count: u64::try_from(count).ok()?, quota: u64::try_from(self.keys_per_account).ok()? })
    }
}

impl kms_control::LocalReplicas for LocalReplicas {
    fn report(&self, key_id: &KeyId) -> ReplicaReport {
        let entry = self.directory.key(key_id);
        let known = entry.iter().flat_map(|e| &e.record.materials);
        let materials = known.filter(|m| m.is_present()).map(|m| m.material_id).collect();
        // The control node knows how far it has applied its log, and fills that in.
        ReplicaReport {
            state: entry.as_ref().map(|e| e.state()),
            materials,
            applied_index: 0,
            room: self.room(key_id),
            access: entry.map(|e| e.replica_access()),
        }
    }
}
