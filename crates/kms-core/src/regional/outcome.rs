//! What comes of a regional command.

use super::{AliasRecord, GrantRecord, KeyRecord, LastUse, NewMaterial};
use crate::StateFault;
use kms_types::{AccountId, AliasName, GrantId, KeyId, KeyMaterialId};
use std::sync::Arc;

/// Everything that follows from one applied command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionalApplied {
    /// The answer.
    pub outcome: RegionalOutcome,
    /// Rows to persist, in one batch with the last-applied sequence number.
    pub changes: Vec<RegionalChange>,
}

/// The answer to a regional command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionalOutcome {
    /// The command took effect.
    Done,
    /// `CreateGrant` found a grant of the same name with identical parameters, and changed nothing.
    GrantExists(GrantId),
    /// The command changed nothing.
    Refused(RegionalRefusal),
}

/// Why a regional command was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionalRefusal {
    /// No such key.
    #[error("the key does not exist")]
    KeyNotFound,
    /// The key ID is taken.
    #[error("a key with this ID exists already")]
    KeyExists,
    /// The key state does not allow it.
    #[error("the key {0}")]
    State(StateFault),
    /// No such alias.
    #[error("the alias does not exist")]
    AliasNotFound,
    /// The alias name is taken.
    #[error("an alias with this name exists already")]
    AliasExists,
    /// The key has as many aliases as it may have.
    #[error("the key has too many aliases")]
    TooManyAliases,
    /// The key would have more tags than it may have.
    #[error("the key would have too many tags")]
    TooManyTags,
    /// The two keys of UpdateAlias are of different kinds.
    #[error("the keys are of different kinds")]
    KindMismatch,
    /// The material is there already.
    #[error("the material is installed already")]
    MaterialExists,
    /// The key has no such material version, or its bytes are not here.
    #[error("the key has no such material")]
    MaterialNotFound,
    /// Material that should be new is known, or material that should be known is not.
    #[error("the key material is not the expected one")]
    IncorrectMaterial,
    /// One new material at a time.
    #[error("the key material {pending} waits for its rotation")]
    PendingRotation {
        /// The material that waits.
        pending: KeyMaterialId,
    },
    /// No imported material waits for a rotation.
    #[error("no key material waits for a rotation")]
    NothingPending,
    /// The time of the material has not come, or it does not expire.
    #[error("the key material has not expired")]
    NotExpired,
    /// The key has as many grants as it may have.
    #[error("the key has too many grants")]
    TooManyGrants,
    /// The key has no such grant.
    #[error("the grant does not exist")]
    GrantNotFound,
    /// The grant ID is taken.
    #[error("a grant with this ID exists already")]
    GrantIdTaken,
    /// On-demand rotations are used up.
    #[error("the on-demand rotations of the key are used up")]
    RotationLimit,
    /// A single-Region command for a multi-Region key, or the other way round; so for material made here and imported.
    #[error("the command does not fit the kind of key")]
    WrongKind,
}

/// One changed row of the regional state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionalChange {
    /// A key is new or changed.
    PutKey(Arc<KeyRecord>),
    /// A key is gone.
    DeleteKey(KeyId),
    /// An alias is new or changed.
    PutAlias(Arc<AliasRecord>),
    /// An alias is gone.
    DeleteAlias(AccountId, AliasName),
    /// Wrapped material to keep. Stays in the store; the state in memory does not hold it.
    PutMaterial(KeyId, NewMaterial),
    /// Wrapped material to destroy.
    DeleteMaterial(KeyId, KeyMaterialId),
    /// A grant is new.
    PutGrant(Arc<GrantRecord>),
    /// A grant is gone.
    DeleteGrant(KeyId, GrantId),
    /// The last use of a key is new or changed.
    PutLastUse(KeyId, LastUse),
    /// The last use of a key is gone with the key.
    DeleteLastUse(KeyId),
}
