//! `Encapsulate` on the wire.

use super::{WireOperation, choices, whole};
use crate::json::{KEY_ID, Members, base64_len, secret_object};
use bytes::Bytes;
use kms_service::operations::encapsulate::{EncapsulateRequest, EncapsulateResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = Option<EncapsulateRequest>;
    type Response = EncapsulateResponse;

    fn decode(members: &mut Members<'_>) -> Option<EncapsulateRequest> {
        let key_id = members.required_text("KeyId", &KEY_ID);
        let encapsulation_algorithm = choices::encapsulation_algorithm(members);
        let grant_tokens = members.grant_tokens();
        let dry_run = members.boolean("DryRun").unwrap_or_default();
        let encapsulation_algorithm = encapsulation_algorithm?;
        Some(EncapsulateRequest { key_id, encapsulation_algorithm, grant_tokens, dry_run })
    }

    async fn call(
        service: &Service,
        request: Authenticated<Option<EncapsulateRequest>>,
    ) -> Result<EncapsulateResponse, KmsError> {
        service.encapsulate(whole(request)?).await
    }

    fn encode(response: &EncapsulateResponse) -> Bytes {
        let blobs =
            base64_len(response.shared_secret.0.len()) + base64_len(response.shared_secret_ciphertext_blob.len());
        secret_object(blobs + 512, |o| {
            o.text("KeyId", &response.key_id);
            o.blob("SharedSecret", &response.shared_secret.0);
            o.blob("SharedSecretCiphertextBlob", &response.shared_secret_ciphertext_blob);
            o.text("EncapsulationAlgorithm", response.encapsulation_algorithm.as_str());
        })
    }
}
