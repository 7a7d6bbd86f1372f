//! `UpdateKeyDescription` on the wire.

use super::WireOperation;
use crate::json::{DESCRIPTION, KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::update_key_description::UpdateKeyDescriptionRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = UpdateKeyDescriptionRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> UpdateKeyDescriptionRequest {
        UpdateKeyDescriptionRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            description: members.required_text("Description", &DESCRIPTION),
        }
    }

    async fn call(service: &Service, request: Authenticated<UpdateKeyDescriptionRequest>) -> Result<(), KmsError> {
        service.update_key_description(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
