//! The residency guard at the door: what the rules refuse before a change is proposed, and what is here against them.
//!
//! The control log decides about multi-Region keys once more; single-Region keys and later tags never reach it, so what is
//! said here counts. A Region that is cut off holds itself to the rules that it saw last.

use crate::{KeyEntry, KmsError, Service};
use kms_core::control::{ControlState, ResidencyRules, Subject};
use kms_core::regional::KeyRecord;
use kms_types::{AccountId, KeyId, RegionName};
use std::collections::BTreeMap;
use std::fmt::Display;

/// A key that is in this Region against a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResidencyViolation {
    /// The key.
    pub key_id: KeyId,
    /// The rule's name.
    pub rule: String,
    /// Whether an operator left the key here.
    pub accepted: bool,
}

impl Service {
    /// Keys of this Region that the rules forbid here, at most `limit`; by the tags that they have here.
    #[must_use]
    pub fn residency_violations(&self, rules: &ResidencyRules, limit: usize) -> Vec<ResidencyViolation> {
        let violation = |record: &KeyRecord| {
            let (key_id, tags) = (record.key_id, [&record.tags]);
            let subject = Subject { account: &record.account, key_id: Some(&key_id), tags: &tags };
            let rule = rules.violated(&subject, self.region())?.name.clone();
            let accepted = rules.accepted.contains(&(key_id, self.region().clone()));
            Some(ResidencyViolation { key_id, rule, accepted })
        };
        self.directory()
            .read(|regional, _| regional.keys_after(None).filter_map(|r| violation(r)).take(limit).collect())
    }

    /// Refuses a new key that the rules forbid in this Region.
    pub(crate) fn check_new_key(&self, account: &AccountId, tags: &BTreeMap<String, String>) -> Result<(), KmsError> {
        let (tags, region) = ([tags], self.region());
        let subject = Subject { account, key_id: None, tags: &tags };
        self.directory()
            .read(|_, control| check(control, &subject, region, &format_args!("A key with these properties")))
    }

    /// Refuses tags that would put the key under a rule that forbids a Region which holds it. Tags belong to one Region,
    /// but what they say of the key is true of its material everywhere.
    pub(crate) fn check_new_tags(&self, entry: &KeyEntry, new: &BTreeMap<String, String>) -> Result<(), KmsError> {
        let mut tags = entry.record.tags.clone();
        tags.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
        let tags = [&tags];
        let subject = Subject { account: &entry.record.account, key_id: Some(&entry.record.key_id), tags: &tags };
        self.directory().read(|_, control| {
            let set = control.key_set(&entry.record.key_id);
            let others = set.iter().flat_map(|set| set.holders.keys());
            let mut holders = others.chain([self.region()]);
            holders
                .try_for_each(|region| check(control, &subject, region, &format_args!("{} with these tags", entry.arn)))
        })
    }

    /// The tags of a primary that go with a replication, for the rules to look at: none while no rule looks at tags.
    pub(crate) fn tags_for_rules(&self, entry: &KeyEntry) -> BTreeMap<String, String> {
        let look = self.directory().read(|_, control| control.residency().is_some_and(|rules| rules.look_at_tags()));
        // The newest tags, not those of the entry that was looked up before other Regions were asked.
        let newest = look.then(|| self.directory().key(&entry.record.key_id)).flatten();
        newest.map(|entry| entry.record.tags.clone()).unwrap_or_default()
    }
}

fn check(
    control: &ControlState,
    subject: &Subject<'_>,
    region: &RegionName,
    what: &dyn Display,
) -> Result<(), KmsError> {
    match control.residency().and_then(|rules| rules.forbidding(subject, region)) {
        Some(rule) => Err(residency_denied(what, region, &rule.name)),
        None => Ok(()),
    }
}

/// A residency rule forbids it. AWS has no such rules; like a deny in an organisation's policy this is an
/// `AccessDeniedException` that names what denies. It comes after authorisation, so nobody learns of rules who may not
/// do the thing anyway.
pub(crate) fn residency_denied(what: &dyn Display, region: &RegionName, rule: &str) -> KmsError {
    KmsError::AccessDenied(format!(
        "{what} may not be in Region {region}, with an explicit deny in the residency rule {rule}"
    ))
}
