//! The regional state: everything that one Region keeps for itself.

mod apply;
mod command;
mod deadlines;
mod grant;
mod grants;
mod last_use;
mod outcome;
mod record;
mod state;

pub use command::{
    CreateKey, CreateReplica, ExpectMaterial, ImportMaterial, InstallMaterial, NewMaterial, RegionalBody,
    RegionalCommand, RotateMaterial, ScheduleDeletion, SetAlias,
};
pub use grant::{GrantConstraints, GrantPrincipal, GrantRecord, NewGrant};
pub use last_use::{LastUse, TrackedOperation};
pub use outcome::{RegionalApplied, RegionalChange, RegionalOutcome, RegionalRefusal};
pub use record::{AliasRecord, ImportedMaterial, KeyRecord, Lifecycle, LocalMaterial};
pub use state::RegionalState;
