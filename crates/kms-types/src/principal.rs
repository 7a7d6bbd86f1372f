//! Names of the principals' directory: users, roles, access keys, policies.

use crate::{AccountId, Invalid, PARTITION};
use std::fmt;

/// The name of a user, a role or a policy: 1 to 128 characters of `[A-Za-z0-9+=,.@_-]` (IAM User Guide, "IAM name
/// requirements"); of a user or a role at most 64.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IamName(Box<str>);

impl IamName {
    /// Parses a name of a policy.
    ///
    /// # Errors
    /// [`Invalid`] when it is empty, too long, or holds other characters.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        if value.is_empty() || value.len() > 128 || !value.bytes().all(is_name_character) {
            return Err(Invalid("IAM name"));
        }
        Ok(Self(value.into()))
    }

    /// Parses a name of a user or a role.
    ///
    /// # Errors
    /// As [`Self::parse`], and when it has more than 64 characters.
    pub fn parse_principal(value: &str) -> Result<Self, Invalid> {
        if value.len() > 64 { Err(Invalid("IAM name")) } else { Self::parse(value) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const fn is_name_character(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'+' | b'=' | b',' | b'.' | b'@' | b'_' | b'-')
}

/// The path of a user or a role: `/`, or a text that begins and ends with it, at most 512 printable characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IamPath(Box<str>);

impl IamPath {
    /// Parses a path.
    ///
    /// # Errors
    /// [`Invalid`] when it does not begin and end with a slash, is too long, or holds other characters.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let printable = value.bytes().all(|c| (0x21..=0x7e).contains(&c));
        if value.len() > 512 || !value.starts_with('/') || !value.ends_with('/') || !printable {
            return Err(Invalid("IAM path"));
        }
        Ok(Self(value.into()))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for IamPath {
    fn default() -> Self {
        Self("/".into())
    }
}

impl fmt::Debug for IamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What names a user of the directory: names are unique within the account, whatever the path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalId {
    /// The account.
    pub account: AccountId,
    /// The name without its path.
    pub name: IamName,
}

impl PrincipalId {
    /// The ARN of the user with this path.
    #[must_use]
    pub fn arn(&self, path: &IamPath) -> String {
        format!("arn:{PARTITION}:iam::{}:user{}{}", self.account, path.as_str(), self.name)
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {} of account {}", self.name, self.account)
    }
}

/// What names a role of the directory. Names of roles and of users are apart: each may have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleId {
    /// The account.
    pub account: AccountId,
    /// The name without its path.
    pub name: IamName,
}

impl RoleId {
    /// The ARN of the role with this path.
    #[must_use]
    pub fn arn(&self, path: &IamPath) -> String {
        format!("arn:{PARTITION}:iam::{}:role{}{}", self.account, path.as_str(), self.name)
    }
}

impl fmt::Display for RoleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "role {} of account {}", self.name, self.account)
    }
}

/// The ID of an access key: 16 to 128 capital letters and digits. A name, not a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessKeyId(Box<str>);

impl AccessKeyId {
    /// Parses an access key ID.
    ///
    /// # Errors
    /// [`Invalid`] when it is too short or long or holds other characters.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        let legal = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
        if !(16..=128).contains(&value.len()) || !value.bytes().all(legal) {
            return Err(Invalid("access key ID"));
        }
        Ok(Self(value.into()))
    }

    /// The ID.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_iam() {
        for good in ["a", "alice@example.com", "a+=,.@_-Z9"] {
            assert_eq!(IamName::parse(good).map(|n| n.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "a b", "a/b", "ü", &"x".repeat(129)] {
            assert_eq!(IamName::parse(bad), Err(Invalid("IAM name")), "{bad}");
        }
        assert_eq!(IamName::parse(&"x".repeat(128)).unwrap().as_str().len(), 128);
        assert_eq!(IamName::parse_principal(&"x".repeat(65)), Err(Invalid("IAM name")));
        assert!(IamPath::parse("/a/b/").is_ok() && IamPath::parse("/").is_ok());
        assert!(IamPath::parse("a/").is_err() && IamPath::parse("/a").is_err() && IamPath::parse("").is_err());
        assert_eq!(AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap().as_str(), "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(AccessKeyId::parse("meridian"), Err(Invalid("access key ID")));
    }

    #[test]
    fn the_path_is_in_the_arn_and_not_in_the_name() {
        let account = AccountId::parse("111122223333").unwrap();
        let id = PrincipalId { account, name: IamName::parse("ops").unwrap() };
        assert_eq!(id.arn(&IamPath::parse("/team/").unwrap()), "arn:aws:iam::111122223333:user/team/ops");
        assert_eq!(id.arn(&IamPath::default()), "arn:aws:iam::111122223333:user/ops");
        let role = RoleId { account: id.account, name: id.name };
        assert_eq!(role.arn(&IamPath::parse("/team/").unwrap()), "arn:aws:iam::111122223333:role/team/ops");
    }
}
