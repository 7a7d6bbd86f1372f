//! The operations on the wire: their names, and for each how its request is read and its response written.

mod algorithms;
mod choices;
mod custom_key_store;
mod grants;
mod metadata;
mod paging;
mod tags;

mod cancel_key_deletion;
mod connect_custom_key_store;
mod create_alias;
mod create_custom_key_store;
mod create_grant;
mod create_key;
mod decapsulate;
mod decrypt;
mod delete_alias;
mod delete_custom_key_store;
mod delete_imported_key_material;
mod derive_shared_secret;
mod describe_custom_key_stores;
mod describe_key;
mod disable_key;
mod disable_key_rotation;
mod disconnect_custom_key_store;
mod enable_key;
mod enable_key_rotation;
mod encapsulate;
mod encrypt;
mod generate_data_key;
mod generate_data_key_pair;
mod generate_data_key_pair_without_plaintext;
mod generate_data_key_without_plaintext;
mod generate_mac;
mod generate_random;
mod get_key_last_usage;
mod get_key_policy;
mod get_key_rotation_status;
mod get_parameters_for_import;
mod get_public_key;
mod import_key_material;
mod list_aliases;
mod list_grants;
mod list_key_policies;
mod list_key_rotations;
mod list_keys;
mod list_resource_tags;
mod list_retirable_grants;
mod put_key_policy;
mod re_encrypt;
mod replicate_key;
mod retire_grant;
mod revoke_grant;
mod rotate_key_on_demand;
mod schedule_key_deletion;
mod sign;
mod tag_resource;
mod untag_resource;
mod update_alias;
mod update_custom_key_store;
mod update_key_description;
mod update_primary_region;
mod verify;
mod verify_mac;

use crate::Fault;
use crate::json::Members;
use bytes::Bytes;
use kms_audit::Elements;
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

async fn run<O: WireOperation>(
    service: &Service,
    caller: Caller,
    body: Bytes,
    noted: &mut Elements<'static>,
) -> Result<Bytes, Fault> {
    let decoded = decode::<O>(&body, noted);
    if O::SECRET_BODY {
        wipe(body);
    }
    let response = O::call(service, Authenticated { caller, request: decoded? }).await?;
    Ok(O::encode(&response))
}

fn decode<O: WireOperation>(body: &[u8], noted: &mut Elements<'static>) -> Result<O::Request, Fault> {
    let mut members = Members::parse(body)?;
    *noted = members.for_audit(std::mem::take(noted));
    let request = O::decode(&mut members);
    members.finish(request)
}

/// The request of an operation with a required member that has no neutral value: its `decode` answers `None` only if
/// [`Members::finish`] fails.
fn whole<T>(request: Authenticated<Option<T>>) -> Result<Authenticated<T>, KmsError> {
    let Authenticated { caller, request } = request;
    Ok(Authenticated { caller, request: request.ok_or(KmsError::Internal)? })
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
    ConnectCustomKeyStore,
    CreateAlias,
    CreateCustomKeyStore,
    CreateGrant,
    CreateKey,
    Decapsulate,
    Decrypt,
    DeleteAlias,
    DeleteCustomKeyStore,
    DeleteImportedKeyMaterial,
    DeriveSharedSecret,
    DescribeCustomKeyStores,
    DescribeKey,
    DisableKey,
    DisableKeyRotation,
    DisconnectCustomKeyStore,
    EnableKey,
    EnableKeyRotation,
    Encapsulate,
    Encrypt,
    GenerateDataKey,
    GenerateDataKeyPair,
    GenerateDataKeyPairWithoutPlaintext,
    GenerateDataKeyWithoutPlaintext,
    GenerateMac,
    GenerateRandom,
    GetKeyLastUsage,
    GetKeyPolicy,
    GetKeyRotationStatus,
    GetParametersForImport,
    GetPublicKey,
    ImportKeyMaterial,
    ListAliases,
    ListGrants,
    ListKeyPolicies,
    ListKeyRotations,
    ListKeys,
    ListResourceTags,
    ListRetirableGrants,
    PutKeyPolicy,
    ReEncrypt,
    ReplicateKey,
    RetireGrant,
    RevokeGrant,
    RotateKeyOnDemand,
    ScheduleKeyDeletion,
    Sign,
    TagResource,
    UntagResource,
    UpdateAlias,
    UpdateCustomKeyStore,
    UpdateKeyDescription,
    UpdatePrimaryRegion,
    Verify,
    VerifyMac,
}

impl Operation {
    /// Every operation, in alphabetical order.
    pub const ALL: [Self; 56] = [
        Self::CancelKeyDeletion,
        Self::ConnectCustomKeyStore,
        Self::CreateAlias,
        Self::CreateCustomKeyStore,
        Self::CreateGrant,
        Self::CreateKey,
        Self::Decapsulate,
        Self::Decrypt,
        Self::DeleteAlias,
        Self::DeleteCustomKeyStore,
        Self::DeleteImportedKeyMaterial,
        Self::DeriveSharedSecret,
        Self::DescribeCustomKeyStores,
        Self::DescribeKey,
        Self::DisableKey,
        Self::DisableKeyRotation,
        Self::DisconnectCustomKeyStore,
        Self::EnableKey,
        Self::EnableKeyRotation,
        Self::Encapsulate,
        Self::Encrypt,
        Self::GenerateDataKey,
        Self::GenerateDataKeyPair,
        Self::GenerateDataKeyPairWithoutPlaintext,
        Self::GenerateDataKeyWithoutPlaintext,
        Self::GenerateMac,
        Self::GenerateRandom,
        Self::GetKeyLastUsage,
        Self::GetKeyPolicy,
        Self::GetKeyRotationStatus,
        Self::GetParametersForImport,
        Self::GetPublicKey,
        Self::ImportKeyMaterial,
        Self::ListAliases,
        Self::ListGrants,
        Self::ListKeyPolicies,
        Self::ListKeyRotations,
        Self::ListKeys,
        Self::ListResourceTags,
        Self::ListRetirableGrants,
        Self::PutKeyPolicy,
        Self::ReEncrypt,
        Self::ReplicateKey,
        Self::RetireGrant,
        Self::RevokeGrant,
        Self::RotateKeyOnDemand,
        Self::ScheduleKeyDeletion,
        Self::Sign,
        Self::TagResource,
        Self::UntagResource,
        Self::UpdateAlias,
        Self::UpdateCustomKeyStore,
        Self::UpdateKeyDescription,
        Self::UpdatePrimaryRegion,
        Self::Verify,
        Self::VerifyMac,
    ];

    /// The operation's name, as in `X-Amz-Target`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CancelKeyDeletion => "CancelKeyDeletion",
            Self::ConnectCustomKeyStore => "ConnectCustomKeyStore",
            Self::CreateAlias => "CreateAlias",
            Self::CreateCustomKeyStore => "CreateCustomKeyStore",
            Self::CreateGrant => "CreateGrant",
            Self::CreateKey => "CreateKey",
            Self::Decapsulate => "Decapsulate",
            Self::Decrypt => "Decrypt",
            Self::DeleteAlias => "DeleteAlias",
            Self::DeleteCustomKeyStore => "DeleteCustomKeyStore",
            Self::DeleteImportedKeyMaterial => "DeleteImportedKeyMaterial",
            Self::DeriveSharedSecret => "DeriveSharedSecret",
            Self::DescribeCustomKeyStores => "DescribeCustomKeyStores",
            Self::DescribeKey => "DescribeKey",
            Self::DisableKey => "DisableKey",
            Self::DisableKeyRotation => "DisableKeyRotation",
            Self::DisconnectCustomKeyStore => "DisconnectCustomKeyStore",
            Self::EnableKey => "EnableKey",
            Self::EnableKeyRotation => "EnableKeyRotation",
            Self::Encapsulate => "Encapsulate",
            Self::Encrypt => "Encrypt",
            Self::GenerateDataKey => "GenerateDataKey",
            Self::GenerateDataKeyPair => "GenerateDataKeyPair",
            Self::GenerateDataKeyPairWithoutPlaintext => "GenerateDataKeyPairWithoutPlaintext",
            Self::GenerateDataKeyWithoutPlaintext => "GenerateDataKeyWithoutPlaintext",
            Self::GenerateMac => "GenerateMac",
            Self::GenerateRandom => "GenerateRandom",
            Self::GetKeyLastUsage => "GetKeyLastUsage",
            Self::GetKeyPolicy => "GetKeyPolicy",
            Self::GetKeyRotationStatus => "GetKeyRotationStatus",
            Self::GetParametersForImport => "GetParametersForImport",
            Self::GetPublicKey => "GetPublicKey",
            Self::ImportKeyMaterial => "ImportKeyMaterial",
            Self::ListAliases => "ListAliases",
            Self::ListGrants => "ListGrants",
            Self::ListKeyPolicies => "ListKeyPolicies",
            Self::ListKeyRotations => "ListKeyRotations",
            Self::ListKeys => "ListKeys",
            Self::ListResourceTags => "ListResourceTags",
            Self::ListRetirableGrants => "ListRetirableGrants",
            Self::PutKeyPolicy => "PutKeyPolicy",
            Self::ReEncrypt => "ReEncrypt",
            Self::ReplicateKey => "ReplicateKey",
            Self::RetireGrant => "RetireGrant",
            Self::RevokeGrant => "RevokeGrant",
            Self::RotateKeyOnDemand => "RotateKeyOnDemand",
            Self::ScheduleKeyDeletion => "ScheduleKeyDeletion",
            Self::Sign => "Sign",
            Self::TagResource => "TagResource",
            Self::UntagResource => "UntagResource",
            Self::UpdateAlias => "UpdateAlias",
            Self::UpdateCustomKeyStore => "UpdateCustomKeyStore",
            Self::UpdateKeyDescription => "UpdateKeyDescription",
            Self::UpdatePrimaryRegion => "UpdatePrimaryRegion",
            Self::Verify => "Verify",
            Self::VerifyMac => "VerifyMac",
        }
    }

    /// The operation of that name, if there is one. Case counts.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.binary_search_by_key(&name, |operation| operation.name()).ok().map(|index| Self::ALL[index])
    }

    /// Reads the body, calls the service, writes the response body. What the audit record shows of the request goes into
    /// `noted`, as soon as the body is read.
    pub(crate) async fn run(
        self,
        service: &Service,
        caller: Caller,
        body: Bytes,
        noted: &mut Elements<'static>,
    ) -> Result<Bytes, Fault> {
        match self {
            Self::CancelKeyDeletion => run::<cancel_key_deletion::Wire>(service, caller, body, noted).await,
            Self::ConnectCustomKeyStore => run::<connect_custom_key_store::Wire>(service, caller, body, noted).await,
            Self::CreateAlias => run::<create_alias::Wire>(service, caller, body, noted).await,
            Self::CreateCustomKeyStore => run::<create_custom_key_store::Wire>(service, caller, body, noted).await,
            Self::CreateGrant => run::<create_grant::Wire>(service, caller, body, noted).await,
            Self::CreateKey => run::<create_key::Wire>(service, caller, body, noted).await,
            Self::Decapsulate => run::<decapsulate::Wire>(service, caller, body, noted).await,
            Self::Decrypt => run::<decrypt::Wire>(service, caller, body, noted).await,
            Self::DeleteAlias => run::<delete_alias::Wire>(service, caller, body, noted).await,
            Self::DeleteCustomKeyStore => run::<delete_custom_key_store::Wire>(service, caller, body, noted).await,
            Self::DeleteImportedKeyMaterial => {
                run::<delete_imported_key_material::Wire>(service, caller, body, noted).await
            }
            Self::DeriveSharedSecret => run::<derive_shared_secret::Wire>(service, caller, body, noted).await,
            Self::DescribeCustomKeyStores => {
                run::<describe_custom_key_stores::Wire>(service, caller, body, noted).await
            }
            Self::DescribeKey => run::<describe_key::Wire>(service, caller, body, noted).await,
            Self::DisableKey => run::<disable_key::Wire>(service, caller, body, noted).await,
            Self::DisableKeyRotation => run::<disable_key_rotation::Wire>(service, caller, body, noted).await,
            Self::DisconnectCustomKeyStore => {
                run::<disconnect_custom_key_store::Wire>(service, caller, body, noted).await
            }
            Self::EnableKey => run::<enable_key::Wire>(service, caller, body, noted).await,
            Self::EnableKeyRotation => run::<enable_key_rotation::Wire>(service, caller, body, noted).await,
            Self::Encapsulate => run::<encapsulate::Wire>(service, caller, body, noted).await,
            Self::Encrypt => run::<encrypt::Wire>(service, caller, body, noted).await,
            Self::GenerateDataKey => run::<generate_data_key::Wire>(service, caller, body, noted).await,
            Self::GenerateDataKeyPair => run::<generate_data_key_pair::Wire>(service, caller, body, noted).await,
            Self::GenerateDataKeyPairWithoutPlaintext => {
                run::<generate_data_key_pair_without_plaintext::Wire>(service, caller, body, noted).await
            }
            Self::GenerateDataKeyWithoutPlaintext => {
                run::<generate_data_key_without_plaintext::Wire>(service, caller, body, noted).await
            }
            Self::GenerateMac => run::<generate_mac::Wire>(service, caller, body, noted).await,
            Self::GenerateRandom => run::<generate_random::Wire>(service, caller, body, noted).await,
            Self::GetKeyLastUsage => run::<get_key_last_usage::Wire>(service, caller, body, noted).await,
            Self::GetKeyPolicy => run::<get_key_policy::Wire>(service, caller, body, noted).await,
            Self::GetKeyRotationStatus => run::<get_key_rotation_status::Wire>(service, caller, body, noted).await,
            Self::GetParametersForImport => run::<get_parameters_for_import::Wire>(service, caller, body, noted).await,
            Self::GetPublicKey => run::<get_public_key::Wire>(service, caller, body, noted).await,
            Self::ImportKeyMaterial => run::<import_key_material::Wire>(service, caller, body, noted).await,
            Self::ListAliases => run::<list_aliases::Wire>(service, caller, body, noted).await,
            Self::ListGrants => run::<list_grants::Wire>(service, caller, body, noted).await,
            Self::ListKeyPolicies => run::<list_key_policies::Wire>(service, caller, body, noted).await,
            Self::ListKeyRotations => run::<list_key_rotations::Wire>(service, caller, body, noted).await,
            Self::ListKeys => run::<list_keys::Wire>(service, caller, body, noted).await,
            Self::ListResourceTags => run::<list_resource_tags::Wire>(service, caller, body, noted).await,
            Self::ListRetirableGrants => run::<list_retirable_grants::Wire>(service, caller, body, noted).await,
            Self::PutKeyPolicy => run::<put_key_policy::Wire>(service, caller, body, noted).await,
            Self::ReEncrypt => run::<re_encrypt::Wire>(service, caller, body, noted).await,
            Self::ReplicateKey => run::<replicate_key::Wire>(service, caller, body, noted).await,
            Self::RetireGrant => run::<retire_grant::Wire>(service, caller, body, noted).await,
            Self::RevokeGrant => run::<revoke_grant::Wire>(service, caller, body, noted).await,
            Self::RotateKeyOnDemand => run::<rotate_key_on_demand::Wire>(service, caller, body, noted).await,
            Self::ScheduleKeyDeletion => run::<schedule_key_deletion::Wire>(service, caller, body, noted).await,
            Self::Sign => run::<sign::Wire>(service, caller, body, noted).await,
            Self::TagResource => run::<tag_resource::Wire>(service, caller, body, noted).await,
            Self::UntagResource => run::<untag_resource::Wire>(service, caller, body, noted).await,
            Self::UpdateAlias => run::<update_alias::Wire>(service, caller, body, noted).await,
            Self::UpdateCustomKeyStore => run::<update_custom_key_store::Wire>(service, caller, body, noted).await,
            Self::UpdateKeyDescription => run::<update_key_description::Wire>(service, caller, body, noted).await,
            Self::UpdatePrimaryRegion => run::<update_primary_region::Wire>(service, caller, body, noted).await,
            Self::Verify => run::<verify::Wire>(service, caller, body, noted).await,
            Self::VerifyMac => run::<verify_mac::Wire>(service, caller, body, noted).await,
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
        for other in ["", "encrypt", "Encrypt ", "Signs", "ZZZ"] {
            assert_eq!(Operation::parse(other), None, "{other}");
        }
    }
}
