//! `ImportKeyMaterial` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, KEY_MATERIAL_DESCRIPTION, Members, object};
use bytes::Bytes;
use kms_service::operations::import_key_material::{ImportKeyMaterialRequest, ImportKeyMaterialResponse};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::limits::CIPHERTEXT_BYTES_MAX;
use kms_types::{ExpirationModel, ImportType};
use std::ops::RangeInclusive;

/// `CiphertextType`.
const BLOB: RangeInclusive<usize> = 1..=CIPHERTEXT_BYTES_MAX;

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = ImportKeyMaterialRequest;
    type Response = ImportKeyMaterialResponse;

    fn decode(members: &mut Members<'_>) -> ImportKeyMaterialRequest {
        ImportKeyMaterialRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            import_token: members.required_blob("ImportToken", BLOB),
            encrypted_key_material: members.required_blob("EncryptedKeyMaterial", BLOB),
            valid_to: members.timestamp("ValidTo"),
            expiration_model: expiration_model(members),
            import_type: import_type(members),
            key_material_description: members.text("KeyMaterialDescription", &KEY_MATERIAL_DESCRIPTION),
            key_material_id: members.key_material_id(),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<ImportKeyMaterialRequest>,
    ) -> Result<ImportKeyMaterialResponse, KmsError> {
        service.import_key_material(request).await
    }

    fn encode(response: &ImportKeyMaterialResponse) -> Bytes {
        object(256, |o| {
            o.text("KeyId", &response.key_id);
            if let Some(material_id) = &response.key_material_id {
                o.text("KeyMaterialId", &material_id.to_string());
            }
        })
        .into()
    }
}

fn expiration_model(members: &mut Members<'_>) -> Option<ExpirationModel> {
    let listed = ExpirationModel::ALL.map(ExpirationModel::as_str);
    members.choice("ExpirationModel", &listed, |value| ExpirationModel::parse(value).ok())
}

fn import_type(members: &mut Members<'_>) -> Option<ImportType> {
    members.choice("ImportType", &ImportType::ALL.map(ImportType::as_str), |value| ImportType::parse(value).ok())
}
