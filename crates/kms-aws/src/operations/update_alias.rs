//! `UpdateAlias` on the wire.

use super::WireOperation;
use crate::json::{ALIAS_NAME, KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::update_alias::UpdateAliasRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = UpdateAliasRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> UpdateAliasRequest {
        UpdateAliasRequest {
            alias_name: members.required_text("AliasName", &ALIAS_NAME),
            target_key_id: members.required_text("TargetKeyId", &KEY_ID),
        }
    }

    async fn call(service: &Service, request: Authenticated<UpdateAliasRequest>) -> Result<(), KmsError> {
        service.update_alias(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
