//! `GetKeyRotationStatus` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::get_key_rotation_status::{GetKeyRotationStatusRequest, GetKeyRotationStatusResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = GetKeyRotationStatusRequest;
    type Response = GetKeyRotationStatusResponse;

    fn decode(members: &mut Members<'_>) -> GetKeyRotationStatusRequest {
        GetKeyRotationStatusRequest { key_id: members.required_text("KeyId", &KEY_ID) }
    }

    async fn call(
        service: &Service,
        request: Authenticated<GetKeyRotationStatusRequest>,
    ) -> Result<GetKeyRotationStatusResponse, KmsError> {
        service.get_key_rotation_status(request).await
    }

    fn encode(response: &GetKeyRotationStatusResponse) -> Bytes {
        object(256, |o| {
            o.boolean("KeyRotationEnabled", response.key_rotation_enabled);
            o.text("KeyId", &response.key_id);
            if let Some(days) = response.rotation_period_in_days {
                o.integer("RotationPeriodInDays", days);
            }
            if let Some(date) = response.next_rotation_date {
                o.timestamp("NextRotationDate", date);
            }
            if let Some(date) = response.on_demand_rotation_start_date {
                o.timestamp("OnDemandRotationStartDate", date);
            }
        })
        .into()
    }
}
