//! Commands about imported material of multi-Region keys. The log knows which versions a key has and who has imported
//! them; the bytes never pass through it.

use super::{Step, put};
use crate::control::{Activation, ControlState, KeySet, MaterialVersion, OfferImportedMaterial, Refusal, ReportImport};
use kms_types::{KeyId, KeyMaterialId, KeySpec, RegionName, RotationType, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

impl ControlState {
    pub(super) fn offer_imported_material(
        &self,
        region: &RegionName,
        at: Timestamp,
        body: &OfferImportedMaterial,
    ) -> Step {
        let mut set = self.external_set(region, &body.key_id, body.expected_epoch)?;
        if set.material(&body.material_id).is_some() {
            return Err(Refusal::MaterialExists);
        }
        let is_first = set.materials.is_empty();
        if !is_first && set.spec != KeySpec::SymmetricDefault {
            return Err(Refusal::IncorrectMaterial);
        }
        if let Some(staged) = set.staged() {
            return Err(Refusal::PendingRotation { pending: staged.material_id });
        }
        set.materials.push(MaterialVersion {
            material_id: body.material_id,
            created_at: at,
            // Only RotateKeyOnDemand will activate it.
            rotation_type: if is_first { None } else { Some(RotationType::OnDemand) },
            boxes: BTreeMap::new(),
            activation: is_first.then(|| Activation { at, without: BTreeSet::new(), by: None }),
            description: body.description.clone(),
            imported_by: BTreeSet::new(),
        });
        put(set)
    }

    pub(super) fn report_import(&self, region: &RegionName, body: &ReportImport) -> Step {
        let mut set = self.set(&body.key_id)?;
        if !set.is_external() {
            return Err(Refusal::Malformed);
        }
        set.holders.get(region).filter(|h| h.added_at == body.added_at).ok_or(Refusal::NoReplica)?;
        let version = set.materials.iter_mut().find(|m| m.material_id == body.material_id);
        let version = version.ok_or(Refusal::MaterialNotFound)?;
        if body.present {
            version.imported_by.insert(region.clone());
        } else {
            version.imported_by.remove(region);
        }
        put(set)
    }

    pub(super) fn withdraw_imported_material(
        &self,
        region: &RegionName,
        key_id: &KeyId,
        expected_epoch: u64,
        material_id: &KeyMaterialId,
    ) -> Step {
        let mut set = self.external_set(region, key_id, expected_epoch)?;
        set.staged().filter(|m| m.material_id == *material_id).ok_or(Refusal::NotStaged)?;
        set.materials.pop();
        put(set)
    }

    fn external_set(&self, region: &RegionName, key_id: &KeyId, epoch: u64) -> Result<KeySet, Refusal> {
        let set = self.set_as_primary(region, key_id, epoch)?;
        if set.is_external() { Ok(set) } else { Err(Refusal::Malformed) }
    }
}
