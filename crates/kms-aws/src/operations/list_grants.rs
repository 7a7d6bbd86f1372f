//! `ListGrants` on the wire.

use super::WireOperation;
use super::{grants, paging};
use crate::json::{GRANT_ID, KEY_ID, Members, PRINCIPAL_ID, SERVICE_PRINCIPAL};
use bytes::Bytes;
use kms_service::operations::list_grants::{ListGrantsRequest, ListGrantsResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = ListGrantsRequest;
    type Response = ListGrantsResponse;

    fn decode(members: &mut Members<'_>) -> ListGrantsRequest {
        ListGrantsRequest {
            limit: paging::limit(members),
            marker: paging::marker(members),
            key_id: members.required_text("KeyId", &KEY_ID),
            grant_id: members.text("GrantId", &GRANT_ID),
            grantee_principal: members.text("GranteePrincipal", &PRINCIPAL_ID),
            grantee_service_principal: members.text("GranteeServicePrincipal", &SERVICE_PRINCIPAL),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<ListGrantsRequest>,
    ) -> Result<ListGrantsResponse, KmsError> {
        service.list_grants(request).await
    }

    fn encode(response: &ListGrantsResponse) -> Bytes {
        grants::write_list(&response.grants, response.next_marker.as_deref())
    }
}
