//! The operations that name a key and use no material of it, each as its shortest request.

use super::uses::by;
use super::{Cluster, admin, region};
use kms_core::KeyOperation;
use kms_service::operations::cancel_key_deletion::CancelKeyDeletionRequest;
use kms_service::operations::create_alias::CreateAliasRequest;
use kms_service::operations::create_grant::CreateGrantRequest;
use kms_service::operations::delete_alias::DeleteAliasRequest;
use kms_service::operations::delete_imported_key_material::DeleteImportedKeyMaterialRequest;
use kms_service::operations::describe_key::DescribeKeyRequest;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::disable_key_rotation::DisableKeyRotationRequest;
use kms_service::operations::enable_key::EnableKeyRequest;
use kms_service::operations::enable_key_rotation::EnableKeyRotationRequest;
use kms_service::operations::get_key_last_usage::GetKeyLastUsageRequest;
use kms_service::operations::get_key_policy::GetKeyPolicyRequest;
use kms_service::operations::get_key_rotation_status::GetKeyRotationStatusRequest;
use kms_service::operations::get_parameters_for_import::GetParametersForImportRequest;
use kms_service::operations::list_aliases::ListAliasesRequest;
use kms_service::operations::list_grants::ListGrantsRequest;
use kms_service::operations::list_key_policies::ListKeyPoliciesRequest;
use kms_service::operations::list_key_rotations::{IncludeKeyMaterial, ListKeyRotationsRequest};
use kms_service::operations::list_resource_tags::ListResourceTagsRequest;
use kms_service::operations::put_key_policy::PutKeyPolicyRequest;
use kms_service::operations::replicate_key::ReplicateKeyRequest;
use kms_service::operations::retire_grant::RetireGrantRequest;
use kms_service::operations::revoke_grant::RevokeGrantRequest;
use kms_service::operations::rotate_key_on_demand::RotateKeyOnDemandRequest;
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_service::operations::tag_resource::TagResourceRequest;
use kms_service::operations::untag_resource::UntagResourceRequest;
use kms_service::operations::update_alias::UpdateAliasRequest;
use kms_service::operations::update_key_description::UpdateKeyDescriptionRequest;
use kms_service::operations::update_primary_region::UpdatePrimaryRegionRequest;
use kms_service::{Caller, KmsError};
use kms_types::{GrantId, GrantOperation, KeyId, WrappingAlgorithm, WrappingKeySpec};

/// An alias that DeleteAlias and UpdateAlias find.
pub(crate) const ALIAS: &str = "alias/of-the-key";
/// A Region that ReplicateKey and UpdatePrimaryRegion name.
pub(crate) const TARGET: &str = "ap-southeast-1";

impl Cluster {
    /// The operation in one Region.
    pub(crate) async fn manage(
        &self,
        (at, operation): (&str, KeyOperation),
        caller: &Caller,
        key_id: &str,
    ) -> Result<(), KmsError> {
        use KeyOperation as O;
        let (service, key_id) = (self.at(at), key_id.to_owned());
        let (limit, marker) = (None, None);
        match operation {
            O::CancelKeyDeletion => {
                service.cancel_key_deletion(by(caller, CancelKeyDeletionRequest { key_id })).await.map(drop)
            }
            O::CreateAlias | O::DeleteAlias | O::UpdateAlias => self.change_alias(at, operation, caller, key_id).await,
            O::DescribeKey => {
                let request = DescribeKeyRequest { key_id, grant_tokens: Vec::new() };
                service.describe_key(by(caller, request)).await.map(drop)
            }
            O::DisableKey => service.disable_key(by(caller, DisableKeyRequest { key_id })).await,
            O::EnableKey => service.enable_key(by(caller, EnableKeyRequest { key_id })).await,
            O::GetKeyPolicy => {
                let request = GetKeyPolicyRequest { key_id, policy_name: None };
                service.get_key_policy(by(caller, request)).await.map(drop)
            }
            O::ListAliases => {
                let request = ListAliasesRequest { key_id: Some(key_id), limit, marker };
                service.list_aliases(by(caller, request)).await.map(drop)
            }
            O::ListKeyPolicies => {
                let request = ListKeyPoliciesRequest { key_id, limit, marker };
                service.list_key_policies(by(caller, request)).await.map(drop)
            }
            O::ListResourceTags => {
                let request = ListResourceTagsRequest { key_id, limit, marker };
                service.list_resource_tags(by(caller, request)).await.map(drop)
            }
            O::CreateGrant | O::ListGrants | O::RetireGrant | O::RevokeGrant => {
                self.manage_grants(at, operation, caller, key_id).await
            }
            O::GetKeyLastUsage => {
                service.get_key_last_usage(by(caller, GetKeyLastUsageRequest { key_id })).await.map(drop)
            }
            O::PutKeyPolicy => {
                let policy = kms_policy::default_key_policy(&caller.account());
                let bypass_policy_lockout_safety_check = None;
                let request =
                    PutKeyPolicyRequest { key_id, policy_name: None, policy, bypass_policy_lockout_safety_check };
                service.put_key_policy(by(caller, request)).await
            }
            O::ScheduleKeyDeletion => {
                let request = ScheduleKeyDeletionRequest { key_id, pending_window_in_days: None };
                service.schedule_key_deletion(by(caller, request)).await.map(drop)
            }
            O::TagResource => {
                let request = TagResourceRequest { key_id, tags: vec![("a".into(), "b".into())] };
                service.tag_resource(by(caller, request)).await
            }
            O::UntagResource => {
                let request = UntagResourceRequest { key_id, tag_keys: vec!["a".into()] };
                service.untag_resource(by(caller, request)).await
            }
            O::UpdateKeyDescription => {
                let request = UpdateKeyDescriptionRequest { key_id, description: "new".into() };
                service.update_key_description(by(caller, request)).await
            }
            other => self.manage_material(at, other, caller, key_id).await,
        }
    }

    async fn manage_material(
        &self,
        at: &str,
        operation: KeyOperation,
        caller: &Caller,
        key_id: String,
    ) -> Result<(), KmsError> {
        use KeyOperation as O;
        let service = self.at(at);
        match operation {
            O::DisableKeyRotation => {
                service.disable_key_rotation(by(caller, DisableKeyRotationRequest { key_id })).await
            }
            O::EnableKeyRotation => {
                let request = EnableKeyRotationRequest { key_id, rotation_period_in_days: None };
                service.enable_key_rotation(by(caller, request)).await
            }
            O::GetKeyRotationStatus => {
                service.get_key_rotation_status(by(caller, GetKeyRotationStatusRequest { key_id })).await.map(drop)
            }
            O::ListKeyRotations => {
                let include_key_material = IncludeKeyMaterial::AllKeyMaterial;
                let request = ListKeyRotationsRequest { key_id, include_key_material, limit: None, marker: None };
                service.list_key_rotations(by(caller, request)).await.map(drop)
            }
            O::DeleteImportedKeyMaterial => {
                let request = DeleteImportedKeyMaterialRequest { key_id, key_material_id: None };
                service.delete_imported_key_material(by(caller, request)).await.map(drop)
            }
            O::GetParametersForImport => {
                let (wrapping_algorithm, wrapping_key_spec) =
                    (WrappingAlgorithm::RsaAesKeyWrapSha256, WrappingKeySpec::Rsa2048);
                let request = GetParametersForImportRequest { key_id, wrapping_algorithm, wrapping_key_spec };
                service.get_parameters_for_import(by(caller, request)).await.map(drop)
            }
            O::ReplicateKey => {
                let request = ReplicateKeyRequest {
                    key_id,
                    replica_region: region(TARGET),
                    policy: None,
                    bypass_policy_lockout_safety_check: None,
                    description: None,
                    tags: Vec::new(),
                };
                service.replicate_key(by(caller, request)).await.map(drop)
            }
            O::RotateKeyOnDemand => {
                service.rotate_key_on_demand(by(caller, RotateKeyOnDemandRequest { key_id })).await.map(drop)
            }
            O::UpdatePrimaryRegion => {
                let request = UpdatePrimaryRegionRequest { key_id, primary_region: region(TARGET) };
                service.update_primary_region(by(caller, request)).await
            }
            other => unreachable!("{other:?} is not among these"),
        }
    }

    async fn change_alias(
        &self,
        at: &str,
        operation: KeyOperation,
        caller: &Caller,
        target_key_id: String,
    ) -> Result<(), KmsError> {
        let (service, alias_name) = (self.at(at), ALIAS.to_owned());
        match operation {
            KeyOperation::CreateAlias => {
                service.create_alias(by(caller, CreateAliasRequest { alias_name, target_key_id })).await
            }
            KeyOperation::DeleteAlias => service.delete_alias(by(caller, DeleteAliasRequest { alias_name })).await,
            _ => service.update_alias(by(caller, UpdateAliasRequest { alias_name, target_key_id })).await,
        }
    }

    /// RetireGrant and RevokeGrant end the first grant of the key; there may be none.
    async fn manage_grants(
        &self,
        at: &str,
        operation: KeyOperation,
        caller: &Caller,
        key_id: String,
    ) -> Result<(), KmsError> {
        let service = self.at(at);
        let id = KeyId::parse(&key_id).unwrap();
        let first = service.directory().read(|regional, _| regional.grants_of(&id, None).next().map(|g| g.grant_id));
        let grant_id = first.unwrap_or(GrantId::from_bytes([7; 32])).to_string();
        let dry_run = false;
        match operation {
            KeyOperation::CreateGrant => {
                let request = CreateGrantRequest {
                    key_id,
                    grantee_principal: Some(caller.arn().to_string()),
                    operations: [GrantOperation::DescribeKey].into(),
                    ..Default::default()
                };
                service.create_grant(by(caller, request)).await.map(drop)
            }
            KeyOperation::ListGrants => {
                let request = ListGrantsRequest { key_id, ..Default::default() };
                service.list_grants(by(caller, request)).await.map(drop)
            }
            KeyOperation::RetireGrant => {
                let key_id = service.directory().key(&id).map(|entry| entry.arn_text.to_string());
                let request = RetireGrantRequest { grant_token: None, key_id, grant_id: Some(grant_id), dry_run };
                service.retire_grant(by(caller, request)).await
            }
            _ => service.revoke_grant(by(caller, RevokeGrantRequest { key_id, grant_id, dry_run })).await,
        }
    }

    /// Gives the alias to a key, for an operation that needs it to be there.
    pub(crate) async fn give_alias(&self, at: &str, key_id: &str) {
        let request = CreateAliasRequest { alias_name: ALIAS.to_owned(), target_key_id: key_id.to_owned() };
        self.at(at).create_alias(admin(request)).await.unwrap();
    }
}
