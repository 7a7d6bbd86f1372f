//! What may be asked of the regional log.

use crate::RotationSchedule;
use kms_types::{AccountId, AliasName, KeyId, KeyMaterialId, KeySpec, KeyUsage, Origin, RotationType, Timestamp};
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
    CreateAlias(AccountId, AliasName, KeyId),
    /// `UpdateAlias`.
    UpdateAlias(AccountId, AliasName, KeyId),
    /// `DeleteAlias`.
    DeleteAlias(AccountId, AliasName),
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
    /// and its aliases go.
    DestroyKey(KeyId),
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
    /// First material.
    pub material: NewMaterial,
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
