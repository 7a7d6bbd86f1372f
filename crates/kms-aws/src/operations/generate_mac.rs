//! `GenerateMac` on the wire.

use super::{WireOperation, choices, whole};
use crate::json::{KEY_ID, Members, base64_len, object};
use bytes::Bytes;
use kms_service::operations::encrypt::Secret;
use kms_service::operations::generate_mac::{GenerateMacRequest, GenerateMacResponse};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::limits::PLAINTEXT_BYTES_MAX;

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = Option<GenerateMacRequest>;
    type Response = GenerateMacResponse;

    const SECRET_BODY: bool = true;

    fn decode(members: &mut Members<'_>) -> Option<GenerateMacRequest> {
        let message = Secret(members.required_secret("Message", 1..=PLAINTEXT_BYTES_MAX));
        let key_id = members.required_text("KeyId", &KEY_ID);
        let mac_algorithm = choices::mac_algorithm(members);
        let grant_tokens = members.grant_tokens();
        let dry_run = members.boolean("DryRun").unwrap_or_default();
        let mac_algorithm = mac_algorithm?;
        Some(GenerateMacRequest { message, key_id, mac_algorithm, grant_tokens, dry_run })
    }

    async fn call(
        service: &Service,
        request: Authenticated<Option<GenerateMacRequest>>,
    ) -> Result<GenerateMacResponse, KmsError> {
        service.generate_mac(whole(request)?).await
    }

    fn encode(response: &GenerateMacResponse) -> Bytes {
        object(base64_len(response.mac.len()) + 256, |o| {
            o.blob("Mac", &response.mac);
            o.text("MacAlgorithm", response.mac_algorithm.as_str());
            o.text("KeyId", &response.key_id);
        })
        .into()
    }
}
