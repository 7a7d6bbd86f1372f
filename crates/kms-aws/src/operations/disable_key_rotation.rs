//! `DisableKeyRotation` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::disable_key_rotation::DisableKeyRotationRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = DisableKeyRotationRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> DisableKeyRotationRequest {
        DisableKeyRotationRequest { key_id: members.required_text("KeyId", &KEY_ID) }
    }

    async fn call(service: &Service, request: Authenticated<DisableKeyRotationRequest>) -> Result<(), KmsError> {
        service.disable_key_rotation(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
