//! `ListKeyPolicies` on the wire.

use super::WireOperation;
use super::paging;
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::list_key_policies::{ListKeyPoliciesRequest, ListKeyPoliciesResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = ListKeyPoliciesRequest;
    type Response = ListKeyPoliciesResponse;

    fn decode(members: &mut Members<'_>) -> ListKeyPoliciesRequest {
        ListKeyPoliciesRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            limit: paging::limit(members),
            marker: paging::marker(members),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<ListKeyPoliciesRequest>,
    ) -> Result<ListKeyPoliciesResponse, KmsError> {
        service.list_key_policies(request).await
    }

    fn encode(response: &ListKeyPoliciesResponse) -> Bytes {
        object(64, |o| {
            o.texts("PolicyNames", response.policy_names.iter().copied());
            paging::write_end(o, None);
        })
        .into()
    }
}
