//! What may be asked of the regional log.

use super::{LastUse, NewGrant};
use crate::RotationSchedule;
use kms_types::{
    AccountId, AliasName, GrantId, ImportType, KeyId, KeyMaterialId, KeySpec, KeyUsage, Origin, RotationType, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One entry of the regional log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionalCommand {
    /// The Region's clock.
    pub at: Timestamp,
    /// What is asked.
    pub body: RegionalBody,
}

/// The kinds of regional command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionalBody {
    /// A new single-Region key.
    CreateKey(Box<CreateKey>),
    /// The resource of a multi-Region key that this Region now holds, primary or replica, still without material.
    CreateReplica(Box<CreateReplica>),
    /// Material of a multi-Region key, opened from its boxes and wrapped for this Region.
    InstallMaterial(InstallMaterial),
    /// New material of a single-Region key, current at once.
    RotateMaterial(RotateMaterial),
    /// `ImportKeyMaterial`.
    ImportMaterial(Box<ImportMaterial>),
    /// `RotateKeyOnDemand` of a single-Region key with imported material: the version that waits becomes current.
    RotateToImported {
        /// The key.
        key_id: KeyId,
        /// Most on-demand rotations of the key; the cluster's setting.
        on_demand_limit: u32,
    },
    /// `DeleteImportedKeyMaterial`. Succeeds when nothing is there.
    DeleteImportedMaterial {
        /// The key.
        key_id: KeyId,
        /// The version; the current one if it is not named.
        material_id: Option<KeyMaterialId>,
    },
    /// Material that the Region has, wrapped under a newer Region KEK. What has gone meanwhile stays gone.
    RewrapMaterial(Vec<(KeyId, NewMaterial)>),
    /// The time of imported material has come.
    ExpireMaterial {
        /// The key.
        key_id: KeyId,
        /// The version.
        material_id: KeyMaterialId,
    },
    /// The key set of a multi-Region key with imported material has a version that this Region should import.
    ExpectMaterial(Box<ExpectMaterial>),
    /// The key set has activated a version that waited: it is permanently associated with the key from now on.
    SettleMaterial {
        /// The multi-Region key.
        key_id: KeyId,
        /// The version.
        material_id: KeyMaterialId,
    },
    /// The key set has no such version any more: the version goes, and its bytes if they are here.
    ForgetMaterial {
        /// The multi-Region key.
        key_id: KeyId,
        /// The version.
        material_id: KeyMaterialId,
    },
    /// `EnableKey`.
    EnableKey(KeyId),
    /// `DisableKey`.
    DisableKey(KeyId),
    /// `UpdateKeyDescription`.
    SetDescription(KeyId, String),
    /// `PutKeyPolicy`.
    PutKeyPolicy(KeyId, String),
    /// `TagResource`.
    Tag(KeyId, BTreeMap<String, String>),
    /// `UntagResource`.
    Untag(KeyId, BTreeSet<String>),
    /// `CreateAlias`.
    CreateAlias(SetAlias),
    /// `UpdateAlias`.
    UpdateAlias(SetAlias),
    /// `DeleteAlias`.
    DeleteAlias(AccountId, AliasName),
    /// `CreateGrant`.
    CreateGrant(Box<NewGrant>),
    /// `RetireGrant` and `RevokeGrant`.
    DeleteGrant {
        /// The key.
        key_id: KeyId,
        /// The grant.
        grant_id: GrantId,
    },
    /// Successful cryptographic operations; the latest of a key is kept, unknown keys are skipped.
    RecordUse(Vec<(KeyId, LastUse)>),
    /// `EnableKeyRotation` and `DisableKeyRotation` of a single-Region key.
    SetRotation(KeyId, Option<RotationSchedule>),
    /// `ScheduleKeyDeletion`.
    ScheduleDeletion(ScheduleDeletion),
    /// The last replica of a primary that waited is gone, or the key is primary no more: the waiting period starts.
    StartDeletionClock {
        /// The key.
        key_id: KeyId,
        /// When it is deleted.
        deletion_date: Timestamp,
    },
    /// A primary was found to have replicas when its waiting period ended: it waits for them.
    AwaitReplicaDeletion(KeyId),
    /// `CancelKeyDeletion`.
    CancelDeletion(KeyId),
    /// The waiting period is over (single-Region), or the key set no longer includes this Region: all rows of the key
    /// with its aliases and grants go. Of a key with very many grants some go first; then the key is still there, and the
    /// command is due again.
    DestroyKey(KeyId),
}

impl RegionalBody {
    /// The material on its way into the store, with the key that it belongs to.
    pub fn materials_mut(&mut self) -> Vec<(KeyId, &mut NewMaterial)> {
        match self {
            Self::CreateKey(body) => body.material.iter_mut().map(|material| (body.key_id, material)).collect(),
            Self::InstallMaterial(body) => body.materials.iter_mut().map(|material| (body.key_id, material)).collect(),
            Self::RotateMaterial(body) => vec![(body.key_id, &mut body.material)],
            Self::ImportMaterial(body) => vec![(body.key_id, &mut body.material)],
            Self::RewrapMaterial(materials) => materials.iter_mut().map(|(key_id, m)| (*key_id, m)).collect(),
            Self::CreateReplica(_)
            | Self::RotateToImported { .. }
            | Self::DeleteImportedMaterial { .. }
            | Self::ExpireMaterial { .. }
            | Self::ExpectMaterial(_)
            | Self::SettleMaterial { .. }
            | Self::ForgetMaterial { .. }
            | Self::EnableKey(_)
            | Self::DisableKey(_)
            | Self::SetDescription(..)
            | Self::PutKeyPolicy(..)
            | Self::Tag(..)
            | Self::Untag(..)
            | Self::CreateAlias(_)
            | Self::UpdateAlias(_)
            | Self::DeleteAlias(..)
            | Self::CreateGrant(_)
            | Self::DeleteGrant { .. }
            | Self::RecordUse(_)
            | Self::SetRotation(..)
            | Self::ScheduleDeletion(_)
            | Self::StartDeletionClock { .. }
            | Self::AwaitReplicaDeletion(_)
            | Self::CancelDeletion(_)
            | Self::DestroyKey(_) => Vec::new(),
        }
    }
}

/// See [`RegionalBody::CreateKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateKey {
    /// A new single-Region key ID.
    pub key_id: KeyId,
    /// Owner.
    pub account: AccountId,
    /// Key spec.
    pub spec: KeySpec,
    /// Key usage.
    pub usage: KeyUsage,
    /// Origin of the material.
    pub origin: Origin,
    /// Description.
    pub description: String,
    /// Key policy document.
    pub policy: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// First material; `None` exactly for origin EXTERNAL.
    pub material: Option<NewMaterial>,
}

/// See [`RegionalBody::CreateReplica`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateReplica {
    /// The multi-Region key ID.
    pub key_id: KeyId,
    /// Owner.
    pub account: AccountId,
    /// Key spec.
    pub spec: KeySpec,
    /// Key usage.
    pub usage: KeyUsage,
    /// Origin of the material.
    pub origin: Origin,
    /// When the Region was made a holder.
    pub created_at: Timestamp,
    /// Description.
    pub description: String,
    /// Key policy document.
    pub policy: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// See [`RegionalBody::InstallMaterial`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallMaterial {
    /// The key.
    pub key_id: KeyId,
    /// The versions, oldest first.
    pub materials: Vec<NewMaterial>,
    /// Whether these complete a key that is `Creating`.
    pub complete: bool,
}

/// See [`RegionalBody::RotateMaterial`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateMaterial {
    /// The key.
    pub key_id: KeyId,
    /// The new material.
    pub material: NewMaterial,
    /// What started the rotation.
    pub rotation_type: RotationType,
    /// The new due date when the schedule started this rotation; `None` leaves the schedule as it is.
    pub next_rotation_at: Option<Timestamp>,
    /// Most on-demand rotations of the key; the cluster's setting.
    pub on_demand_limit: u32,
}

/// See [`RegionalBody::ImportMaterial`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportMaterial {
    /// The key.
    pub key_id: KeyId,
    /// The material.
    pub material: NewMaterial,
    /// Whether the caller takes the material for a new one. Decides for single-Region symmetric keys only: of other keys
    /// the material never changes, or the key set has decided.
    pub import_type: ImportType,
    /// When it is deleted; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// `None` keeps what an earlier import of the same material said.
    pub description: Option<String>,
}

/// See [`RegionalBody::ExpectMaterial`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectMaterial {
    /// The multi-Region key.
    pub key_id: KeyId,
    /// The version.
    pub material_id: KeyMaterialId,
    /// When the key set took it in.
    pub created_at: Timestamp,
    /// What the key set says of it.
    pub description: String,
    /// Whether the key set has it staged.
    pub pending: bool,
}

/// See [`RegionalBody::CreateAlias`] and [`RegionalBody::UpdateAlias`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAlias {
    /// Owner.
    pub account: AccountId,
    /// The name.
    pub name: AliasName,
    /// The key it shall point at.
    pub target: KeyId,
    /// Most aliases that the key may have; the cluster's setting.
    pub alias_limit: usize,
}

/// See [`RegionalBody::ScheduleDeletion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduleDeletion {
    /// The key.
    pub key_id: KeyId,
    /// Waiting period in days.
    pub window_days: u32,
    /// When the key is deleted; `None` for a primary with replicas.
    pub deletion_date: Option<Timestamp>,
}

/// Material on its way into this Region's store: wrapped under the Region KEK.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMaterial {
    /// The material.
    pub material_id: KeyMaterialId,
    /// The wrapped bytes.
    pub wrapped: Vec<u8>,
}

impl fmt::Debug for NewMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewMaterial({}, {} bytes)", self.material_id, self.wrapped.len())
    }
}
