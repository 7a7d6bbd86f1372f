//! `Encrypt` on the wire.

use super::WireOperation;
use super::choices;
use crate::json::{KEY_ID, Members, base64_len, object};
use bytes::Bytes;
use kms_service::operations::encrypt::{EncryptRequest, EncryptResponse, Secret};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::limits::PLAINTEXT_BYTES_MAX;

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = EncryptRequest;
    type Response = EncryptResponse;

    const SECRET_BODY: bool = true;

    fn decode(members: &mut Members<'_>) -> EncryptRequest {
        EncryptRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            plaintext: Secret(members.required_secret("Plaintext", 1..=PLAINTEXT_BYTES_MAX)),
            encryption_context: members.context("EncryptionContext"),
            grant_tokens: members.grant_tokens(),
            encryption_algorithm: choices::encryption_algorithm(members, "EncryptionAlgorithm"),
            dry_run: members.boolean("DryRun").unwrap_or_default(),
        }
    }

    async fn call(service: &Service, request: Authenticated<EncryptRequest>) -> Result<EncryptResponse, KmsError> {
        service.encrypt(request).await
    }

    fn encode(response: &EncryptResponse) -> Bytes {
        object(base64_len(response.ciphertext_blob.len()) + 256, |o| {
            o.blob("CiphertextBlob", &response.ciphertext_blob);
            o.text("KeyId", &response.key_id);
            o.text("EncryptionAlgorithm", response.encryption_algorithm.as_str());
        })
        .into()
    }
}
