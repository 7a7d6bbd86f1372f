//! `ListKeyRotations`: the completed rotations of a key, or all its material, oldest first. Works in every key state and
//! on every related key.

use super::page::{Limits, Pages};
use super::rotate_key_on_demand::check_rotatable;
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_types::{KeyId, KeyMaterialId, RotationType, Timestamp};

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListKeyRotationsRequest {
    pub key_id: String,
    pub include_key_material: IncludeKeyMaterial,
    pub limit: Option<u32>,
    pub marker: Option<String>,
}

/// The API's `IncludeKeyMaterial`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncludeKeyMaterial {
    /// `ROTATIONS_ONLY`.
    #[default]
    RotationsOnly,
    /// `ALL_KEY_MATERIAL`: the first material too.
    AllKeyMaterial,
}

impl IncludeKeyMaterial {
    /// Every value, in the API model's order.
    pub const ALL: [Self; 2] = [Self::AllKeyMaterial, Self::RotationsOnly];

    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllKeyMaterial => "ALL_KEY_MATERIAL",
            Self::RotationsOnly => "ROTATIONS_ONLY",
        }
    }
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListKeyRotationsResponse {
    pub rotations: Vec<RotationsListEntry>,
    /// Present exactly when the list is truncated.
    pub next_marker: Option<String>,
}

/// One material version that is or was current.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct RotationsListEntry {
    pub key_id: KeyId,
    pub key_material_id: KeyMaterialId,
    pub key_material_state: KeyMaterialState,
    /// `RotationType` and `RotationDate`; absent for the first material.
    pub rotation: Option<(RotationType, Timestamp)>,
}

/// The API's `KeyMaterialState`, as far as material made here goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are the API model's own names")]
pub enum KeyMaterialState {
    Current,
    NonCurrent,
}

impl KeyMaterialState {
    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "CURRENT",
            Self::NonCurrent => "NON_CURRENT",
        }
    }
}

impl Service {
    /// `ListKeyRotations`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn list_key_rotations(
        &self,
        request: Authenticated<ListKeyRotationsRequest>,
    ) -> Result<ListKeyRotationsResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let entry = self.resolve(&caller, &request.key_id, Accept::KeyOnly, "ListKeyRotations")?;
        let size = Limits::KEYS.size(request.limit)?;
        check_rotatable(&entry)?;
        let include = request.include_key_material;
        let scope = format!("{}/{}", entry.arn.key_id, include.as_str());
        let pages = Pages { operation: "ListKeyRotations", scope: &scope };
        let mut entries = materials(&entry);
        if include == IncludeKeyMaterial::RotationsOnly {
            entries.retain(|e| e.rotation.is_some());
        }
        let start = match pages.after(request.marker.as_deref())? {
            None => 0,
            Some(last) => {
                let at = entries.iter().position(|e| e.key_material_id.to_string() == last);
                at.ok_or(KmsError::InvalidMarker)?.saturating_add(1)
            }
        };
        let (rotations, next_marker) =
            pages.take(size, entries.into_iter().skip(start), |e| e.key_material_id.to_string());
        Ok(ListKeyRotationsResponse { rotations, next_marker })
    }
}

/// Every material version that is or was current, oldest first. Staged material is no rotation yet.
fn materials(entry: &KeyEntry) -> Vec<RotationsListEntry> {
    type Version = (KeyMaterialId, Option<(RotationType, Timestamp)>);
    let versions: Vec<Version> = match &entry.set {
        Some(set) => {
            let activated = set.materials.iter().filter_map(|m| Some((m, m.activation.as_ref()?.at)));
            activated.map(|(m, at)| (m.material_id, m.rotation_type.map(|kind| (kind, at)))).collect()
        }
        None => entry.record.materials.iter().map(|m| (m.material_id, m.rotation)).collect(),
    };
    let current = versions.last().map(|(id, _)| *id);
    let state = |id| if Some(id) == current { KeyMaterialState::Current } else { KeyMaterialState::NonCurrent };
    let entry_of = |(key_material_id, rotation): Version| RotationsListEntry {
        key_id: entry.arn.key_id,
        key_material_id,
        key_material_state: state(key_material_id),
        rotation,
    };
    versions.into_iter().map(entry_of).collect()
}
