//! Sixteen bytes that are shown as a UUID.

use sha2::{Digest as _, Sha256};
use std::fmt;

/// An event ID or a request ID. The caller draws or derives it; nothing here is random.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// Wraps the 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The ID that follows from what an event is: a UUID of version 8 (RFC 9562 §5.8), the same whenever it is asked for. So a
    /// record that is written again after a crash can be told from another one.
    #[must_use]
    pub fn derived(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new_with_prefix(b"meridian audit event v1\0");
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Appends the 36 characters of RFC 9562 §4.
    pub(crate) fn push_to(&self, out: &mut String) {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                out.push('-');
            }
            push_hex(out, *byte);
        }
    }
}

/// Appends a byte as two lower-case hex digits.
pub(crate) fn push_hex(out: &mut String, byte: u8) {
    for nibble in [byte >> 4, byte & 15] {
        out.push(char::from(nibble + if nibble < 10 { b'0' } else { b'a' - 10 }));
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(36);
        self.push_to(&mut text);
        f.pad(&text)
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_a_uuid() {
        let id = Uuid::from_bytes(*b"\x12\x34\xab\xcd\x12\xab\x44\xcd\xa6\xef\x12\x34\x56\x78\x90\xab");
        assert_eq!(id.to_string(), "1234abcd-12ab-44cd-a6ef-1234567890ab");
    }

    #[test]
    fn a_derived_id_follows_from_its_parts_and_from_where_they_end() {
        let id = Uuid::derived(&[b"a", b"bc"]);
        assert_eq!(id, Uuid::derived(&[b"a", b"bc"]));
        assert_ne!(id, Uuid::derived(&[b"ab", b"c"]));
        assert_eq!(id.to_string().as_bytes()[14], b'8');
    }
}
