//! `CreateGrant` on the wire.

use super::WireOperation;
use crate::json::{GRANT_NAME, KEY_ID, Members, PRINCIPAL_ID, SERVICE_PRINCIPAL, object};
use bytes::Bytes;
use kms_service::operations::create_grant::{CreateGrantRequest, CreateGrantResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = CreateGrantRequest;
    type Response = CreateGrantResponse;

    fn decode(members: &mut Members<'_>) -> CreateGrantRequest {
        CreateGrantRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            grantee_principal: members.text("GranteePrincipal", &PRINCIPAL_ID),
            retiring_principal: members.text("RetiringPrincipal", &PRINCIPAL_ID),
            operations: members.grant_operations(),
            constraints: members.grant_constraints(),
            grant_tokens: members.grant_tokens(),
            name: members.text("Name", &GRANT_NAME),
            dry_run: members.boolean("DryRun").unwrap_or_default(),
            grantee_service_principal: members.text("GranteeServicePrincipal", &SERVICE_PRINCIPAL),
            retiring_service_principal: members.text("RetiringServicePrincipal", &SERVICE_PRINCIPAL),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<CreateGrantRequest>,
    ) -> Result<CreateGrantResponse, KmsError> {
        service.create_grant(request).await
    }

    fn encode(response: &CreateGrantResponse) -> Bytes {
        object(320, |o| {
            o.text("GrantToken", &response.grant_token);
            o.text("GrantId", &response.grant_id.to_string());
        })
        .into()
    }
}
