//! Promotion: with the primary dead, from any living Region, and refused where it has to be.

use aws_sdk_kms::types::MultiRegionKeyType;
use meridian_tests::{AP, Cluster, EU, US, eventually, keys, refused};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_takes_over_from_a_dead_primary_and_the_old_one_comes_back_as_a_replica() {
    let cluster = Cluster::start();
    let [us, eu, ap] = [US, EU, AP].map(|region| cluster.direct(region));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    keys::replicate(&us, &ap, &key_id).await;
    let alias = "alias/promoted";
    for kms in [&us, &eu, &ap] {
        kms.create_alias().alias_name(alias).target_key_id(&key_id).send().await.unwrap();
    }
    let before = keys::encrypt(&us, &key_id, b"before").await;

    cluster.chaos(&["kill", US]).await;
    assert_eq!(keys::decrypt(&eu, &before).await, b"before");
    let started = Instant::now();
    let answer = cluster.cli_async(&["promote", alias, "--to", EU, "--yes", "--output", "json"]).await.done();
    let took = started.elapsed();
    let answer = answer.json();
    assert_eq!(answer["plan"]["unreachable_regions"], serde_json::json!([US]));
    assert_eq!(answer["plan"]["would_be_lost"], serde_json::json!([]));
    assert_eq!(answer["result"]["epoch"], 2);
    assert!(answer["result"]["duration_ms"].as_u64().is_some());
    assert!(took < Duration::from_secs(15), "{took:?}");
    // The dead Region holds the rotation up, and an operator may go on without it.
    eu.rotate_key_on_demand().key_id(&key_id).send().await.unwrap();
    let old = keys::material(&eu, &key_id).await;
    let activate = ["rotation", "activate", &key_id, "--without", US, "--yes"];
    eventually("the rotation goes on", || async { (cluster.cli_async(&activate).await.code == 0).then_some(()) }).await;
    let new = keys::material_changes(&eu, &key_id, &old).await;
    let after = keys::encrypt(&eu, &key_id, b"after").await;
    assert_eq!(keys::decrypt(&ap, &after).await, b"after");

    cluster.chaos(&["restart", US]).await;
    eventually("the old primary is a replica", || async {
        let described = us.describe_key().key_id(&key_id).send().await.ok()?.key_metadata?;
        let config = described.multi_region_configuration?;
        let is_replica = config.multi_region_key_type == Some(MultiRegionKeyType::Replica);
        (is_replica && config.primary_key?.region.as_deref() == Some(EU)).then_some(())
    })
    .await;
    keys::material_becomes(&us, &key_id, &new).await;
    for ciphertext in [&before, &after] {
        keys::decrypt(&us, ciphertext).await;
    }
    refused(us.rotate_key_on_demand().key_id(&key_id).send().await).is_code("UnsupportedOperationException");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_promotions_are_refused_with_the_reason() {
    let cluster = Cluster::start();
    let [us, eu] = [US, EU].map(|region| cluster.direct(region));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    let single = keys::create(&us).await;
    let promote = async |key: &str, to: &str| cluster.cli_async(&["promote", key, "--to", to, "--yes"]).await;

    let cases = [
        (key_id.as_str(), AP, "holds no replica"),
        (key_id.as_str(), US, "is the primary Region already"),
        (key_id.as_str(), "sa-east-1", "sa-east-1"),
        (single.as_str(), EU, single.as_str()),
        ("mrk-00000000000000000000000000000000", EU, "mrk-00000000000000000000000000000000"),
    ];
    for (key, to, reason) in cases {
        let answer = promote(key, to).await;
        assert_ne!(answer.code, 0, "{answer:?}");
        assert!(answer.stderr.contains(reason), "{reason}: {answer:?}");
    }
    let unasked = cluster.cli(&["promote", &key_id, "--to", EU]);
    assert_eq!(unasked.code, 2, "nobody could be asked: {unasked:?}");

    cluster.chaos(&["kill", US]).await;
    cluster.chaos(&["kill", AP]).await;
    let answer = promote(&key_id, EU).await;
    assert_ne!(answer.code, 0, "{answer:?}");
    assert!(answer.stderr.contains("majority"), "{answer:?}");
    // Nothing was changed.
    cluster.chaos(&["restart", US]).await;
    cluster.chaos(&["restart", AP]).await;
    cluster.leader().await;
    let described = cluster.cli(&["keys", "describe", &key_id, "--output", "json"]).done().json().to_string();
    assert!(described.contains(r#""primary_region":"us-east-1""#), "{described}");
}
