//! `VerifyMac` on the wire.

use super::{WireOperation, choices, whole};
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::encrypt::Secret;
use kms_service::operations::verify_mac::{VerifyMacRequest, VerifyMacResponse};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::limits::{CIPHERTEXT_BYTES_MAX, PLAINTEXT_BYTES_MAX};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = Option<VerifyMacRequest>;
    type Response = VerifyMacResponse;

    const SECRET_BODY: bool = true;

    fn decode(members: &mut Members<'_>) -> Option<VerifyMacRequest> {
        let message = Secret(members.required_secret("Message", 1..=PLAINTEXT_BYTES_MAX));
        let key_id = members.required_text("KeyId", &KEY_ID);
        let mac_algorithm = choices::mac_algorithm(members);
        let mac = members.required_blob("Mac", 1..=CIPHERTEXT_BYTES_MAX);
        let grant_tokens = members.grant_tokens();
        let dry_run = members.boolean("DryRun").unwrap_or_default();
        let mac_algorithm = mac_algorithm?;
        Some(VerifyMacRequest { message, key_id, mac_algorithm, mac, grant_tokens, dry_run })
    }

    async fn call(
        service: &Service,
        request: Authenticated<Option<VerifyMacRequest>>,
    ) -> Result<VerifyMacResponse, KmsError> {
        service.verify_mac(whole(request)?).await
    }

    fn encode(response: &VerifyMacResponse) -> Bytes {
        object(256, |o| {
            o.text("KeyId", &response.key_id);
            o.boolean("MacValid", true);
            o.text("MacAlgorithm", response.mac_algorithm.as_str());
        })
        .into()
    }
}
