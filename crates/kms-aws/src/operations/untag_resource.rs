//! `UntagResource` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::untag_resource::UntagResourceRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = UntagResourceRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> UntagResourceRequest {
        UntagResourceRequest { key_id: members.required_text("KeyId", &KEY_ID), tag_keys: members.tag_keys() }
    }

    async fn call(service: &Service, request: Authenticated<UntagResourceRequest>) -> Result<(), KmsError> {
        service.untag_resource(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
