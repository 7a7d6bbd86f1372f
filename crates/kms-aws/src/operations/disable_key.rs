//! `DisableKey` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = DisableKeyRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> DisableKeyRequest {
        DisableKeyRequest { key_id: members.required_text("KeyId", &KEY_ID) }
    }

    async fn call(service: &Service, request: Authenticated<DisableKeyRequest>) -> Result<(), KmsError> {
        service.disable_key(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
