//! `ScheduleKeyDeletion` on the wire. The API model admits 1 to 365 days, the service fewer.

use super::WireOperation;
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::schedule_key_deletion::{ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = ScheduleKeyDeletionRequest;
    type Response = ScheduleKeyDeletionResponse;

    fn decode(members: &mut Members<'_>) -> ScheduleKeyDeletionRequest {
        ScheduleKeyDeletionRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            pending_window_in_days: members.integer("PendingWindowInDays", 1..=365),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<ScheduleKeyDeletionRequest>,
    ) -> Result<ScheduleKeyDeletionResponse, KmsError> {
        service.schedule_key_deletion(request).await
    }

    fn encode(response: &ScheduleKeyDeletionResponse) -> Bytes {
        object(256, |o| {
            o.text("KeyId", &response.key_id);
            if let Some(date) = response.deletion_date {
                o.timestamp("DeletionDate", date);
            }
            o.text("KeyState", response.key_state.as_str());
            o.integer("PendingWindowInDays", response.pending_window_in_days);
        })
        .into()
    }
}
