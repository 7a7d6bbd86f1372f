//! What an operator asks of a Region: keys of any account, and going on with a rotation without some Regions.

use crate::background::Progress;
use crate::{Caller, Identity, KmsError, RequestId, Service};
use kms_core::control::KeySet;
use kms_core::regional::KeyRecord;
use kms_types::{AccountId, AliasArn, KeyArn, KeyId, KeyMaterialId, KeyRef, PARTITION, RegionName};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A key that an operator named: what this Region knows of it, also when it holds no replica itself.
#[derive(Clone, Debug)]
pub struct FoundKey {
    /// The key ID.
    pub key_id: KeyId,
    /// Its ARN in this Region.
    pub arn: KeyArn,
    /// The key resource of this Region.
    pub record: Option<Arc<KeyRecord>>,
    /// The key set of a multi-Region key.
    pub set: Option<Arc<KeySet>>,
}

impl FoundKey {
    /// An operator acting on this key. Operators come with a certificate of the cluster and act through its own service; they
    /// are nobody's principals, and no policy of a key or an identity is asked about what they do.
    #[must_use]
    pub fn operator(&self, request_id: RequestId) -> Caller {
        let account = self.arn.account;
        let arn = format!("arn:{PARTITION}:iam::{account}:operator");
        Caller::new(Arc::new(Identity::bootstrap(&arn, account, true, None)), request_id)
    }
}

impl Service {
    /// Finds a key by key ID, ARN of any Region, alias name or alias ARN, in any account.
    ///
    /// # Errors
    /// NotFound, or a validation error when an alias name is used in several accounts.
    pub fn find_for_operator(&self, reference: &str) -> Result<FoundKey, KmsError> {
        let (account, key_id) = match KeyRef::parse(reference) {
            Ok(KeyRef::Id(key_id)) => (None, key_id),
            Ok(KeyRef::Arn(arn)) => (Some(arn.account), arn.key_id),
            Ok(KeyRef::Alias(name)) => {
                let owners: Vec<(AccountId, KeyId)> = self.directory().read(|regional, _| {
                    regional.aliases().filter(|a| a.name == name).map(|a| (a.account, a.target)).collect()
                });
                match owners.as_slice() {
                    [(account, key_id)] => (Some(*account), *key_id),
                    [] => {
                        return Err(KmsError::service(format!("No alias {name} exists in Region {}.", self.region())));
                    }
                    _ => {
                        return Err(KmsError::service(format!(
                            "Several accounts have an alias {name}; name the key by its ARN."
                        )));
                    }
                }
            }
            Ok(KeyRef::AliasArn(AliasArn { account, name, region })) => {
                let target = self.directory().alias_target(account, name.clone());
                let missing = KmsError::AliasNotFound(AliasArn { region, account, name });
                (Some(account), target.ok_or(missing)?)
            }
            Err(_) => return Err(KmsError::InvalidKeyId(reference.to_owned())),
        };
        let (record, set) = self
            .directory()
            .read(|regional, control| (regional.key(&key_id).cloned(), control.key_set(&key_id).cloned()));
        let owner = record.as_ref().map(|r| r.account).or(set.as_ref().map(|s| s.account));
        let region = self.region().clone();
        match owner {
            Some(owner) if account.is_none_or(|a| a == owner) => {
                Ok(FoundKey { key_id, arn: KeyArn { region, account: owner, key_id }, record, set })
            }
            _ => Err(KmsError::InvalidKeyId(reference.to_owned())),
        }
    }

    /// The holding Regions that do not say that they have the material; asks them.
    pub async fn holders_missing(&self, set: &KeySet, material: &KeyMaterialId) -> Vec<RegionName> {
        self.holders_without(set, material).await
    }

    /// Activates the staged material of a key without waiting for the named Regions. All other holders must have it.
    ///
    /// # Errors
    /// Unsupported when this Region is not the primary or nothing is staged; Conflict when another holder is missing
    /// too.
    pub async fn activate_without(
        &self,
        found: &FoundKey,
        without: BTreeSet<RegionName>,
    ) -> Result<KeyMaterialId, KmsError> {
        let unsupported = |text: String| Err(KmsError::UnsupportedOperation(Some(text)));
        let Some(set) = &found.set else {
            return unsupported(format!("{} is not a multi-region key.", found.arn));
        };
        if set.primary != *self.region() {
            return unsupported(format!("{} is not a multi-region primary key; ask {}.", found.arn, set.primary));
        }
        let Some(staged) = set.staged() else {
            return unsupported(format!("{} has no rotation in progress.", found.arn));
        };
        if let Some(region) = without.iter().find(|r| !set.is_held_by(r)) {
            return Err(KmsError::ReplicaNotFound { key: found.arn.clone(), region: (*region).clone() });
        }
        if without.contains(&set.primary) {
            return unsupported("A rotation cannot go on without the primary Region.".to_owned());
        }
        let missing = self.holders_without(set, &staged.material_id).await;
        if missing.iter().any(|region| !without.contains(region)) {
            let names: Vec<_> = missing.iter().map(RegionName::as_str).collect();
            return unsupported(format!("These Regions do not have the new material: {}.", names.join(", ")));
        }
        match self.activate(set, staged.material_id, without).await? {
            Progress::Quiet => Ok(staged.material_id),
            Progress::Waiting => Err(KmsError::DependencyTimeout),
        }
    }
}
