//! `KeyMetadata`: what DescribeKey, CreateKey and ReplicateKey say of a key.

use crate::KeyEntry;
use kms_core::regional::Lifecycle;
use kms_types::{AccountId, KeyArn, KeyMaterialId, KeySpec, KeyState, KeyUsage, Origin, RegionName, Timestamp};

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
    pub current_key_material_id: Option<KeyMaterialId>,
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
            multi_region: entry.set.as_ref().map(|set| MultiRegionConfiguration {
                is_primary: set.primary == entry.arn.region,
                primary: set.primary.clone(),
                replicas: set.replicas().cloned().collect(),
            }),
        }
    }
}
