//! `GenerateDataKey` on the wire.

use super::{WireOperation, choices};
use crate::json::{KEY_ID, Members, base64_len, delivered_len, secret_object};
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
        recipient: None,
    }
}

impl WireOperation for Wire {
    type Request = GenerateDataKeyRequest;
    type Response = GenerateDataKeyResponse;

    fn decode(members: &mut Members<'_>) -> GenerateDataKeyRequest {
        let recipient = members.recipient();
        GenerateDataKeyRequest { recipient, ..decode(members) }
    }

    async fn call(
        service: &Service,
        request: Authenticated<GenerateDataKeyRequest>,
    ) -> Result<GenerateDataKeyResponse, KmsError> {
        service.generate_data_key(request).await
    }

    fn encode(response: &GenerateDataKeyResponse) -> Bytes {
        let blobs = base64_len(response.ciphertext_blob.len()) + delivered_len(&response.plaintext);
        secret_object(blobs + 512, |o| {
            o.blob("CiphertextBlob", &response.ciphertext_blob);
            o.delivered("Plaintext", &response.plaintext);
            o.text("KeyId", &response.key_id);
            o.optional_text("KeyMaterialId", response.key_material_id.map(|id| id.to_string()).as_deref());
        })
    }
}
