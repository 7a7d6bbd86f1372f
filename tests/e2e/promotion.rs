//! Promotion: with the primary dead, from any living Region, and refused where it has to be.

use aws_sdk_kms::types::MultiRegionKeyType;
use kms_proto::kms::v1::PromoteRequest;
use kms_proto::kms::v1::kms_client::KmsClient;
use meridian_tests::mutual_tls::{Identity, connect};
use meridian_tests::{AP, Cluster, EU, REGIONS, US, eventually, keys, refused};
use std::time::{Duration, Instant};
use tonic::Code;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_is_behind_is_not_promoted_until_it_has_caught_up() {
    let cluster = Cluster::start();
    let leader = cluster.leader().await;
    let mut others = REGIONS.into_iter().filter(|region| *region != leader);
    let (target, asked) = (others.next().unwrap(), others.next().unwrap());
    let (primary, replica) = (cluster.direct(&leader), cluster.direct(target));
    let key_id = keys::create_primary(&primary).await;
    keys::replicate(&primary, &replica, &key_id).await;
    stay_a_follower(&cluster, target).await;
    assert_eq!(cluster.leader().await, leader);
    // The target gets each entry this much later than the two others have committed it.
    cluster.chaos(&["latency", "1500", "--between", &leader, target]).await;

    let authority = cluster.data_dir().join("ca/ca.pem");
    let operator = Identity::named(&cluster.data_dir(), "operator");
    let channel = connect(&cluster.grpc(asked), asked, &authority, Some(&operator)).await.unwrap();
    let grpc = KmsClient::new(channel);
    let promote = |plan_hash: String| {
        let (mut grpc, key_id, to_region) = (grpc.clone(), key_id.clone(), target.to_owned());
        async move { grpc.promote(PromoteRequest { key_id, to_region, plan_hash }).await.map(tonic::Response::into_inner) }
    };
    let refusal = eventually("a change is committed that the target has not applied", || async {
        primary.enable_key_rotation().key_id(&key_id).send().await.unwrap();
        let plan = promote(String::new()).await.ok()?.plan?;
        let behind = plan.obstacles.iter().any(|obstacle| obstacle.contains("is behind"));
        if behind { promote(plan.plan_hash).await.err() } else { None }
    })
    .await;
    assert_eq!(refusal.code(), Code::FailedPrecondition, "{refusal:?}");
    let reason = format!("{target} is behind: it has applied the control log up to");
    assert!(refusal.message().contains(&reason), "{refusal:?}");
    let described = primary.describe_key().key_id(&key_id).send().await.unwrap().key_metadata.unwrap();
    let kind = described.multi_region_configuration.unwrap().multi_region_key_type;
    assert_eq!(kind, Some(MultiRegionKeyType::Primary), "nothing was changed");

    cluster.chaos(&["latency", "0", "--between", &leader, target]).await;
    let promoted = eventually("the target has caught up and takes over", || async {
        let plan = promote(String::new()).await.ok()?.plan?;
        promote(plan.plan_hash).await.ok()?.result
    })
    .await;
    assert_eq!(promoted.epoch, 2);
}

/// Restarts a Region with an election timeout that no delay of this test reaches.
async fn stay_a_follower(cluster: &Cluster, region: &str) {
    let path = cluster.region_dir(region).join("node.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let timeout = |line: &str| match line.split_once(" = ") {
        Some((name @ "election_timeout_min_ms", _)) => format!("{name} = 50000\n"),
        Some((name @ "election_timeout_max_ms", _)) => format!("{name} = 60000\n"),
        _ => format!("{line}\n"),
    };
    std::fs::write(&path, text.lines().map(timeout).collect::<String>()).unwrap();
    cluster.chaos(&["kill", region]).await;
    cluster.chaos(&["restart", region]).await;
    cluster.leader().await;
}
