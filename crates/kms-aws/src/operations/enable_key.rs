//! `EnableKey` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::enable_key::EnableKeyRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = EnableKeyRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> EnableKeyRequest {
        EnableKeyRequest { key_id: members.required_text("KeyId", &KEY_ID) }
    }

    async fn call(service: &Service, request: Authenticated<EnableKeyRequest>) -> Result<(), KmsError> {
        service.enable_key(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
