//! Residency rules: about everything, about one key, or about a tag that some keys have.

use super::{Draw, Flaw, Proposer};
use crate::cast;
use kms_core::control::{ControlBody, ControlState, PutResidencyRules, ResidencyRule};
use std::collections::{BTreeMap, BTreeSet};

impl Proposer {
    /// Rules that often allow what is there, and sometimes leave keys where they are.
    pub(super) fn put_rules(&mut self, state: &ControlState, draw: &Draw) -> ControlBody {
        let number = self.next();
        let version = state.residency().map_or(0, |rules| rules.version);
        let sets: Vec<_> = state.key_sets().collect();
        let chosen = (!sets.is_empty()).then(|| draw.key.get(&sets).key_id);
        let mut rule = ResidencyRule {
            name: format!("rule {number}"),
            accounts: BTreeSet::from([cast::account()]),
            tag: None,
            keys: BTreeSet::new(),
            allow: (0..cast::HOLDING_REGIONS).filter(|n| *n != draw.region).map(cast::region).collect(),
        };
        match number % 3 {
            0 => rule.keys.extend(chosen),
            1 => rule.tag = Some(("data".to_owned(), "home".to_owned())),
            _ => {}
        }
        if draw.flaw == Some(Flaw::Value) {
            rule.allow.clear();
        }
        // Every other time the operator leaves everything where it is.
        let holders = sets.iter().flat_map(|set| set.holders.keys().map(|region| (set.key_id, region.clone())));
        let accepted = if number.is_multiple_of(2) { holders.collect() } else { BTreeSet::new() };
        // Now and then the guard is taken off, or later commands would hardly get anywhere.
        let rules = if number.is_multiple_of(5) && draw.flaw.is_none() { Vec::new() } else { vec![rule] };
        let expected_version = version + u64::from(draw.flaw == Some(Flaw::Epoch));
        ControlBody::PutResidencyRules(PutResidencyRules { expected_version, rules, accepted })
    }
}

/// The tag that one in `every` keys or replicas has.
pub(super) fn sometimes_home(number: u64, every: u64) -> BTreeMap<String, String> {
    let tag = number.is_multiple_of(every).then(|| ("data".to_owned(), "home".to_owned()));
    tag.into_iter().collect()
}
