//! What conditions ask of the key that a request is about.

use super::{Fact, Names, Pairs, RequestContext};
use crate::condition_key::NamedKey;
use kms_types::{AccountId, KeySpec, KeyUsage, Origin};

/// The kind of a multi-Region key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiRegionKeyType {
    /// The primary key.
    Primary,
    /// A replica key.
    Replica,
}

/// Properties of a key, or of the key that CreateKey is to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// The key's account: `aws:ResourceAccount`.
    pub account: AccountId,
    /// `kms:KeySpec`, also as `kms:CustomerMasterKeySpec`.
    pub spec: KeySpec,
    /// `kms:KeyUsage`, also as `kms:CustomerMasterKeyUsage`.
    pub usage: KeyUsage,
    /// `kms:KeyOrigin`.
    pub origin: Origin,
    /// `kms:MultiRegionKeyType`; without one `kms:MultiRegion` is false. The key that ReplicateKey makes is a replica already
    /// when its CreateKey is authorised (not verified).
    pub multi_region: Option<MultiRegionKeyType>,
}

impl KeyFacts {
    pub(super) fn fact(&self, key: NamedKey) -> Option<Fact<'_>> {
        Some(match key {
            NamedKey::ResourceAccount => Fact::Text(self.account.as_str()),
            NamedKey::KeySpec | NamedKey::CustomerMasterKeySpec => Fact::Text(self.spec.as_str()),
            NamedKey::KeyUsage | NamedKey::CustomerMasterKeyUsage => Fact::Text(self.usage.as_str()),
            NamedKey::KeyOrigin => Fact::Text(self.origin.as_str()),
            NamedKey::MultiRegion => Fact::Boolean(self.multi_region.is_some()),
            NamedKey::MultiRegionKeyType => Fact::Text(match self.multi_region? {
                MultiRegionKeyType::Primary => "PRIMARY",
                MultiRegionKeyType::Replica => "REPLICA",
            }),
            _ => return None,
        })
    }
}

impl<'a> RequestContext<'a> {
    /// With the properties of the key.
    #[must_use]
    pub const fn key(mut self, facts: KeyFacts) -> Self {
        self.key = Some(facts);
        self
    }

    /// With the key's tags: `aws:ResourceTag/…`.
    #[must_use]
    pub const fn resource_tags(mut self, tags: Pairs<'a>) -> Self {
        self.resource_tags = Some(tags);
        self
    }

    /// With the key's aliases: `kms:ResourceAliases`. `limit` is the quota of aliases per key; with more of them the condition
    /// key helps nobody.
    #[must_use]
    pub const fn resource_aliases(mut self, aliases: Names<'a>, limit: usize) -> Self {
        self.resource_aliases = Some((aliases, limit));
        self
    }
}
