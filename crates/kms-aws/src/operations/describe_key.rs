//! `DescribeKey` on the wire.

use super::WireOperation;
use super::metadata;
use crate::json::{KEY_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::describe_key::{DescribeKeyRequest, DescribeKeyResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = DescribeKeyRequest;
    type Response = DescribeKeyResponse;

    fn decode(members: &mut Members<'_>) -> DescribeKeyRequest {
        DescribeKeyRequest { key_id: members.required_text("KeyId", &KEY_ID), grant_tokens: members.grant_tokens() }
    }

    async fn call(
        service: &Service,
        request: Authenticated<DescribeKeyRequest>,
    ) -> Result<DescribeKeyResponse, KmsError> {
        service.describe_key(request).await
    }

    fn encode(response: &DescribeKeyResponse) -> Bytes {
        object(metadata::CAPACITY, |o| metadata::write(o, "KeyMetadata", &response.key_metadata)).into()
    }
}
