//! `RotateKeyOnDemand` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::rotate_key_on_demand::{RotateKeyOnDemandRequest, RotateKeyOnDemandResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = RotateKeyOnDemandRequest;
    type Response = RotateKeyOnDemandResponse;

    fn decode(members: &mut Members<'_>) -> RotateKeyOnDemandRequest {
        RotateKeyOnDemandRequest { key_id: members.required_text("KeyId", &KEY_ID) }
    }

    async fn call(
        service: &Service,
        request: Authenticated<RotateKeyOnDemandRequest>,
    ) -> Result<RotateKeyOnDemandResponse, KmsError> {
        service.rotate_key_on_demand(request).await
    }

    fn encode(response: &RotateKeyOnDemandResponse) -> Bytes {
        object(128, |o| o.text("KeyId", &response.key_id)).into()
    }
}
