//! `PutKeyPolicy` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members, POLICY, POLICY_NAME};
use bytes::Bytes;
use kms_service::operations::put_key_policy::PutKeyPolicyRequest;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = PutKeyPolicyRequest;
    type Response = ();

    fn decode(members: &mut Members<'_>) -> PutKeyPolicyRequest {
        PutKeyPolicyRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            policy_name: members.text("PolicyName", &POLICY_NAME),
            policy: members.required_text("Policy", &POLICY),
            bypass_policy_lockout_safety_check: members.boolean("BypassPolicyLockoutSafetyCheck"),
        }
    }

    async fn call(service: &Service, request: Authenticated<PutKeyPolicyRequest>) -> Result<(), KmsError> {
        service.put_key_policy(request).await
    }

    fn encode((): &()) -> Bytes {
        Bytes::new()
    }
}
