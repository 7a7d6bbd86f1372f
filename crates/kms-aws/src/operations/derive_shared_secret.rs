//! `DeriveSharedSecret` on the wire.

use super::{WireOperation, choices, whole};
use crate::json::{KEY_ID, Members, delivered_len, secret_object};
use bytes::Bytes;
use kms_service::operations::derive_shared_secret::{DeriveSharedSecretRequest, DeriveSharedSecretResponse};
use kms_service::{Authenticated, KmsError, Service};

/// `PublicKeyType` of the API model.
const PUBLIC_KEY: std::ops::RangeInclusive<usize> = 1..=8192;

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = Option<DeriveSharedSecretRequest>;
    type Response = DeriveSharedSecretResponse;

    fn decode(members: &mut Members<'_>) -> Option<DeriveSharedSecretRequest> {
        let key_id = members.required_text("KeyId", &KEY_ID);
        let key_agreement_algorithm = choices::key_agreement_algorithm(members);
        let public_key = members.required_blob("PublicKey", PUBLIC_KEY);
        let grant_tokens = members.grant_tokens();
        let dry_run = members.boolean("DryRun").unwrap_or_default();
        let recipient = members.recipient();
        let key_agreement_algorithm = key_agreement_algorithm?;
        Some(DeriveSharedSecretRequest {
            key_id,
            key_agreement_algorithm,
            public_key,
            grant_tokens,
            dry_run,
            recipient,
        })
    }

    async fn call(
        service: &Service,
        request: Authenticated<Option<DeriveSharedSecretRequest>>,
    ) -> Result<DeriveSharedSecretResponse, KmsError> {
        service.derive_shared_secret(whole(request)?).await
    }

    fn encode(response: &DeriveSharedSecretResponse) -> Bytes {
        secret_object(delivered_len(&response.shared_secret) + 512, |o| {
            o.text("KeyId", &response.key_id);
            o.delivered("SharedSecret", &response.shared_secret);
            o.text("KeyAgreementAlgorithm", response.key_agreement_algorithm.as_str());
            o.text("KeyOrigin", response.key_origin.as_str());
        })
    }
}
