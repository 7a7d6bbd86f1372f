//! The rows of the regional state.
//!
//! Decoding accepts exactly the bytes that encoding writes. Row keys: 0x10 and a key ID; 0x11, an account and an alias
//! name; 0x12, a key ID and a material ID; 0x13, a key ID and a grant ID; 0x14 and a key ID for its last use. A start-up
//! reads all but wrapped material, which stays in the store.

mod grant;
mod last_use;
mod record;

pub use crate::format::Row;

use crate::format::{Format, VERSION};
use crate::{FormatError, state::v1 as pb};
use kms_core::regional::{AliasRecord, NewMaterial, RegionalChange};
use kms_types::{AccountId, AliasName, GrantId, KeyId, KeyMaterialId, Timestamp};
use prost::Message;
use std::sync::Arc;

/// First byte of the row of a key.
pub const KEY_PREFIX: u8 = 0x10;
/// First byte of the row of an alias.
pub const ALIAS_PREFIX: u8 = 0x11;
/// First byte of the row of wrapped material.
pub const MATERIAL_PREFIX: u8 = 0x12;
/// First byte of the row of a grant.
pub const GRANT_PREFIX: u8 = 0x13;
/// First byte of the row of a key's last use.
pub const LAST_USE_PREFIX: u8 = 0x14;
/// The kinds of row that make up the state in memory: all but wrapped material.
pub const STATE_PREFIXES: [u8; 4] = [KEY_PREFIX, ALIAS_PREFIX, GRANT_PREFIX, LAST_USE_PREFIX];

const ROW: Format = Format("regional row key");
const ALIAS: Format = Format("alias");
const MATERIAL: Format = Format("wrapped material");

/// Encodes a changed row.
#[must_use]
pub fn change_to_row(change: &RegionalChange) -> Row {
    match change {
        RegionalChange::PutKey(record) => {
            Row { key: key_record_key(&record.key_id), value: Some(record::encode(record)) }
        }
        RegionalChange::DeleteKey(key_id) => Row { key: key_record_key(key_id), value: None },
        RegionalChange::PutAlias(alias) => {
            Row { key: alias_key(&alias.account, &alias.name), value: Some(encode_alias(alias)) }
        }
        RegionalChange::DeleteAlias(account, name) => Row { key: alias_key(account, name), value: None },
        RegionalChange::PutMaterial(key_id, material) => {
            let message = pb::WrappedMaterial { format: VERSION, wrapped: material.wrapped.clone() };
            Row { key: material_key(key_id, &material.material_id), value: Some(message.encode_to_vec()) }
        }
        RegionalChange::DeleteMaterial(key_id, material_id) => {
            Row { key: material_key(key_id, material_id), value: None }
        }
        RegionalChange::PutGrant(grant) => {
            Row { key: grant_key(&grant.key_id, &grant.grant_id), value: Some(grant::encode(grant)) }
        }
        RegionalChange::DeleteGrant(key_id, grant_id) => Row { key: grant_key(key_id, grant_id), value: None },
        RegionalChange::PutLastUse(key_id, last_use) => {
            Row { key: last_use_key(key_id), value: Some(last_use::encode(last_use)) }
        }
        RegionalChange::DeleteLastUse(key_id) => Row { key: last_use_key(key_id), value: None },
    }
}

/// Reads a stored row back into the change that wrote it.
///
/// # Errors
/// [`FormatError`] when the key or the value is not one that [`change_to_row`] writes, or the two do not belong together.
pub fn row_to_change(key: &[u8], value: &[u8]) -> Result<RegionalChange, FormatError> {
    let change = match key.split_first() {
        Some((&KEY_PREFIX, _)) => RegionalChange::PutKey(Arc::new(record::decode(value)?)),
        Some((&ALIAS_PREFIX, _)) => RegionalChange::PutAlias(Arc::new(decode_alias(value)?)),
        Some((&MATERIAL_PREFIX, rest)) => {
            let (key_id, material_id) = parse_material_key(rest)?;
            let message: pb::WrappedMaterial = MATERIAL.message(value)?;
            MATERIAL.version(message.format)?;
            RegionalChange::PutMaterial(key_id, NewMaterial { material_id, wrapped: message.wrapped })
        }
        Some((&GRANT_PREFIX, _)) => RegionalChange::PutGrant(Arc::new(grant::decode(value)?)),
        Some((&LAST_USE_PREFIX, rest)) => RegionalChange::PutLastUse(parse_key_id(rest)?, last_use::decode(value)?),
        _ => return Err(ROW.error("unknown kind of row")),
    };
    let row = change_to_row(&change);
    if row.key != key {
        return Err(ROW.error("the key does not belong to the value"));
    }
    Format("regional row").canonical(value, row.value.as_deref().unwrap_or_default())?;
    Ok(change)
}

/// The key of the row with the wrapped bytes of one material version.
#[must_use]
pub fn material_key(key_id: &KeyId, material_id: &KeyMaterialId) -> Vec<u8> {
    [&[MATERIAL_PREFIX], key_id.as_bytes().as_slice(), material_id.as_bytes().as_slice()].concat()
}

/// The key of a key's row.
#[must_use]
pub fn key_record_key(key_id: &KeyId) -> Vec<u8> {
    [&[KEY_PREFIX], key_id.as_bytes().as_slice()].concat()
}

/// The key of an alias's row.
#[must_use]
pub fn alias_key(account: &AccountId, name: &AliasName) -> Vec<u8> {
    [&[ALIAS_PREFIX], account.as_str().as_bytes(), name.as_str().as_bytes()].concat()
}

/// The key of a grant's row.
#[must_use]
pub fn grant_key(key_id: &KeyId, grant_id: &GrantId) -> Vec<u8> {
    [&[GRANT_PREFIX], key_id.as_bytes().as_slice(), grant_id.as_bytes().as_slice()].concat()
}

/// The key of the row of a key's last use.
#[must_use]
pub fn last_use_key(key_id: &KeyId) -> Vec<u8> {
    [&[LAST_USE_PREFIX], key_id.as_bytes().as_slice()].concat()
}

fn parse_key_id(bytes: &[u8]) -> Result<KeyId, FormatError> {
    ROW.key_id(ROW.required(str::from_utf8(bytes).ok(), "key ID")?)
}

fn parse_material_key(rest: &[u8]) -> Result<(KeyId, KeyMaterialId), FormatError> {
    let (key_id, material_id) = ROW.required(rest.split_at_checked(36), "too short")?;
    Ok((parse_key_id(key_id)?, ROW.material_id(material_id)?))
}

fn encode_alias(alias: &AliasRecord) -> Vec<u8> {
    pb::AliasRecord {
        format: VERSION,
        account: alias.account.to_string(),
        name: alias.name.to_string(),
        target: alias.target.to_string(),
        created_at_ms: alias.created_at.millis(),
        updated_at_ms: alias.updated_at.millis(),
    }
    .encode_to_vec()
}

fn decode_alias(bytes: &[u8]) -> Result<AliasRecord, FormatError> {
    let m: pb::AliasRecord = ALIAS.message(bytes)?;
    ALIAS.version(m.format)?;
    Ok(AliasRecord {
        account: ALIAS.account(&m.account)?,
        name: ALIAS.alias(&m.name)?,
        target: ALIAS.key_id(&m.target)?,
        created_at: Timestamp::from_millis(m.created_at_ms),
        updated_at: Timestamp::from_millis(m.updated_at_ms),
    })
}
