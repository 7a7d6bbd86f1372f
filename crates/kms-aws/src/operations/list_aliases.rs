//! `ListAliases` on the wire.

use super::WireOperation;
use super::paging;
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::list_aliases::{ListAliasesRequest, ListAliasesResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = ListAliasesRequest;
    type Response = ListAliasesResponse;

    fn decode(members: &mut Members<'_>) -> ListAliasesRequest {
        ListAliasesRequest {
            key_id: members.text("KeyId", &KEY_ID),
            limit: paging::limit(members),
            marker: paging::marker(members),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<ListAliasesRequest>,
    ) -> Result<ListAliasesResponse, KmsError> {
        service.list_aliases(request).await
    }

    fn encode(response: &ListAliasesResponse) -> Bytes {
        object(response.aliases.len() * 320 + 64, |o| {
            o.objects("Aliases", &response.aliases, |o, alias| {
                o.text("AliasName", alias.arn.name.as_str());
                o.text("AliasArn", &alias.arn.to_string());
                o.text("TargetKeyId", alias.target_key_id.as_str());
                o.timestamp("CreationDate", alias.creation_date);
                o.timestamp("LastUpdatedDate", alias.last_updated_date);
            });
            paging::write_end(o, response.next_marker.as_deref());
        })
        .into()
    }
}
