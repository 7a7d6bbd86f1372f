//! `ReplicateKey` on the wire.

use super::{WireOperation, metadata, tags, whole};
use crate::json::{DESCRIPTION, KEY_ID, Members, POLICY, object};
use bytes::Bytes;
use kms_service::operations::replicate_key::{ReplicateKeyRequest, ReplicateKeyResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    /// `None` only if something was wrong with the Region.
    type Request = Option<ReplicateKeyRequest>;
    type Response = ReplicateKeyResponse;

    fn decode(members: &mut Members<'_>) -> Option<ReplicateKeyRequest> {
        let (key_id, replica_region) =
            (members.required_text("KeyId", &KEY_ID), members.required_region("ReplicaRegion"));
        let policy = members.text("Policy", &POLICY);
        let bypass_policy_lockout_safety_check = members.boolean("BypassPolicyLockoutSafetyCheck");
        let (description, tags) = (members.text("Description", &DESCRIPTION), members.tags());
        let replica_region = replica_region?;
        Some(ReplicateKeyRequest {
            key_id,
            replica_region,
            policy,
            bypass_policy_lockout_safety_check,
            description,
            tags,
        })
    }

    async fn call(
        service: &Service,
        request: Authenticated<Option<ReplicateKeyRequest>>,
    ) -> Result<ReplicateKeyResponse, KmsError> {
        service.replicate_key(whole(request)?).await
    }

    fn encode(response: &ReplicateKeyResponse) -> Bytes {
        object(metadata::CAPACITY + response.replica_policy.len() * 2, |o| {
            metadata::write(o, "ReplicaKeyMetadata", &response.replica_key_metadata);
            o.text("ReplicaPolicy", &response.replica_policy);
            if !response.replica_tags.is_empty() {
                tags::write(o, "ReplicaTags", &response.replica_tags);
            }
        })
        .into()
    }
}
