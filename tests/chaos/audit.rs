//! Nothing unrecorded: tens of thousands of requests while nodes are killed and come back. Each request that a client saw
//! acknowledged has exactly one record, and all logs are whole.

use crate::alone;
use aws_sdk_kms::operation::RequestId as _;
use meridian_tests::random::{Random, say};
use meridian_tests::{Cluster, Kms, REGIONS, blob, eventually, keys};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// Acknowledged requests at least.
const REQUESTS: usize = 30_000;
/// Clients of each Region.
const CLIENTS: usize = 6;

/// Encrypts and decrypts until enough is acknowledged; answers the request IDs of what was.
async fn client(kms: Kms, key_id: String, acknowledged: Arc<AtomicUsize>) -> Vec<String> {
    let mut ids = Vec::new();
    let mut ciphertext = None;
    while acknowledged.load(Ordering::Relaxed) < REQUESTS {
        let id = match ciphertext.take() {
            None => match kms.encrypt().key_id(&key_id).plaintext(blob(b"recorded")).send().await {
                Ok(answer) => {
                    let id = answer.request_id().map(str::to_owned);
                    ciphertext = answer.ciphertext_blob;
                    id
                }
                Err(_) => None,
            },
            Some(sealed) => {
                let answer = kms.decrypt().ciphertext_blob(sealed).send().await;
                answer.ok().and_then(|answer| answer.request_id().map(str::to_owned))
            }
        };
        match id {
            Some(id) => {
                ids.push(id);
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    ids
}

/// How often each request ID stands in a Region's log, and how many records it has. Read without code of the product.
fn recorded(cluster: &Cluster, region: &str, counts: &mut BTreeMap<String, usize>) -> usize {
    let mut records = 0;
    for file in meridian_tests::search::files(&cluster.region_dir(region).join("data/audit")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !(name.starts_with("audit-") && name.ends_with(".jsonl")) {
            continue;
        }
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            records += 1;
            if let Some(id) = record["requestID"].as_str() {
                *counts.entry(id.to_owned()).or_default() += 1;
            }
        }
    }
    records
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_acknowledged_request_has_exactly_one_record_whatever_node_is_killed() {
    let _alone = alone().await;
    let mut random =
        Random::for_test("chaos", "audit::each_acknowledged_request_has_exactly_one_record_whatever_node_is_killed");
    let mut cluster = Cluster::start();
    let regions: Vec<Kms> = REGIONS.iter().map(|region| cluster.direct(region)).collect();
    let key_id = keys::create_primary(&regions[0]).await;
    for replica in &regions[1..] {
        keys::replicate(&regions[0], replica, &key_id).await;
    }
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for kms in &regions {
        for _ in 0..CLIENTS {
            clients.spawn(client(kms.clone(), key_id.clone(), Arc::clone(&acknowledged)));
        }
    }
    let mut kills = 0;
    while acknowledged.load(Ordering::Relaxed) < REQUESTS * 9 / 10 {
        let victim = *random.pick(&REGIONS);
        let next = acknowledged.load(Ordering::Relaxed) + REQUESTS / 12;
        cluster.chaos(&["kill", victim]).await;
        kills += 1;
        cluster.chaos(&["restart", victim]).await;
        eventually("the load goes on", || async {
            let done = acknowledged.load(Ordering::Relaxed);
            (done >= next.min(REQUESTS * 9 / 10)).then_some(())
        })
        .await;
    }
    let mut ids = BTreeSet::new();
    while let Some(of_client) = clients.join_next().await {
        ids.extend(of_client.unwrap());
    }
    assert!(cluster.stop().success());
    let mut counts = BTreeMap::new();
    let records: usize = REGIONS.iter().map(|region| recorded(&cluster, region, &mut counts)).sum();
    let missing: Vec<&String> = ids.iter().filter(|id| !counts.contains_key(*id)).collect();
    let repeated: Vec<(&String, &usize)> = counts.iter().filter(|(_, count)| **count > 1).collect();
    say(&format!("{} acknowledged, {kills} kills, {records} records", ids.len()));
    assert!(ids.len() >= REQUESTS && kills >= 5, "{} acknowledged, {kills} kills", ids.len());
    assert!(missing.is_empty(), "{} acknowledged requests have no record, such as {:?}", missing.len(), missing[0]);
    assert!(repeated.is_empty(), "request IDs with several records: {repeated:?}");
    let directory = cluster.data_dir();
    let arguments = ["audit", "reconcile", "--data-dir", directory.to_str().unwrap(), "--output", "json"];
    let result = meridian_tests::cli::run(&arguments).done().json();
    assert_eq!(result["clean"], true, "{result}");
}
