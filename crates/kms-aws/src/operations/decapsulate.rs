//! `Decapsulate` on the wire.

use super::{WireOperation, choices, whole};
use crate::json::{KEY_ID, Members, base64_len, secret_object};
use bytes::Bytes;
use kms_service::operations::decapsulate::{DecapsulateRequest, DecapsulateResponse};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::limits::CIPHERTEXT_BYTES_MAX;

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = Option<DecapsulateRequest>;
    type Response = DecapsulateResponse;

    fn decode(members: &mut Members<'_>) -> Option<DecapsulateRequest> {
        let key_id = members.required_text("KeyId", &KEY_ID);
        let blob = members.required_blob("SharedSecretCiphertextBlob", 1..=CIPHERTEXT_BYTES_MAX);
        let encapsulation_algorithm = choices::encapsulation_algorithm(members);
        let grant_tokens = members.grant_tokens();
        let dry_run = members.boolean("DryRun").unwrap_or_default();
        let encapsulation_algorithm = encapsulation_algorithm?;
        let shared_secret_ciphertext_blob = blob;
        Some(DecapsulateRequest {
            key_id,
            shared_secret_ciphertext_blob,
            encapsulation_algorithm,
            grant_tokens,
            dry_run,
        })
    }

    async fn call(
        service: &Service,
        request: Authenticated<Option<DecapsulateRequest>>,
    ) -> Result<DecapsulateResponse, KmsError> {
        service.decapsulate(whole(request)?).await
    }

    fn encode(response: &DecapsulateResponse) -> Bytes {
        secret_object(base64_len(response.shared_secret.0.len()) + 512, |o| {
            o.text("KeyId", &response.key_id);
            o.blob("SharedSecret", &response.shared_secret.0);
            o.text("EncapsulationAlgorithm", response.encapsulation_algorithm.as_str());
        })
    }
}
