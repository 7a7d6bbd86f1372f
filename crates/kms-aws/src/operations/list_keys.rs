//! `ListKeys` on the wire.

use super::{WireOperation, paging};
use crate::json::{Members, object};
use bytes::Bytes;
use kms_service::operations::list_keys::{ListKeysRequest, ListKeysResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

/// The service's request, and whether `ResourceOwners` includes the caller's own account.
pub(super) struct Request {
    own: bool,
    request: ListKeysRequest,
}

impl WireOperation for Wire {
    type Request = Request;
    type Response = ListKeysResponse;

    fn decode(members: &mut Members<'_>) -> Request {
        let request = ListKeysRequest { limit: paging::limit(members), marker: paging::marker(members) };
        let own = |owner: &str| match owner {
            "SELF" => Some(true),
            "OTHER_ACCOUNTS_VIA_RAM" => Some(false),
            _ => None,
        };
        let owners = members.choices("ResourceOwners", 1..=2, &["SELF", "OTHER_ACCOUNTS_VIA_RAM"], own);
        Request { own: owners.is_none_or(|owners| owners.contains(&true)), request }
    }

    async fn call(service: &Service, request: Authenticated<Request>) -> Result<ListKeysResponse, KmsError> {
        let Authenticated { caller, request: Request { own, request } } = request;
        let listed = service.list_keys(Authenticated { caller, request }).await?;
        // Keys are shared with no other account, so the list of such keys is empty.
        Ok(if own { listed } else { ListKeysResponse { keys: Vec::new(), next_marker: None } })
    }

    fn encode(response: &ListKeysResponse) -> Bytes {
        object(response.keys.len() * 160 + 64, |o| {
            o.objects("Keys", &response.keys, |o, key| {
                o.text("KeyId", key.key_id.as_str());
                o.text("KeyArn", &key.to_string());
            });
            paging::write_end(o, response.next_marker.as_deref());
        })
        .into()
    }
}
