//! The control state: everything that the Regions agree on through the control log.

mod apply;
mod checkpoint;
mod command;
mod history;
pub mod identity;
mod journal;
mod key_set;
mod outcome;
mod recent;
mod residency;
mod state;

pub use checkpoint::{AuditCheckpoint, AuditSignature, CHECKPOINTS_MAX, CountersignCheckpoint};
pub use command::{
    ActivateMaterial, AddReplica, ControlBody, ControlCommand, CreateKeySet, InitialProperties, OfferImportedMaterial,
    ProposalId, PutResidencyRules, RegisterRegion, ReportImport, SetRotation, StageMaterial, UpdatePrimary,
};
pub use history::{HOLDINGS_MAX, Holding, HoldingEnd, KeyHistory, Mark};
pub use journal::{JOURNAL_MAX, JournalEntry, SharedChange};
pub use key_set::{Activation, Holder, HolderStatus, KeySet, MaterialVersion, SealedBox};
pub use outcome::{Applied, ControlChange, ControlEffect, ControlOutcome, Refusal};
pub use recent::{RECENT_PROPOSALS, RecentProposals};
pub use residency::{ACCEPTED_MAX, ResidencyRule, ResidencyRules, Subject};
pub use state::{ControlState, FORMER_SIGNING_KEYS_MAX, RegionEntry, RegionRole};
