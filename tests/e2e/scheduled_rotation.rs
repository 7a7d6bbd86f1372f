//! Automatic rotation by the clock, with days that last a few hundredths of a second.

use aws_sdk_kms::types::RotationType;
use meridian_tests::{Cluster, ClusterOptions, EU, US, eventually, keys};

#[tokio::test]
async fn keys_rotate_by_themselves_when_their_period_is_over() {
    // Ninety days are 2.7 seconds.
    let cluster = Cluster::start_with(ClusterOptions::with(&["--day-length", "30ms"]));
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let single = keys::create(&us).await;
    let shared = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &shared).await;
    for key_id in [&single, &shared] {
        let before = keys::material(&us, key_id).await;
        let ciphertext = keys::encrypt(&us, key_id, b"before").await;
        us.enable_key_rotation().key_id(key_id).rotation_period_in_days(90).send().await.unwrap();
        let first = us.get_key_rotation_status().key_id(key_id).send().await.unwrap();
        let first_date = *first.next_rotation_date().unwrap();
        let second = keys::material_changes(&us, key_id, &before).await;
        keys::material_changes(&us, key_id, &second).await;
        assert_eq!(keys::decrypt(&us, &ciphertext).await, b"before");
        us.disable_key_rotation().key_id(key_id).send().await.unwrap();
        let rotations = us.list_key_rotations().key_id(key_id).send().await.unwrap().rotations.unwrap();
        assert!(rotations.len() >= 2, "{rotations:?}");
        assert!(rotations.iter().all(|entry| entry.rotation_type() == Some(&RotationType::Automatic)));
        assert!(rotations.iter().all(|entry| *entry.rotation_date().unwrap() >= first_date));
    }
    // A rotation that was in progress when it was switched off still ends; then all members agree.
    eventually("both members encrypt with the same material", || async {
        let described = us.describe_key().key_id(&shared).send().await.ok()?.key_metadata?;
        let there = eu.describe_key().key_id(&shared).send().await.ok()?.key_metadata?;
        (described.current_key_material_id == there.current_key_material_id).then_some(())
    })
    .await;
    let ciphertext = keys::encrypt(&us, &shared, b"after").await;
    assert_eq!(keys::decrypt(&eu, &ciphertext).await, b"after");
}
