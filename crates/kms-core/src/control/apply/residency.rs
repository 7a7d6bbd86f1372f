//! The residency guard's part of `apply`: the rules themselves, what they refuse, and the histories of keys.

use super::Step;
use crate::control::{
    ACCEPTED_MAX, ControlChange, ControlState, HolderStatus, KeyHistory, KeySet, Mark, PutResidencyRules, Refusal,
    ResidencyRules, Subject,
};
use kms_types::{AccountId, KeyId, RegionName, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

impl ControlState {
    /// Key sets that are in a Region against the rules, by everything that the log knows: owner, key ID, and the tags of a
    /// resource that is being created. Other tags are known to the Regions only, which judge them by themselves.
    pub fn residency_violations<'a>(
        &'a self,
        rules: &'a ResidencyRules,
    ) -> impl Iterator<Item = (KeyId, &'a RegionName, &'a str)> {
        self.key_sets.values().flat_map(move |set| {
            set.holders.keys().filter_map(move |region| {
                let rule = forbidding(rules, set, region)?;
                Some((set.key_id, region, rule))
            })
        })
    }

    pub(super) fn put_residency_rules(&self, region: &RegionName, at: Timestamp, body: &PutResidencyRules) -> Step {
        let current = self.residency.as_ref().map_or(0, |rules| rules.version);
        if body.expected_version != current {
            return Err(Refusal::ResidencyVersion { current });
        }
        if ResidencyRules::check(&body.rules).is_err() || body.accepted.len() > ACCEPTED_MAX {
            return Err(Refusal::Malformed);
        }
        let rules = ResidencyRules {
            version: current.saturating_add(1),
            put_at: at,
            put_by: region.clone(),
            rules: body.rules.clone(),
            accepted: body.accepted.clone(),
        };
        if let Some((_, _, rule)) = self.residency_violations(&rules).next() {
            return Err(Refusal::ResidencyForbidden { rule: rule.to_owned() });
        }
        Ok((vec![ControlChange::PutResidencyRules(Arc::new(rules))], Vec::new()))
    }

    pub(super) fn check_residency(
        &self,
        account: &AccountId,
        key_id: &KeyId,
        tags: &[&BTreeMap<String, String>],
        region: &RegionName,
    ) -> Result<(), Refusal> {
        let subject = Subject { account, key_id: Some(key_id), tags };
        match self.residency.as_ref().and_then(|rules| rules.forbidding(&subject, region)) {
            Some(rule) => Err(Refusal::ResidencyForbidden { rule: rule.name.clone() }),
            None => Ok(()),
        }
    }

    /// The histories of the keys that the changes concern, for those that have something to add.
    pub(super) fn histories_after(&self, changes: &[ControlChange], mark: Mark) -> Vec<ControlChange> {
        let concerned = changes.iter().filter_map(|change| match change {
            ControlChange::PutKeySet(set) => Some((set.key_id, Some(set.as_ref()))),
            ControlChange::DeleteKeySet(key_id) => Some((*key_id, None)),
            ControlChange::PutRegion(_)
            | ControlChange::PutResidencyRules(_)
            | ControlChange::PutCheckpoints(..)
            | ControlChange::PutKeyHistory(_)
            | ControlChange::PutJournal(_)
            | ControlChange::DeleteJournal(_)
            | ControlChange::Identity(_)
            | ControlChange::PutRecent { .. } => None,
        });
        let after = concerned.filter_map(|(key_id, new)| {
            let before = self.histories.get(&key_id).map(AsRef::as_ref);
            let old = self.key_sets.get(&key_id).map(AsRef::as_ref);
            KeyHistory::after(before, old, new, mark)
        });
        after.map(|history| ControlChange::PutKeyHistory(Arc::new(history))).collect()
    }
}

fn forbidding<'a>(rules: &'a ResidencyRules, set: &KeySet, region: &RegionName) -> Option<&'a str> {
    let tags = set.holders.get(region).and_then(|holder| match &holder.status {
        HolderStatus::Creating(initial) => Some(&initial.tags),
        HolderStatus::Ready => None,
    });
    let tags: Vec<_> = tags.into_iter().collect();
    let subject = Subject { account: &set.account, key_id: Some(&set.key_id), tags: &tags };
    rules.forbidding(&subject, region).map(|rule| rule.name.as_str())
}
