//! `Verify` on the wire.

use super::{WireOperation, choices, whole};
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::encrypt::Secret;
use kms_service::operations::verify::{VerifyRequest, VerifyResponse};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::limits::{CIPHERTEXT_BYTES_MAX, PLAINTEXT_BYTES_MAX};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = Option<VerifyRequest>;
    type Response = VerifyResponse;

    const SECRET_BODY: bool = true;

    fn decode(members: &mut Members<'_>) -> Option<VerifyRequest> {
        let key_id = members.required_text("KeyId", &KEY_ID);
        let message = Secret(members.required_secret("Message", 1..=PLAINTEXT_BYTES_MAX));
        let message_type = choices::message_type(members);
        let signature = members.required_blob("Signature", 1..=CIPHERTEXT_BYTES_MAX);
        let signing_algorithm = choices::signing_algorithm(members);
        let grant_tokens = members.grant_tokens();
        let dry_run = members.boolean("DryRun").unwrap_or_default();
        let signing_algorithm = signing_algorithm?;
        Some(VerifyRequest { key_id, message, message_type, signature, signing_algorithm, grant_tokens, dry_run })
    }

    async fn call(
        service: &Service,
        request: Authenticated<Option<VerifyRequest>>,
    ) -> Result<VerifyResponse, KmsError> {
        service.verify(whole(request)?).await
    }

    fn encode(response: &VerifyResponse) -> Bytes {
        object(256, |o| {
            o.text("KeyId", &response.key_id);
            o.boolean("SignatureValid", true);
            o.text("SigningAlgorithm", response.signing_algorithm.as_str());
        })
        .into()
    }
}
