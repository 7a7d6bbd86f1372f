//! Key IDs and account IDs.

use crate::Invalid;
use std::fmt;

/// A key ID: a lower-case UUID for a single-Region key, `mrk-` and 32 lower-case hex digits for a multi-Region key.
/// Both forms have 36 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 36]);

impl KeyId {
    /// Parses a key ID.
    ///
    /// # Errors
    /// [`Invalid`] when the value has neither form.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let bytes: [u8; 36] = value.as_bytes().try_into().map_err(|_invalid| Invalid("key ID"))?;
        let hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        let shaped = match value.strip_prefix("mrk-") {
            Some(rest) => rest.bytes().all(hex),
            None => bytes.iter().enumerate().all(|(i, &c)| match i {
                8 | 13 | 18 | 23 => c == b'-',
                _ => hex(c),
            }),
        };
        if shaped { Ok(Self(bytes)) } else { Err(Invalid("key ID")) }
    }

    /// Makes a single-Region key ID (a version 4 UUID, RFC 9562 §5.4) from random bytes.
    #[must_use]
    pub fn single_region(mut random: [u8; 16]) -> Self {
        random[6] = (random[6] & 0x0f) | 0x40;
        random[8] = (random[8] & 0x3f) | 0x80;
        let digits = hex_digits(&random);
        let mut id = [b'-'; 36];
        let mut from = 0;
        for (start, len) in [(0, 8), (9, 4), (14, 4), (19, 4), (24, 12)] {
            id[start..start + len].copy_from_slice(&digits[from..from + len]);
            from += len;
        }
        Self(id)
    }

    /// Makes a multi-Region key ID from random bytes.
    #[must_use]
    pub fn multi_region(random: [u8; 16]) -> Self {
        let mut id = *b"mrk-00000000000000000000000000000000";
        id[4..].copy_from_slice(&hex_digits(&random));
        Self(id)
    }

    /// Whether the ID is that of a multi-Region key.
    #[must_use]
    pub fn is_multi_region(&self) -> bool {
        self.0.starts_with(b"mrk-")
    }

    /// The ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Every constructor writes ASCII only.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The 36 ASCII bytes of the ID.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 36] {
        &self.0
    }
}

fn hex_digits(random: &[u8; 16]) -> [u8; 32] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = [0; 32];
    for (pair, byte) in out.chunks_exact_mut(2).zip(random) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    out
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A 12-digit AWS account ID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// Parses an account ID.
    ///
    /// # Errors
    /// [`Invalid`] unless the value is 12 decimal digits.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let bytes: [u8; 12] = value.as_bytes().try_into().map_err(|_invalid| Invalid("account ID"))?;
        if bytes.iter().all(u8::is_ascii_digit) { Ok(Self(bytes)) } else { Err(Invalid("account ID")) }
    }

    /// The ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The constructor admits digits only.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_parse_back() {
        let single = KeyId::single_region([0xab; 16]);
        assert_eq!(single.as_str(), "abababab-abab-4bab-abab-abababababab");
        assert_eq!(KeyId::parse(single.as_str()), Ok(single));
        let multi = KeyId::multi_region([0x1f; 16]);
        assert_eq!(multi.as_str(), "mrk-1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f");
        assert_eq!(KeyId::parse(multi.as_str()), Ok(multi));
        assert!(multi.is_multi_region() && !single.is_multi_region());
    }

    #[test]
    fn other_forms_are_refused() {
        let bad = [
            "",
            "1234abcd12ab34cd56ef1234567890ab",
            "1234ABCD-12ab-34cd-56ef-1234567890ab",
            "mrk-1234abcd12ab34cd56ef1234567890a",
            "mrk-1234abcd12ab34cd56ef1234567890ag",
        ];
        for value in bad {
            assert_eq!(KeyId::parse(value), Err(Invalid("key ID")), "{value}");
        }
    }
}
