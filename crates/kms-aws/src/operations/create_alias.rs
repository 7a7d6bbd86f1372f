//! `CreateAlias` on the wire.

use super::WireOperation;
use crate::json::{ALIAS_NAME, KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::create_alias::CreateAliasRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = CreateAliasRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> CreateAliasRequest {
        CreateAliasRequest {
            alias_name: members.required_text("AliasName", &ALIAS_NAME),
            target_key_id: members.required_text("TargetKeyId", &KEY_ID),
        }
    }

    async fn call(service: &Service, request: Authenticated<CreateAliasRequest>) -> Result<(), KmsError> {
        service.create_alias(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
