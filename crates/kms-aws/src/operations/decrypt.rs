//! `Decrypt` on the wire.

use super::WireOperation;
use super::choices;
use crate::json::{KEY_ID, Members, delivered_len, secret_object};
use bytes::Bytes;
use kms_service::operations::decrypt::{DecryptRequest, DecryptResponse};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::limits::CIPHERTEXT_BYTES_MAX;

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = DecryptRequest;
    type Response = DecryptResponse;

    fn decode(members: &mut Members<'_>) -> DecryptRequest {
        DecryptRequest {
            recipient: members.recipient(),
            ciphertext_blob: members.blob("CiphertextBlob", 1..=CIPHERTEXT_BYTES_MAX),
            encryption_context: members.context("EncryptionContext"),
            grant_tokens: members.grant_tokens(),
            key_id: members.text("KeyId", &KEY_ID),
            encryption_algorithm: choices::encryption_algorithm(members, "EncryptionAlgorithm"),
            dry_run: members.boolean("DryRun").unwrap_or_default(),
            ignore_ciphertext: choices::ignore_ciphertext(members),
        }
    }

    async fn call(service: &Service, request: Authenticated<DecryptRequest>) -> Result<DecryptResponse, KmsError> {
        service.decrypt(request).await
    }

    fn encode(response: &DecryptResponse) -> Bytes {
        secret_object(delivered_len(&response.plaintext) + 512, |o| {
            o.text("KeyId", &response.key_id);
            o.delivered("Plaintext", &response.plaintext);
            o.text("EncryptionAlgorithm", response.encryption_algorithm.as_str());
            o.optional_text("KeyMaterialId", response.key_material_id.map(|id| id.to_string()).as_deref());
        })
    }
}
