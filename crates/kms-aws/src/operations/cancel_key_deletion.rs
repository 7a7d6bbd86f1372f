//! `CancelKeyDeletion` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::cancel_key_deletion::{CancelKeyDeletionRequest, CancelKeyDeletionResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = CancelKeyDeletionRequest;
    type Response = CancelKeyDeletionResponse;

    fn decode(members: &mut Members<'_>) -> CancelKeyDeletionRequest {
        CancelKeyDeletionRequest { key_id: members.required_text("KeyId", &KEY_ID) }
    }

    async fn call(
        service: &Service,
        request: Authenticated<CancelKeyDeletionRequest>,
    ) -> Result<CancelKeyDeletionResponse, KmsError> {
        service.cancel_key_deletion(request).await
    }

    fn encode(response: &CancelKeyDeletionResponse) -> Bytes {
        object(128, |o| o.text("KeyId", &response.key_id)).into()
    }
}
