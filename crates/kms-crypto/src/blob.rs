//! The clear part of a symmetric ciphertext blob (`CiphertextBlob` of the KMS API).
//!
//! ```text
//! 0..3   "MRD"
//! 3      format version, 1
//! 4      form of the key ID: 0 single-Region (UUID), 1 multi-Region (`mrk-`)
//! 5..21  the 32 hex digits of the key ID, as bytes
//! 21..53 key material ID
//! 53..77 nonce
//! 77..   XAES-256-GCM ciphertext and 16-byte tag
//! ```
//! Associated data: the first 53 bytes, then the canonical bytes of the encryption context.

use crate::CryptoError;
use crate::aead::{NONCE_BYTES, TAG_BYTES};
use kms_types::{KeyId, KeyMaterialId};

pub(crate) const HEADER_BYTES: usize = 53;
const MAGIC: [u8; 4] = *b"MRD\x01";
const SINGLE_REGION: u8 = 0;
const MULTI_REGION: u8 = 1;

/// By how many bytes a blob is longer than its plaintext.
pub const BLOB_OVERHEAD_BYTES: usize = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

const _: () = assert!(
    BLOB_OVERHEAD_BYTES + kms_types::limits::PLAINTEXT_BYTES_MAX < kms_types::limits::CIPHERTEXT_BYTES_MAX,
    "the largest plaintext must fit into the largest blob"
);

/// What a blob says about itself. Authenticated only by a successful decryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlobHeader {
    /// The key that the blob names.
    pub key_id: KeyId,
    /// The material version that the blob names.
    pub material_id: KeyMaterialId,
}

impl BlobHeader {
    pub(crate) fn to_bytes(key_id: &KeyId, material_id: &KeyMaterialId) -> [u8; HEADER_BYTES] {
        let (form, digits) = pack(key_id);
        let mut out = [0; HEADER_BYTES];
        let source = MAGIC.into_iter().chain([form]).chain(digits).chain(*material_id.as_bytes());
        for (to, from) in out.iter_mut().zip(source) {
            *to = from;
        }
        out
    }

    /// Splits a blob into its header, the header's bytes, and `nonce ‖ ciphertext ‖ tag`.
    pub(crate) fn split(blob: &[u8]) -> Option<(Self, &[u8; HEADER_BYTES], &[u8])> {
        if blob.len() < BLOB_OVERHEAD_BYTES {
            return None;
        }
        let (bytes, sealed) = blob.split_first_chunk::<HEADER_BYTES>()?;
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (&form, rest) = rest.split_first()?;
        let (digits, material_id) = rest.split_first_chunk::<16>()?;
        let key_id = unpack(form, digits)?;
        let material_id = KeyMaterialId::from_bytes(material_id.try_into().ok()?);
        Some((Self { key_id, material_id }, bytes, sealed))
    }
}

/// Reads which key and material version a blob names, so that the caller can find them and check its rights. Nothing
/// is authenticated by this.
///
/// # Errors
/// [`CryptoError::Refused`] when the bytes are not a blob of a known version.
pub fn parse_header(blob: &[u8]) -> Result<BlobHeader, CryptoError> {
    BlobHeader::split(blob).map(|(header, _, _)| header).ok_or(CryptoError::Refused)
}

/// The form of a key ID and its 32 hex digits as bytes.
fn pack(key_id: &KeyId) -> (u8, [u8; 16]) {
    let (form, prefix) = if key_id.is_multi_region() { (MULTI_REGION, 4) } else { (SINGLE_REGION, 0) };
    let mut digits = key_id.as_bytes().iter().skip(prefix).filter_map(|&c| match c {
        b'0'..=b'9' => Some(c ^ b'0'),
        b'a'..=b'f' => Some(c.wrapping_sub(b'a' - 10)),
        // The hyphens of a UUID; a key ID has no other characters.
        _ => None,
    });
    let mut out = [0; 16];
    for byte in &mut out {
        *byte = digits.next().unwrap_or(0) << 4 | digits.next().unwrap_or(0);
    }
    (form, out)
}

fn unpack(form: u8, digits: &[u8; 16]) -> Option<KeyId> {
    if form == MULTI_REGION {
        return Some(KeyId::multi_region(*digits));
    }
    if form != SINGLE_REGION {
        return None;
    }
    // Not `KeyId::single_region`, which would overwrite the version digits.
    let mut text = String::with_capacity(36);
    for (at, byte) in digits.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16)?);
        }
    }
    KeyId::parse(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_key_id_survives_packing() {
        for text in [
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "mrk-1234abcd12ab34cd56ef1234567890ab",
        ] {
            let key_id = KeyId::parse(text).unwrap();
            let (form, digits) = pack(&key_id);
            assert_eq!(unpack(form, &digits), Some(key_id), "{text}");
        }
        assert_eq!(unpack(2, &[0; 16]), None);
    }
}
