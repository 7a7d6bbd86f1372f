//! Amazon Resource Names of keys and aliases, and the four ways in which a request names a key.

use crate::{AccountId, AliasName, KeyId, RegionName};
use std::fmt;

/// The partition of every ARN that Meridian issues.
pub const PARTITION: &str = "aws";

/// `arn:aws:kms:<region>:<account>:key/<key-id>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyArn {
    /// Region of the key resource.
    pub region: RegionName,
    /// Account that owns the key.
    pub account: AccountId,
    /// The key ID.
    pub key_id: KeyId,
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{PARTITION}:kms:{}:{}:key/{}", self.region, self.account, self.key_id)
    }
}

/// `arn:aws:kms:<region>:<account>:alias/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasArn {
    /// Region of the alias.
    pub region: RegionName,
    /// Account that owns the alias.
    pub account: AccountId,
    /// The alias name with its prefix.
    pub name: AliasName,
}

impl fmt::Display for AliasArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{PARTITION}:kms:{}:{}:{}", self.region, self.account, self.name)
    }
}

/// How a request names a key: key ID, key ARN, alias name or alias ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRef {
    /// A bare key ID.
    Id(KeyId),
    /// A key ARN.
    Arn(KeyArn),
    /// An alias name, in the caller's account and Region.
    Alias(AliasName),
    /// An alias ARN.
    AliasArn(AliasArn),
}

/// Why a key identifier could not be read; each case has its own AWS error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefError {
    /// Neither an ARN, an alias nor a key ID.
    #[error("not a key ID")]
    KeyId,
    /// Starts with `arn:` but does not have the form of a KMS key or alias ARN.
    #[error("not a KMS ARN")]
    Arn,
    /// An alias with characters that no alias can have.
    #[error("not an alias name")]
    Alias,
}

impl KeyRef {
    /// Reads a key identifier in any of the four forms.
    ///
    /// # Errors
    /// [`KeyRefError`] says which form the value tried to have.
    pub fn parse(value: &str) -> Result<Self, KeyRefError> {
        if value.starts_with("arn:") {
            return Self::parse_arn(value).ok_or(KeyRefError::Arn);
        }
        if value.starts_with(AliasName::PREFIX) {
            return AliasName::parse(value).map(Self::Alias).map_err(|_invalid| KeyRefError::Alias);
        }
        KeyId::parse(value).map(Self::Id).map_err(|_invalid| KeyRefError::KeyId)
    }

    fn parse_arn(value: &str) -> Option<Self> {
        let mut parts = value.splitn(6, ':');
        let head = (parts.next()?, parts.next()?, parts.next()?);
        if head != ("arn", PARTITION, "kms") {
            return None;
        }
        let region = RegionName::parse(parts.next()?).ok()?;
        let account = AccountId::parse(parts.next()?).ok()?;
        let resource = parts.next()?;
        if let Some(id) = resource.strip_prefix("key/") {
            let key_id = KeyId::parse(id).ok()?;
            return Some(Self::Arn(KeyArn { region, account, key_id }));
        }
        let name = AliasName::parse(resource).ok()?;
        Some(Self::AliasArn(AliasArn { region, account, name }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_apart() {
        let key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let alias = "arn:aws:kms:us-east-1:111122223333:alias/app";
        assert!(matches!(KeyRef::parse(key), Ok(KeyRef::Arn(a)) if a.to_string() == key));
        assert!(matches!(KeyRef::parse(alias), Ok(KeyRef::AliasArn(a)) if a.to_string() == alias));
        assert!(matches!(KeyRef::parse("alias/app"), Ok(KeyRef::Alias(_))));
        assert!(matches!(KeyRef::parse("mrk-1234abcd12ab34cd56ef1234567890ab"), Ok(KeyRef::Id(_))));
        assert_eq!(KeyRef::parse("arn:aws:s3:::bucket"), Err(KeyRefError::Arn));
        assert_eq!(KeyRef::parse("alias/a b"), Err(KeyRefError::Alias));
        assert_eq!(KeyRef::parse("nonsense"), Err(KeyRefError::KeyId));
    }
}
