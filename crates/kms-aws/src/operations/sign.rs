//! `Sign` on the wire.

use super::{WireOperation, choices, whole};
use crate::json::{KEY_ID, Members, base64_len, object};
use bytes::Bytes;
use kms_service::operations::encrypt::Secret;
use kms_service::operations::sign::{SignRequest, SignResponse};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::limits::PLAINTEXT_BYTES_MAX;

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = Option<SignRequest>;
    type Response = SignResponse;

    const SECRET_BODY: bool = true;

    fn decode(members: &mut Members<'_>) -> Option<SignRequest> {
        let key_id = members.required_text("KeyId", &KEY_ID);
        let message = Secret(members.required_secret("Message", 1..=PLAINTEXT_BYTES_MAX));
        let message_type = choices::message_type(members);
        let grant_tokens = members.grant_tokens();
        let signing_algorithm = choices::signing_algorithm(members);
        let dry_run = members.boolean("DryRun").unwrap_or_default();
        let signing_algorithm = signing_algorithm?;
        Some(SignRequest { key_id, message, message_type, grant_tokens, signing_algorithm, dry_run })
    }

    async fn call(service: &Service, request: Authenticated<Option<SignRequest>>) -> Result<SignResponse, KmsError> {
        service.sign(whole(request)?).await
    }

    fn encode(response: &SignResponse) -> Bytes {
        object(base64_len(response.signature.len()) + 256, |o| {
            o.text("KeyId", &response.key_id);
            o.blob("Signature", &response.signature);
            o.text("SigningAlgorithm", response.signing_algorithm.as_str());
        })
        .into()
    }
}
