//! `TagResource` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::tag_resource::TagResourceRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = TagResourceRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> TagResourceRequest {
        TagResourceRequest { key_id: members.required_text("KeyId", &KEY_ID), tags: members.required_tags() }
    }

    async fn call(service: &Service, request: Authenticated<TagResourceRequest>) -> Result<(), KmsError> {
        service.tag_resource(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
