//! Claims about the directory of principals.

use super::{Log, a, at, b, sealed};
use kms_core::control::identity::{CreatePrincipal, IdentityBody, PrincipalChange, RecipientBox, RecipientBoxes};
use kms_core::control::{ControlBody, Refusal, RegionRole, RegisterRegion};
use kms_types::{AccessKeyId, AccountId, IamName, IamPath, PrincipalId, RegionName};
use std::collections::BTreeMap;

impl Log {
    #[track_caller]
    pub(super) fn changes(&mut self, body: IdentityBody) {
        self.does(&a(), ControlBody::Identity(body));
    }

    /// Refuses, and leaves the directory as it was.
    #[track_caller]
    pub(super) fn declines(&mut self, body: IdentityBody, refusal: Refusal) {
        let before = self.state.identities().clone();
        self.refuses(&a(), ControlBody::Identity(body), refusal);
        assert_eq!(*self.state.identities(), before);
    }

    /// Boxes for these Regions under the sealing keys that they have now.
    pub(super) fn boxes(&self, regions: &[RegionName]) -> RecipientBoxes {
        let of = |region: &RegionName| RecipientBox {
            registered_at: self.state.region(region).unwrap().registered_at,
            sealed: sealed(),
        };
        regions.iter().map(|region| (region.clone(), of(region))).collect()
    }

    fn new_key(&self, n: u64, user: &str) -> IdentityBody {
        let boxes = self.boxes(&[a(), b()]);
        IdentityBody::CreateAccessKey { id: access_key(n), user: name(user), boxes }
    }
}

pub(super) fn c() -> RegionName {
    RegionName::parse("sa-east-1").unwrap()
}

pub(super) fn register(key: &[u8], role: RegionRole) -> ControlBody {
    ControlBody::RegisterRegion(RegisterRegion {
        sealing_public_key: key.to_vec(),
        role,
        signing_public_key: Vec::new(),
    })
}

pub(super) fn name(name: &str) -> PrincipalId {
    let account = AccountId::parse("111122223333").unwrap();
    PrincipalId { account, name: IamName::parse_principal(name).unwrap() }
}

fn access_key(n: u64) -> AccessKeyId {
    AccessKeyId::parse(&format!("AKIA{n:016}")).unwrap()
}

fn user(who: &str, certificate: Option<&str>) -> CreatePrincipal {
    CreatePrincipal {
        id: name(who),
        unique_id: "AIDAIOSFODNN7EXAMPLE".to_owned(),
        path: IamPath::default(),
        certificate: certificate.map(str::to_owned),
        tags: BTreeMap::new(),
    }
}

fn create(user: CreatePrincipal) -> IdentityBody {
    IdentityBody::CreatePrincipal(Box::new(user))
}

fn change(who: &str, change: PrincipalChange) -> IdentityBody {
    IdentityBody::ChangePrincipal { id: name(who), change }
}

#[test]
fn an_access_key_is_sealed_to_every_region_that_serves_and_to_no_other() {
    let mut log = Log::with_key(false);
    log.does(&c(), register(b"", RegionRole::Witness));
    log.changes(create(user("alice", None)));
    let witness = log.boxes(&[a(), b(), c()]);
    let mut unknown = log.boxes(&[a(), b()]);
    unknown.extend([(RegionName::parse("eu-north-1").unwrap(), unknown[&a()].clone())]);
    let mut stale = log.boxes(&[a(), b()]);
    stale.values_mut().for_each(|sealed| sealed.registered_at = at(0));
    for boxes in [BTreeMap::new(), log.boxes(&[a()]), witness, unknown, stale] {
        let body = IdentityBody::CreateAccessKey { id: access_key(1), user: name("alice"), boxes };
        log.declines(body, Refusal::BoxesMismatch);
    }
    log.changes(log.new_key(1, "alice"));
    assert!(log.state.identities().access_key(&access_key(1)).unwrap().boxes.keys().eq([&b(), &a()]));
}

#[test]
fn a_region_with_a_new_sealing_key_gets_a_new_box_once() {
    let mut log = Log::with_key(false);
    log.changes(create(user("alice", None)));
    log.changes(log.new_key(1, "alice"));
    let reseal = |boxes| IdentityBody::ResealAccessKey { id: access_key(1), boxes };
    log.declines(reseal(log.boxes(&[b()])), Refusal::BoxesMismatch);
    let before = log.boxes(&[b()]);
    log.does(&b(), register(b"renewed", RegionRole::Full));
    for boxes in [BTreeMap::new(), before, log.boxes(&[a(), b()])] {
        log.declines(reseal(boxes), Refusal::BoxesMismatch);
    }
    log.changes(reseal(log.boxes(&[b()])));
    log.declines(reseal(log.boxes(&[b()])), Refusal::BoxesMismatch);
    let unknown = IdentityBody::ResealAccessKey { id: access_key(2), boxes: log.boxes(&[b()]) };
    log.declines(unknown, Refusal::AccessKeyNotFound);
}

#[test]
fn an_access_key_id_stands_for_one_user_and_a_user_has_two() {
    let mut log = Log::with_key(false);
    log.declines(log.new_key(1, "alice"), Refusal::PrincipalNotFound);
    log.changes(create(user("alice", None)));
    log.changes(create(user("bob", None)));
    log.changes(log.new_key(1, "alice"));
    for owner in ["alice", "bob"] {
        log.declines(log.new_key(1, owner), Refusal::AccessKeyExists);
    }
    log.changes(log.new_key(2, "alice"));
    log.declines(log.new_key(3, "alice"), Refusal::IdentityLimit);
    log.changes(IdentityBody::EnableAccessKey { id: access_key(1), enabled: false });
    log.declines(log.new_key(3, "alice"), Refusal::IdentityLimit);
    log.changes(IdentityBody::DeleteAccessKey { id: access_key(1) });
    log.declines(IdentityBody::DeleteAccessKey { id: access_key(1) }, Refusal::AccessKeyNotFound);
    log.declines(IdentityBody::EnableAccessKey { id: access_key(1), enabled: true }, Refusal::AccessKeyNotFound);
    log.changes(log.new_key(3, "alice"));
}

#[test]
fn a_deleted_user_leaves_neither_access_keys_nor_a_certificate() {
    let mut log = Log::with_key(false);
    let certificate = Some("spiffe://cluster/principal/alice");
    log.changes(create(user("alice", certificate)));
    log.declines(create(user("alice", None)), Refusal::PrincipalExists);
    log.declines(create(user("bob", certificate)), Refusal::PrincipalExists);
    log.changes(log.new_key(1, "alice"));
    log.changes(IdentityBody::DeletePrincipal { id: name("alice") });
    log.declines(IdentityBody::DeletePrincipal { id: name("alice") }, Refusal::PrincipalNotFound);
    assert_eq!(log.state.identities().access_keys().count(), 0);
    log.changes(create(user("bob", certificate)));
    log.changes(log.new_key(1, "bob"));
}

#[test]
fn policies_and_tags_have_limits() {
    let mut log = Log::with_key(false);
    let tags = (0..51).map(|n| (n.to_string(), String::new())).collect();
    log.declines(create(CreatePrincipal { tags, ..user("alice", None) }), Refusal::IdentityLimit);
    log.declines(create(user("alice", Some(""))), Refusal::Malformed);
    log.changes(create(user("alice", None)));
    let put = |n: u32, text: &str| {
        change("alice", PrincipalChange::PutPolicy(IamName::parse(&format!("p{n}")).unwrap(), text.to_owned()))
    };
    for n in 0..10 {
        log.changes(put(n, "{}"));
    }
    log.declines(put(10, "{}"), Refusal::IdentityLimit);
    log.changes(put(9, "{ }"));
    log.declines(put(9, ""), Refusal::IdentityLimit);
    log.declines(put(9, &"x".repeat(40_000)), Refusal::IdentityLimit);
    log.declines(change("alice", PrincipalChange::Boundary(None)), Refusal::PolicyNotFound);
    let absent = PrincipalChange::DeletePolicy(IamName::parse("p10").unwrap());
    log.declines(change("alice", absent), Refusal::PolicyNotFound);
    log.declines(change("bob", PrincipalChange::Enabled(false)), Refusal::PrincipalNotFound);
}

#[test]
fn a_witness_changes_nobody() {
    let mut log = Log::with_key(false);
    log.does(&c(), register(b"", RegionRole::Witness));
    let before = log.state.identities().clone();
    let (outcome, _) = log.apply(&c(), ControlBody::Identity(create(user("alice", None))));
    assert!(matches!(outcome, kms_core::control::ControlOutcome::Refused(_)));
    assert_eq!(*log.state.identities(), before);
}
