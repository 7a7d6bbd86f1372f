//! `RevokeGrant` on the wire.

use super::WireOperation;
use crate::json::{GRANT_ID, KEY_ID, Members};
use bytes::Bytes;
use kms_service::operations::revoke_grant::RevokeGrantRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = RevokeGrantRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> RevokeGrantRequest {
        RevokeGrantRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            grant_id: members.required_text("GrantId", &GRANT_ID),
            dry_run: members.boolean("DryRun").unwrap_or_default(),
        }
    }

    async fn call(service: &Service, request: Authenticated<RevokeGrantRequest>) -> Result<(), KmsError> {
        service.revoke_grant(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
