//! A Region that is configured to go on while its audit log cannot be written says so, and owns up to what is missing.

use crate::small_disk::SmallDisk;
use meridian_tests::http1;
use meridian_tests::installed::Installed;
use meridian_tests::{US, cli, eventually};
use serde_json::{Value, json};

/// Requests that are made on a full disk.
const REQUESTS: u64 = 20;

#[tokio::test]
async fn a_region_that_goes_on_without_its_log_leaves_a_signed_record_of_the_gap() {
    let mut cluster = Installed::start(&[US], &[]).await;
    let created = cluster.done(US, "CreateKey", &json!({})).await;
    let key_id = created["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    cluster.kill(US);
    let directory = cluster.data_dir(US).join("audit");
    let Some(_disk) = SmallDisk::over(&directory, "20m") else {
        meridian_tests::random::say("no file system can be mounted here; the crate's tests fill disks in memory");
        return;
    };
    cluster.configure(US, "\n[audit]\ndanger_go_on = true\n");
    cluster.start_again(US).await;
    let filler = directory.join("filler");
    std::fs::write(&filler, vec![0; 20 << 20]).unwrap_err();
    for _ in 0..REQUESTS {
        drop(cluster.done(US, "Encrypt", &json!({ "KeyId": key_id, "Plaintext": "Z28gb24=" })).await);
    }
    let metrics = http1::get(&cluster.operations(US), "/metrics").await.body;
    let metrics = String::from_utf8_lossy(&metrics).into_owned();
    let unrecorded = metrics.lines().find_map(|line| line.strip_prefix("meridian_audit_unrecorded_requests "));
    assert!(unrecorded.is_some_and(|count| count != "0"), "{metrics}");

    std::fs::remove_file(&filler).unwrap();
    let gap = eventually("the gap is recorded", || async { search(&cluster, "AuditGap").first().cloned() }).await;
    let details = &gap["serviceEventDetails"];
    // The first ones may still have found room.
    let recorded = u64::try_from(search(&cluster, "Encrypt").len()).unwrap();
    let missing = details["unrecordedRequests"].as_u64().unwrap();
    assert!(recorded < REQUESTS && recorded + missing >= REQUESTS, "{recorded} recorded: {gap}");
    assert!(details["gapSignature"].as_str().is_some_and(|signature| signature.len() == 128), "{gap}");

    drop(cluster.done(US, "DescribeKey", &json!({ "KeyId": key_id })).await);
    cluster.kill(US);
    let data_dir = cluster.data_dir(US);
    let arguments = ["audit", "reconcile", "--data-dir", data_dir.to_str().unwrap(), "--output", "json"];
    let reconciled = cli::run(&arguments);
    assert!(reconciled.code != 0 && reconciled.stdout.contains("owns up to"), "{reconciled:?}");
}

fn search(cluster: &Installed, operation: &str) -> Vec<Value> {
    let data_dir = cluster.data_dir(US);
    let data_dir = data_dir.to_str().unwrap();
    let answer =
        cli::run(&["audit", "search", "--output", "json", "--operation", operation, "--data-dir", data_dir]).done();
    answer.json().as_array().unwrap().clone()
}
