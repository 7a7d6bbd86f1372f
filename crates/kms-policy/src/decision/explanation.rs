//! What was decided and why, for the audit record and for `explain-access`; never for the caller.

use kms_types::GrantId;
use std::fmt;
use std::sync::Arc;

/// Where a statement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// The key policy.
    Key,
    /// The trust policy of a role.
    Trust,
    /// An identity policy of the caller, by name.
    Identity(Arc<str>),
    /// The caller's permission boundary, by name.
    Boundary(Arc<str>),
    /// The session policy, by name.
    Session(Arc<str>),
}

/// A statement by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRef {
    /// The policy.
    pub source: PolicySource,
    /// Position among the statements, from zero.
    pub index: usize,
    /// The statement's `Sid`, if it has one.
    pub sid: Option<Arc<str>>,
}

/// What was decided, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Allowed.
    Allowed(Allowed),
    /// Denied.
    Denied(Denied),
}

/// What allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// The key policy, or a role's trust policy, by itself.
    KeyPolicy(StatementRef),
    /// The key policy leaves it to the caller's account (or, across accounts, admits the caller), and an identity policy
    /// allows; the statement of the latter is absent for an account's root user.
    KeyAndIdentity(StatementRef, Option<StatementRef>),
    /// A grant; across accounts, and where the grantee is an account, together with an identity policy.
    Grant(GrantId, Option<StatementRef>),
    /// An identity policy, for an action that is not about one key; no statement for the root user.
    Identity(Option<StatementRef>),
}

/// What denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A Deny statement.
    Explicit(StatementRef),
    /// The key policy or a grant leaves it to identity policies, and none allows.
    NoIdentityPolicy,
    /// Neither the key policy (or trust policy) nor a grant allows.
    NoKeyPolicy,
    /// The permission boundary does not allow it.
    Boundary,
    /// The session policy does not allow it.
    SessionPolicy,
    /// The action is not offered across accounts.
    CrossAccount,
    /// The action is not authorised on a resource of this kind; asking so is a mistake of the service.
    Misplaced,
}

impl Decision {
    /// Whether the request may go on.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("key policy"),
            Self::Trust => f.write_str("trust policy"),
            Self::Identity(name) => write!(f, "identity policy {name}"),
            Self::Boundary(name) => write!(f, "permission boundary {name}"),
            Self::Session(name) => write!(f, "session policy {name}"),
        }
    }
}

/// As in `key policy, statement 0 (Enable IAM User Permissions)`.
impl fmt::Display for StatementRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, statement {}", self.source, self.index)?;
        match &self.sid {
            Some(sid) => write!(f, " ({sid})"),
            None => Ok(()),
        }
    }
}

/// One line: the verdict and what decided.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |f: &mut fmt::Formatter<'_>, identity: &Option<StatementRef>| match identity {
            Some(statement) => write!(f, " and {statement}"),
            None => Ok(()),
        };
        match self {
            Self::Allowed(Allowed::KeyPolicy(statement)) => write!(f, "allowed by {statement}"),
            Self::Allowed(Allowed::KeyAndIdentity(statement, identity)) => {
                write!(f, "allowed by {statement}")?;
                with(f, identity)
            }
            Self::Allowed(Allowed::Grant(id, identity)) => {
                write!(f, "allowed by grant {id}")?;
                with(f, identity)
            }
            Self::Allowed(Allowed::Identity(Some(statement))) => write!(f, "allowed by {statement}"),
            Self::Allowed(Allowed::Identity(None)) => f.write_str("allowed to the root user"),
            Self::Denied(Denied::Explicit(statement)) => write!(f, "denied by {statement}"),
            Self::Denied(Denied::NoIdentityPolicy) => f.write_str("denied: no identity policy allows it"),
            Self::Denied(Denied::NoKeyPolicy) => f.write_str("denied: neither the key policy nor a grant allows it"),
            Self::Denied(Denied::Boundary) => f.write_str("denied: the permission boundary does not allow it"),
            Self::Denied(Denied::SessionPolicy) => f.write_str("denied: the session policy does not allow it"),
            Self::Denied(Denied::CrossAccount) => f.write_str("denied: the action is not offered across accounts"),
            Self::Denied(Denied::Misplaced) => f.write_str("denied: the action is not authorised on this resource"),
        }
    }
}
