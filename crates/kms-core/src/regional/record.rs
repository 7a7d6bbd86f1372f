//! Rows of the regional state.

use crate::RotationSchedule;
use kms_types::{
    AccountId, AliasName, KeyId, KeyMaterialId, KeySpec, KeyState, KeyUsage, Origin, RotationType, Timestamp,
};
use std::collections::BTreeMap;

/// One key resource of this Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key ID.
    pub key_id: KeyId,
    /// Owner.
    pub account: AccountId,
    /// Key spec.
    pub spec: KeySpec,
    /// Key usage.
    pub usage: KeyUsage,
    /// Origin of the material.
    pub origin: Origin,
    /// When this resource was created.
    pub created_at: Timestamp,
    /// Description.
    pub description: String,
    /// Key policy document.
    pub policy: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Key state.
    pub lifecycle: Lifecycle,
    /// Material versions whose wrapped bytes this Region has, oldest first. For a multi-Region key the order and the
    /// current version are those of the key set.
    pub materials: Vec<LocalMaterial>,
    /// Automatic rotation of a single-Region key; always `None` for a multi-Region key, whose key set has it.
    pub rotation: Option<RotationSchedule>,
    /// On-demand rotations of a single-Region key so far.
    pub on_demand_rotations: u32,
}

impl KeyRecord {
    /// Whether the key is multi-Region.
    #[must_use]
    pub fn is_multi_region(&self) -> bool {
        self.key_id.is_multi_region()
    }

    /// Whether the wrapped bytes of this material version are in the Region's store.
    #[must_use]
    pub fn has_material(&self, id: &KeyMaterialId) -> bool {
        self.materials.iter().any(|m| m.material_id == *id)
    }

    /// The key state as a caller sees it.
    #[must_use]
    pub fn state(&self) -> KeyState {
        match self.lifecycle {
            Lifecycle::Creating => KeyState::Creating,
            Lifecycle::Enabled => KeyState::Enabled,
            Lifecycle::Disabled => KeyState::Disabled,
            Lifecycle::PendingDeletion { .. } => KeyState::PendingDeletion,
            Lifecycle::PendingReplicaDeletion { .. } => KeyState::PendingReplicaDeletion,
        }
    }
}

/// The key state with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// A replica whose material is not installed yet.
    Creating,
    /// Normal.
    Enabled,
    /// Switched off by its owner.
    Disabled,
    /// The waiting period runs.
    PendingDeletion {
        /// When the key is deleted.
        deletion_date: Timestamp,
        /// The waiting period that was asked for, in days.
        window_days: u32,
    },
    /// A primary that waits for its replicas to go; the waiting period has not started.
    PendingReplicaDeletion {
        /// The waiting period that was asked for, in days.
        window_days: u32,
    },
}

/// A material version in this Region's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalMaterial {
    /// The material.
    pub material_id: KeyMaterialId,
    /// When it was created, for a single-Region key, or installed here.
    pub created_at: Timestamp,
    /// The rotation that brought it, for a single-Region key; `None` for the first material.
    pub rotation: Option<(RotationType, Timestamp)>,
}

/// An alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasRecord {
    /// Owner.
    pub account: AccountId,
    /// The name.
    pub name: AliasName,
    /// The key it points at.
    pub target: KeyId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its target was last set.
    pub updated_at: Timestamp,
}
