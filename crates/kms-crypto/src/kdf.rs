//! Derivation of secrets and identifiers, and the one encoding of what a secret is bound to.

use crate::secret::Secret;
use hkdf::Hkdf;
use sha2::Sha256;

/// HKDF-SHA256 (RFC 5869): `label` is the salt, `secret` the input keying material, `context` the info. Different
/// labels give independent outputs for the same secret.
pub(crate) fn derive(label: &str, secret: &[u8], context: &[&[u8]]) -> Secret {
    let mut out = Secret::zero();
    let hkdf = Hkdf::<Sha256>::new(Some(label.as_bytes()), secret);
    #[expect(clippy::expect_used, reason = "infallible for this length, and callers need a total function")]
    hkdf.expand(&fields(context), out.as_mut()).expect("32 bytes are below the 255 blocks of RFC 5869 §2.3");
    out
}

/// Joins fields so that no two lists give the same bytes: each field stands behind its length (u32, big endian).
pub(crate) fn fields(parts: &[&[u8]]) -> Vec<u8> {
    let total = parts.iter().fold(0_usize, |sum, part| sum.saturating_add(part.len()).saturating_add(4));
    let mut out = Vec::with_capacity(total);
    for part in parts {
        // No field here comes near the limit of u32: names, IDs and headers only.
        out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_boundaries_count() {
        assert_eq!(fields(&[b"ab", b""]), [0, 0, 0, 2, b'a', b'b', 0, 0, 0, 0]);
        assert_ne!(fields(&[b"ab", b"c"]), fields(&[b"a", b"bc"]));
        assert_ne!(fields(&[b"ab"]), fields(&[b"ab", b""]));
    }

    #[test]
    fn label_secret_and_context_all_count() {
        let of = |label, byte, context: &[u8]| *derive(label, &[byte; 32], &[context]).expose();
        let base = of("a", 1, b"x");
        assert_ne!(base, of("b", 1, b"x"));
        assert_ne!(base, of("a", 2, b"x"));
        assert_ne!(base, of("a", 1, b"y"));
        assert_eq!(base, of("a", 1, b"x"));
    }
}
