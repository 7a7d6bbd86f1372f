//! What a decision needs to know of a key, whether it is a key of this Region or of another.

use crate::entry;
use crate::key_grants::KeyGrants;
use crate::ports::ReplicaAccess;
use kms_policy::{KeyFacts, KeyResource, MultiRegionKeyType, PolicyDocument};
use kms_types::{AccountId, AliasName, KeyArn};
use std::collections::BTreeMap;

/// A key as decisions see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyView<'a> {
    pub(crate) arn: &'a str,
    pub(crate) account: AccountId,
    pub(crate) policy: &'a PolicyDocument,
    pub(crate) facts: KeyFacts,
    pub(crate) tags: &'a BTreeMap<String, String>,
    pub(crate) aliases: &'a [AliasName],
    /// `None` for a key of another Region: no action that concerns one can be granted.
    pub(crate) grants: Option<&'a KeyGrants>,
}

impl<'a> KeyView<'a> {
    pub(super) const fn resource(&'a self) -> KeyResource<'a> {
        KeyResource { arn: self.arn, account: &self.account, policy: self.policy }
    }
}

/// A related key in another Region, as that Region described it.
#[derive(Debug)]
pub(crate) struct RemoteKey {
    pub(crate) arn: KeyArn,
    arn_text: String,
    facts: KeyFacts,
    policy: PolicyDocument,
    tags: BTreeMap<String, String>,
    aliases: Vec<AliasName>,
}

impl RemoteKey {
    /// A replica as its Region describes it. `facts` are those of any related key.
    pub(crate) fn new(arn: KeyArn, facts: KeyFacts, said: ReplicaAccess) -> Self {
        Self {
            arn_text: arn.to_string(),
            facts: KeyFacts { multi_region: Some(MultiRegionKeyType::Replica), ..facts },
            arn,
            policy: entry::compile(&said.policy),
            tags: said.tags,
            aliases: said.aliases,
        }
    }

    pub(super) fn view(&self) -> KeyView<'_> {
        KeyView {
            arn: &self.arn_text,
            account: self.arn.account,
            policy: &self.policy,
            facts: self.facts,
            tags: &self.tags,
            aliases: &self.aliases,
            grants: None,
        }
    }
}
