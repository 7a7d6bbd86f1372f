//! `GenerateDataKey` on the wire.

use super::{WireOperation, choices};
use crate::json::{KEY_ID, Members, base64_len, secret_object};
use bytes::Bytes;
use kms_service::operations::generate_data_key::{GenerateDataKeyRequest, GenerateDataKeyResponse};
use kms_service::{Authenticated, KmsError, Service};

/// `NumberOfBytesType` of the API model.
pub(super) const NUMBER_OF_BYTES: std::ops::RangeInclusive<u32> = 1..=1024;

pub(super) struct Wire;

/// Reads what GenerateDataKey and GenerateDataKeyWithoutPlaintext have in common.
pub(super) fn decode(members: &mut Members<'_>) -> GenerateDataKeyRequest {
    GenerateDataKeyRequest {
        key_id: members.required_text("KeyId", &KEY_ID),
        encryption_context: members.context("EncryptionContext"),
        number_of_bytes: members.integer("NumberOfBytes", NUMBER_OF_BYTES),
        key_spec: choices::data_key_spec(members),
        grant_tokens: members.grant_tokens(),
        dry_run: members.boolean("DryRun").unwrap_or_default(),
    }
}

impl WireOperation for Wire {
    type Request = GenerateDataKeyRequest;
    type Response = GenerateDataKeyResponse;

    fn decode(members: &mut Members<'_>) -> GenerateDataKeyRequest {
        members.refuse_recipient();
        decode(members)
    }

    async fn call(
        service: &Service,
        request: Authenticated<GenerateDataKeyRequest>,
    ) -> Result<GenerateDataKeyResponse, KmsError> {
        service.generate_data_key(request).await
    }

    fn encode(response: &GenerateDataKeyResponse) -> Bytes {
        let blobs = base64_len(response.ciphertext_blob.len()) + base64_len(response.plaintext.0.len());
        secret_object(blobs + 512, |o| {
            o.blob("CiphertextBlob", &response.ciphertext_blob);
            o.blob("Plaintext", &response.plaintext.0);
            o.text("KeyId", &response.key_id);
            o.text("KeyMaterialId", &response.key_material_id.to_string());
        })
    }
}
