//! `ListKeyRotations` on the wire.

use super::{WireOperation, paging};
use crate::json::{KEY_ID, Members, Object, object};
use bytes::Bytes;
use kms_service::operations::list_key_rotations::{
    ImportedVersion, IncludeKeyMaterial, ListKeyRotationsRequest, ListKeyRotationsResponse,
};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::ExpirationModel;

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = ListKeyRotationsRequest;
    type Response = ListKeyRotationsResponse;

    fn decode(members: &mut Members<'_>) -> ListKeyRotationsRequest {
        let included = |value: &str| IncludeKeyMaterial::ALL.into_iter().find(|included| included.as_str() == value);
        let listed = IncludeKeyMaterial::ALL.map(IncludeKeyMaterial::as_str);
        ListKeyRotationsRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            include_key_material: members.choice("IncludeKeyMaterial", &listed, included).unwrap_or_default(),
            limit: paging::limit(members),
            marker: paging::marker(members),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<ListKeyRotationsRequest>,
    ) -> Result<ListKeyRotationsResponse, KmsError> {
        service.list_key_rotations(request).await
    }

    fn encode(response: &ListKeyRotationsResponse) -> Bytes {
        object(response.rotations.len() * 256 + 64, |o| {
            o.objects("Rotations", &response.rotations, |o, entry| {
                o.text("KeyId", entry.key_id.as_str());
                o.text("KeyMaterialId", &entry.key_material_id.to_string());
                if let Some(import) = &entry.import {
                    write_import(o, import);
                }
                o.text("KeyMaterialState", entry.key_material_state.as_str());
                if let Some((kind, date)) = entry.rotation {
                    o.timestamp("RotationDate", date);
                    o.text("RotationType", kind.as_str());
                }
            });
            paging::write_end(o, response.next_marker.as_deref());
        })
        .into()
    }
}

/// Material that is not there has no expiration.
fn write_import(object: &mut Object<'_>, import: &ImportedVersion) {
    if !import.description.is_empty() {
        object.text("KeyMaterialDescription", &import.description);
    }
    object.text("ImportState", if import.is_imported { "IMPORTED" } else { "PENDING_IMPORT" });
    if import.is_imported {
        let model = match import.valid_to {
            Some(_) => ExpirationModel::KeyMaterialExpires,
            None => ExpirationModel::KeyMaterialDoesNotExpire,
        };
        object.text("ExpirationModel", model.as_str());
        if let Some(valid_to) = import.valid_to {
            object.timestamp("ValidTo", valid_to);
        }
    }
}
