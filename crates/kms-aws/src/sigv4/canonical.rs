//! The canonical request, streamed into its hash; it is never built as text.

use super::presented::Presented;
use super::query::Query;
use http::header::HOST;
use http::request::Parts;
use sha2::{Digest as _, Sha256};

/// The hash of the canonical request (AWS SigV4, "Create a canonical request"): method, path, query, signed headers,
/// and the hash of the body that was read, whatever the request says of its body.
///
/// `None` if the list of signed headers is not sorted lower case without repetition, as every signer writes it.
pub(super) fn hash(parts: &Parts, query: &Query<'_>, presented: &Presented<'_>, body: &[u8]) -> Option<[u8; 32]> {
    let names = presented.signed_headers.as_ref();
    let lower = |name: &str| !name.is_empty() && !name.bytes().any(|c| c.is_ascii_uppercase());
    if !names.split(';').all(lower) || !names.split(';').is_sorted_by(|a, b| a < b) {
        return None;
    }
    let mut hasher = Sha256::new();
    hasher.update(parts.method.as_str());
    // Only the path `/` gets this far, and it is its own canonical form.
    hasher.update("\n/\n");
    hasher.update(query.canonical("X-Amz-Signature"));
    hasher.update("\n");
    for name in names.split(';') {
        hasher.update(name);
        hasher.update(":");
        update_with_values(&mut hasher, parts, name);
        hasher.update("\n");
    }
    hasher.update("\n");
    hasher.update(names);
    hasher.update("\n");
    hasher.update(hex(&Sha256::digest(body).into()));
    Some(hasher.finalize().into())
}

/// Feeds all values of a header, joined by commas.
fn update_with_values(hasher: &mut Sha256, parts: &Parts, name: &str) {
    let mut first = true;
    for value in parts.headers.get_all(name) {
        if !first {
            hasher.update(",");
        }
        first = false;
        update_trimmed(hasher, value.as_bytes());
    }
    // HTTP/2 names the host in `:authority`, which is signed as `host`.
    if first
        && name == HOST.as_str()
        && let Some(authority) = parts.uri.authority()
    {
        hasher.update(authority.as_str());
    }
}

/// Feeds a header value without outer spaces and with inner runs of spaces as one.
fn update_trimmed(hasher: &mut Sha256, value: &[u8]) {
    let value = value.trim_ascii();
    let doubled = value.windows(2).any(|pair| pair == b"  ");
    if !doubled {
        hasher.update(value);
        return;
    }
    for (index, word) in value.split(|c| *c == b' ').filter(|word| !word.is_empty()).enumerate() {
        if index > 0 {
            hasher.update(b" ");
        }
        hasher.update(word);
    }
}

/// 64 lower-case hex digits.
pub(super) fn hex(digest: &[u8; 32]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = [0; 64];
    for (pair, byte) in out.chunks_exact_mut(2).zip(digest) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    out
}
