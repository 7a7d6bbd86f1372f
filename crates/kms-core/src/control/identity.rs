//! The directory of principals: users with their access keys, roles, and the keys of session tokens.
//!
//! A secret is here as sealed boxes only, one for every Region that serves requests.

mod role;
mod session_key;
mod state;

pub use role::{CreateRole, RoleChange, RoleEntry};
pub use session_key::{SESSION_KEY_KEPT, SESSION_KEY_PERIOD, SessionKeyEntry};
pub use state::IdentityState;

use super::SealedBox;
use kms_types::{AccessKeyId, IamName, IamPath, PrincipalId, RegionName, RoleId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalEntry {
    /// Account and name.
    pub id: PrincipalId,
    /// The unique ID, `AIDA…`; a user made again under an old name has another.
    pub unique_id: String,
    /// The path.
    pub path: IamPath,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether its access keys and its certificate are honoured.
    pub enabled: bool,
    /// SPIFFE URI of the client certificate that stands for the user on gRPC.
    pub certificate: Option<String>,
    /// Identity policies by name: the texts of the documents.
    pub policies: BTreeMap<IamName, String>,
    /// The permission boundary: the text of the document.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A secret sealed to one Region, and to which sealing key of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientBox {
    /// When the Region entered the sealing key in the Region directory; with a later key the box opens no more.
    pub registered_at: Timestamp,
    /// The box.
    pub sealed: SealedBox,
}

/// Sealed boxes of one secret, by destination.
pub type RecipientBoxes = BTreeMap<RegionName, RecipientBox>;

/// An access key of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKeyEntry {
    /// Its ID.
    pub id: AccessKeyId,
    /// The user.
    pub user: PrincipalId,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether it is honoured.
    pub enabled: bool,
    /// The secret.
    pub boxes: RecipientBoxes,
}

/// What may be asked about the directory of principals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityBody {
    /// A new user.
    CreatePrincipal(Box<CreatePrincipal>),
    /// Changes one property of a user.
    ChangePrincipal {
        /// Which.
        id: PrincipalId,
        /// How.
        change: PrincipalChange,
    },
    /// Removes a user with its access keys.
    DeletePrincipal {
        /// Which.
        id: PrincipalId,
    },
    /// A new access key of a user.
    CreateAccessKey {
        /// A new ID.
        id: AccessKeyId,
        /// The user.
        user: PrincipalId,
        /// The secret, sealed to exactly the Regions that serve requests.
        boxes: RecipientBoxes,
    },
    /// Disables an access key, or enables it again.
    EnableAccessKey {
        /// Which.
        id: AccessKeyId,
        /// Whether it is honoured from now on.
        enabled: bool,
    },
    /// Removes an access key.
    DeleteAccessKey {
        /// Which.
        id: AccessKeyId,
    },
    /// Boxes of an access key's secret for Regions that had none, or none that they can open.
    ResealAccessKey {
        /// Of which access key.
        id: AccessKeyId,
        /// The new boxes.
        boxes: RecipientBoxes,
    },
    /// A new role.
    CreateRole(Box<CreateRole>),
    /// Changes one property of a role.
    ChangeRole {
        /// Which.
        id: RoleId,
        /// How.
        change: RoleChange,
    },
    /// Removes a role; its sessions end.
    DeleteRole {
        /// Which.
        id: RoleId,
    },
    /// A new session token key, which seals session tokens from now on. Of the older ones those go that no session that is
    /// still running can need.
    CreateSessionKey {
        /// The newest epoch plus one; 1 for the first.
        epoch: u64,
        /// The key, sealed to exactly the Regions that serve requests.
        boxes: RecipientBoxes,
        /// Whether every older key goes at once, and the sessions with it.
        end_sessions: bool,
    },
    /// Boxes of a session token key for Regions that had none, or none that they can open.
    ResealSessionKey {
        /// Of which epoch.
        epoch: u64,
        /// The new boxes.
        boxes: RecipientBoxes,
    },
}

/// See [`IdentityBody::CreatePrincipal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePrincipal {
    /// Account and name.
    pub id: PrincipalId,
    /// A new unique ID.
    pub unique_id: String,
    /// The path.
    pub path: IamPath,
    /// SPIFFE URI of the client certificate, if there is one.
    pub certificate: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One changed property of a user, or of a role as far as both have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalChange {
    /// Disables the principal, or enables it again.
    Enabled(bool),
    /// A new identity policy, or a new text of one.
    PutPolicy(IamName, String),
    /// Removes an identity policy.
    DeletePolicy(IamName),
    /// Sets or removes the permission boundary.
    Boundary(Option<String>),
}

/// One changed row of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityChange {
    /// A user is new or changed.
    PutPrincipal(Arc<PrincipalEntry>),
    /// A user is gone.
    DeletePrincipal(PrincipalId),
    /// An access key is new or changed.
    PutAccessKey(Arc<AccessKeyEntry>),
    /// An access key is gone.
    DeleteAccessKey(AccessKeyId),
    /// A role is new or changed.
    PutRole(Arc<RoleEntry>),
    /// A role is gone.
    DeleteRole(RoleId),
    /// A session token key is new or has new boxes.
    PutSessionKey(Arc<SessionKeyEntry>),
    /// The session token key of an epoch is gone.
    DeleteSessionKey(u64),
}
