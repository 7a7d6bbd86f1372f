//! Alias names.

use crate::Invalid;
use std::fmt;

/// An alias name with its `alias/` prefix: 7 to 256 characters of `[a-zA-Z0-9/_-]`.
///
/// The API model also admits a colon, which the service refuses; see [`AliasName::parse`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasName(Box<str>);

impl AliasName {
    /// Prefix of every alias name.
    pub const PREFIX: &'static str = "alias/";

    /// Parses an alias name.
    ///
    /// # Errors
    /// [`Invalid`] when the prefix is missing, the rest is empty, too long, or holds other characters.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let rest = value.strip_prefix(Self::PREFIX).ok_or(Invalid("alias name"))?;
        let legal = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'/' | b'_' | b'-');
        if rest.is_empty() || value.len() > 256 || !rest.bytes().all(legal) {
            return Err(Invalid("alias name"));
        }
        Ok(Self(value.into()))
    }

    /// The whole name, prefix included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name lies under `alias/aws/`, which is reserved for AWS managed keys.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with("alias/aws/")
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
