//! What this Region tells others of its replicas.

use kms_service::{Directory, ReplicaReport};
use kms_types::KeyId;
use std::sync::Arc;

/// Answers from the published directory: only what is on stable storage here.
#[derive(Debug)]
pub(crate) struct LocalReplicas(pub(crate) Arc<Directory>);

impl kms_control::LocalReplicas for LocalReplicas {
    fn report(&self, key_id: &KeyId) -> ReplicaReport {
        let entry = self.0.key(key_id);
        let known = entry.iter().flat_map(|e| &e.record.materials);
        let materials = known.filter(|m| m.is_present()).map(|m| m.material_id).collect();
        // The control node knows how far it has applied its log, and fills that in.
        ReplicaReport { state: entry.map(|e| e.state()), materials, applied_index: 0 }
    }
}
