//! `KeyMetadata`: what DescribeKey, CreateKey and ReplicateKey say of a key.

use crate::KeyEntry;
use kms_core::regional::{KeyRecord, Lifecycle, LocalMaterial};
use kms_types::{
    AccountId, ExpirationModel, KeyArn, KeyMaterialId, KeySpec, KeyState, KeyUsage, Origin, RegionName, Timestamp,
};

/// The members of the API's `KeyMetadata` that Meridian's keys have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct KeyMetadata {
    pub arn: KeyArn,
    pub account: AccountId,
    pub creation_date: Timestamp,
    pub description: String,
    pub key_usage: KeyUsage,
    pub key_state: KeyState,
    pub key_spec: KeySpec,
    pub origin: Origin,
    pub deletion_date: Option<Timestamp>,
    pub pending_deletion_window_in_days: Option<u32>,
    /// Of symmetric keys, once they have had material.
    pub current_key_material_id: Option<KeyMaterialId>,
    /// Of keys with imported material, while it is here.
    pub expiration_model: Option<ExpirationModel>,
    /// When the first of the key's imported materials expires.
    pub valid_to: Option<Timestamp>,
    pub multi_region: Option<MultiRegionConfiguration>,
}

/// The API's `MultiRegionConfiguration`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiRegionConfiguration {
    /// Whether the described key is the primary.
    pub is_primary: bool,
    /// The primary's Region.
    pub primary: RegionName,
    /// The replicas' Regions, in order.
    pub replicas: Vec<RegionName>,
}

impl KeyMetadata {
    /// Describes a key of this Region.
    #[must_use]
    pub fn of(entry: &KeyEntry) -> Self {
        let record = &entry.record;
        let (deletion_date, pending_deletion_window_in_days) = match record.lifecycle {
            Lifecycle::PendingDeletion { deletion_date, .. } => (Some(deletion_date), None),
            Lifecycle::PendingReplicaDeletion { window_days } => (None, Some(window_days)),
            Lifecycle::Creating | Lifecycle::Enabled | Lifecycle::Disabled => (None, None),
        };
        let (expiration_model, valid_to) = expiration(record);
        Self {
            arn: entry.arn.clone(),
            account: record.account,
            creation_date: record.created_at,
            description: record.description.clone(),
            key_usage: record.usage,
            key_state: record.state(),
            key_spec: record.spec,
            origin: record.origin,
            deletion_date,
            pending_deletion_window_in_days,
            current_key_material_id: entry.current.filter(|_| record.spec == KeySpec::SymmetricDefault),
            expiration_model,
            valid_to,
            multi_region: entry.set.as_ref().map(|set| MultiRegionConfiguration {
                is_primary: set.primary == entry.arn.region,
                primary: set.primary.clone(),
                replicas: set.replicas().cloned().collect(),
            }),
        }
    }
}

/// Whether and when imported material expires. AWS says so while the material is here, and counts what is permanently
/// associated with the key; how it answers while a part of several materials is here is not verified: as if none were.
fn expiration(record: &KeyRecord) -> (Option<ExpirationModel>, Option<Timestamp>) {
    if record.origin != Origin::External || record.lacks_import() {
        return (None, None);
    }
    let permanent = record.materials.iter().filter(|material| !material.is_pending());
    match permanent.filter_map(LocalMaterial::expires_at).min() {
        Some(earliest) => (Some(ExpirationModel::KeyMaterialExpires), Some(earliest)),
        None => (Some(ExpirationModel::KeyMaterialDoesNotExpire), None),
    }
}
