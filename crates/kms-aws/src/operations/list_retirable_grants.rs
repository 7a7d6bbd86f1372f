//! `ListRetirableGrants` on the wire.

use super::WireOperation;
use super::{grants, paging};
use crate::json::{Members, PRINCIPAL_ID, SERVICE_PRINCIPAL};
use bytes::Bytes;
use kms_service::operations::list_retirable_grants::{ListRetirableGrantsRequest, ListRetirableGrantsResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = ListRetirableGrantsRequest;
    type Response = ListRetirableGrantsResponse;

    fn decode(members: &mut Members<'_>) -> ListRetirableGrantsRequest {
        ListRetirableGrantsRequest {
            limit: paging::limit(members),
            marker: paging::marker(members),
            retiring_principal: members.text("RetiringPrincipal", &PRINCIPAL_ID),
            retiring_service_principal: members.text("RetiringServicePrincipal", &SERVICE_PRINCIPAL),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<ListRetirableGrantsRequest>,
    ) -> Result<ListRetirableGrantsResponse, KmsError> {
        service.list_retirable_grants(request).await
    }

    fn encode(response: &ListRetirableGrantsResponse) -> Bytes {
        grants::write_list(&response.grants, response.next_marker.as_deref())
    }
}
