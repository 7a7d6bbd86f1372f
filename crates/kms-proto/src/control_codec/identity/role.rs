//! Roles in commands, and their rows.

use super::{parse_name, parse_path, parse_policies, policies};
use crate::format::{Format, VERSION, pairs, texts};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::identity::{CreateRole, IdentityChange, PrincipalChange, RoleChange, RoleEntry};
use kms_types::{IamName, RoleId, Timestamp};
use pb::change_role::Change;
use prost::Message;
use std::sync::Arc;

/// First byte of the row of a role.
pub(super) const PREFIX: u8 = 0x22;

const ROLE: Format = Format("role");

pub(super) fn create(b: &CreateRole) -> pb::CreateRole {
    pb::CreateRole {
        id: Some(id(&b.id)),
        unique_id: b.unique_id.clone(),
        path: b.path.as_str().to_owned(),
        trust: b.trust.clone(),
        max_session_seconds: b.max_session_seconds,
        tags: pairs(&b.tags),
    }
}

pub(super) fn parse_create(f: Format, m: pb::CreateRole) -> Result<CreateRole, FormatError> {
    Ok(CreateRole {
        id: parse_id(f, m.id)?,
        unique_id: m.unique_id,
        path: parse_path(f, &m.path)?,
        trust: m.trust,
        max_session_seconds: m.max_session_seconds,
        tags: texts(m.tags),
    })
}

pub(super) fn change(of: &RoleId, change: &RoleChange) -> pb::ChangeRole {
    let change = match change {
        RoleChange::Principal(PrincipalChange::Enabled(enabled)) => Change::Enabled(*enabled),
        RoleChange::Principal(PrincipalChange::PutPolicy(name, document)) => {
            Change::PutPolicy(pb::TextPair { key: name.to_string(), value: document.clone() })
        }
        RoleChange::Principal(PrincipalChange::DeletePolicy(name)) => Change::DeletePolicy(name.to_string()),
        RoleChange::Principal(PrincipalChange::Boundary(Some(document))) => Change::PutBoundary(document.clone()),
        RoleChange::Principal(PrincipalChange::Boundary(None)) => Change::DeleteBoundary(true),
        RoleChange::Trust(document) => Change::Trust(document.clone()),
        RoleChange::MaxSessionSeconds(seconds) => Change::MaxSessionSeconds(*seconds),
    };
    pb::ChangeRole { id: Some(id(of)), change: Some(change) }
}

pub(super) fn parse_change(f: Format, change: Change) -> Result<RoleChange, FormatError> {
    Ok(RoleChange::Principal(match change {
        Change::Enabled(enabled) => PrincipalChange::Enabled(enabled),
        Change::PutPolicy(pair) => PrincipalChange::PutPolicy(parse_name(f, &pair.key)?, pair.value),
        Change::DeletePolicy(name) => PrincipalChange::DeletePolicy(parse_name(f, &name)?),
        Change::PutBoundary(document) => PrincipalChange::Boundary(Some(document)),
        Change::DeleteBoundary(_) => PrincipalChange::Boundary(None),
        Change::Trust(document) => return Ok(RoleChange::Trust(document)),
        Change::MaxSessionSeconds(seconds) => return Ok(RoleChange::MaxSessionSeconds(seconds)),
    }))
}

pub(super) fn id(id: &RoleId) -> pb::PrincipalId {
    let r#type = pb::PrincipalType::Role.into();
    pb::PrincipalId { account: id.account.to_string(), r#type, name: id.name.to_string() }
}

pub(super) fn parse_id(f: Format, value: Option<pb::PrincipalId>) -> Result<RoleId, FormatError> {
    let value = f.required(value, "role")?;
    if pb::PrincipalType::try_from(value.r#type) != Ok(pb::PrincipalType::Role) {
        return Err(f.error("type of principal"));
    }
    let name = f.required(IamName::parse_principal(&value.name).ok(), "name of a role")?;
    Ok(RoleId { account: f.account(&value.account)?, name })
}

pub(super) fn row_key(id: &RoleId) -> Vec<u8> {
    super::row_key(PREFIX, &[id.account.as_str().as_bytes(), id.name.as_str().as_bytes()].concat())
}

pub(super) fn encode(entry: &RoleEntry) -> Vec<u8> {
    pb::RoleEntry {
        format: VERSION,
        id: Some(id(&entry.id)),
        unique_id: entry.unique_id.clone(),
        path: entry.path.as_str().to_owned(),
        created_at_ms: entry.created_at.millis(),
        enabled: entry.enabled,
        trust: entry.trust.clone(),
        max_session_seconds: entry.max_session_seconds,
        policies: policies(&entry.policies),
        boundary: entry.boundary.clone(),
        tags: pairs(&entry.tags),
    }
    .encode_to_vec()
}

pub(super) fn decode(bytes: &[u8]) -> Result<IdentityChange, FormatError> {
    let m: pb::RoleEntry = ROLE.message(bytes)?;
    ROLE.version(m.format)?;
    Ok(IdentityChange::PutRole(Arc::new(RoleEntry {
        id: parse_id(ROLE, m.id)?,
        unique_id: m.unique_id,
        path: parse_path(ROLE, &m.path)?,
        created_at: Timestamp::from_millis(m.created_at_ms),
        enabled: m.enabled,
        trust: m.trust,
        max_session_seconds: m.max_session_seconds,
        policies: parse_policies(ROLE, m.policies)?,
        boundary: m.boundary,
        tags: texts(m.tags),
    })))
}
