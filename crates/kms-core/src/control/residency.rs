//! The residency guard: which Regions may hold which keys. One set of rules for the cluster, replaced as a whole.

use kms_types::{AccountId, KeyId, RegionName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Most rules of a cluster.
const RULES_MAX: usize = 256;
/// Most characters of a rule's name.
const RULE_NAME_MAX: usize = 128;
/// Most accounts and keys, and most Regions, that one rule names.
const RULE_ENTRIES_MAX: usize = 1024;
/// Most keys and Regions that may be left where they are against the rules.
pub const ACCEPTED_MAX: usize = 4096;

/// The rules in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResidencyRules {
    /// Raised by each replacement, starting from 1.
    pub version: u64,
    /// When these rules were put.
    pub put_at: Timestamp,
    /// The Region through which they were put.
    pub put_by: RegionName,
    /// The rules, in the order of their file.
    pub rules: Vec<ResidencyRule>,
    /// Keys that were in a Region against these rules when they were put, and that an operator left there.
    pub accepted: BTreeSet<(KeyId, RegionName)>,
}

/// One rule. It is about a key that fits every selector that it has; without a selector it is about every key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResidencyRule {
    /// Name, unique among the rules; it is told to callers who are refused.
    pub name: String,
    /// Owners of the keys; empty for any.
    pub accounts: BTreeSet<AccountId>,
    /// Key and value of a tag; `None` for any.
    pub tag: Option<(String, String)>,
    /// The keys; empty for any.
    pub keys: BTreeSet<KeyId>,
    /// The Regions that may hold the key.
    pub allow: BTreeSet<RegionName>,
}

/// What the rules look at in a key.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Owner.
    pub account: &'a AccountId,
    /// The key; `None` for one that has no ID yet.
    pub key_id: Option<&'a KeyId>,
    /// Tags. Those of several Regions may be given: a tag that the key has in one of them counts.
    pub tags: &'a [&'a BTreeMap<String, String>],
}

impl ResidencyRules {
    /// The first rule that forbids the key in the Region. A key that was left there when the rules were put is not
    /// forbidden.
    #[must_use]
    pub fn forbidding(&self, subject: &Subject<'_>, region: &RegionName) -> Option<&ResidencyRule> {
        let accepted = subject.key_id.is_some_and(|key_id| self.accepted.contains(&(*key_id, region.clone())));
        self.violated(subject, region).filter(|_| !accepted)
    }

    /// The first rule that the key violates in the Region, whether or not it was left there.
    #[must_use]
    pub fn violated(&self, subject: &Subject<'_>, region: &RegionName) -> Option<&ResidencyRule> {
        self.rules.iter().find(|rule| !rule.allow.contains(region) && rule.is_about(subject))
    }

    /// Whether a rule looks at tags.
    #[must_use]
    pub fn look_at_tags(&self) -> bool {
        self.rules.iter().any(|rule| rule.tag.is_some())
    }

    /// Checks the form of the rules: bounds, and names that tell them apart.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(rules: &[ResidencyRule]) -> Result<(), &'static str> {
        if rules.len() > RULES_MAX {
            return Err("there are more than 256 rules");
        }
        let names: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        if names.len() != rules.len() {
            return Err("two rules have the same name");
        }
        rules.iter().try_for_each(ResidencyRule::check)
    }
}

impl ResidencyRule {
    fn is_about(&self, subject: &Subject<'_>) -> bool {
        let tagged = |(key, value): &(String, String)| subject.tags.iter().any(|tags| tags.get(key) == Some(value));
        (self.accounts.is_empty() || self.accounts.contains(subject.account))
            && (self.keys.is_empty() || subject.key_id.is_some_and(|key_id| self.keys.contains(key_id)))
            && self.tag.as_ref().is_none_or(tagged)
    }

    fn check(&self) -> Result<(), &'static str> {
        let is_plain = |c: char| c.is_ascii_graphic() || c == ' ';
        if self.name.is_empty() || self.name.len() > RULE_NAME_MAX || !self.name.chars().all(is_plain) {
            return Err("the name of a rule is 1 to 128 printable ASCII characters");
        }
        if self.allow.is_empty() {
            return Err("a rule allows at least one Region");
        }
        if [self.accounts.len(), self.keys.len(), self.allow.len()].iter().any(|count| *count > RULE_ENTRIES_MAX) {
            return Err("a rule names more than 1024 accounts, keys or Regions");
        }
        Ok(())
    }
}
