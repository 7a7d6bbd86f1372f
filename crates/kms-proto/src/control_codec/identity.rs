//! Commands about the directory of principals, and its rows.

mod role;
mod session_key;

use super::{Row, parts, row_key};
use crate::format::{Format, VERSION, pairs, texts};
use crate::{FormatError, state::v1 as pb};
use kms_core::control::identity::{
    AccessKeyEntry, CreatePrincipal, IdentityBody, IdentityChange, PrincipalChange, PrincipalEntry, RecipientBox,
    RecipientBoxes,
};
use kms_types::{AccessKeyId, IamName, IamPath, PrincipalId, Timestamp};
use pb::control_command::Body;
use prost::Message;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

const PRINCIPAL_PREFIX: u8 = 0x20;
/// In the key of a principal's row, between account and name: what kind of principal it is.
const USER: &[u8] = b"u";
const ACCESS_KEY_PREFIX: u8 = 0x21;

/// First bytes of the rows of the directory.
pub(super) const PREFIXES: RangeInclusive<u8> = PRINCIPAL_PREFIX..=session_key::PREFIX;

const PRINCIPAL: Format = Format("principal");
const ACCESS_KEY: Format = Format("access key");

pub(super) fn body(body: &IdentityBody) -> Body {
    match body {
        IdentityBody::CreatePrincipal(b) => Body::CreatePrincipal(pb::CreatePrincipal {
            id: Some(principal_id(&b.id)),
            unique_id: b.unique_id.clone(),
            path: b.path.as_str().to_owned(),
            certificate: b.certificate.clone(),
            tags: pairs(&b.tags),
        }),
        IdentityBody::ChangePrincipal { id, change: how } => {
            Body::ChangePrincipal(pb::ChangePrincipal { id: Some(principal_id(id)), change: Some(change(how)) })
        }
        IdentityBody::DeletePrincipal { id } => Body::DeletePrincipal(principal_id(id)),
        IdentityBody::CreateAccessKey { id, user, boxes } => Body::CreateAccessKey(pb::CreateAccessKey {
            access_key_id: id.to_string(),
            user: Some(principal_id(user)),
            boxes: recipients(boxes),
        }),
        IdentityBody::EnableAccessKey { id, enabled } => {
            Body::EnableAccessKey(pb::EnableAccessKey { access_key_id: id.to_string(), enabled: *enabled })
        }
        IdentityBody::DeleteAccessKey { id } => Body::DeleteAccessKey(id.to_string()),
        IdentityBody::ResealAccessKey { id, boxes } => {
            Body::ResealAccessKey(pb::ResealAccessKey { access_key_id: id.to_string(), boxes: recipients(boxes) })
        }
        IdentityBody::CreateRole(b) => Body::CreateRole(role::create(b)),
        IdentityBody::ChangeRole { id, change } => Body::ChangeRole(role::change(id, change)),
        IdentityBody::DeleteRole { id } => Body::DeleteRole(role::id(id)),
        IdentityBody::CreateSessionKey { epoch, boxes, end_sessions } => Body::CreateSessionKey(pb::CreateSessionKey {
            epoch: *epoch,
            boxes: recipients(boxes),
            end_sessions: *end_sessions,
        }),
        IdentityBody::ResealSessionKey { epoch, boxes } => {
            Body::ResealSessionKey(pb::ResealSessionKey { epoch: *epoch, boxes: recipients(boxes) })
        }
    }
}

pub(super) fn parse_body(f: Format, body: Body) -> Result<IdentityBody, FormatError> {
    Ok(match body {
        Body::CreatePrincipal(m) => IdentityBody::CreatePrincipal(Box::new(CreatePrincipal {
            id: parse_principal_id(f, m.id)?,
            unique_id: m.unique_id,
            path: parse_path(f, &m.path)?,
            certificate: m.certificate,
            tags: texts(m.tags),
        })),
        Body::ChangePrincipal(m) => IdentityBody::ChangePrincipal {
            id: parse_principal_id(f, m.id)?,
            change: parse_change(f, f.required(m.change, "kind of change")?)?,
        },
        Body::DeletePrincipal(m) => IdentityBody::DeletePrincipal { id: parse_principal_id(f, Some(m))? },
        Body::CreateAccessKey(m) => IdentityBody::CreateAccessKey {
            id: parse_access_key(f, &m.access_key_id)?,
            user: parse_principal_id(f, m.user)?,
            boxes: parse_recipients(f, m.boxes)?,
        },
        Body::EnableAccessKey(m) => {
            IdentityBody::EnableAccessKey { id: parse_access_key(f, &m.access_key_id)?, enabled: m.enabled }
        }
        Body::DeleteAccessKey(id) => IdentityBody::DeleteAccessKey { id: parse_access_key(f, &id)? },
        Body::ResealAccessKey(m) => IdentityBody::ResealAccessKey {
            id: parse_access_key(f, &m.access_key_id)?,
            boxes: parse_recipients(f, m.boxes)?,
        },
        Body::CreateRole(m) => IdentityBody::CreateRole(Box::new(role::parse_create(f, m)?)),
        Body::ChangeRole(m) => IdentityBody::ChangeRole {
            id: role::parse_id(f, m.id)?,
            change: role::parse_change(f, f.required(m.change, "kind of change")?)?,
        },
        Body::DeleteRole(m) => IdentityBody::DeleteRole { id: role::parse_id(f, Some(m))? },
        Body::CreateSessionKey(m) => IdentityBody::CreateSessionKey {
            epoch: m.epoch,
            boxes: parse_recipients(f, m.boxes)?,
            end_sessions: m.end_sessions,
        },
        Body::ResealSessionKey(m) => {
            IdentityBody::ResealSessionKey { epoch: m.epoch, boxes: parse_recipients(f, m.boxes)? }
        }
        _ => return Err(f.error("kind of command")),
    })
}

pub(super) fn to_row(change: &IdentityChange) -> Row {
    match change {
        IdentityChange::PutPrincipal(entry) => {
            Row { key: principal_key(&entry.id), value: Some(encode_principal(entry)) }
        }
        IdentityChange::DeletePrincipal(id) => Row { key: principal_key(id), value: None },
        IdentityChange::PutAccessKey(entry) => {
            Row { key: access_key_key(&entry.id), value: Some(encode_access_key(entry)) }
        }
        IdentityChange::DeleteAccessKey(id) => Row { key: access_key_key(id), value: None },
        IdentityChange::PutRole(entry) => Row { key: role::row_key(&entry.id), value: Some(role::encode(entry)) },
        IdentityChange::DeleteRole(id) => Row { key: role::row_key(id), value: None },
        IdentityChange::PutSessionKey(entry) => {
            Row { key: session_key::row_key(entry.epoch), value: Some(session_key::encode(entry)) }
        }
        IdentityChange::DeleteSessionKey(epoch) => Row { key: session_key::row_key(*epoch), value: None },
    }
}

pub(super) fn decode(prefix: u8, value: &[u8]) -> Result<IdentityChange, FormatError> {
    match prefix {
        PRINCIPAL_PREFIX => decode_principal(value),
        role::PREFIX => role::decode(value),
        session_key::PREFIX => session_key::decode(value),
        _ => decode_access_key(value),
    }
}

fn principal_key(id: &PrincipalId) -> Vec<u8> {
    row_key(PRINCIPAL_PREFIX, &[id.account.as_str().as_bytes(), USER, id.name.as_str().as_bytes()].concat())
}

fn access_key_key(id: &AccessKeyId) -> Vec<u8> {
    row_key(ACCESS_KEY_PREFIX, id.as_str().as_bytes())
}

fn encode_principal(entry: &PrincipalEntry) -> Vec<u8> {
    pb::PrincipalEntry {
        format: VERSION,
        id: Some(principal_id(&entry.id)),
        unique_id: entry.unique_id.clone(),
        path: entry.path.as_str().to_owned(),
        created_at_ms: entry.created_at.millis(),
        enabled: entry.enabled,
        certificate: entry.certificate.clone(),
        policies: policies(&entry.policies),
        boundary: entry.boundary.clone(),
        tags: pairs(&entry.tags),
    }
    .encode_to_vec()
}

fn decode_principal(bytes: &[u8]) -> Result<IdentityChange, FormatError> {
    let m: pb::PrincipalEntry = PRINCIPAL.message(bytes)?;
    PRINCIPAL.version(m.format)?;
    Ok(IdentityChange::PutPrincipal(Arc::new(PrincipalEntry {
        id: parse_principal_id(PRINCIPAL, m.id)?,
        unique_id: m.unique_id,
        path: parse_path(PRINCIPAL, &m.path)?,
        created_at: Timestamp::from_millis(m.created_at_ms),
        enabled: m.enabled,
        certificate: m.certificate,
        policies: parse_policies(PRINCIPAL, m.policies)?,
        boundary: m.boundary,
        tags: texts(m.tags),
    })))
}

fn encode_access_key(entry: &AccessKeyEntry) -> Vec<u8> {
    pb::AccessKeyEntry {
        format: VERSION,
        access_key_id: entry.id.to_string(),
        user: Some(principal_id(&entry.user)),
        created_at_ms: entry.created_at.millis(),
        enabled: entry.enabled,
        boxes: recipients(&entry.boxes),
    }
    .encode_to_vec()
}

fn decode_access_key(bytes: &[u8]) -> Result<IdentityChange, FormatError> {
    let m: pb::AccessKeyEntry = ACCESS_KEY.message(bytes)?;
    ACCESS_KEY.version(m.format)?;
    Ok(IdentityChange::PutAccessKey(Arc::new(AccessKeyEntry {
        id: parse_access_key(ACCESS_KEY, &m.access_key_id)?,
        user: parse_principal_id(ACCESS_KEY, m.user)?,
        created_at: Timestamp::from_millis(m.created_at_ms),
        enabled: m.enabled,
        boxes: parse_recipients(ACCESS_KEY, m.boxes)?,
    })))
}

fn principal_id(id: &PrincipalId) -> pb::PrincipalId {
    pb::PrincipalId {
        account: id.account.to_string(),
        r#type: pb::PrincipalType::User.into(),
        name: id.name.to_string(),
    }
}

fn parse_principal_id(f: Format, value: Option<pb::PrincipalId>) -> Result<PrincipalId, FormatError> {
    let value = f.required(value, "principal")?;
    if pb::PrincipalType::try_from(value.r#type) != Ok(pb::PrincipalType::User) {
        return Err(f.error("type of principal"));
    }
    let name = f.required(IamName::parse_principal(&value.name).ok(), "name of a principal")?;
    Ok(PrincipalId { account: f.account(&value.account)?, name })
}

fn change(change: &PrincipalChange) -> pb::change_principal::Change {
    use pb::change_principal::Change;
    match change {
        PrincipalChange::Enabled(enabled) => Change::Enabled(*enabled),
        PrincipalChange::PutPolicy(name, document) => {
            Change::PutPolicy(pb::TextPair { key: name.to_string(), value: document.clone() })
        }
        PrincipalChange::DeletePolicy(name) => Change::DeletePolicy(name.to_string()),
        PrincipalChange::Boundary(Some(document)) => Change::PutBoundary(document.clone()),
        PrincipalChange::Boundary(None) => Change::DeleteBoundary(true),
    }
}

fn parse_change(f: Format, change: pb::change_principal::Change) -> Result<PrincipalChange, FormatError> {
    use pb::change_principal::Change;
    Ok(match change {
        Change::Enabled(enabled) => PrincipalChange::Enabled(enabled),
        Change::PutPolicy(pair) => PrincipalChange::PutPolicy(parse_name(f, &pair.key)?, pair.value),
        Change::DeletePolicy(name) => PrincipalChange::DeletePolicy(parse_name(f, &name)?),
        Change::PutBoundary(document) => PrincipalChange::Boundary(Some(document)),
        Change::DeleteBoundary(_) => PrincipalChange::Boundary(None),
    })
}

fn policies(policies: &BTreeMap<IamName, String>) -> Vec<pb::TextPair> {
    let one = |(name, document): (&IamName, &String)| pb::TextPair { key: name.to_string(), value: document.clone() };
    policies.iter().map(one).collect()
}

fn parse_policies(f: Format, policies: Vec<pb::TextPair>) -> Result<BTreeMap<IamName, String>, FormatError> {
    policies.into_iter().map(|p| Ok((parse_name(f, &p.key)?, p.value))).collect()
}

fn recipients(boxes: &RecipientBoxes) -> Vec<pb::RecipientBox> {
    let one = |(region, b): (&kms_types::RegionName, &RecipientBox)| pb::RecipientBox {
        region: region.to_string(),
        registered_at_ms: b.registered_at.millis(),
        r#box: Some(parts::sealed(&b.sealed)),
    };
    boxes.iter().map(one).collect()
}

fn parse_recipients(f: Format, boxes: Vec<pb::RecipientBox>) -> Result<RecipientBoxes, FormatError> {
    let one = |b: pb::RecipientBox| {
        let registered_at = Timestamp::from_millis(b.registered_at_ms);
        Ok((f.region(&b.region)?, RecipientBox { registered_at, sealed: parts::parse_sealed(f, b.r#box)? }))
    };
    boxes.into_iter().map(one).collect()
}

fn parse_name(f: Format, value: &str) -> Result<IamName, FormatError> {
    f.required(IamName::parse(value).ok(), "name of a policy")
}

fn parse_path(f: Format, value: &str) -> Result<IamPath, FormatError> {
    f.required(IamPath::parse(value).ok(), "path")
}

fn parse_access_key(f: Format, value: &str) -> Result<AccessKeyId, FormatError> {
    f.required(AccessKeyId::parse(value).ok(), "access key ID")
}
