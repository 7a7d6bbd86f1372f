//! A Region that was away for longer than the control log reaches back: it gets a snapshot, streamed by the leader, and
//! then the log from there.

use meridian_tests::{AP, Cluster, EU, REGIONS, US, keys};

/// The smallest interval between snapshots that the configuration admits, in entries of the control log.
const SNAPSHOT_LOG_ENTRIES: u32 = 100;
/// Changes during the absence: more than the leader keeps behind a snapshot.
const CHANGES: i32 = 3 * 100 + 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_was_away_for_long_catches_up_by_a_snapshot() {
    let cluster = Cluster::start();
    compact_often(&cluster).await;
    let (us, eu, ap) = (cluster.direct(US), cluster.direct(EU), cluster.direct(AP));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    keys::replicate(&us, &ap, &key_id).await;

    cluster.chaos(&["kill", AP]).await;
    let during = keys::create_primary(&us).await;
    for change in 0..CHANGES {
        let period = 90 + change;
        let enable = us.enable_key_rotation().key_id(&key_id).rotation_period_in_days(period);
        enable.send().await.unwrap();
    }
    let current = keys::material(&us, &key_id).await;
    let seen_before = cluster.log(AP).len();
    cluster.chaos(&["restart", AP]).await;

    // The command returns when the Region is ready, and ready means that it has caught up: nothing here waits.
    let rotation = ap.get_key_rotation_status().key_id(&key_id).send().await.unwrap();
    assert_eq!(rotation.rotation_period_in_days, Some(90 + CHANGES - 1), "the last acknowledged change");
    let log = cluster.log(AP);
    let since = &log[seen_before..];
    assert!(since.contains("receiving a snapshot"), "the log alone did not reach back far enough:\n{since}");
    assert_eq!(keys::material(&ap, &key_id).await, current);
    let described = cluster.cli(&["keys", "describe", &during, "--region", AP, "--output", "json"]);
    assert_eq!(described.code, 0, "a key of the time of absence is known: {described:?}");
    // It goes on from there like the others.
    keys::replicate(&us, &ap, &during).await;
    let ciphertext = keys::encrypt(&us, &during, b"after the return").await;
    assert_eq!(keys::decrypt(&ap, &ciphertext).await, b"after the return");
}

/// Makes every Region compact its log often, and restarts it with that.
async fn compact_often(cluster: &Cluster) {
    for region in REGIONS {
        let path = cluster.region_dir(region).join("node.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let setting = format!("[raft]\nsnapshot_log_entries = {SNAPSHOT_LOG_ENTRIES}\n");
        assert!(text.contains("[raft]\n"), "{text}");
        std::fs::write(&path, text.replace("[raft]\n", &setting)).unwrap();
        cluster.chaos(&["kill", region]).await;
        cluster.chaos(&["restart", region]).await;
        cluster.leader().await;
    }
}
