//! `ListResourceTags` on the wire.

use super::WireOperation;
use super::{paging, tags};
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::list_resource_tags::{ListResourceTagsRequest, ListResourceTagsResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = ListResourceTagsRequest;
    type Response = ListResourceTagsResponse;

    fn decode(members: &mut Members<'_>) -> ListResourceTagsRequest {
        ListResourceTagsRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            limit: paging::limit(members),
            marker: paging::marker(members),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<ListResourceTagsRequest>,
    ) -> Result<ListResourceTagsResponse, KmsError> {
        service.list_resource_tags(request).await
    }

    fn encode(response: &ListResourceTagsResponse) -> Bytes {
        object(response.tags.len() * 128 + 64, |o| {
            tags::write(o, "Tags", &response.tags);
            paging::write_end(o, response.next_marker.as_deref());
        })
        .into()
    }
}
