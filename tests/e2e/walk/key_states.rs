//! `EnableKey`, `DisableKey`, `ScheduleKeyDeletion`, `CancelKeyDeletion`, and what the other operations answer in each
//! state.

use super::{arn, cluster};
use aws_sdk_kms::types::{KeyState, Tag};
use meridian_tests::{US, blob, keys, refused};
use std::time::{Duration, SystemTime};

#[tokio::test]
async fn a_disabled_key_refuses_cryptography_until_it_is_enabled() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let ciphertext = keys::encrypt(&kms, &key_id, b"before").await;
    kms.disable_key().key_id(&key_id).send().await.unwrap();
    // Disabling twice is no mistake.
    kms.disable_key().key_id(&key_id).send().await.unwrap();
    let described = kms.describe_key().key_id(&key_id).send().await.unwrap().key_metadata.unwrap();
    assert_eq!((described.enabled(), described.key_state()), (false, Some(&KeyState::Disabled)));

    let disabled = format!("{} is disabled.", arn(US, &key_id));
    let is_disabled = |refusal: meridian_tests::Refusal| refusal.is("DisabledException", &disabled);
    is_disabled(refused(kms.encrypt().key_id(&key_id).plaintext(blob(b"x")).send().await));
    is_disabled(refused(kms.decrypt().ciphertext_blob(blob(&ciphertext)).send().await));
    is_disabled(refused(kms.generate_data_key().key_id(&key_id).number_of_bytes(32).send().await));
    let answer = kms.generate_data_key_without_plaintext().key_id(&key_id).number_of_bytes(32).send().await;
    is_disabled(refused(answer));
    let answer = kms.re_encrypt().ciphertext_blob(blob(&ciphertext)).destination_key_id(&key_id).send().await;
    is_disabled(refused(answer));
    is_disabled(refused(kms.enable_key_rotation().key_id(&key_id).send().await));
    is_disabled(refused(kms.disable_key_rotation().key_id(&key_id).send().await));
    is_disabled(refused(kms.rotate_key_on_demand().key_id(&key_id).send().await));
    // What does not use the key goes on.
    kms.update_key_description().key_id(&key_id).description("still managed").send().await.unwrap();
    kms.get_key_rotation_status().key_id(&key_id).send().await.unwrap();
    kms.list_key_rotations().key_id(&key_id).send().await.unwrap();

    kms.enable_key().key_id(&key_id).send().await.unwrap();
    assert_eq!(keys::decrypt(&kms, &ciphertext).await, b"before");
}

#[tokio::test]
async fn a_key_pending_deletion_is_kept_and_refuses_almost_everything() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let ciphertext = keys::encrypt(&kms, &key_id, b"kept").await;
    let scheduled = kms.schedule_key_deletion().key_id(&key_id).pending_window_in_days(7).send().await.unwrap();
    assert_eq!(scheduled.key_id(), Some(arn(US, &key_id).as_str()));
    assert_eq!(scheduled.key_state(), Some(&KeyState::PendingDeletion));
    assert_eq!(scheduled.pending_window_in_days(), Some(7));
    let date = SystemTime::try_from(*scheduled.deletion_date().unwrap()).unwrap();
    let days = date.duration_since(SystemTime::now()).unwrap().as_secs_f64() / 86_400.0;
    assert!((6.9..=7.0).contains(&days), "{days}");

    let pending = format!("{} is pending deletion.", arn(US, &key_id));
    let is_pending = |refusal: meridian_tests::Refusal| refusal.is("KMSInvalidStateException", &pending);
    is_pending(refused(kms.encrypt().key_id(&key_id).plaintext(blob(b"x")).send().await));
    is_pending(refused(kms.decrypt().ciphertext_blob(blob(&ciphertext)).send().await));
    is_pending(refused(kms.generate_data_key().key_id(&key_id).number_of_bytes(1).send().await));
    is_pending(refused(kms.enable_key().key_id(&key_id).send().await));
    is_pending(refused(kms.disable_key().key_id(&key_id).send().await));
    is_pending(refused(kms.schedule_key_deletion().key_id(&key_id).send().await));
    is_pending(refused(kms.update_key_description().key_id(&key_id).description("x").send().await));
    is_pending(refused(kms.create_alias().alias_name("alias/of-a-pending-key").target_key_id(&key_id).send().await));
    let tag = Tag::builder().tag_key("k").tag_value("v").build().unwrap();
    is_pending(refused(kms.tag_resource().key_id(&key_id).tags(tag).send().await));
    is_pending(refused(kms.untag_resource().key_id(&key_id).tag_keys("k").send().await));
    is_pending(refused(kms.enable_key_rotation().key_id(&key_id).send().await));
    is_pending(refused(kms.rotate_key_on_demand().key_id(&key_id).send().await));
    // In every state: description, policy, lists.
    kms.describe_key().key_id(&key_id).send().await.unwrap();
    let policy = kms.get_key_policy().key_id(&key_id).send().await.unwrap().policy.unwrap();
    kms.put_key_policy().key_id(&key_id).policy(policy).send().await.unwrap();
    kms.list_resource_tags().key_id(&key_id).send().await.unwrap();
    kms.list_key_policies().key_id(&key_id).send().await.unwrap();

    let cancelled = kms.cancel_key_deletion().key_id(&key_id).send().await.unwrap();
    assert_eq!(cancelled.key_id(), Some(arn(US, &key_id).as_str()));
    assert_eq!(keys::state(&kms, &key_id).await, Some(KeyState::Disabled));
    kms.enable_key().key_id(&key_id).send().await.unwrap();
    assert_eq!(keys::decrypt(&kms, &ciphertext).await, b"kept");
    let not_pending = format!("{} is not pending deletion.", arn(US, &key_id));
    let answer = kms.cancel_key_deletion().key_id(&key_id).send().await;
    refused(answer).is("KMSInvalidStateException", &not_pending);
}

#[tokio::test]
async fn the_waiting_period_has_bounds_and_a_default() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    for days in [6, 31] {
        let answer = kms.schedule_key_deletion().key_id(&key_id).pending_window_in_days(days).send().await;
        refused(answer).is("ValidationException", "PendingWindowInDays must be between 7 and 30");
    }
    let scheduled = kms.schedule_key_deletion().key_id(&key_id).send().await.unwrap();
    let date = SystemTime::try_from(*scheduled.deletion_date().unwrap()).unwrap();
    assert!(date > SystemTime::now() + Duration::from_secs(86_400 * 29));
    assert_eq!(scheduled.pending_window_in_days(), Some(30));
    kms.cancel_key_deletion().key_id(&key_id).send().await.unwrap();
}
