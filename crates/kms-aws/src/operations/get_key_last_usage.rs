//! `GetKeyLastUsage` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::get_key_last_usage::{GetKeyLastUsageRequest, GetKeyLastUsageResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = GetKeyLastUsageRequest;
    type Response = GetKeyLastUsageResponse;

    fn decode(members: &mut Members<'_>) -> GetKeyLastUsageRequest {
        GetKeyLastUsageRequest { key_id: members.required_text("KeyId", &KEY_ID) }
    }

    async fn call(
        service: &Service,
        request: Authenticated<GetKeyLastUsageRequest>,
    ) -> Result<GetKeyLastUsageResponse, KmsError> {
        service.get_key_last_usage(request).await
    }

    fn encode(response: &GetKeyLastUsageResponse) -> Bytes {
        object(320, |o| {
            o.text("KeyId", response.key_id.as_str());
            o.object("KeyLastUsage", |o| {
                if let Some(usage) = &response.key_last_usage {
                    o.text("Operation", usage.operation);
                    o.timestamp("Timestamp", usage.timestamp);
                    o.text("CloudTrailEventId", &usage.cloud_trail_event_id.to_string());
                    o.text("KmsRequestId", &usage.kms_request_id.to_string());
                }
            });
            o.timestamp("TrackingStartDate", response.tracking_start_date);
            o.timestamp("KeyCreationDate", response.key_creation_date);
        })
        .into()
    }
}
