//! `CreateKey` on the wire.

use super::WireOperation;
use super::{choices, metadata};
use crate::json::{CUSTOM_KEY_STORE_ID, DESCRIPTION, Members, POLICY, XKS_KEY_ID, object};
use bytes::Bytes;
use kms_service::operations::create_key::{CreateKeyRequest, CreateKeyResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = CreateKeyRequest;
    type Response = CreateKeyResponse;

    fn decode(members: &mut Members<'_>) -> CreateKeyRequest {
        CreateKeyRequest {
            policy: members.text("Policy", &POLICY),
            description: members.text("Description", &DESCRIPTION),
            key_usage: choices::key_usage(members),
            customer_master_key_spec: choices::customer_master_key_spec(members),
            key_spec: choices::key_spec(members),
            origin: choices::origin(members),
            custom_key_store_id: members.text("CustomKeyStoreId", &CUSTOM_KEY_STORE_ID),
            bypass_policy_lockout_safety_check: members.boolean("BypassPolicyLockoutSafetyCheck"),
            tags: members.tags(),
            multi_region: members.boolean("MultiRegion").unwrap_or_default(),
            xks_key_id: members.text("XksKeyId", &XKS_KEY_ID),
        }
    }

    async fn call(service: &Service, request: Authenticated<CreateKeyRequest>) -> Result<CreateKeyResponse, KmsError> {
        service.create_key(request).await
    }

    fn encode(response: &CreateKeyResponse) -> Bytes {
        object(metadata::CAPACITY, |o| metadata::write(o, "KeyMetadata", &response.key_metadata)).into()
    }
}
