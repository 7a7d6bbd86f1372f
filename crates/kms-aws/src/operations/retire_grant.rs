//! `RetireGrant` on the wire.

use super::WireOperation;
use crate::json::{GRANT_ID, KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::retire_grant::RetireGrantRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = RetireGrantRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> RetireGrantRequest {
        RetireGrantRequest {
            grant_token: members.grant_token(),
            key_id: members.text("KeyId", &KEY_ID),
            grant_id: members.text("GrantId", &GRANT_ID),
            dry_run: members.boolean("DryRun").unwrap_or_default(),
        }
    }

    async fn call(service: &Service, request: Authenticated<RetireGrantRequest>) -> Result<(), KmsError> {
        service.retire_grant(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
