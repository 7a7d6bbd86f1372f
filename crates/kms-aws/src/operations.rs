//! The operations on the wire: their names, and for each how its request is read and its response written.

mod choices;
mod metadata;
mod paging;
mod tags;

mod cancel_key_deletion;
mod create_alias;
mod create_key;
mod decrypt;
mod delete_alias;
mod describe_key;
mod disable_key;
mod disable_key_rotation;
mod enable_key;
mod enable_key_rotation;
mod encrypt;
mod generate_data_key;
mod generate_data_key_without_plaintext;
mod generate_random;
mod get_key_policy;
mod get_key_rotation_status;
mod list_aliases;
mod list_key_policies;
mod list_key_rotations;
mod list_keys;
mod list_resource_tags;
mod put_key_policy;
mod re_encrypt;
mod replicate_key;
mod rotate_key_on_demand;
mod schedule_key_deletion;
mod tag_resource;
mod untag_resource;
mod update_alias;
mod update_key_description;
mod update_primary_region;

use crate::Fault;
use crate::json::Members;
use bytes::Bytes;
use kms_service::{Authenticated, Caller, KmsError, Service};
use std::future::Future;
use zeroize::Zeroize as _;

/// One operation on the wire.
trait WireOperation {
    /// The service's request.
    type Request: Send;
    /// The service's response.
    type Response: Send;

    /// Whether the request body holds a plaintext, so that it is wiped once it has been read.
    const SECRET_BODY: bool = false;

    /// Reads the members of a request. What is wrong with them, `members` remembers.
    fn decode(members: &mut Members<'_>) -> Self::Request;

    /// Calls the service.
    fn call(
        service: &Service,
        request: Authenticated<Self::Request>,
    ) -> impl Future<Output = Result<Self::Response, KmsError>> + Send;

    /// Writes the response body; operations without an output have an empty one.
    fn encode(response: &Self::Response) -> Bytes;
}

async fn run<O: WireOperation>(service: &Service, caller: Caller, body: Bytes) -> Result<Bytes, Fault> {
    let decoded = decode::<O>(&body);
    if O::SECRET_BODY {
        wipe(body);
    }
    let response = O::call(service, Authenticated { caller, request: decoded? }).await?;
    Ok(O::encode(&response))
}

fn decode<O: WireOperation>(body: &[u8]) -> Result<O::Request, Fault> {
    let mut members = Members::parse(body)?;
    let request = O::decode(&mut members);
    members.finish(request)
}

/// Overwrites a request body, if nobody else holds on to it.
fn wipe(body: Bytes) {
    if let Ok(mut body) = body.try_into_mut() {
        body.as_mut().zeroize();
    }
}

/// The operations that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are the API's own operation names")]
pub enum Operation {
    CancelKeyDeletion,
    CreateAlias,
    CreateKey,
    Decrypt,
    DeleteAlias,
    DescribeKey,
    DisableKey,
    DisableKeyRotation,
    EnableKey,
    EnableKeyRotation,
    Encrypt,
    GenerateDataKey,
    GenerateDataKeyWithoutPlaintext,
    GenerateRandom,
    GetKeyPolicy,
    GetKeyRotationStatus,
    ListAliases,
    ListKeyPolicies,
    ListKeyRotations,
    ListKeys,
    ListResourceTags,
    PutKeyPolicy,
    ReEncrypt,
    ReplicateKey,
    RotateKeyOnDemand,
    ScheduleKeyDeletion,
    TagResource,
    UntagResource,
    UpdateAlias,
    UpdateKeyDescription,
    UpdatePrimaryRegion,
}

impl Operation {
    /// Every operation, in alphabetical order.
    pub const ALL: [Self; 31] = [
        Self::CancelKeyDeletion,
        Self::CreateAlias,
        Self::CreateKey,
        Self::Decrypt,
        Self::DeleteAlias,
        Self::DescribeKey,
        Self::DisableKey,
        Self::DisableKeyRotation,
        Self::EnableKey,
        Self::EnableKeyRotation,
        Self::Encrypt,
        Self::GenerateDataKey,
        Self::GenerateDataKeyWithoutPlaintext,
        Self::GenerateRandom,
        Self::GetKeyPolicy,
        Self::GetKeyRotationStatus,
        Self::ListAliases,
        Self::ListKeyPolicies,
        Self::ListKeyRotations,
        Self::ListKeys,
        Self::ListResourceTags,
        Self::PutKeyPolicy,
        Self::ReEncrypt,
        Self::ReplicateKey,
        Self::RotateKeyOnDemand,
        Self::ScheduleKeyDeletion,
        Self::TagResource,
        Self::UntagResource,
        Self::UpdateAlias,
        Self::UpdateKeyDescription,
        Self::UpdatePrimaryRegion,
    ];

    /// The operation's name, as in `X-Amz-Target`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CancelKeyDeletion => "CancelKeyDeletion",
            Self::CreateAlias => "CreateAlias",
            Self::CreateKey => "CreateKey",
            Self::Decrypt => "Decrypt",
            Self::DeleteAlias => "DeleteAlias",
            Self::DescribeKey => "DescribeKey",
            Self::DisableKey => "DisableKey",
            Self::DisableKeyRotation => "DisableKeyRotation",
            Self::EnableKey => "EnableKey",
            Self::EnableKeyRotation => "EnableKeyRotation",
            Self::Encrypt => "Encrypt",
            Self::GenerateDataKey => "GenerateDataKey",
            Self::GenerateDataKeyWithoutPlaintext => "GenerateDataKeyWithoutPlaintext",
            Self::GenerateRandom => "GenerateRandom",
            Self::GetKeyPolicy => "GetKeyPolicy",
            Self::GetKeyRotationStatus => "GetKeyRotationStatus",
            Self::ListAliases => "ListAliases",
            Self::ListKeyPolicies => "ListKeyPolicies",
            Self::ListKeyRotations => "ListKeyRotations",
            Self::ListKeys => "ListKeys",
            Self::ListResourceTags => "ListResourceTags",
            Self::PutKeyPolicy => "PutKeyPolicy",
            Self::ReEncrypt => "ReEncrypt",
            Self::ReplicateKey => "ReplicateKey",
            Self::RotateKeyOnDemand => "RotateKeyOnDemand",
            Self::ScheduleKeyDeletion => "ScheduleKeyDeletion",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::UpdateAlias => "UpdateAlias",
            Self::UpdateKeyDescription => "UpdateKeyDescription",
            Self::UpdatePrimaryRegion => "UpdatePrimaryRegion",
        }
    }

    /// The operation of that name, if there is one. Case counts.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.binary_search_by_key(&name, |operation| operation.name()).ok().map(|index| Self::ALL[index])
    }

    /// Reads the body, calls the service, writes the response body.
    pub(crate) async fn run(self, service: &Service, caller: Caller, body: Bytes) -> Result<Bytes, Fault> {
        match self {
            Self::CancelKeyDeletion => run::<cancel_key_deletion::Wire>(service, caller, body).await,
            Self::CreateAlias => run::<create_alias::Wire>(service, caller, body).await,
            Self::CreateKey => run::<create_key::Wire>(service, caller, body).await,
            Self::Decrypt => run::<decrypt::Wire>(service, caller, body).await,
            Self::DeleteAlias => run::<delete_alias::Wire>(service, caller, body).await,
            Self::DescribeKey => run::<describe_key::Wire>(service, caller, body).await,
            Self::DisableKey => run::<disable_key::Wire>(service, caller, body).await,
            Self::DisableKeyRotation => run::<disable_key_rotation::Wire>(service, caller, body).await,
            Self::EnableKey => run::<enable_key::Wire>(service, caller, body).await,
            Self::EnableKeyRotation => run::<enable_key_rotation::Wire>(service, caller, body).await,
            Self::Encrypt => run::<encrypt::Wire>(service, caller, body).await,
            Self::GenerateDataKey => run::<generate_data_key::Wire>(service, caller, body).await,
            Self::GenerateDataKeyWithoutPlaintext => {
                run::<generate_data_key_without_plaintext::Wire>(service, caller, body).await
            }
            Self::GenerateRandom => run::<generate_random::Wire>(service, caller, body).await,
            Self::GetKeyPolicy => run::<get_key_policy::Wire>(service, caller, body).await,
            Self::GetKeyRotationStatus => run::<get_key_rotation_status::Wire>(service, caller, body).await,
            Self::ListAliases => run::<list_aliases::Wire>(service, caller, body).await,
            Self::ListKeyPolicies => run::<list_key_policies::Wire>(service, caller, body).await,
            Self::ListKeyRotations => run::<list_key_rotations::Wire>(service, caller, body).await,
            Self::ListKeys => run::<list_keys::Wire>(service, caller, body).await,
            Self::ListResourceTags => run::<list_resource_tags::Wire>(service, caller, body).await,
            Self::PutKeyPolicy => run::<put_key_policy::Wire>(service, caller, body).await,
            Self::ReEncrypt => run::<re_encrypt::Wire>(service, caller, body).await,
            Self::ReplicateKey => run::<replicate_key::Wire>(service, caller, body).await,
            Self::RotateKeyOnDemand => run::<rotate_key_on_demand::Wire>(service, caller, body).await,
            Self::ScheduleKeyDeletion => run::<schedule_key_deletion::Wire>(service, caller, body).await,
            Self::TagResource => run::<tag_resource::Wire>(service, caller, body).await,
            Self::UntagResource => run::<untag_resource::Wire>(service, caller, body).await,
            Self::UpdateAlias => run::<update_alias::Wire>(service, caller, body).await,
            Self::UpdateKeyDescription => run::<update_key_description::Wire>(service, caller, body).await,
            Self::UpdatePrimaryRegion => run::<update_primary_region::Wire>(service, caller, body).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_case_counts() {
        for operation in Operation::ALL {
            assert_eq!(Operation::parse(operation.name()), Some(operation));
        }
        for other in ["", "encrypt", "Encrypt ", "Sign", "ZZZ"] {
            assert_eq!(Operation::parse(other), None, "{other}");
        }
    }
}
