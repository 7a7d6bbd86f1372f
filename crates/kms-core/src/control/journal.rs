//! The journal: which Region has made which change of shared properties, and where in the control log. Audit logs are
//! reconciled with it.

use super::ControlBody;
use super::identity::IdentityBody;
use kms_types::RegionName;

/// Most entries that are kept; the oldest go first.
pub const JOURNAL_MAX: usize = 10_000;

/// One applied change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its place in the control log.
    pub index: u64,
    /// The Region that proposed it.
    pub region: RegionName,
    /// What it was.
    pub change: SharedChange,
}

/// The changes that are noted: those that requests, operators and schedules ask for. What the Regions merely report to each
/// other is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the command of the same name")]
pub enum SharedChange {
    CreateKeySet,
    AddReplica,
    RemoveReplica,
    DeleteKeySet,
    StageMaterial,
    ActivateMaterial,
    SetRotation,
    UpdatePrimary,
    OfferImportedMaterial,
    WithdrawImportedMaterial,
    PutResidencyRules,
    ChangePrincipals,
    CreateSessionKey,
}

impl SharedChange {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::CreateKeySet,
        Self::AddReplica,
        Self::RemoveReplica,
        Self::DeleteKeySet,
        Self::StageMaterial,
        Self::ActivateMaterial,
        Self::SetRotation,
        Self::UpdatePrimary,
        Self::OfferImportedMaterial,
        Self::WithdrawImportedMaterial,
        Self::PutResidencyRules,
        Self::ChangePrincipals,
        Self::CreateSessionKey,
    ];

    /// What a command changes; `None` for what is not noted.
    #[must_use]
    pub const fn of(body: &ControlBody) -> Option<Self> {
        Some(match body {
            ControlBody::CreateKeySet(_) => Self::CreateKeySet,
            ControlBody::AddReplica(_) => Self::AddReplica,
            ControlBody::RemoveReplica { .. } => Self::RemoveReplica,
            ControlBody::DeleteKeySet { .. } => Self::DeleteKeySet,
            ControlBody::StageMaterial(_) => Self::StageMaterial,
            ControlBody::ActivateMaterial(_) => Self::ActivateMaterial,
            ControlBody::SetRotation(_) => Self::SetRotation,
            ControlBody::UpdatePrimary(_) => Self::UpdatePrimary,
            ControlBody::OfferImportedMaterial(_) => Self::OfferImportedMaterial,
            ControlBody::WithdrawImportedMaterial { .. } => Self::WithdrawImportedMaterial,
            ControlBody::PutResidencyRules(_) => Self::PutResidencyRules,
            // Says nothing new of anybody: the Regions do it by themselves.
            ControlBody::Identity(IdentityBody::ResealAccessKey { .. } | IdentityBody::ResealSessionKey { .. }) => {
                return None;
            }
            ControlBody::Identity(IdentityBody::CreateSessionKey { .. }) => Self::CreateSessionKey,
            ControlBody::Identity(_) => Self::ChangePrincipals,
            ControlBody::RegisterRegion(_)
            | ControlBody::ReplicaReady { .. }
            | ControlBody::ReportImport(_)
            | ControlBody::SignCheckpoint(_)
            | ControlBody::CountersignCheckpoint(_) => return None,
        })
    }

    /// The command's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateKeySet => "CreateKeySet",
            Self::AddReplica => "AddReplica",
            Self::RemoveReplica => "RemoveReplica",
            Self::DeleteKeySet => "DeleteKeySet",
            Self::StageMaterial => "StageMaterial",
            Self::ActivateMaterial => "ActivateMaterial",
            Self::SetRotation => "SetRotation",
            Self::UpdatePrimary => "UpdatePrimary",
            Self::OfferImportedMaterial => "OfferImportedMaterial",
            Self::WithdrawImportedMaterial => "WithdrawImportedMaterial",
            Self::PutResidencyRules => "PutResidencyRules",
            Self::ChangePrincipals => "ChangePrincipals",
            Self::CreateSessionKey => "CreateSessionKey",
        }
    }
}
