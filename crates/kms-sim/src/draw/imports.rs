//! Commands about imported material, out of wishes.

use super::{Draw, Flaw, Proposer, Wish, life};
use crate::cast;
use kms_core::control::{ControlBody, KeySet, MaterialVersion, OfferImportedMaterial, ReportImport};
use kms_types::{KeyMaterialId, RegionName};

impl Proposer {
    pub(super) fn offer(&mut self, set: &KeySet, expected_epoch: u64, draw: &Draw) -> ControlBody {
        let known = set.materials.first().map(|m| m.material_id).filter(|_| draw.flaw == Some(Flaw::Material));
        let material_id = known.unwrap_or_else(|| cast::material(self.next()));
        let description = format!("number {}", self.number);
        ControlBody::OfferImportedMaterial(OfferImportedMaterial {
            key_id: set.key_id,
            expected_epoch,
            material_id,
            description,
        })
    }

    /// A holder that has yet to import the latest version says that it has, or the other way round.
    pub(super) fn report(&mut self, set: &KeySet, draw: &Draw) -> (RegionName, ControlBody) {
        let present = draw.wish == Wish::Report;
        let latest = set.materials.last();
        let differs = |region: &&RegionName| latest.is_some_and(|m| m.imported_by.contains(*region) != present);
        let region = set.holders.keys().find(differs).cloned().unwrap_or_else(|| cast::region(draw.region));
        let added_at = life(set, &region, draw);
        let material_id = self.version_or_another(latest, draw);
        let body = ReportImport { key_id: set.key_id, added_at, material_id, present };
        (region, ControlBody::ReportImport(body))
    }

    pub(super) fn withdraw(&mut self, set: &KeySet, expected_epoch: u64, draw: &Draw) -> ControlBody {
        let material_id = self.version_or_another(set.materials.last(), draw);
        ControlBody::WithdrawImportedMaterial { key_id: set.key_id, expected_epoch, material_id }
    }

    fn version_or_another(&mut self, version: Option<&MaterialVersion>, draw: &Draw) -> KeyMaterialId {
        let named = version.map(|m| m.material_id).filter(|_| draw.flaw != Some(Flaw::Material));
        named.unwrap_or_else(|| cast::material(self.next()))
    }
}
