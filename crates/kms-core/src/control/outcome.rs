//! What comes of a control command.

use super::{AuditCheckpoint, JournalEntry, KeyHistory, KeySet, ProposalId, RegionEntry, ResidencyRules};
use kms_types::{KeyId, KeyMaterialId, RegionName};
use std::sync::Arc;

/// Everything that follows from one applied command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The answer to the proposer.
    pub outcome: ControlOutcome,
    /// Rows to persist, in one batch with the last-applied index.
    pub changes: Vec<ControlChange>,
    /// What the shell should look at once the changes are persisted.
    pub effects: Vec<ControlEffect>,
}

/// The answer to a proposer; the same on every node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlOutcome {
    /// The command took effect.
    Done,
    /// The command changed nothing.
    Refused(Refusal),
}

/// Why a control command was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such key set.
    #[error("the key does not exist")]
    KeyNotFound,
    /// The key ID is taken.
    #[error("a key with this ID exists already")]
    KeyExists,
    /// Only the primary Region may ask this.
    #[error("the primary Region is {primary}")]
    NotPrimary {
        /// The primary at this index.
        primary: RegionName,
    },
    /// The primary has moved since the proposer looked.
    #[error("the key is at epoch {current}")]
    WrongEpoch {
        /// The epoch at this index.
        current: u64,
    },
    /// The Region holds the key already.
    #[error("the Region holds the key already")]
    ReplicaExists,
    /// The Region does not hold the key, or its key is not ready.
    #[error("the Region has no usable replica of the key")]
    NoReplica,
    /// The Region is not in the directory, or is a witness.
    #[error("the Region is not part of the cluster or cannot hold keys")]
    RegionUnknown,
    /// The primary cannot go while replicas exist.
    #[error("replicas of the key exist")]
    ReplicasRemain,
    /// One rotation at a time.
    #[error("a rotation is in progress")]
    RotationInProgress,
    /// The named material is not the staged one.
    #[error("this material is not staged")]
    NotStaged,
    /// The sealed boxes do not match the holding Regions or material versions at this index.
    #[error("the sealed boxes do not match the Regions that hold the key")]
    BoxesMismatch,
    /// On-demand rotations are used up.
    #[error("the on-demand rotations of the key are used up")]
    RotationLimit,
    /// The key's kind cannot be rotated.
    #[error("keys of this kind are not rotated")]
    NotRotatable,
    /// The proposer named itself, or a Region that is primary already, as target.
    #[error("the Region is the primary already")]
    AlreadyPrimary,
    /// A Region tried to change its role in the cluster.
    #[error("a Region cannot change between holding keys and witnessing")]
    RoleMismatch,
    /// The schedule does not ask for a rotation: it is off, or its time has not come.
    #[error("no automatic rotation of the key is due")]
    NotDue,
    /// One new imported material at a time.
    #[error("the key material {pending} waits for its rotation")]
    PendingRotation {
        /// The staged material.
        pending: KeyMaterialId,
    },
    /// The material is part of the key already.
    #[error("the key has this material already")]
    MaterialExists,
    /// The key has no such material version.
    #[error("the key has no such material")]
    MaterialNotFound,
    /// The material of keys of this kind never changes.
    #[error("the key material is not the one that was imported first")]
    IncorrectMaterial,
    /// A Region that was not left out has yet to import the material.
    #[error("a Region has yet to import the material")]
    ImportMissing,
    /// The name of the user or role, or its certificate, is taken.
    #[error("a user or role with this name or certificate exists already")]
    PrincipalExists,
    /// No such user or role.
    #[error("the user or role does not exist")]
    PrincipalNotFound,
    /// The access key ID is taken.
    #[error("an access key with this ID exists already")]
    AccessKeyExists,
    /// No such access key.
    #[error("the access key does not exist")]
    AccessKeyNotFound,
    /// The user or role has no policy of this name, or no permission boundary.
    #[error("the user or role has no such policy")]
    PolicyNotFound,
    /// A limit of the directory of principals is reached.
    #[error("a limit of users, roles, access keys, session token keys, policies or tags is reached")]
    IdentityLimit,
    /// A residency rule forbids the key in the Region.
    #[error("the residency rule {rule} does not allow the key in this Region")]
    ResidencyForbidden {
        /// Name of the rule.
        rule: String,
    },
    /// The residency rules have been replaced since the proposer looked.
    #[error("the residency rules are at version {current}")]
    ResidencyVersion {
        /// The version at this index.
        current: u64,
    },
    /// A form that no honest proposer sends.
    #[error("the command is malformed")]
    Malformed,
}

/// One changed row of the control state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlChange {
    /// A key set is new or changed.
    PutKeySet(Arc<KeySet>),
    /// A key set is gone.
    DeleteKeySet(KeyId),
    /// A line of the Region directory is new or changed.
    PutRegion(Arc<RegionEntry>),
    /// A row of the directory of principals.
    Identity(super::identity::IdentityChange),
    /// The residency rules are new.
    PutResidencyRules(Arc<ResidencyRules>),
    /// The history of a key is new or longer.
    PutKeyHistory(Arc<KeyHistory>),
    /// The checkpoints of a Region's audit log, oldest first; at most [`super::CHECKPOINTS_MAX`].
    PutCheckpoints(RegionName, Arc<Vec<AuditCheckpoint>>),
    /// A change is noted in the journal.
    PutJournal(Arc<JournalEntry>),
    /// The entry of this index leaves the journal.
    DeleteJournal(u64),
    /// An outcome is remembered; `slot` is below [`super::RECENT_PROPOSALS`].
    PutRecent {
        /// Place in the ring.
        slot: u64,
        /// How many outcomes were remembered before this one.
        sequence: u64,
        /// The proposal.
        id: ProposalId,
        /// Its outcome.
        outcome: ControlOutcome,
    },
}

/// What the shell of each node should do after the changes are persisted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlEffect {
    /// Compare this key with the regional state; see [`crate::reconcile`].
    Reconcile(KeyId),
    /// The primary moved.
    PrimaryMoved {
        /// The key.
        key_id: KeyId,
        /// Former primary.
        from: RegionName,
        /// New primary.
        to: RegionName,
        /// The new epoch.
        epoch: u64,
    },
}
