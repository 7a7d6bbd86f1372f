//! What the model believes of imported material.

use super::{Key, Model};
use kms_core::control::{ActivateMaterial, ControlBody};
use kms_types::RegionName;

impl Model {
    pub(super) fn take_in_import(&mut self, me: &RegionName, body: &ControlBody) -> Option<()> {
        match body {
            ControlBody::OfferImportedMaterial(b) => {
                let key = self.led_by(me, &b.key_id, b.expected_epoch).filter(|key| key.external)?;
                let first = key.activated.is_empty();
                let room = first || (key.symmetric && key.staged.is_none());
                (room && !key.activated.contains(&b.material_id)).then_some(())?;
                if first {
                    key.activated.push(b.material_id);
                } else {
                    key.staged = Some(b.material_id);
                }
            }
            ControlBody::ReportImport(b) => {
                let key = self.keys.get_mut(&b.key_id).filter(|key| key.external)?;
                key.holders.get(me).filter(|(since, _)| *since == b.added_at)?;
                let known = key.activated.contains(&b.material_id) || key.staged == Some(b.material_id);
                known.then_some(())?;
                let import = (b.material_id, me.clone());
                if b.present {
                    key.imports.insert(import)
                } else {
                    key.imports.remove(&import)
                };
            }
            ControlBody::WithdrawImportedMaterial { key_id, expected_epoch, material_id } => {
                let key = self.led_by(me, key_id, *expected_epoch).filter(|key| key.external)?;
                (key.staged == Some(*material_id)).then_some(())?;
                key.staged = None;
                key.imports.retain(|(id, _)| id != material_id);
            }
            _ => return None,
        }
        Some(())
    }
}

impl Key {
    /// Material that was made here is activated when the primary says so; imported material when all who count have it.
    pub(super) fn may_activate(&self, b: &ActivateMaterial) -> bool {
        let has_it = |region: &RegionName| self.imports.contains(&(b.material_id, region.clone()));
        let all_have_it = self.holders.keys().all(|region| b.without.contains(region) || has_it(region));
        !self.external || (all_have_it && self.on_demand < b.on_demand_limit)
    }
}
