//! What a session token says, and its bytes.
//!
//! ```text
//! 0      version of the claims, 1
//! 1      flags: bit 0, the session was started by another session; the others are 0
//! 2..10  when the session began, milliseconds since the Unix epoch, u64 big endian
//! 10..18 when it ends, in the same form
//! 18..   fields, each behind its length (u32 big endian): access key ID, secret access key, account, name and unique ID of
//!        the role, name of the session, source identity, session policy, then key and value of every session tag
//! ```
//! An empty source identity or session policy stands for none. Tags are in the order of their keys.

use crate::kdf::fields;
use crate::{AccessSecret, CryptoError, Zeroizing};
use kms_types::{AccountId, Timestamp};
use std::collections::BTreeMap;

const VERSION: u8 = 1;
const CHAINED: u8 = 1;
/// Fields before the tags.
const FIXED_FIELDS: usize = 8;

/// Tags of a session, by key.
pub type SessionTags = BTreeMap<String, String>;

/// What a session is. The secret is never shown.
#[derive(Debug)]
pub struct SessionClaims {
    /// The temporary access key, `ASIA…`.
    pub access_key_id: String,
    /// Its secret.
    pub secret: AccessSecret,
    /// The role's account.
    pub account: AccountId,
    /// The role's name.
    pub role_name: String,
    /// The role's unique ID, `AROA…`: a role that is made again under the same name is another one.
    pub role_id: String,
    /// The session's name.
    pub session_name: String,
    /// The source identity, if one was set.
    pub source_identity: Option<String>,
    /// The text of the session policy, if one was passed.
    pub policy: Option<String>,
    /// Session tags.
    pub tags: SessionTags,
    /// When the session began.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether the session was started by another session of a role.
    pub chained: bool,
}

impl SessionClaims {
    pub(super) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let mut parts: Vec<&[u8]> = vec![
            self.access_key_id.as_bytes(),
            self.secret.expose().as_bytes(),
            self.account.as_str().as_bytes(),
            self.role_name.as_bytes(),
            self.role_id.as_bytes(),
            self.session_name.as_bytes(),
            self.source_identity.as_deref().unwrap_or_default().as_bytes(),
            self.policy.as_deref().unwrap_or_default().as_bytes(),
        ];
        parts.extend(self.tags.iter().flat_map(|(key, value)| [key.as_bytes(), value.as_bytes()]));
        let found = parts.iter().map(|part| part.len()).max().unwrap_or_default();
        if found > super::SESSION_TOKEN_BYTES_MAX {
            return Err(CryptoError::Length { what: "a claim of a session token", found });
        }
        let listed = Zeroizing::new(fields(&parts));
        let mut out = Zeroizing::new(Vec::with_capacity(listed.len().saturating_add(18)));
        out.extend_from_slice(&[VERSION, if self.chained { CHAINED } else { 0 }]);
        out.extend_from_slice(&self.issued_at.millis().to_be_bytes());
        out.extend_from_slice(&self.expires_at.millis().to_be_bytes());
        out.extend_from_slice(&listed);
        Ok(out)
    }

    /// `None` unless the bytes are claims of a known version, to the last byte.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[version, flags], rest) = bytes.split_first_chunk()?;
        if version != VERSION || flags & !CHAINED != 0 {
            return None;
        }
        let (issued_at, rest) = rest.split_first_chunk()?;
        let (expires_at, rest) = rest.split_first_chunk()?;
        let listed = texts(rest)?;
        let (fixed, tags) = listed.split_at_checked(FIXED_FIELDS)?;
        let &[access_key_id, secret, account, role_name, role_id, session_name, source_identity, policy] = fixed else {
            return None;
        };
        let (pairs, odd) = tags.as_chunks::<2>();
        if !odd.is_empty() || !pairs.is_sorted_by(|[a, _], [b, _]| a < b) {
            return None;
        }
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Some(Self {
            access_key_id: access_key_id.to_owned(),
            secret: AccessSecret::from_text(secret),
            account: AccountId::parse(account).ok()?,
            role_name: role_name.to_owned(),
            role_id: role_id.to_owned(),
            session_name: session_name.to_owned(),
            source_identity: given(source_identity),
            policy: given(policy),
            tags: pairs.iter().map(|[key, value]| ((*key).to_owned(), (*value).to_owned())).collect(),
            issued_at: Timestamp::from_millis(u64::from_be_bytes(*issued_at)),
            expires_at: Timestamp::from_millis(u64::from_be_bytes(*expires_at)),
            chained: flags == CHAINED,
        })
    }
}

/// The fields of a list, all of it.
fn texts(mut rest: &[u8]) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (text, after) = after.split_at_checked(length)?;
        found.push(str::from_utf8(text).ok()?);
        rest = after;
    }
    Some(found)
}
