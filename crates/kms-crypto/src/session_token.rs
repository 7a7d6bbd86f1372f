//! Session tokens: what temporary credentials carry with them, so that no Region has to remember a session.
//!
//! ```text
//! 0..3   "MST"
//! 3      format version, 1
//! 4..12  epoch of the session token key, u64 big endian
//! 12..36 nonce
//! 36..   XAES-256-GCM ciphertext of the claims (`claims.rs`) and 16-byte tag
//! ```
//! The cipher's key follows from the session token key. Associated data: a label, the first twelve bytes, the cluster's ID.

mod claims;

pub use claims::{SessionClaims, SessionTags};

use crate::aead::{Cipher, NONCE_BYTES, TAG_BYTES};
use crate::kdf::{derive, fields};
use crate::{CryptoError, Entropy, SessionTokenKey};

const MAGIC: [u8; 4] = *b"MST\x01";
const HEADER_BYTES: usize = 12;
const KEY_LABEL: &str = "meridian/v1/session-token/key";
const LABEL: &str = "meridian/v1/session-token";

/// Longest token, in bytes. In base64 it fits into a header beside everything else of a request.
pub const SESSION_TOKEN_BYTES_MAX: usize = 6 * 1024;

/// Seals claims into a token under the session token key of an epoch.
///
/// # Errors
/// [`CryptoError::Length`] when a claim or the token would be too long, [`CryptoError::Entropy`] when no nonce is to be had.
pub fn seal_session_token(
    key: &SessionTokenKey,
    epoch: u64,
    cluster_id: &str,
    claims: &SessionClaims,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&epoch.to_be_bytes());
    let content = claims.to_bytes()?;
    let length = HEADER_BYTES.saturating_add(NONCE_BYTES).saturating_add(content.len()).saturating_add(TAG_BYTES);
    if length > SESSION_TOKEN_BYTES_MAX {
        return Err(CryptoError::Length { what: "a session token", found: length });
    }
    cipher(key).seal(&header, &associated_data(&header, cluster_id), &content, entropy)
}

/// The epoch of the key that a token needs. Not yet authenticated: [`open_session_token`] does that.
///
/// # Errors
/// [`CryptoError::Refused`] when the bytes are not a session token of a known version.
pub fn session_token_epoch(token: &[u8]) -> Result<u64, CryptoError> {
    if token.len() > SESSION_TOKEN_BYTES_MAX {
        return Err(CryptoError::Refused);
    }
    let rest = token.strip_prefix(&MAGIC).ok_or(CryptoError::Refused)?;
    let (epoch, _) = rest.split_first_chunk().ok_or(CryptoError::Refused)?;
    Ok(u64::from_be_bytes(*epoch))
}

/// Opens a token with the session token key of its epoch (see [`session_token_epoch`]). Whether the session is over, and
/// whether its role is still there, is the caller's to ask.
///
/// # Errors
/// [`CryptoError::Refused`], whatever the reason.
pub fn open_session_token(key: &SessionTokenKey, cluster_id: &str, token: &[u8]) -> Result<SessionClaims, CryptoError> {
    session_token_epoch(token)?;
    let (header, sealed) = token.split_at_checked(HEADER_BYTES).ok_or(CryptoError::Refused)?;
    let content = cipher(key).open(&associated_data(header, cluster_id), sealed)?;
    SessionClaims::from_bytes(&content).ok_or(CryptoError::Refused)
}

fn cipher(key: &SessionTokenKey) -> Cipher {
    Cipher::new(&derive(KEY_LABEL, key.expose(), &[]))
}

fn associated_data(header: &[u8], cluster_id: &str) -> Vec<u8> {
    fields(&[LABEL.as_bytes(), header, cluster_id.as_bytes()])
}
