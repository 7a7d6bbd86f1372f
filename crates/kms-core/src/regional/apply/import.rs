//! Commands about imported material; see "Importing key material" in the AWS KMS Developer Guide.
//!
//! A single-Region key decides for itself which material belongs to it. Of a multi-Region key the key set decides, and
//! this Region learns of its versions by `ExpectMaterial`, `SettleMaterial` and `ForgetMaterial`.

use super::{Step, put};
use crate::KeyOperation;
use crate::regional::{
    ExpectMaterial, ImportMaterial, ImportedMaterial, KeyRecord, Lifecycle, LocalMaterial, RegionalChange,
    RegionalRefusal, RegionalState,
};
use kms_types::{ImportType, KeyId, KeyMaterialId, KeySpec, Origin, RotationType, Timestamp};

impl RegionalState {
    pub(super) fn import_material(&self, at: Timestamp, body: &ImportMaterial) -> Step {
        let mut record = self.imported_for(&body.key_id, KeyOperation::ImportKeyMaterial)?;
        let material_id = body.material.material_id;
        check_import(&record, body)?;
        // A new version is pending unless it is the first.
        let pending = !record.materials.is_empty();
        let version = match record.materials.iter_mut().find(|m| m.material_id == material_id) {
            Some(version) => version,
            None => {
                let import = Some(ImportedMaterial { pending, ..ImportedMaterial::default() });
                record.materials.push(LocalMaterial { material_id, created_at: at, rotation: None, import });
                record.materials.last_mut().ok_or(RegionalRefusal::MaterialNotFound)?
            }
        };
        if let Some(import) = &mut version.import {
            import.present = true;
            import.expires_at = body.expires_at;
            if let Some(description) = &body.description {
                import.description.clone_from(description);
            }
        }
        Ok(vec![RegionalChange::PutMaterial(body.key_id, body.material.clone()), put(record)])
    }

    pub(super) fn rotate_to_imported(&self, at: Timestamp, key_id: &KeyId, on_demand_limit: u32) -> Step {
        let mut record = self.imported_for(key_id, KeyOperation::RotateKeyOnDemand)?;
        if record.is_multi_region() {
            return Err(RegionalRefusal::WrongKind);
        }
        let limit_reached = record.on_demand_rotations >= on_demand_limit;
        let waiting = record.materials.iter_mut().find(|m| m.is_pending());
        let version = waiting.ok_or(RegionalRefusal::NothingPending)?;
        if limit_reached {
            return Err(RegionalRefusal::RotationLimit);
        }
        version.rotation = Some((RotationType::OnDemand, at));
        if let Some(import) = &mut version.import {
            import.pending = false;
        }
        record.on_demand_rotations = record.on_demand_rotations.saturating_add(1);
        Ok(vec![put(record)])
    }

    pub(super) fn delete_imported_material(&self, key_id: &KeyId, named: Option<&KeyMaterialId>) -> Step {
        let record = self.imported_for(key_id, KeyOperation::DeleteImportedKeyMaterial)?;
        let material_id = match named {
            Some(id) => record.material(id).ok_or(RegionalRefusal::MaterialNotFound)?.material_id,
            None => match record.current_material() {
                Some(current) => current.material_id,
                None => return Ok(Vec::new()),
            },
        };
        if record.has_material(&material_id) { Ok(remove_bytes(record, &material_id)) } else { Ok(Vec::new()) }
    }

    pub(super) fn expire_material(&self, at: Timestamp, key_id: &KeyId, material_id: &KeyMaterialId) -> Step {
        let record = self.record(key_id)?;
        let version = record.material(material_id).filter(|m| m.is_present());
        let version = version.ok_or(RegionalRefusal::MaterialNotFound)?;
        if version.expires_at().is_none_or(|expires_at| expires_at > at) {
            return Err(RegionalRefusal::NotExpired);
        }
        Ok(remove_bytes(record, material_id))
    }

    pub(super) fn expect_material(&self, body: &ExpectMaterial) -> Step {
        let mut record = self.shared_import(&body.key_id)?;
        if record.material(&body.material_id).is_some() {
            return Err(RegionalRefusal::MaterialExists);
        }
        record.materials.push(LocalMaterial {
            material_id: body.material_id,
            created_at: body.created_at,
            rotation: None,
            import: Some(ImportedMaterial {
                present: false,
                expires_at: None,
                description: body.description.clone(),
                pending: body.pending,
            }),
        });
        forget_switch(&mut record);
        Ok(vec![put(record)])
    }

    pub(super) fn settle_material(&self, key_id: &KeyId, material_id: &KeyMaterialId) -> Step {
        let mut record = self.shared_import(key_id)?;
        let version = record.materials.iter_mut().find(|m| m.material_id == *material_id);
        if let Some(import) = &mut version.ok_or(RegionalRefusal::MaterialNotFound)?.import {
            import.pending = false;
        }
        forget_switch(&mut record);
        Ok(vec![put(record)])
    }

    pub(super) fn forget_material(&self, key_id: &KeyId, material_id: &KeyMaterialId) -> Step {
        let record = self.shared_import(key_id)?;
        record.material(material_id).ok_or(RegionalRefusal::MaterialNotFound)?;
        Ok(remove_version(record, material_id))
    }

    /// A key with imported material whose state allows the operation.
    fn imported_for(&self, key_id: &KeyId, operation: KeyOperation) -> Result<KeyRecord, RegionalRefusal> {
        let record = self.record(key_id)?;
        if record.origin != Origin::External {
            return Err(RegionalRefusal::WrongKind);
        }
        self.record_for(key_id, operation)
    }

    /// A multi-Region key with imported material.
    fn shared_import(&self, key_id: &KeyId) -> Result<KeyRecord, RegionalRefusal> {
        let record = self.record(key_id)?;
        let fits = record.is_multi_region() && record.origin == Origin::External;
        if fits { Ok(record) } else { Err(RegionalRefusal::WrongKind) }
    }
}

/// Whether these bytes belong to the key, or may become part of it.
fn check_import(record: &KeyRecord, body: &ImportMaterial) -> Result<(), RegionalRefusal> {
    let known = record.material(&body.material.material_id).is_some();
    let may_be_new = match (record.is_multi_region(), record.spec) {
        (true, _) => false,
        // There is no import type for these: the first import says what the material is, once and for all.
        (false, spec) if spec != KeySpec::SymmetricDefault => record.materials.is_empty(),
        (false, _) if body.import_type == ImportType::ExistingKeyMaterial => false,
        (false, _) if known => return Err(RegionalRefusal::IncorrectMaterial),
        (false, _) => match record.pending_material() {
            Some(waiting) => return Err(RegionalRefusal::PendingRotation { pending: waiting.material_id }),
            None => true,
        },
    };
    if known || may_be_new { Ok(()) } else { Err(RegionalRefusal::IncorrectMaterial) }
}

/// Destroys bytes that are here. Material of a single-Region key that waits for its rotation is not part of the key yet
/// and goes altogether; other material can be imported again.
fn remove_bytes(mut record: KeyRecord, material_id: &KeyMaterialId) -> Vec<RegionalChange> {
    if !record.is_multi_region() && record.material(material_id).is_some_and(LocalMaterial::is_pending) {
        return remove_version(record, material_id);
    }
    let version = record.materials.iter_mut().find(|m| m.material_id == *material_id);
    if let Some(import) = version.and_then(|m| m.import.as_mut()) {
        import.present = false;
        import.expires_at = None;
    }
    forget_switch(&mut record);
    vec![RegionalChange::DeleteMaterial(record.key_id, *material_id), put(record)]
}

fn remove_version(mut record: KeyRecord, material_id: &KeyMaterialId) -> Vec<RegionalChange> {
    let was_here = record.has_material(material_id);
    let destroyed = was_here.then_some(RegionalChange::DeleteMaterial(record.key_id, *material_id));
    record.materials.retain(|m| m.material_id != *material_id);
    forget_switch(&mut record);
    destroyed.into_iter().chain([put(record)]).collect()
}

/// A key that waits for an import is neither on nor off; the import makes it Enabled, as AWS documents it.
pub(super) fn forget_switch(record: &mut KeyRecord) {
    if record.lifecycle == Lifecycle::Disabled && record.lacks_import() {
        record.lifecycle = Lifecycle::Enabled;
    }
}
