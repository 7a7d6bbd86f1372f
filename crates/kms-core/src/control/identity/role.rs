//! Roles: principals that have no credentials of their own, but sessions.

use super::PrincipalChange;
use kms_types::{IamName, IamPath, RoleId, Timestamp};
use std::collections::BTreeMap;

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleEntry {
    /// Account and name.
    pub id: RoleId,
    /// The unique ID, `AROA…`; a role made again under an old name has another, and sessions of the old one are none of its.
    pub unique_id: String,
    /// The path.
    pub path: IamPath,
    /// When it was created.
    pub created_at: Timestamp,
    /// Whether it can be assumed and its sessions are honoured.
    pub enabled: bool,
    /// Who may assume it: the text of the trust policy.
    pub trust: String,
    /// Longest session that may be asked for, in seconds: 3,600 to 43,200.
    pub max_session_seconds: u32,
    /// Identity policies by name: the texts of the documents.
    pub policies: BTreeMap<IamName, String>,
    /// The permission boundary: the text of the document.
    pub boundary: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// See [`super::IdentityBody::CreateRole`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRole {
    /// Account and name.
    pub id: RoleId,
    /// A new unique ID.
    pub unique_id: String,
    /// The path.
    pub path: IamPath,
    /// The text of the trust policy.
    pub trust: String,
    /// Longest session, in seconds: 3,600 to 43,200.
    pub max_session_seconds: u32,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One changed property of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleChange {
    /// One that users have too.
    Principal(PrincipalChange),
    /// A new text of the trust policy.
    Trust(String),
    /// Another longest session, in seconds: 3,600 to 43,200. Sessions that run keep their end.
    MaxSessionSeconds(u32),
}
