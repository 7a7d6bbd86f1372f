//! A cluster that starts again on its data directory has everything that it had.

use aws_sdk_kms::types::{KeyState, Tag};
use meridian_tests::{AP, Cluster, EU, US, keys};

/// What was there before.
struct Kept {
    single: String,
    shared: String,
    disabled: String,
    ciphertexts: Vec<(String, Vec<u8>)>,
    material: String,
}

async fn fill(cluster: &Cluster) -> Kept {
    let [us, eu] = [US, EU].map(|region| cluster.direct(region));
    let tag = Tag::builder().tag_key("team").tag_value("orders").build().unwrap();
    let single = us.create_key().description("kept").tags(tag).send().await.unwrap().key_metadata.unwrap().key_id;
    us.create_alias().alias_name("alias/kept").target_key_id(&single).send().await.unwrap();
    us.enable_key_rotation().key_id(&single).rotation_period_in_days(123).send().await.unwrap();
    let shared = keys::create_primary(&us).await;
    let mut ciphertexts = Vec::new();
    for key_id in [&single, &shared] {
        ciphertexts.push((key_id.clone(), keys::encrypt(&us, key_id, key_id.as_bytes()).await));
        keys::rotate(&us, key_id).await;
        ciphertexts.push((key_id.clone(), keys::encrypt(&us, key_id, key_id.as_bytes()).await));
    }
    keys::replicate(&us, &eu, &shared).await;
    us.update_primary_region().key_id(&shared).primary_region(EU).send().await.unwrap();
    let disabled = keys::create(&us).await;
    us.disable_key().key_id(&disabled).send().await.unwrap();
    let material = keys::material(&us, &shared).await;
    Kept { single, shared, disabled, ciphertexts, material }
}

async fn check(cluster: &Cluster, kept: &Kept) {
    let [us, eu, ap] = [US, EU, AP].map(|region| cluster.direct(region));
    for (key_id, ciphertext) in &kept.ciphertexts {
        assert_eq!(keys::decrypt(&us, ciphertext).await, key_id.as_bytes());
    }
    assert_eq!(keys::decrypt(&eu, &kept.ciphertexts[2].1).await, kept.shared.as_bytes());
    assert_eq!(keys::decrypt(&eu, &kept.ciphertexts[3].1).await, kept.shared.as_bytes());
    let described = us.describe_key().key_id("alias/kept").send().await.unwrap().key_metadata.unwrap();
    assert_eq!((described.key_id(), described.description()), (kept.single.as_str(), Some("kept")));
    let tags = us.list_resource_tags().key_id(&kept.single).send().await.unwrap();
    assert_eq!(tags.tags().iter().map(|tag| tag.tag_value()).collect::<Vec<_>>(), ["orders"]);
    let status = us.get_key_rotation_status().key_id(&kept.single).send().await.unwrap();
    assert_eq!(status.rotation_period_in_days(), Some(123));
    assert_eq!(keys::state(&us, &kept.disabled).await, Some(KeyState::Disabled));
    for kms in [&us, &eu] {
        let described = kms.describe_key().key_id(&kept.shared).send().await.unwrap().key_metadata.unwrap();
        let config = described.multi_region_configuration.unwrap();
        assert_eq!(config.primary_key().unwrap().region(), Some(EU));
        assert_eq!(described.current_key_material_id.as_deref(), Some(kept.material.as_str()));
    }
    assert_eq!(keys::state(&ap, &kept.shared).await, None);
    // And it is a working cluster: shared properties can be changed.
    let key_id = keys::create_primary(&ap).await;
    keys::replicate(&ap, &us, &key_id).await;
}

#[tokio::test]
async fn a_restart_keeps_everything_whether_the_end_was_orderly_or_not() {
    let mut cluster = Cluster::start();
    let kept = fill(&cluster).await;
    assert!(cluster.stop().success());
    cluster.start_again();
    check(&cluster, &kept).await;
    // kill -9 of the owner takes all nodes with it, at once.
    cluster.kill();
    cluster.start_again();
    check(&cluster, &kept).await;
}
