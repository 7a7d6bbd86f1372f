//! Grant tokens: a name of a grant that only this Region can have given out.
//!
//! Nothing is stored for a token. It carries the key ID and the grant ID, sealed under a key that follows from the
//! Region KEK (`OVERVIEW.md`, "Tokens"), and ends to be valid when that epoch of the KEK is destroyed. Two tokens of one
//! grant differ and mean the same.

use crate::row::{Header, Kind};
use crate::{CryptoError, Entropy, KekEpoch, RegionKek};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use kms_types::{GrantId, KeyId, RegionName};

const KEY_ID_BYTES: usize = 36;
/// Characters of a token: 116 bytes in base64url without padding.
const TOKEN_CHARS: usize = 155;

/// Makes a token of a grant. Every call gives another one.
///
/// # Errors
/// [`CryptoError::Entropy`] when no nonce is to be had.
pub fn new_grant_token(
    kek: &RegionKek,
    region: &RegionName,
    key_id: &KeyId,
    grant_id: &GrantId,
    entropy: &dyn Entropy,
) -> Result<String, CryptoError> {
    let content = [key_id.as_bytes().as_slice(), grant_id.as_bytes()].concat();
    let token = kek.wrap_row(Kind::GrantToken, 0, &[region.as_str().as_bytes()], &content, entropy)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(token))
}

/// The epoch of the KEK that a token needs. Not yet authenticated: [`open_grant_token`] does that.
///
/// # Errors
/// [`CryptoError::Refused`] when the text is not a grant token.
pub fn grant_token_epoch(token: &str) -> Result<KekEpoch, CryptoError> {
    let token = decode(token)?;
    Header::parse(Kind::GrantToken, &token).map(|(header, _)| header.epoch)
}

/// Opens a token with the KEK of its epoch (see [`grant_token_epoch`]). Whether the grant still exists is not said.
///
/// # Errors
/// [`CryptoError::EpochMismatch`] when the KEK is of another epoch, else [`CryptoError::Refused`], whatever the reason.
pub fn open_grant_token(token: &str, kek: &RegionKek, region: &RegionName) -> Result<(KeyId, GrantId), CryptoError> {
    let token = decode(token)?;
    let (_, content) = kek.unwrap_row(Kind::GrantToken, &[region.as_str().as_bytes()], &token)?;
    let (key_id, grant_id) = content.split_first_chunk::<KEY_ID_BYTES>().ok_or(CryptoError::Refused)?;
    let key_id = str::from_utf8(key_id).ok().and_then(|id| KeyId::parse(id).ok()).ok_or(CryptoError::Refused)?;
    let grant_id = grant_id.try_into().map_err(|_length| CryptoError::Refused)?;
    Ok((key_id, GrantId::from_bytes(grant_id)))
}

fn decode(token: &str) -> Result<Vec<u8>, CryptoError> {
    if token.len() != TOKEN_CHARS {
        return Err(CryptoError::Refused);
    }
    BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_not_base64| CryptoError::Refused)
}
