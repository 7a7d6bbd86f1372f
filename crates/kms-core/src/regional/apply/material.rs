//! Commands about material that is made here, and about its rotation.

use super::{Step, put};
use crate::regional::{
    InstallMaterial, KeyRecord, Lifecycle, LocalMaterial, NewMaterial, RegionalChange, RegionalRefusal, RegionalState,
    RotateMaterial,
};
use crate::{KeyOperation, RotationSchedule};
use kms_types::{KeyId, KeySpec, Origin, RotationType, Timestamp};

impl RegionalState {
    pub(super) fn install_material(&self, at: Timestamp, body: &InstallMaterial) -> Step {
        let mut record = self.record(&body.key_id)?;
        if !record.is_multi_region() || record.origin == Origin::External {
            return Err(RegionalRefusal::WrongKind);
        }
        let mut changes = Vec::new();
        for material in &body.materials {
            if record.has_material(&material.material_id) {
                return Err(RegionalRefusal::MaterialExists);
            }
            let installed =
                LocalMaterial { material_id: material.material_id, created_at: at, rotation: None, import: None };
            record.materials.push(installed);
            changes.push(RegionalChange::PutMaterial(body.key_id, material.clone()));
        }
        if body.complete && record.lifecycle == Lifecycle::Creating {
            record.lifecycle = Lifecycle::Enabled;
        }
        changes.push(put(record));
        Ok(changes)
    }

    pub(super) fn rotate_material(&self, at: Timestamp, body: &RotateMaterial) -> Step {
        let mut record = self.record_for(&body.key_id, KeyOperation::RotateKeyOnDemand)?;
        check_rotatable(&record)?;
        let material_id = body.material.material_id;
        if record.has_material(&material_id) {
            return Err(RegionalRefusal::MaterialExists);
        }
        if body.rotation_type == RotationType::OnDemand {
            if record.on_demand_rotations >= body.on_demand_limit {
                return Err(RegionalRefusal::RotationLimit);
            }
            record.on_demand_rotations = record.on_demand_rotations.saturating_add(1);
        }
        if let (Some(schedule), Some(next_at)) = (&mut record.rotation, body.next_rotation_at) {
            schedule.next_at = next_at;
        }
        let rotation = Some((body.rotation_type, at));
        record.materials.push(LocalMaterial { material_id, created_at: at, rotation, import: None });
        Ok(vec![RegionalChange::PutMaterial(body.key_id, body.material.clone()), put(record)])
    }

    pub(super) fn rewrap_material(&self, materials: &[(KeyId, NewMaterial)]) -> Vec<RegionalChange> {
        let here = |(key_id, material): &&(KeyId, NewMaterial)| {
            self.key(key_id).is_some_and(|record| record.has_material(&material.material_id))
        };
        let wrapped = materials.iter().filter(here);
        wrapped.map(|(key_id, material)| RegionalChange::PutMaterial(*key_id, material.clone())).collect()
    }

    pub(super) fn set_rotation(&self, key_id: &KeyId, schedule: Option<RotationSchedule>) -> Step {
        let mut record = self.record_for(key_id, KeyOperation::EnableKeyRotation)?;
        check_rotatable(&record)?;
        record.rotation = schedule;
        Ok(vec![put(record)])
    }
}

/// A multi-Region key is rotated through the control log; of single-Region keys only symmetric ones are rotated.
fn check_rotatable(record: &KeyRecord) -> Result<(), RegionalRefusal> {
    let rotates = record.spec == KeySpec::SymmetricDefault && record.origin == Origin::AwsKms;
    if rotates && !record.is_multi_region() { Ok(()) } else { Err(RegionalRefusal::WrongKind) }
}
