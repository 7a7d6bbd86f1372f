//! `ListKeyRotations`: the completed rotations of a key, or all its material, oldest first. Works in every key state and
//! on every related key.

use super::page::{Limits, Pages};
use super::rotate_key_on_demand::check_symmetric;
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_core::control::{KeySet, MaterialVersion};
use kms_core::regional::LocalMaterial;
use kms_policy::Action;
use kms_types::{KeyId, KeyMaterialId, Origin, RotationType, Timestamp};

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
    /// `ALL_KEY_MATERIAL`: the first material too, and imported material that waits for its rotation.
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

/// One material version: one that is or was current, or imported material that waits for its rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct RotationsListEntry {
    pub key_id: KeyId,
    pub key_material_id: KeyMaterialId,
    pub key_material_state: KeyMaterialState,
    /// `RotationType` and `RotationDate`; absent for the first material and for material that waits.
    pub rotation: Option<(RotationType, Timestamp)>,
    /// Of imported material only.
    pub import: Option<ImportedVersion>,
}

/// What a list entry says of imported material, as it is in this Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedVersion {
    /// Whether `ImportState` is `IMPORTED` or `PENDING_IMPORT`.
    pub is_imported: bool,
    /// `KeyMaterialDescription`; absent from the response when empty.
    pub description: String,
    /// `ValidTo`; material that is there without one does not expire.
    pub valid_to: Option<Timestamp>,
}

/// The API's `KeyMaterialState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are the API model's own names")]
pub enum KeyMaterialState {
    Current,
    NonCurrent,
    PendingRotation,
    PendingMultiRegionImportAndRotation,
}

impl KeyMaterialState {
    /// The wire value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "CURRENT",
            Self::NonCurrent => "NON_CURRENT",
            Self::PendingRotation => "PENDING_ROTATION",
            Self::PendingMultiRegionImportAndRotation => "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
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
        let entry = self.resolve(&self.access(&caller, Action::ListKeyRotations), &request.key_id, Accept::KeyOnly)?;
        let size = Limits::KEYS.size(request.limit)?;
        check_symmetric(&entry)?;
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

/// Every material version that is or was current, and imported material that waits for its rotation, oldest first. Other
/// staged material is no rotation yet.
fn materials(entry: &KeyEntry) -> Vec<RotationsListEntry> {
    let versions = match &entry.set {
        Some(set) => versions_of_set(set),
        None => entry.record.materials.iter().map(version_here).collect(),
    };
    let current = versions.iter().rev().find(|version| version.waits.is_none()).map(|version| version.id);
    let entry_of = |version: Version| RotationsListEntry {
        key_id: entry.arn.key_id,
        key_material_id: version.id,
        key_material_state: match version.waits {
            Some(state) => state,
            None if Some(version.id) == current => KeyMaterialState::Current,
            None => KeyMaterialState::NonCurrent,
        },
        rotation: version.rotation,
        import: imported(entry, &version.id),
    };
    versions.into_iter().map(entry_of).collect()
}

struct Version {
    id: KeyMaterialId,
    rotation: Option<(RotationType, Timestamp)>,
    /// Its state, while it waits.
    waits: Option<KeyMaterialState>,
}

fn versions_of_set(set: &KeySet) -> Vec<Version> {
    let version = |m: &MaterialVersion| {
        let waits = match &m.activation {
            Some(_) => None,
            None if !set.is_external() => return None,
            None if set.lacking_import(m).next().is_some() => {
                Some(KeyMaterialState::PendingMultiRegionImportAndRotation)
            }
            None => Some(KeyMaterialState::PendingRotation),
        };
        let rotation = m.rotation_type.zip(m.activation.as_ref()).map(|(kind, activation)| (kind, activation.at));
        Some(Version { id: m.material_id, rotation, waits })
    };
    set.materials.iter().filter_map(version).collect()
}

fn version_here(material: &LocalMaterial) -> Version {
    let waits = material.is_pending().then_some(KeyMaterialState::PendingRotation);
    Version { id: material.material_id, rotation: material.rotation, waits }
}

fn imported(entry: &KeyEntry, id: &KeyMaterialId) -> Option<ImportedVersion> {
    if entry.record.origin != Origin::External {
        return None;
    }
    let here = entry.record.material(id);
    let import = here.and_then(|m| m.import.as_ref());
    Some(ImportedVersion {
        is_imported: here.is_some_and(LocalMaterial::is_present),
        description: import.map(|import| import.description.clone()).unwrap_or_default(),
        valid_to: import.and_then(|import| import.expires_at),
    })
}
