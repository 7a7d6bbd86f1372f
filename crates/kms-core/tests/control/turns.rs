//! Claims about the order of what is due when more is due than one round takes.

use super::*;
use kms_core::regional::{CreateKey, ImportMaterial};
use kms_types::ImportType;

fn single(n: u8) -> KeyId {
    KeyId::single_region([n; 16])
}

fn create_single(n: u8, origin: Origin) -> RegionalBody {
    let own = NewMaterial { material_id: material(n), wrapped: vec![n] };
    RegionalBody::CreateKey(Box::new(CreateKey {
        key_id: single(n),
        account: AccountId::parse("111122223333").unwrap(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin,
        description: String::new(),
        policy: String::new(),
        tags: BTreeMap::new(),
        material: (origin == Origin::AwsKms).then_some(own),
    }))
}

fn delete(key_id: KeyId) -> RegionalBody {
    RegionalBody::ScheduleDeletion(ScheduleDeletion { key_id, window_days: 7, deletion_date: Some(at(50)) })
}

/// Three keys with something due of each kind that a Region has for itself.
fn busy_region() -> RegionalState {
    let mut state = RegionalState::default();
    for n in 1..=3 {
        edit(&mut state, create_single(n, Origin::AwsKms));
        edit(&mut state, delete(single(n)));
        edit(&mut state, create_single(10 + n, Origin::AwsKms));
        let schedule = Some(RotationSchedule { period_days: 90, next_at: at(60) });
        edit(&mut state, RegionalBody::SetRotation(single(10 + n), schedule));
        edit(&mut state, create_single(20 + n, Origin::External));
        let import = ImportMaterial {
            key_id: single(20 + n),
            material: NewMaterial { material_id: material(n), wrapped: vec![n] },
            import_type: ImportType::NewKeyMaterial,
            expires_at: Some(at(70)),
            description: None,
        };
        edit(&mut state, RegionalBody::ImportMaterial(Box::new(import)));
    }
    state
}

fn expiry(n: u8) -> Due {
    Due::ExpireMaterial { key_id: single(20 + n), material_id: material(n) }
}

#[test]
fn no_kind_of_work_starves_another() {
    let mut log = Log::with_key(true);
    log.does(&a(), schedule(90, 40));
    let mut state = busy_region();
    let mut primary = resource(log.added_at(&a()));
    edit(&mut primary, install(1, true));
    primary.rows().for_each(|row| state.absorb(&row));
    let due_now = |limit| due(&a(), &state, &log.state, at(100), limit);
    let first = [Due::DestroyKey(single(1)), expiry(1), Due::RotateKey(single(11)), Due::RotateKeySet(key())];
    assert_eq!(due_now(4), first);
    assert_eq!(due_now(2), first[..2]);
    let second = [Due::DestroyKey(single(2)), expiry(2), Due::RotateKey(single(12))];
    assert_eq!(due_now(7), [first.to_vec(), second.to_vec()].concat());
    assert_eq!(due_now(100).len(), 10);
    assert_eq!(due_now(0), []);
}

#[test]
fn deletions_that_need_a_majority_do_not_hold_up_those_that_do_not() {
    let mut log = Log::with_key(true);
    let mut state = busy_region();
    let mut replica = resource(log.added_at(&b()));
    edit(&mut replica, install(1, true));
    edit(&mut replica, delete(key()));
    replica.rows().for_each(|row| state.absorb(&row));
    let leave = Due::RemoveReplica { key_id: key(), added_at: log.added_at(&b()) };
    assert_eq!(due(&b(), &state, &log.state, at(100), 2), [Due::DestroyKey(single(1)), leave]);
    log.does(&a(), schedule(90, 40));
    assert!(!due(&b(), &state, &log.state, at(100), 100).contains(&Due::RotateKeySet(key())));
}

#[test]
fn nothing_is_due_before_its_time() {
    let log = Log::with_key(false);
    let state = busy_region();
    let kinds = |now| due(&a(), &state, &log.state, at(now), 100).len();
    assert_eq!([49, 50, 59, 60, 69, 70].map(kinds), [0, 3, 3, 6, 6, 9]);
}
