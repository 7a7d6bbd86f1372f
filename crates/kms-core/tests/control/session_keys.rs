//! Claims about session token keys.

use super::directory::{c, name, register};
use super::{Log, a, at, b};
use kms_core::control::identity::{CreateRole, IdentityBody, RecipientBoxes};
use kms_core::control::{Refusal, RegionRole};
use kms_types::{IamPath, PrincipalId, RegionName, RoleId};
use std::collections::BTreeMap;

const HOUR_MS: u64 = 3_600_000;

fn create(epoch: u64, boxes: RecipientBoxes) -> IdentityBody {
    IdentityBody::CreateSessionKey { epoch, boxes, end_sessions: false }
}

impl Log {
    fn with_session_keys(epochs: u64) -> Self {
        let mut log = Self::with_key(false);
        for epoch in 1..=epochs {
            log.changes(create(epoch, log.boxes(&both())));
        }
        log
    }

    fn epochs(&self) -> Vec<u64> {
        self.state.identities().session_keys().map(|key| key.epoch).collect()
    }
}

fn both() -> [RegionName; 2] {
    [a(), b()]
}

#[test]
fn epochs_follow_each_other_so_that_the_first_of_several_wins() {
    let mut log = Log::with_key(false);
    let boxes = log.boxes(&both());
    for wrong in [0, 2, u64::MAX] {
        log.declines(create(wrong, boxes.clone()), Refusal::WrongEpoch { current: 0 });
    }
    log.changes(create(1, boxes.clone()));
    log.declines(create(1, boxes.clone()), Refusal::WrongEpoch { current: 1 });
    log.changes(create(2, boxes));
    assert_eq!(log.epochs(), [1, 2]);
}

#[test]
fn a_session_key_is_sealed_to_every_region_that_serves_and_to_no_other() {
    let mut log = Log::with_key(false);
    log.does(&c(), register(b"", RegionRole::Witness));
    let mut stale = log.boxes(&both());
    stale.values_mut().for_each(|sealed| sealed.registered_at = at(0));
    for boxes in [BTreeMap::new(), log.boxes(&[a()]), log.boxes(&[a(), b(), c()]), stale] {
        log.declines(create(1, boxes), Refusal::BoxesMismatch);
    }
    log.changes(create(1, log.boxes(&both())));
}

#[test]
fn a_key_stays_until_thirteen_hours_after_its_successor() {
    let mut log = Log::with_session_keys(2);
    // The commands' times: key 2 came with the present one.
    let second_at = log.now;
    log.now = second_at + 13 * HOUR_MS - 1;
    log.changes(create(3, log.boxes(&both())));
    assert_eq!(log.epochs(), [1, 2, 3]);
    log.changes(create(4, log.boxes(&both())));
    assert_eq!(log.epochs(), [2, 3, 4]);
    log.now += 14 * HOUR_MS;
    log.changes(create(5, log.boxes(&both())));
    assert_eq!(log.epochs(), [4, 5]);
}

#[test]
fn a_clock_that_was_set_back_leaves_no_gap_between_epochs() {
    let mut log = Log::with_key(false);
    log.now = 40 * HOUR_MS;
    log.changes(create(1, log.boxes(&both())));
    log.changes(create(2, log.boxes(&both())));
    log.now = 10 * HOUR_MS;
    log.changes(create(3, log.boxes(&both())));
    log.now = 41 * HOUR_MS;
    log.changes(create(4, log.boxes(&both())));
    assert_eq!(log.epochs(), [1, 2, 3, 4]);
}

#[test]
fn ending_sessions_drops_every_older_key_at_once() {
    let mut log = Log::with_session_keys(3);
    let boxes = log.boxes(&both());
    log.changes(IdentityBody::CreateSessionKey { epoch: 4, boxes, end_sessions: true });
    assert_eq!(log.epochs(), [4]);
}

#[test]
fn a_flood_of_keys_is_refused_but_sessions_can_be_ended_all_the_same() {
    let mut log = Log::with_session_keys(32);
    let boxes = log.boxes(&both());
    log.declines(create(33, boxes.clone()), Refusal::IdentityLimit);
    log.changes(IdentityBody::CreateSessionKey { epoch: 33, boxes, end_sessions: true });
    assert_eq!(log.epochs(), [33]);
}

#[test]
fn a_region_that_joined_later_gets_a_box_of_every_key_once() {
    let mut log = Log::with_session_keys(2);
    let reseal = |epoch, boxes| IdentityBody::ResealSessionKey { epoch, boxes };
    log.declines(reseal(1, log.boxes(&[b()])), Refusal::BoxesMismatch);
    log.does(&c(), register(b"c", RegionRole::Full));
    for epoch in [1, 2] {
        log.changes(reseal(epoch, log.boxes(&[c()])));
        log.declines(reseal(epoch, log.boxes(&[c()])), Refusal::BoxesMismatch);
    }
    log.declines(reseal(3, log.boxes(&[c()])), Refusal::WrongEpoch { current: 2 });
    assert!(log.state.identities().session_keys().all(|key| key.boxes.len() == 3));
}

#[test]
fn a_key_is_due_when_there_is_a_role_and_none_is_younger_than_a_day() {
    let mut log = Log::with_key(false);
    assert_eq!(log.state.identities().session_key_due(at(0)), None);
    let PrincipalId { account, name } = name("ops");
    let role = CreateRole {
        id: RoleId { account, name },
        unique_id: "AROAIOSFODNN7EXAMPLE".to_owned(),
        path: IamPath::default(),
        trust: "{}".to_owned(),
        max_session_seconds: 3_600,
        tags: BTreeMap::new(),
    };
    log.changes(IdentityBody::CreateRole(Box::new(role)));
    assert_eq!(log.state.identities().session_key_due(at(0)), Some(1));
    log.changes(create(1, log.boxes(&both())));
    let created = log.now;
    // A clock that is behind asks for nothing either.
    for now in [0, created, created + 24 * HOUR_MS] {
        assert_eq!(log.state.identities().session_key_due(at(now)), None, "{now}");
    }
    assert_eq!(log.state.identities().session_key_due(at(created + 24 * HOUR_MS + 1)), Some(2));
}
