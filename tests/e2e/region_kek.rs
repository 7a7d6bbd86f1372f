//! Rotation of the Region KEK: everything is wrapped anew while requests go on, and the old epoch is destroyed.

use crate::earlier_data::vectors;
use meridian_tests::offline::Offline;
use meridian_tests::{Cluster, ClusterOptions, EU, US, eventually, keys, search};
use serde_json::Value;
use std::path::Path;

fn epochs(keks: &Value) -> Vec<u64> {
    keks["epochs"].as_array().unwrap().iter().map(|epoch| epoch["epoch"].as_u64().unwrap()).collect()
}

async fn keks_of(cluster: &Cluster, region: &str) -> Value {
    let answer = cluster.cli_async(&["region", "keks", region, "--output", "json"]).await.done().json();
    answer[0].clone()
}

async fn rotate_and_destroy(cluster: &Cluster, region: &str) -> Value {
    let arguments = ["region", "rotate-kek", region, "--destroy-old", "--yes", "--output", "json"];
    cluster.cli_async(&arguments).await.done().json()
}

fn files_with(directory: &Path, bytes: &[u8]) -> usize {
    let holds = |file: Vec<u8>| file.windows(bytes.len()).any(|window| window == bytes);
    search::files(directory).into_iter().filter(|path| holds(std::fs::read(path).unwrap())).count()
}

#[tokio::test]
async fn a_new_epoch_wraps_everything_and_nothing_is_left_of_the_old_one() {
    let mut cluster = Cluster::start();
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let single = keys::create(&us).await;
    let shared = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &shared).await;
    let old = [keys::encrypt(&us, &single, b"old").await, keys::encrypt(&eu, &shared, b"old").await];
    keys::rotate(&us, &shared).await;
    let files = search::files(&cluster.region_dir(US).join("data/region-keks"));
    let first = std::fs::read(&files[0]).unwrap();
    assert_eq!((files.len(), files_with(&cluster.region_dir(US), &first)), (1, 1));

    assert_eq!(epochs(&keks_of(&cluster, US).await), [1]);
    assert_eq!(epochs(&rotate_and_destroy(&cluster, US).await), [2]);
    assert_eq!(epochs(&keks_of(&cluster, EU).await), [1], "each Region has epochs of its own");
    let newer = keys::create(&us).await;
    let new = [keys::encrypt(&us, &newer, b"new").await, keys::encrypt(&us, &shared, b"new").await];

    let cluster_id = cluster.status()["regions"][0]["cluster_id"].as_str().unwrap().to_owned();
    assert!(cluster.stop().success());
    assert_eq!(files_with(&cluster.region_dir(US), &first), 0, "the old KEK is still on the disk");
    // With the root key and the only KEK that is left, everything opens.
    let secrets = Offline::read(&cluster.region_dir(US), US, &cluster_id).raw_secrets();
    let named = |start: &str| secrets.iter().filter(|secret| secret.name.starts_with(start)).count();
    assert_eq!((named("Region KEK 2"), named("Region KEK"), named("sealing key")), (1, 1, 1));
    assert_eq!(named("material of"), 4);

    cluster.start_again();
    let us = cluster.direct(US);
    for ciphertext in &old {
        assert_eq!(keys::decrypt(&us, ciphertext).await, b"old");
    }
    for ciphertext in &new {
        assert_eq!(keys::decrypt(&us, ciphertext).await, b"new");
    }
}

#[tokio::test]
async fn a_node_that_is_killed_in_between_finishes_the_rotation_after_its_start() {
    let cluster = Cluster::start();
    let us = cluster.direct(US);
    let mut ciphertexts = Vec::new();
    for _ in 0..150 {
        let key_id = keys::create(&us).await;
        ciphertexts.push(keys::encrypt(&us, &key_id, b"kept").await);
    }
    let rotating = cluster.cli_async(&["region", "rotate-kek", US]);
    let killing = async {
        eventually("a new epoch has begun", || async {
            let files = search::files(&cluster.region_dir(US).join("data/region-keks"));
            (files.len() > 1).then_some(())
        })
        .await;
        cluster.chaos(&["kill", US]).await;
    };
    // Whether the command saw the end before the node died does not matter.
    let _either = tokio::join!(rotating, killing);
    cluster.chaos(&["restart", US]).await;
    for ciphertext in &ciphertexts {
        assert_eq!(keys::decrypt(&us, ciphertext).await, b"kept");
    }
    eventually("everything is wrapped anew", || async {
        (keks_of(&cluster, US).await["unfinished"] == false).then_some(())
    })
    .await;
    assert_eq!(epochs(&rotate_and_destroy(&cluster, US).await), [3]);
    for ciphertext in &ciphertexts {
        assert_eq!(keys::decrypt(&us, ciphertext).await, b"kept");
    }
}

#[tokio::test]
async fn epochs_begin_and_end_by_schedule_while_requests_go_on() {
    // Ninety days are 2.7 seconds.
    let cluster = Cluster::start_with(ClusterOptions::with(&["--day-length", "30ms"]));
    let us = cluster.direct(US);
    let key_id = keys::create(&us).await;
    let ciphertext = keys::encrypt(&us, &key_id, b"before").await;
    eventually("two epochs have ended", || async {
        let newer = keys::encrypt(&us, &key_id, b"meanwhile").await;
        assert_eq!(keys::decrypt(&us, &newer).await, b"meanwhile");
        assert_eq!(keys::decrypt(&us, &ciphertext).await, b"before");
        let created = keys::create(&us).await;
        assert_eq!(keys::decrypt(&us, &keys::encrypt(&us, &created, b"new").await).await, b"new");
        (*epochs(&keks_of(&cluster, US).await).first()? >= 3).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_epoch_that_an_earlier_version_kept_in_its_store_can_be_left() {
    let archive = Some(vectors().join("v1.tar.gz"));
    let mut cluster = Cluster::start_with(ClusterOptions { archive, ..Default::default() });
    assert_eq!(epochs(&rotate_and_destroy(&cluster, US).await), [2]);
    assert!(cluster.stop().success());
    cluster.start_again();
    let us = cluster.direct(US);
    let described = us.describe_key().key_id("alias/orders").send().await.unwrap().key_metadata.unwrap();
    let ciphertext = keys::encrypt(&us, &described.key_id, b"after").await;
    assert_eq!(keys::decrypt(&us, &ciphertext).await, b"after");
}
