//! Claims about grants.

use super::*;
use kms_core::regional::{GrantConstraints, GrantPrincipal, GrantRecord, NewGrant};
use kms_types::{GrantId, GrantOperation};

fn grant_id(n: u16) -> GrantId {
    let mut bytes = [0; 32];
    bytes[..2].copy_from_slice(&n.to_be_bytes());
    GrantId::from_bytes(bytes)
}

fn arn(name: &str) -> GrantPrincipal {
    GrantPrincipal::Arn(format!("arn:aws:iam::111122223333:role/{name}"))
}

fn new_grant(n: u16) -> NewGrant {
    NewGrant {
        key_id: key(1),
        grant_id: grant_id(n),
        name: None,
        grantee: arn("worker"),
        retiring: None,
        issuing_account: account(),
        operations: BTreeSet::from([GrantOperation::Decrypt]),
        constraints: GrantConstraints::default(),
        grant_limit: 50_000,
    }
}

fn named(n: u16) -> NewGrant {
    NewGrant { name: Some("again".to_owned()), ..new_grant(n) }
}

fn grant(body: NewGrant) -> RegionalBody {
    RegionalBody::CreateGrant(Box::new(body))
}

fn revoke(n: u16) -> RegionalBody {
    RegionalBody::DeleteGrant { key_id: key(1), grant_id: grant_id(n) }
}

impl Region {
    #[track_caller]
    fn finds(&mut self, body: NewGrant, existing: u16) {
        let command = RegionalCommand { at: at(self.now), body: grant(body) };
        let applied = self.state.apply(&command);
        assert_eq!(applied.outcome, RegionalOutcome::GrantExists(grant_id(existing)));
        assert_eq!(applied.changes, []);
    }

    fn grant_ids(&self) -> Vec<GrantId> {
        self.state.grants_of(&key(1), None).map(|g| g.grant_id).collect()
    }
}

#[test]
fn a_grant_is_created_found_and_deleted() {
    let mut region = Region::with_keys(1);
    let (_, changes) = region.apply(grant(new_grant(1)));
    let created = region.state.grant(&key(1), &grant_id(1)).unwrap();
    assert_eq!(changes, [RegionalChange::PutGrant(created.clone())]);
    assert_eq!((created.account, created.created_at), (account(), at(region.now)));
    region.refuses(grant(new_grant(1)), Refusal::GrantIdTaken);
    region.does(revoke(1));
    assert!(region.state.grant(&key(1), &grant_id(1)).is_none());
    region.refuses(revoke(1), Refusal::GrantNotFound);
}

#[test]
fn a_request_with_a_name_finds_its_grant_again() {
    let mut region = Region::with_keys(1);
    region.does(grant(named(1)));
    region.finds(named(2), 1);
    region.finds(NewGrant { grant_limit: 0, ..named(2) }, 1);
    region.does(revoke(1));
    region.does(grant(named(2)));
}

#[test]
fn a_request_without_a_name_always_makes_a_grant() {
    let mut region = Region::with_keys(1);
    region.does(grant(new_grant(1)));
    region.does(grant(new_grant(2)));
    assert_eq!(region.grant_ids(), [grant_id(1), grant_id(2)]);
}

#[test]
fn the_same_name_with_any_other_parameter_makes_another_grant() {
    let mut region = Region::with_keys(2);
    region.does(grant(named(1)));
    let context = |value: &str| Some(BTreeMap::from([("k".to_owned(), value.to_owned())]));
    let constrained = |equals, subset, source: Option<&str>| GrantConstraints {
        encryption_context_equals: equals,
        encryption_context_subset: subset,
        source_arn: source.map(str::to_owned),
    };
    let others = [
        NewGrant { key_id: key(2), ..named(2) },
        NewGrant { grantee: arn("other"), ..named(3) },
        NewGrant { grantee: GrantPrincipal::Service("worker".to_owned()), ..named(4) },
        NewGrant { retiring: Some(arn("worker")), ..named(5) },
        NewGrant { issuing_account: stranger(), ..named(6) },
        NewGrant { operations: BTreeSet::from([GrantOperation::Encrypt]), ..named(7) },
        NewGrant { constraints: constrained(context("v"), None, None), ..named(8) },
        NewGrant { constraints: constrained(None, context("v"), None), ..named(9) },
        NewGrant { constraints: constrained(context("w"), None, None), ..named(10) },
        NewGrant { constraints: constrained(None, None, Some("arn")), ..named(11) },
        NewGrant { name: Some("b".to_owned()), ..named(12) },
    ];
    for (body, n) in others.iter().zip(2..) {
        region.does(grant(body.clone()));
        region.finds(NewGrant { grant_id: grant_id(100), ..body.clone() }, n);
    }
    region.finds(named(100), 1);
}

#[test]
fn the_limit_of_grants_is_that_of_the_command() {
    let mut region = Region::with_keys(2);
    for n in 0..3 {
        region.does(grant(NewGrant { grant_limit: 3, ..new_grant(n) }));
    }
    region.refuses(grant(NewGrant { grant_limit: 3, ..new_grant(3) }), Refusal::TooManyGrants);
    region.does(grant(NewGrant { key_id: key(2), grant_limit: 3, ..new_grant(3) }));
    region.does(revoke(0));
    region.does(grant(NewGrant { grant_limit: 3, ..new_grant(3) }));
    assert_eq!(region.state.grant_count_of(&key(1)), 3);
}

#[test]
fn grants_need_a_key_in_use_to_be_created_and_any_key_to_be_deleted() {
    let mut region = Region::with_keys(1);
    region.refuses(grant(NewGrant { key_id: key(77), ..new_grant(1) }), Refusal::KeyNotFound);
    region.refuses(RegionalBody::DeleteGrant { key_id: key(77), grant_id: grant_id(1) }, Refusal::KeyNotFound);
    region.does(grant(new_grant(1)));
    region.does(RegionalBody::DisableKey(key(1)));
    region.refuses(grant(new_grant(2)), Refusal::State(StateFault::Disabled));
    region.does(delete_at(key(1), Some(1_000)));
    region.refuses(grant(new_grant(2)), Refusal::State(StateFault::PendingDeletion));
    region.does(revoke(1));
}

#[test]
fn grants_go_with_their_key_and_no_other() {
    let mut region = Region::with_keys(2);
    region.does(grant(NewGrant { retiring: Some(arn("keeper")), ..new_grant(1) }));
    region.does(grant(named(2)));
    region.does(grant(NewGrant { key_id: key(2), retiring: Some(arn("keeper")), ..new_grant(3) }));
    region.does(delete_at(key(1), Some(10)));
    region.now = 10;
    let (_, changes) = region.apply(RegionalBody::DestroyKey(key(1)));
    let gone = |change: &&RegionalChange| matches!(change, RegionalChange::DeleteGrant(..));
    assert_eq!(changes.iter().filter(gone).count(), 2);
    let left: Vec<_> = region.state.grants_retirable_by(&arn("keeper"), None).map(|g| g.grant_id).collect();
    assert_eq!(left, [grant_id(3)]);
}

#[test]
fn a_key_with_very_many_grants_is_destroyed_in_steps() {
    let mut region = Region::with_keys(1);
    for n in 0..2_500 {
        let applied = region.state.apply(&RegionalCommand { at: at(1), body: grant(new_grant(n)) });
        assert_eq!(applied.outcome, RegionalOutcome::Done);
    }
    let now = region.now + 10;
    region.does(delete_at(key(1), Some(now)));
    region.now = now;
    for left in [1_500, 500] {
        let (_, changes) = region.apply(RegionalBody::DestroyKey(key(1)));
        assert_eq!((changes.len(), region.state.grant_count_of(&key(1))), (1_000, left));
        assert_eq!(region.state.deletions_due(at(now)).count(), 1);
    }
    region.does(RegionalBody::DestroyKey(key(1)));
    assert!(region.state.key(&key(1)).is_none());
    assert_eq!(region.state.grant_count_of(&key(1)), 0);
}

#[test]
fn grants_are_listed_from_any_place() {
    let mut region = Region::with_keys(2);
    for n in [3, 1, 2] {
        let retiring = Some(arn("keeper"));
        region.does(grant(NewGrant { retiring: retiring.clone(), ..new_grant(n) }));
        region.does(grant(NewGrant { key_id: key(2), retiring, grantee: arn("other"), ..new_grant(n) }));
    }
    let ids = |grants: Vec<&GrantRecord>| grants.iter().map(|g| (g.key_id, g.grant_id)).collect::<Vec<_>>();
    let of_key = |after| ids(region.state.grants_of(&key(1), after).map(AsRef::as_ref).collect());
    let all = [1, 2, 3].map(|n| (key(1), grant_id(n)));
    assert_eq!(of_key(None), all);
    assert_eq!(of_key(Some(grant_id(1))), all[1..]);
    let for_worker = |key_id, after| {
        ids(region.state.grants_of_grantee(&key_id, &arn("worker"), after).map(AsRef::as_ref).collect())
    };
    assert_eq!(for_worker(key(1), None), all);
    assert_eq!(for_worker(key(1), Some(grant_id(2))), all[2..]);
    assert_eq!(for_worker(key(2), None), []);
    let retirable = |after| ids(region.state.grants_retirable_by(&arn("keeper"), after).map(AsRef::as_ref).collect());
    let both: Vec<_> = all.into_iter().chain([1, 2, 3].map(|n| (key(2), grant_id(n)))).collect();
    assert_eq!(retirable(None), both);
    assert_eq!(retirable(Some(both[3])), both[4..]);
    assert_eq!(region.state.grants_retirable_by(&arn("worker"), None).count(), 0);
}

#[test]
fn indexes_come_back_from_rows_and_are_empty_when_all_is_gone() {
    let mut region = Region::with_keys(1);
    let empty = region.state.clone();
    region.does(grant(NewGrant { retiring: Some(arn("keeper")), ..named(1) }));
    region.does(grant(new_grant(2)));
    let mut restored = RegionalState::default();
    region.state.rows().for_each(|row| restored.absorb(&row));
    assert_eq!(restored, region.state);
    region.does(revoke(1));
    region.does(revoke(2));
    assert_eq!(region.state, empty);
}
