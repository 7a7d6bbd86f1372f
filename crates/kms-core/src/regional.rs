//! The regional state: everything that one Region keeps for itself.

mod apply;
mod command;
mod outcome;
mod record;
mod state;

pub use command::{
    CreateKey, CreateReplica, InstallMaterial, NewMaterial, RegionalBody, RegionalCommand, RotateMaterial,
    ScheduleDeletion,
};
pub use outcome::{RegionalApplied, RegionalChange, RegionalOutcome, RegionalRefusal};
pub use record::{AliasRecord, KeyRecord, Lifecycle, LocalMaterial};
pub use state::RegionalState;
