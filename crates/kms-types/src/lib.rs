//! The words of the domain, as types that can only hold valid values.
//!
//! Everything else depends on this crate; it depends on nothing but `thiserror`. It knows no wire format, no clock
//! and no randomness: parsing happens at the edges, and a value of one of these types needs no second check.

mod algorithm;
mod alias;
mod arn;
mod context;
mod grant;
mod import;
mod key_id;
mod key_kind;
mod key_matrix;
mod key_state;
mod material;
mod principal;
mod region;
mod time;

pub mod limits;

pub use algorithm::{
    EncapsulationAlgorithm, EncryptionAlgorithm, KeyAgreementAlgorithm, MacAlgorithm, MessageType, SigningAlgorithm,
};
pub use alias::AliasName;
pub use arn::{AliasArn, KeyArn, KeyRef, KeyRefError, PARTITION};
pub use context::EncryptionContext;
pub use grant::{GrantId, GrantOperation};
pub use import::{ExpirationModel, ImportType, WrappingAlgorithm, WrappingKeySpec};
pub use key_id::{AccountId, KeyId};
pub use key_kind::{KeySpec, KeyUsage, Origin};
pub use key_state::KeyState;
pub use material::{KeyMaterialId, RotationType};
pub use principal::{AccessKeyId, IamName, IamPath, PrincipalId, RoleId};
pub use region::RegionName;
pub use time::{DayLength, Timestamp};

/// A value that does not have the form its type requires. Carries the type's name, never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct Invalid(pub &'static str);
