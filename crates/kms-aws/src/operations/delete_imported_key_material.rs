//! `DeleteImportedKeyMaterial` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::delete_imported_key_material::{
    DeleteImportedKeyMaterialRequest, DeleteImportedKeyMaterialResponse,
};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = DeleteImportedKeyMaterialRequest;
    type Response = DeleteImportedKeyMaterialResponse;

    fn decode(members: &mut Members<'_>) -> DeleteImportedKeyMaterialRequest {
        DeleteImportedKeyMaterialRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            key_material_id: members.key_material_id(),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<DeleteImportedKeyMaterialRequest>,
    ) -> Result<DeleteImportedKeyMaterialResponse, KmsError> {
        service.delete_imported_key_material(request).await
    }

    fn encode(response: &DeleteImportedKeyMaterialResponse) -> Bytes {
        object(256, |o| {
            o.text("KeyId", &response.key_id);
            o.optional_text("KeyMaterialId", response.key_material_id.as_deref());
        })
        .into()
    }
}
