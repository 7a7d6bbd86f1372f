//! Waiting periods, with days that last a second: keys that end, and primaries that wait for their replicas.

use aws_sdk_kms::types::KeyState;
use meridian_tests::{Cluster, ClusterOptions, EU, Kms, US, blob, eventually_within, keys, refused};
use std::time::Duration;

/// A waiting period of seven days, and time for a busy machine.
const SOON: Duration = Duration::from_secs(40);

async fn ends(kms: &Kms, key_id: &str) {
    eventually_within(SOON, &format!("{key_id} is deleted"), || async {
        let error = kms.describe_key().key_id(key_id).send().await.err()?;
        error.into_service_error().is_not_found_exception().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_key_ends_when_its_waiting_period_is_over_and_not_before() {
    let cluster = Cluster::start_with(ClusterOptions::with(&["--day-length", "1s"]));
    let kms = cluster.kms(US);
    let (key_id, spared) = (keys::create(&kms).await, keys::create(&kms).await);
    let ciphertext = keys::encrypt(&kms, &key_id, b"gone").await;
    kms.create_alias().alias_name("alias/gone").target_key_id(&key_id).send().await.unwrap();
    for key in [&key_id, &spared] {
        kms.schedule_key_deletion().key_id(key).pending_window_in_days(7).send().await.unwrap();
    }
    assert_eq!(keys::state(&kms, &key_id).await, Some(KeyState::PendingDeletion));
    kms.cancel_key_deletion().key_id(&spared).send().await.unwrap();
    ends(&kms, &key_id).await;
    let refusal = refused(kms.decrypt().ciphertext_blob(blob(&ciphertext)).send().await);
    assert_ne!(refusal.status, 500, "{refusal:?}");
    refused(kms.describe_key().key_id("alias/gone").send().await).is_code("NotFoundException");
    assert_eq!(keys::state(&kms, &spared).await, Some(KeyState::Disabled));
}

#[tokio::test]
async fn a_primary_waits_until_its_last_replica_is_gone() {
    let mut cluster = Cluster::start_with(ClusterOptions::with(&["--day-length", "1s"]));
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    let ciphertext = keys::encrypt(&us, &key_id, b"x").await;
    let scheduled = us.schedule_key_deletion().key_id(&key_id).pending_window_in_days(7).send().await.unwrap();
    assert_eq!(scheduled.key_state(), Some(&KeyState::PendingReplicaDeletion));
    assert_eq!((scheduled.deletion_date(), scheduled.pending_window_in_days()), (None, Some(7)));
    let described = us.describe_key().key_id(&key_id).send().await.unwrap().key_metadata.unwrap();
    assert_eq!(described.pending_deletion_window_in_days(), Some(7));
    assert!(described.deletion_date().is_none());
    // Replicas stay usable meanwhile, and the primary is not replicated any more.
    assert_eq!(keys::decrypt(&eu, &ciphertext).await, b"x");
    let answer = us.replicate_key().key_id(&key_id).replica_region("ap-southeast-1").send().await;
    refused(answer).is_code("KMSInvalidStateException");

    eu.schedule_key_deletion().key_id(&key_id).pending_window_in_days(7).send().await.unwrap();
    ends(&eu, &key_id).await;
    let date = eventually_within(SOON, "the primary's own waiting period starts", || async {
        let described = us.describe_key().key_id(&key_id).send().await.ok()?.key_metadata?;
        (described.key_state == Some(KeyState::PendingDeletion)).then_some(described.deletion_date?)
    })
    .await;
    assert!(date.secs() > 0);
    ends(&us, &key_id).await;
    cluster.stop();
    let id = cluster_id(&cluster);
    for region in [US, EU] {
        let offline = meridian_tests::offline::Offline::read(&cluster.region_dir(region), region, &id);
        assert_eq!(offline.wrapped_materials(&key_id), 0, "{region} still has rows of the deleted key's material");
    }
}

#[tokio::test]
async fn a_replica_can_be_deleted_and_made_again_and_the_primary_cancelled() {
    let cluster = Cluster::start_with(ClusterOptions::with(&["--day-length", "1s"]));
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    let ciphertext = keys::encrypt(&eu, &key_id, b"x").await;
    eu.schedule_key_deletion().key_id(&key_id).pending_window_in_days(7).send().await.unwrap();
    us.schedule_key_deletion().key_id(&key_id).pending_window_in_days(30).send().await.unwrap();
    us.cancel_key_deletion().key_id(&key_id).send().await.unwrap();
    us.enable_key().key_id(&key_id).send().await.unwrap();
    ends(&eu, &key_id).await;
    keys::replicate(&us, &eu, &key_id).await;
    assert_eq!(keys::decrypt(&eu, &ciphertext).await, b"x");
}

fn cluster_id(cluster: &Cluster) -> String {
    let marker = std::fs::read_to_string(cluster.data_dir().join("meridian-dev.toml")).unwrap();
    let line = marker.lines().find_map(|line| line.strip_prefix("cluster_id = ")).unwrap();
    line.trim_matches('"').to_owned()
}
