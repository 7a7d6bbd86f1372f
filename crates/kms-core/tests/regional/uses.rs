//! Claims about the last use of keys and about counts that quotas need.

use super::*;
use kms_core::regional::{LastUse, TrackedOperation};

fn used(n: u8, millis: u64) -> (KeyId, LastUse) {
    let operation = TrackedOperation::Decrypt;
    (key(n), LastUse { operation, at: at(millis), request_id: format!("request {millis}") })
}

fn last_use(region: &Region, n: u8) -> Option<u64> {
    region.state.last_use(&key(n)).map(|u| u.at.millis())
}

#[test]
fn the_latest_use_is_kept_and_the_key_s_own_row_is_not_touched() {
    let mut region = Region::with_keys(2);
    let (_, changes) = region.apply(RegionalBody::RecordUse(vec![used(1, 20), used(2, 5), used(1, 30), used(1, 25)]));
    let expected = [used(1, 30), used(2, 5)].map(|(key_id, last_use)| RegionalChange::PutLastUse(key_id, last_use));
    assert_eq!(changes, expected);
    let (_, changes) = region.apply(RegionalBody::RecordUse(vec![used(1, 29), used(1, 30)]));
    assert_eq!(changes, []);
    assert_eq!((last_use(&region, 1), last_use(&region, 2)), (Some(30), Some(5)));
}

#[test]
fn uses_of_unknown_keys_are_skipped() {
    let mut region = Region::with_keys(1);
    region.does(RegionalBody::RecordUse(vec![used(7, 1), used(1, 2)]));
    assert_eq!((last_use(&region, 7), last_use(&region, 1)), (None, Some(2)));
}

#[test]
fn the_last_use_goes_with_its_key() {
    let mut region = Region::with_keys(1);
    region.does(RegionalBody::RecordUse(vec![used(1, 2)]));
    region.does(delete_at(key(1), Some(10)));
    region.now = 10;
    let (_, changes) = region.apply(RegionalBody::DestroyKey(key(1)));
    assert!(changes.contains(&RegionalChange::DeleteLastUse(key(1))));
    assert_eq!(last_use(&region, 1), None);
    assert_eq!(region.state.key_count_of(&account()), 0);
}

#[test]
fn a_last_use_comes_back_from_its_row() {
    let mut region = Region::with_keys(1);
    region.does(RegionalBody::RecordUse(vec![used(1, 2)]));
    let mut restored = RegionalState::default();
    region.state.rows().for_each(|row| restored.absorb(&row));
    assert_eq!(restored, region.state);
}

#[test]
fn keys_are_counted_by_account() {
    let mut region = Region::with_keys(2);
    let RegionalBody::CreateKey(body) = create(3) else { unreachable!() };
    region.does(RegionalBody::CreateKey(Box::new(CreateKey { account: stranger(), ..*body })));
    region.does(RegionalBody::DisableKey(key(1)));
    assert_eq!((region.state.key_count_of(&account()), region.state.key_count_of(&stranger())), (2, 1));
    assert_eq!(region.state.key_count(), 3);
}

#[test]
fn tracked_operations_have_the_names_of_the_api() {
    for operation in TrackedOperation::ALL {
        assert_eq!(TrackedOperation::parse(operation.as_str()), Some(operation));
    }
    assert_eq!(TrackedOperation::parse("GetPublicKey"), None);
    assert_eq!(TrackedOperation::of(KeyOperation::GetPublicKey), None);
    assert_eq!(TrackedOperation::of(KeyOperation::ReEncrypt), Some(TrackedOperation::ReEncrypt));
}
