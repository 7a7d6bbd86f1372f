//! `GetPublicKey` on the wire.

use super::choices::is_customer_master_key_spec;
use super::{WireOperation, algorithms};
use crate::json::{KEY_ID, Members, base64_len, object};
use bytes::Bytes;
use kms_service::operations::get_public_key::{GetPublicKeyRequest, GetPublicKeyResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = GetPublicKeyRequest;
    type Response = GetPublicKeyResponse;

    fn decode(members: &mut Members<'_>) -> GetPublicKeyRequest {
        GetPublicKeyRequest { key_id: members.required_text("KeyId", &KEY_ID), grant_tokens: members.grant_tokens() }
    }

    async fn call(
        service: &Service,
        request: Authenticated<GetPublicKeyRequest>,
    ) -> Result<GetPublicKeyResponse, KmsError> {
        service.get_public_key(request).await
    }

    fn encode(response: &GetPublicKeyResponse) -> Bytes {
        object(base64_len(response.public_key.len()) + 512, |o| {
            o.text("KeyId", &response.key_id);
            o.blob("PublicKey", &response.public_key);
            if is_customer_master_key_spec(response.key_spec) {
                o.text("CustomerMasterKeySpec", response.key_spec.as_str());
            }
            o.text("KeySpec", response.key_spec.as_str());
            o.text("KeyUsage", response.key_usage.as_str());
            algorithms::write(o, response.key_spec, response.key_usage);
        })
        .into()
    }
}
