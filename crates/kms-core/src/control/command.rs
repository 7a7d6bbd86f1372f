//! What a Region may ask of the control log.

use super::{AuditCheckpoint, CountersignCheckpoint, RegionRole, ResidencyRule, SealedBox};
use crate::RotationSchedule;
use kms_types::{AccountId, KeyId, KeyMaterialId, KeySpec, KeyUsage, Origin, RegionName, RotationType, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Names one proposal, so that a proposal repeated after an unknown outcome takes effect once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalId(pub [u8; 16]);

impl std::fmt::Debug for ProposalId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// One entry of the control log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlCommand {
    /// Drawn by the proposer; a second command with the same ID answers the first one's outcome.
    pub proposal_id: ProposalId,
    /// The Region that proposes; the leader has checked it against the peer's certificate.
    pub region: RegionName,
    /// The proposer's clock.
    pub at: Timestamp,
    /// What is asked.
    pub body: ControlBody,
}

/// The kinds of control command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlBody {
    /// The proposing Region enters or renews its line in the Region directory.
    RegisterRegion(RegisterRegion),
    /// A new multi-Region key with the proposing Region as primary.
    CreateKeySet(CreateKeySet),
    /// The primary adds a replica Region.
    AddReplica(AddReplica),
    /// The proposing Region says that its key resource is usable.
    ReplicaReady {
        /// The key.
        key_id: KeyId,
        /// When the Region was added: a proposal that arrives late must not mean a later life of the replica.
        added_at: Timestamp,
    },
    /// The proposing Region gives its replica up for good.
    RemoveReplica {
        /// The key.
        key_id: KeyId,
        /// When the Region was added, as above.
        added_at: Timestamp,
    },
    /// The primary, alone by now, deletes the key for good.
    DeleteKeySet {
        /// The key.
        key_id: KeyId,
    },
    /// The primary hands new material to all holders; nobody encrypts with it yet.
    StageMaterial(StageMaterial),
    /// The primary makes staged material current.
    ActivateMaterial(ActivateMaterial),
    /// The primary switches automatic rotation on or off.
    SetRotation(SetRotation),
    /// Moves the primary role.
    UpdatePrimary(UpdatePrimary),
    /// The primary takes imported material into the key set: current at once if it is the first, staged otherwise.
    OfferImportedMaterial(OfferImportedMaterial),
    /// The proposing Region says whether it has imported a version.
    ReportImport(ReportImport),
    /// A change of the directory of principals.
    Identity(super::identity::IdentityBody),
    /// The primary takes staged imported material back.
    WithdrawImportedMaterial {
        /// The key.
        key_id: KeyId,
        /// Epoch that the proposer saw.
        expected_epoch: u64,
        /// The staged material.
        material_id: KeyMaterialId,
    },
    /// Replaces the residency rules of the cluster.
    PutResidencyRules(PutResidencyRules),
    /// The proposing Region signs the head of its audit log.
    SignCheckpoint(AuditCheckpoint),
    /// The proposing Region signs a checkpoint of another Region's audit log.
    CountersignCheckpoint(CountersignCheckpoint),
}

/// See [`ControlBody::RegisterRegion`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterRegion {
    /// Encoded HPKE public key of the Region; empty for a witness.
    pub sealing_public_key: Vec<u8>,
    /// Whether the Region may hold keys.
    pub role: RegionRole,
    /// Encoded public key that checks what the Region signs; empty leaves the directory's one.
    pub signing_public_key: Vec<u8>,
}

/// Properties of a new key resource that are independent per Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitialProperties {
    /// Key policy document.
    pub policy: String,
    /// Description.
    pub description: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// See [`ControlBody::CreateKeySet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateKeySet {
    /// A new multi-Region key ID.
    pub key_id: KeyId,
    /// Owner.
    pub account: AccountId,
    /// Key spec.
    pub spec: KeySpec,
    /// Key usage.
    pub usage: KeyUsage,
    /// Origin of the material.
    pub origin: Origin,
    /// First material, sealed to the proposing Region; `None` exactly for origin EXTERNAL.
    pub first: Option<(KeyMaterialId, SealedBox)>,
    /// Independent properties of the primary.
    pub initial: InitialProperties,
}

/// See [`ControlBody::AddReplica`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddReplica {
    /// The key.
    pub key_id: KeyId,
    /// Epoch that the proposer saw.
    pub expected_epoch: u64,
    /// Region of the new replica.
    pub replica: RegionName,
    /// Every material version, staged one included, sealed to the replica's Region; none for origin EXTERNAL, whose
    /// material each Region imports.
    pub boxes: BTreeMap<KeyMaterialId, SealedBox>,
    /// Independent properties of the replica.
    pub initial: InitialProperties,
    /// The tags that the key has in the primary Region, for the residency rules; empty while no rule looks at tags.
    pub primary_tags: BTreeMap<String, String>,
}

/// See [`ControlBody::StageMaterial`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageMaterial {
    /// The key.
    pub key_id: KeyId,
    /// Epoch that the proposer saw.
    pub expected_epoch: u64,
    /// The new material.
    pub material_id: KeyMaterialId,
    /// What started the rotation.
    pub rotation_type: RotationType,
    /// The material sealed to each holding Region.
    pub boxes: BTreeMap<RegionName, SealedBox>,
    /// The new due date when the schedule started this rotation; `None` leaves the schedule as it is.
    pub next_rotation_at: Option<Timestamp>,
    /// Most on-demand rotations of the key; the cluster's setting.
    pub on_demand_limit: u32,
}

/// See [`ControlBody::ActivateMaterial`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivateMaterial {
    /// The key.
    pub key_id: KeyId,
    /// Epoch that the proposer saw.
    pub expected_epoch: u64,
    /// The staged material.
    pub material_id: KeyMaterialId,
    /// Regions that an operator decided to go on without; recorded.
    pub without: BTreeSet<RegionName>,
    /// Most on-demand rotations of the key; the cluster's setting. Counts here for imported material only, which is no
    /// rotation while it is staged.
    pub on_demand_limit: u32,
}

/// See [`ControlBody::OfferImportedMaterial`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferImportedMaterial {
    /// The key.
    pub key_id: KeyId,
    /// Epoch that the proposer saw.
    pub expected_epoch: u64,
    /// The material, which every holder has to import by itself.
    pub material_id: KeyMaterialId,
    /// `KeyMaterialDescription`.
    pub description: String,
}

/// See [`ControlBody::ReportImport`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportImport {
    /// The key.
    pub key_id: KeyId,
    /// When the Region was added: a proposal that arrives late must not mean a later life of the replica.
    pub added_at: Timestamp,
    /// The version.
    pub material_id: KeyMaterialId,
    /// Whether the Region has the material.
    pub present: bool,
}

/// See [`ControlBody::PutResidencyRules`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutResidencyRules {
    /// Version of the rules that the proposer saw; 0 for none.
    pub expected_version: u64,
    /// The new rules.
    pub rules: Vec<ResidencyRule>,
    /// Keys that are in a Region against the new rules, and that an operator leaves there.
    pub accepted: BTreeSet<(KeyId, RegionName)>,
}

/// See [`ControlBody::SetRotation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRotation {
    /// The key.
    pub key_id: KeyId,
    /// Epoch that the proposer saw.
    pub expected_epoch: u64,
    /// The new schedule, `None` for off.
    pub schedule: Option<RotationSchedule>,
}

/// See [`ControlBody::UpdatePrimary`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatePrimary {
    /// The key.
    pub key_id: KeyId,
    /// The primary Region that the proposer saw.
    pub from: RegionName,
    /// The new primary Region, a holder already.
    pub to: RegionName,
    /// Epoch that the proposer saw.
    pub expected_epoch: u64,
}
