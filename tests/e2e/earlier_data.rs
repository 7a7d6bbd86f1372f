//! Data directories that earlier versions wrote open, and their ciphertexts decrypt.

use aws_sdk_kms::types::KeyState;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meridian_tests::{AP, Cluster, ClusterOptions, EU, US, keys};
use serde_json::Value;
use std::path::PathBuf;

pub(crate) fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/data-directory")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_data_directory_opens_and_is_used_on() {
    let facts: Value = serde_json::from_slice(&std::fs::read(vectors().join("v1.json")).unwrap()).unwrap();
    let fact = |name: &str| facts[name].as_str().unwrap();
    let archive = Some(vectors().join("v1.tar.gz"));
    let mut cluster = Cluster::start_with(ClusterOptions { archive, ..Default::default() });
    let [us, eu, ap] = [US, EU, AP].map(|region| cluster.direct(region));
    let decrypts = async |kms: &_, name: &str| {
        let ciphertext = STANDARD.decode(fact(name)).unwrap();
        let context = keys::context(&[("purpose", "upgrade")]);
        assert_eq!(keys::decrypt_with(kms, &ciphertext, context).await, b"from version 0.1", "{name}");
    };

    decrypts(&us, "single").await;
    for kms in [&us, &eu] {
        decrypts(kms, "first_material").await;
        decrypts(kms, "second_material").await;
        let rotations = kms.list_key_rotations().key_id(fact("multi_region_key")).send().await.unwrap();
        let materials = rotations.rotations().iter().filter_map(|rotation| rotation.key_material_id());
        assert!(materials.into_iter().any(|id| id == fact("current")));
    }
    let alias = us.describe_key().key_id("alias/orders").send().await.unwrap().key_metadata.unwrap();
    assert_eq!((alias.key_id.as_str(), alias.description.as_deref()), (fact("single_key"), Some("single")));
    let tags = us.list_resource_tags().key_id(fact("single_key")).send().await.unwrap();
    assert_eq!((tags.tags()[0].tag_key(), tags.tags()[0].tag_value()), ("team", "orders"));
    let replica = eu.describe_key().key_id(fact("multi_region_key")).send().await.unwrap().key_metadata.unwrap();
    assert_eq!(replica.description.as_deref(), Some("replica"));
    assert_eq!(keys::state(&us, fact("disabled_key")).await, Some(KeyState::Disabled));
    for (key, days) in [("single_key", 120), ("multi_region_key", 180)] {
        let rotation = us.get_key_rotation_status().key_id(fact(key)).send().await.unwrap();
        assert_eq!(rotation.rotation_period_in_days, Some(days));
    }

    // It is no museum: the key gets a third Region and new material, and all of it survives a restart.
    keys::replicate(&us, &ap, fact("multi_region_key")).await;
    keys::rotate(&us, fact("multi_region_key")).await;
    decrypts(&ap, "first_material").await;
    let ciphertext = keys::encrypt(&us, fact("multi_region_key"), b"from today").await;
    assert!(cluster.stop().success());
    cluster.start_again();
    assert_eq!(keys::decrypt(&ap, &ciphertext).await, b"from today");
    decrypts(&eu, "second_material").await;
}
