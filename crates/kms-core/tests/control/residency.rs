//! Claims about residency rules and histories that random sequences are too short for, or that deserve a name.

use super::*;
use kms_core::control::{HOLDINGS_MAX, HoldingEnd, Mark, PutResidencyRules, ResidencyRule};
use kms_core::reconcile::forbidden_step;

fn rule(allow: &[RegionName]) -> ResidencyRule {
    ResidencyRule {
        name: "here only".to_owned(),
        accounts: BTreeSet::new(),
        tag: None,
        keys: BTreeSet::new(),
        allow: allow.iter().cloned().collect(),
    }
}

fn put(expected_version: u64, rules: Vec<ResidencyRule>, accepted: &[RegionName]) -> ControlBody {
    let accepted = accepted.iter().map(|region| (key(), region.clone())).collect();
    ControlBody::PutResidencyRules(PutResidencyRules { expected_version, rules, accepted })
}

fn forbidden() -> Refusal {
    Refusal::ResidencyForbidden { rule: "here only".to_owned() }
}

#[test]
fn rules_are_replaced_by_whoever_has_seen_the_last_ones() {
    let mut log = Log::with_key(true);
    log.refuses(&a(), put(0, vec![rule(&[a()])], &[]), forbidden());
    log.does(&a(), put(0, vec![rule(&[a()])], &[b()]));
    log.refuses(&b(), put(0, Vec::new(), &[]), Refusal::ResidencyVersion { current: 1 });
    log.does(&b(), put(1, Vec::new(), &[]));
    let rules = log.state.residency().unwrap();
    assert_eq!((rules.version, rules.put_by.clone(), rules.rules.len()), (2, b(), 0));
}

#[test]
fn rules_without_form_are_refused() {
    let mut log = Log::with_key(false);
    let nameless = ResidencyRule { name: String::new(), ..rule(&[a()]) };
    for rules in [vec![rule(&[])], vec![nameless], vec![rule(&[a()]), rule(&[a()])]] {
        log.refuses(&a(), put(0, rules, &[]), Refusal::Malformed);
    }
}

#[test]
fn a_replica_that_was_left_in_place_is_not_added_again_once_the_exemption_is_gone() {
    let mut log = Log::with_key(true);
    log.does(&a(), put(0, vec![rule(&[a()])], &[b()]));
    log.does(&b(), ControlBody::RemoveReplica { key_id: key(), added_at: log.added_at(&b()) });
    log.does(&a(), put(1, vec![rule(&[a()])], &[]));
    let set = log.state.key_set(&key()).unwrap();
    let boxes = set.materials.iter().map(|m| (m.material_id, sealed())).collect();
    let (initial, primary_tags) = (InitialProperties::default(), BTreeMap::new());
    let again = AddReplica { key_id: key(), expected_epoch: set.epoch, replica: b(), boxes, initial, primary_tags };
    log.refuses(&a(), ControlBody::AddReplica(again), forbidden());
}

#[test]
fn a_region_takes_no_step_that_opens_what_is_forbidden_there() {
    let mut log = Log::with_key(false);
    log.replicate();
    let install = Step::Install { materials: vec![material(1)], complete: true };
    let steps = [Step::CreateResource, install, Step::Destroy, Step::ReportReady];
    let refused = |log: &Log| {
        let forbidden = |step: &Step| forbidden_step(&b(), &log.state, None, &key(), step).is_some();
        steps.iter().map(forbidden).collect::<Vec<_>>()
    };
    assert_eq!(refused(&log), [false; 4]);
    // The log refuses such rules, so they are put into the state as only a defect could.
    let rules = kms_core::control::ResidencyRules {
        version: 1,
        put_at: at(1),
        put_by: a(),
        rules: vec![rule(&[a()])],
        accepted: BTreeSet::new(),
    };
    log.state.absorb(&kms_core::control::ControlChange::PutResidencyRules(rules.into()));
    assert_eq!(refused(&log), [true, true, false, false]);
}

#[test]
fn a_history_stays_bounded_counts_what_it_drops_and_keeps_what_is_held() {
    let mut log = Log::with_key(false);
    let lives = HOLDINGS_MAX + 10;
    for _ in 0..lives {
        log.replicate();
        log.does(&b(), ControlBody::RemoveReplica { key_id: key(), added_at: log.added_at(&b()) });
    }
    let history = log.state.history(&key()).unwrap();
    assert_eq!((history.holdings.len(), history.dropped), (HOLDINGS_MAX, 11));
    assert_eq!(history.open().map(|holding| holding.region.clone()).collect::<Vec<_>>(), [a()]);
    log.does(&a(), ControlBody::DeleteKeySet { key_id: key() });
    let history = log.state.history(&key()).unwrap();
    let deleted = Mark { index: 0, at: at(log.now) };
    assert_eq!(history.deleted, Some(deleted));
    let last = history.holdings.iter().find(|holding| holding.region == a()).unwrap();
    assert_eq!(last.ended, Some((deleted, HoldingEnd::KeyDeleted)));
    assert!(log.state.key_set(&key()).is_none());
}
