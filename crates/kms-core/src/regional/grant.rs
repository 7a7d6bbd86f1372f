//! Grants: rows, and what a new one is made of.

use kms_types::{AccountId, GrantId, GrantOperation, KeyId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// A grant on one key of this Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRecord {
    /// The key.
    pub key_id: KeyId,
    /// Owner of the key.
    pub account: AccountId,
    /// The grant, unique among the grants of the key.
    pub grant_id: GrantId,
    /// The name that makes a repeated request find this grant again.
    pub name: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Who may use the key by it.
    pub grantee: GrantPrincipal,
    /// Who may retire it.
    pub retiring: Option<GrantPrincipal>,
    /// The account that created it.
    pub issuing_account: AccountId,
    /// What it permits.
    pub operations: BTreeSet<GrantOperation>,
    /// When it permits it.
    pub constraints: GrantConstraints,
}

/// Who a grant is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GrantPrincipal {
    /// An ARN of an account, user, role, or session.
    Arn(String),
    /// A service, as in `ebs.amazonaws.com`.
    Service(String),
}

/// Under which conditions a grant permits its operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrantConstraints {
    /// The encryption context must be exactly this one.
    pub encryption_context_equals: Option<BTreeMap<String, String>>,
    /// The encryption context must contain these pairs.
    pub encryption_context_subset: Option<BTreeMap<String, String>>,
    /// The request must come on behalf of this resource.
    pub source_arn: Option<String>,
}

/// See [`super::RegionalBody::CreateGrant`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGrant {
    /// The key.
    pub key_id: KeyId,
    /// Drawn by the proposer.
    pub grant_id: GrantId,
    /// With a name, a second request with the same parameters finds the first one's grant.
    pub name: Option<String>,
    /// Who may use the key by it.
    pub grantee: GrantPrincipal,
    /// Who may retire it.
    pub retiring: Option<GrantPrincipal>,
    /// The account that creates it.
    pub issuing_account: AccountId,
    /// What it permits.
    pub operations: BTreeSet<GrantOperation>,
    /// When it permits it.
    pub constraints: GrantConstraints,
    /// Most grants that the key may have; the cluster's setting.
    pub grant_limit: usize,
}
