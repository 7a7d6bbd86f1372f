//! Imported material: what clients ask, and what must hold of it.

use super::{Cluster, DAY, Node};
use crate::cast;
use kms_core::control::{ActivateMaterial, ControlBody, KeySet, OfferImportedMaterial};
use kms_core::regional::{ImportMaterial, KeyRecord, NewMaterial, RegionalBody};
use kms_types::{DayLength, ImportType, KeyId, KeyMaterialId, RegionName, Timestamp, limits};
use std::collections::BTreeSet;

/// One import: where, of which key and life of the replica, which material and life of the version.
pub(super) type Import = (RegionName, KeyId, Timestamp, KeyMaterialId, Timestamp);

impl Cluster {
    /// ImportKeyMaterial with new material at the primary: first the log decides; the bytes come by a later request, as
    /// from a client that tries again.
    pub(super) fn offer_new_material(&mut self, node: usize, set: &KeySet) {
        self.number += 1;
        let body = OfferImportedMaterial {
            key_id: set.key_id,
            expected_epoch: set.epoch,
            // Of few, so that what was taken back is offered again.
            material_id: cast::material((1 << 32) + self.number % 6),
            description: format!("number {}", self.number),
        };
        self.propose(node, ControlBody::OfferImportedMaterial(body));
    }

    /// Imports the oldest absent version that the node expects, or the oldest again.
    pub(super) fn import_known_material(&mut self, node: usize, record: &KeyRecord, days: Option<u32>) {
        let absent = record.materials.iter().find(|m| m.import.is_some() && !m.is_present());
        let Some(version) = absent.or(record.materials.first().filter(|m| m.import.is_some())) else { return };
        let expires_at = days.map(|days| self.now.plus(DayLength::new(DAY).days(days)));
        let body = ImportMaterial {
            key_id: record.key_id,
            material: NewMaterial {
                material_id: version.material_id,
                wrapped: version.material_id.as_bytes().to_vec(),
            },
            import_type: ImportType::ExistingKeyMaterial,
            expires_at,
            description: None,
        };
        if self.acknowledged(node, RegionalBody::ImportMaterial(Box::new(body))) {
            let import = self.nodes[node].import(record, &version.material_id, version.created_at);
            self.imported.insert(import, expires_at);
        }
    }

    /// Deletes the current material, or the staged one: of a primary by taking it back everywhere.
    pub(super) fn delete_imported(&mut self, node: usize, set: &KeySet, record: &KeyRecord, staged: bool) {
        let waiting = set.staged().filter(|_| staged && set.is_external()).map(|m| m.material_id);
        if let (Some(material_id), true) = (waiting, set.primary == self.nodes[node].region) {
            let (key_id, expected_epoch) = (set.key_id, set.epoch);
            self.propose(node, ControlBody::WithdrawImportedMaterial { key_id, expected_epoch, material_id });
            return;
        }
        let current = record.current_material().filter(|_| !staged).map(|m| m.material_id);
        let named = waiting.or(current);
        let version = named.and_then(|id| record.material(&id));
        let Some(version) = version else { return };
        let body =
            RegionalBody::DeleteImportedMaterial { key_id: record.key_id, material_id: Some(version.material_id) };
        if self.acknowledged(node, body) {
            let import = self.nodes[node].import(record, &version.material_id, version.created_at);
            self.imported.remove(&import);
        }
    }

    /// RotateKeyOnDemand of an EXTERNAL key.
    pub(super) fn rotate_to_imported(&mut self, node: usize, set: &KeySet) {
        let Some(staged) = set.staged() else { return };
        let body = ActivateMaterial {
            key_id: set.key_id,
            expected_epoch: set.epoch,
            material_id: staged.material_id,
            without: BTreeSet::new(),
            on_demand_limit: limits::ON_DEMAND_ROTATIONS_MAX,
        };
        self.propose(node, ControlBody::ActivateMaterial(body));
    }

    /// Bytes are where a client brought them and did not take them back, and nowhere else.
    pub(super) fn check_imports(&self) -> Result<(), String> {
        for node in &self.nodes {
            for record in node.regional.keys_after(None) {
                let imported = record.materials.iter().filter(|m| m.import.is_some() && m.is_present());
                for version in imported {
                    let import = node.import(record, &version.material_id, version.created_at);
                    if !self.imported.contains_key(&import) {
                        return Err(format!("{import:?} came by itself"));
                    }
                }
            }
        }
        for (import, ends) in &self.imported {
            let (region, key_id, life, material_id, created_at) = import;
            let set = self.latest.key_set(key_id);
            let version = set.and_then(|set| set.material(material_id)).filter(|m| m.created_at == *created_at);
            let node = self.nodes.iter().find(|n| n.region == *region);
            let record = node.and_then(|n| n.regional.key(key_id)).filter(|r| r.created_at == *life);
            let (Some(_), Some(record)) = (version, record) else { continue };
            if ends.is_none_or(|ends| self.now < ends) && !record.has_material(material_id) {
                return Err(format!("{import:?} is lost"));
            }
        }
        Ok(())
    }
}

/// After healing, an EXTERNAL key is what its key set says, and the key set knows who has what.
pub(super) fn check_converged(region: &RegionName, set: &KeySet, record: &KeyRecord) -> Result<(), String> {
    let key_id = set.key_id;
    if record.materials.len() != set.materials.len() {
        return Err(format!("{key_id}: other versions than the key set has"));
    }
    for version in &set.materials {
        let local = record.material(&version.material_id).ok_or(format!("{key_id}: a version is unknown"))?;
        if local.created_at != version.created_at || local.is_pending() != version.activation.is_none() {
            return Err(format!("{key_id}: {local:?} is not {version:?}"));
        }
        if local.is_present() != version.imported_by.contains(region) {
            return Err(format!("{key_id}: the key set does not know about {local:?}"));
        }
    }
    let complete = set.current().is_some()
        && set.materials.iter().filter(|m| m.activation.is_some()).all(|m| m.imported_by.contains(region));
    if record.state().is_pending_deletion() || complete != record.lacks_import() {
        Ok(())
    } else {
        Err(format!("{key_id}: {} does not follow from the material", record.state()))
    }
}

impl Node {
    /// Whether the node has the key and expects a version of it that is not there.
    pub(super) fn lacks_import(&self, key_id: &KeyId) -> bool {
        let absent = |record: &std::sync::Arc<KeyRecord>| record.materials.iter().any(|m| !m.is_present());
        self.regional.key(key_id).is_some_and(absent)
    }

    fn import(&self, record: &KeyRecord, material_id: &KeyMaterialId, created_at: Timestamp) -> Import {
        (self.region.clone(), record.key_id, record.created_at, *material_id, created_at)
    }
}
