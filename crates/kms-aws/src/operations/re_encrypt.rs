//! `ReEncrypt` on the wire.

use super::{WireOperation, choices};
use crate::json::{KEY_ID, Members, base64_len, object};
use bytes::Bytes;
use kms_service::operations::re_encrypt::{ReEncryptRequest, ReEncryptResponse};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::limits::CIPHERTEXT_BYTES_MAX;

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = ReEncryptRequest;
    type Response = ReEncryptResponse;

    fn decode(members: &mut Members<'_>) -> ReEncryptRequest {
        ReEncryptRequest {
            ciphertext_blob: members.blob("CiphertextBlob", 1..=CIPHERTEXT_BYTES_MAX),
            source_encryption_context: members.context("SourceEncryptionContext"),
            source_key_id: members.text("SourceKeyId", &KEY_ID),
            destination_key_id: members.required_text("DestinationKeyId", &KEY_ID),
            destination_encryption_context: members.context("DestinationEncryptionContext"),
            source_encryption_algorithm: choices::encryption_algorithm(members, "SourceEncryptionAlgorithm"),
            destination_encryption_algorithm: choices::encryption_algorithm(members, "DestinationEncryptionAlgorithm"),
            grant_tokens: members.grant_tokens(),
            dry_run: members.boolean("DryRun").unwrap_or_default(),
            ignore_ciphertext: choices::ignore_ciphertext(members),
        }
    }

    async fn call(service: &Service, request: Authenticated<ReEncryptRequest>) -> Result<ReEncryptResponse, KmsError> {
        service.re_encrypt(request).await
    }

    fn encode(response: &ReEncryptResponse) -> Bytes {
        object(base64_len(response.ciphertext_blob.len()) + 640, |o| {
            o.blob("CiphertextBlob", &response.ciphertext_blob);
            o.text("SourceKeyId", &response.source_key_id);
            o.text("KeyId", &response.key_id);
            o.text("SourceEncryptionAlgorithm", response.source_encryption_algorithm.as_str());
            o.text("DestinationEncryptionAlgorithm", response.destination_encryption_algorithm.as_str());
            let (source, destination) = (response.source_key_material_id, response.destination_key_material_id);
            o.optional_text("SourceKeyMaterialId", source.map(|id| id.to_string()).as_deref());
            o.optional_text("DestinationKeyMaterialId", destination.map(|id| id.to_string()).as_deref());
        })
        .into()
    }
}
