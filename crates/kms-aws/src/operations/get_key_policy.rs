//! `GetKeyPolicy` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members, POLICY_NAME, object};
use bytes::Bytes;
use kms_service::operations::get_key_policy::{GetKeyPolicyRequest, GetKeyPolicyResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = GetKeyPolicyRequest;
    type Response = GetKeyPolicyResponse;

    fn decode(members: &mut Members<'_>) -> GetKeyPolicyRequest {
        GetKeyPolicyRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            policy_name: members.text("PolicyName", &POLICY_NAME),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<GetKeyPolicyRequest>,
    ) -> Result<GetKeyPolicyResponse, KmsError> {
        service.get_key_policy(request).await
    }

    fn encode(response: &GetKeyPolicyResponse) -> Bytes {
        object(response.policy.len() * 2 + 64, |o| {
            o.text("Policy", &response.policy);
            o.text("PolicyName", response.policy_name);
        })
        .into()
    }
}
