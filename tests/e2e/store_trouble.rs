//! A store that fails: the node ends, the audit log says why, and says when it is well again.

use crate::small_disk::SmallDisk;
use meridian_tests::{Cluster, EU, US, eventually, keys};
use serde_json::Value;

#[tokio::test]
async fn a_full_disk_of_the_store_is_a_fault_in_the_log_and_its_end_is_a_recovery() {
    let mut cluster = Cluster::start();
    let us = cluster.direct(US);
    let key_id = keys::create(&us).await;
    drop(keys::encrypt(&us, &key_id, b"before").await);
    us.update_key_description().key_id(&key_id).description("before").send().await.unwrap();
    assert!(cluster.stop().success());
    let directory = cluster.region_dir(US).join("data/store");
    let Some(_disk) = SmallDisk::over(&directory, "48m") else {
        meridian_tests::random::say("no file system can be mounted here; unit tests have stores that fail");
        return;
    };
    cluster.start_again();
    // The connections of the old client are gone.
    let us = cluster.direct(US);
    let filler = directory.join("filler");
    std::fs::write(&filler, vec![0; 48 << 20]).unwrap_err();
    let description = "x".repeat(8_000);
    eventually("the store takes no more changes", || async {
        us.update_key_description().key_id(&key_id).description(&description).send().await.err()
    })
    .await;
    let events = |operation: &'static str| {
        let cluster = &cluster;
        async move {
            let arguments = ["audit", "search", "--output", "json", "--region", US, "--operation", operation];
            let found = cluster.cli_async(&arguments).await.json();
            let of_store = |event: &&Value| event["serviceEventDetails"]["component"] == "Store";
            let events: Vec<Value> = found.as_array()?.iter().filter(of_store).cloned().collect();
            (!events.is_empty()).then_some(events)
        }
    };
    let faults = eventually("the fault is recorded", || events("ReportFault")).await;
    assert!(faults.len() == 1 && faults[0].to_string().contains("No space left on device"), "{faults:?}");
    drop(keys::create(&cluster.direct(EU)).await);

    eventually("the node has ended", || async { cluster.pid(US).is_none().then_some(()) }).await;
    std::fs::remove_file(&filler).unwrap();
    cluster.chaos(&["restart", US]).await;
    let recoveries = eventually("the recovery is recorded", || events("ReportRecovery")).await;
    assert_eq!((recoveries.len(), events("ReportFault").await.unwrap().len()), (1, 1));
    drop(keys::encrypt(&us, &key_id, b"after").await);
    cluster.chaos(&["kill", US]).await;
    cluster.chaos(&["restart", US]).await;
    drop(keys::encrypt(&us, &key_id, b"once more").await);
    assert_eq!(events("ReportRecovery").await.unwrap().len(), 1, "a recovery is recorded once");
    assert!(cluster.stop().success());
}
