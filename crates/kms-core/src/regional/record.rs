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
    /// Material versions, oldest first, made here or installed; of an EXTERNAL key also those whose bytes have yet to be
    /// imported. For a multi-Region key the order and the current version are those of the key set.
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

    /// A material version that the key knows, present or not.
    #[must_use]
    pub fn material(&self, id: &KeyMaterialId) -> Option<&LocalMaterial> {
        self.materials.iter().find(|m| m.material_id == *id)
    }

    /// Whether the wrapped bytes of this material version are in the Region's store.
    #[must_use]
    pub fn has_material(&self, id: &KeyMaterialId) -> bool {
        self.material(id).is_some_and(LocalMaterial::is_present)
    }

    /// The current version of a single-Region key, present or not. Imported material that waits for its rotation is not
    /// current.
    #[must_use]
    pub fn current_material(&self) -> Option<&LocalMaterial> {
        self.materials.iter().rev().find(|m| !m.is_pending())
    }

    /// Imported material that waits for its rotation.
    #[must_use]
    pub fn pending_material(&self) -> Option<&LocalMaterial> {
        self.materials.iter().find(|m| m.is_pending())
    }

    /// Whether imported material that the key cannot do without is absent: all material that is permanently associated
    /// with the key must be there.
    #[must_use]
    pub fn lacks_import(&self) -> bool {
        let mut permanent = self.materials.iter().filter(|m| !m.is_pending()).peekable();
        self.origin == Origin::External && (permanent.peek().is_none() || !permanent.all(LocalMaterial::is_present))
    }

    /// The key state as a caller sees it.
    #[must_use]
    pub fn state(&self) -> KeyState {
        match self.lifecycle {
            Lifecycle::Creating => KeyState::Creating,
            Lifecycle::Enabled | Lifecycle::Disabled if self.lacks_import() => KeyState::PendingImport,
            Lifecycle::Enabled => KeyState::Enabled,
            Lifecycle::Disabled => KeyState::Disabled,
            Lifecycle::PendingDeletion { .. } => KeyState::PendingDeletion,
            Lifecycle::PendingReplicaDeletion { .. } => KeyState::PendingReplicaDeletion,
        }
    }

    /// Checks what must hold for every key resource.
    ///
    /// # Errors
    /// The first broken invariant, in words.
    pub fn check_invariants(&self) -> Result<(), &'static str> {
        let imported = self.origin == Origin::External;
        if self.materials.iter().any(|m| m.import.is_some() != imported) {
            return Err("imported material and origin do not match");
        }
        if !imported && !self.is_multi_region() && self.materials.is_empty() {
            return Err("a single-Region key has no material");
        }
        if self.is_multi_region() && self.rotation.is_some() {
            return Err("a multi-Region key has a rotation schedule of its own");
        }
        if imported && self.lifecycle == Lifecycle::Creating {
            return Err("a key that waits for nothing is being created");
        }
        if self.lifecycle == Lifecycle::Disabled && self.lacks_import() {
            return Err("a key that waits for an import is disabled");
        }
        if self.materials.iter().any(|m| !m.is_present() && m.expires_at().is_some()) {
            return Err("material that is not here expires");
        }
        // For a multi-Region key the key set knows what is staged.
        let waiting = self.materials.iter().filter(|m| m.is_pending()).count();
        let last_waits = self.materials.last().is_some_and(|m| m.is_pending() && m.is_present());
        if !self.is_multi_region() && waiting > 0 && !(waiting == 1 && last_waits && self.materials.len() > 1) {
            return Err("other material than the last one waits for a rotation");
        }
        Ok(())
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

/// A material version of a key resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalMaterial {
    /// The material.
    pub material_id: KeyMaterialId,
    /// When it was created or first imported, for a single-Region key, or installed here. For imported material of a
    /// multi-Region key, when the key set took the version in: it tells this life of the version from an earlier one.
    pub created_at: Timestamp,
    /// The rotation that brought it, for a single-Region key; `None` for the first material.
    pub rotation: Option<(RotationType, Timestamp)>,
    /// What only imported material has; `None` for material made here.
    pub import: Option<ImportedMaterial>,
}

impl LocalMaterial {
    /// Whether the wrapped bytes are in the Region's store.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.import.as_ref().is_none_or(|import| import.present)
    }

    /// Whether it waits for the rotation that associates it with the key for good.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.import.as_ref().is_some_and(|import| import.pending)
    }

    /// When it is deleted; `None` while absent and for material that does not expire.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.import.as_ref()?.expires_at
    }
}

/// The part of a material version that an import sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedMaterial {
    /// Whether the bytes are here: imported, and neither deleted nor expired since.
    pub present: bool,
    /// When it is deleted; `None` while absent and for material that does not expire.
    pub expires_at: Option<Timestamp>,
    /// `KeyMaterialDescription`: what the last import that named one said, at first what the key set says.
    pub description: String,
    /// Whether it waits for RotateKeyOnDemand; for a multi-Region key, whether the key set has it staged. It is not
    /// permanently associated with the key until then.
    pub pending: bool,
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
