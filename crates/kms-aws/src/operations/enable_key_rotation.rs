//! `EnableKeyRotation` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::enable_key_rotation::EnableKeyRotationRequest;
use kms_service::{Authenticated, KmsError, Service};
use kms_types::limits;

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = EnableKeyRotationRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> EnableKeyRotationRequest {
        EnableKeyRotationRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            rotation_period_in_days: members.integer("RotationPeriodInDays", limits::ROTATION_PERIOD_DAYS),
        }
    }

    async fn call(service: &Service, request: Authenticated<EnableKeyRotationRequest>) -> Result<(), KmsError> {
        service.enable_key_rotation(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
