//! `DeleteAlias` on the wire.

use super::WireOperation;
use crate::json::{ALIAS_NAME, Members};
use bytes::Bytes;
use kms_service::operations::delete_alias::DeleteAliasRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = DeleteAliasRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> DeleteAliasRequest {
        DeleteAliasRequest { alias_name: members.required_text("AliasName", &ALIAS_NAME) }
    }

    async fn call(service: &Service, request: Authenticated<DeleteAliasRequest>) -> Result<(), KmsError> {
        service.delete_alias(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
