//! Encryption contexts.

use std::collections::BTreeMap;
use std::fmt;

/// An encryption context: text pairs that are bound to a ciphertext as associated data. Order does not matter, case
/// does; an absent context equals an empty one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EncryptionContext(BTreeMap<String, String>);

impl EncryptionContext {
    /// The pairs, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One byte string per context: the number of pairs, then each key and value behind its length (u32, big endian),
    /// ordered by the bytes of the key. No two contexts share it. An empty context is the empty string of pairs.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(4 + self.0.iter().map(|(k, v)| 8 + k.len() + v.len()).sum::<usize>());
        // A request body is at most a few MiB, so no count reaches the limit of u32.
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes();
        out.extend_from_slice(&count(self.0.len()));
        for (key, value) in &self.0 {
            for part in [key, value] {
                out.extend_from_slice(&count(part.len()));
                out.extend_from_slice(part.as_bytes());
            }
        }
        out
    }
}

impl FromIterator<(String, String)> for EncryptionContext {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl fmt::Debug for EncryptionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionContext({} pairs)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn order_is_irrelevant_and_boundaries_are_not() {
        assert_eq!(
            context(&[("a", "1"), ("b", "2")]).canonical_bytes(),
            context(&[("b", "2"), ("a", "1")]).canonical_bytes()
        );
        assert_ne!(context(&[("ab", "c")]).canonical_bytes(), context(&[("a", "bc")]).canonical_bytes());
        assert_eq!(EncryptionContext::default().canonical_bytes(), [0, 0, 0, 0]);
    }
}
