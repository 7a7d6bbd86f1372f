//! The audit log on real processes: every request leaves its record, and every change of a log is found and named.

use crate::small_disk::SmallDisk;
use meridian_tests::{Cluster, ClusterOptions, EU, REGIONS, US, aws, eventually, keys};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// Something done to the lines of a log.
type Damage = fn(&mut Vec<String>);

/// Records of all Regions that the command line finds.
fn search(cluster: &Cluster, arguments: &[&str]) -> Vec<Value> {
    let answer = cluster.cli(&[&["audit", "search", "--output", "json"], arguments].concat()).done().json();
    answer.as_array().unwrap().clone()
}

fn verify(directory: &Path) -> (i32, Value) {
    let directory = directory.to_str().unwrap();
    let answer = meridian_tests::cli::run(&["audit", "verify", "--data-dir", directory, "--output", "json"]);
    (answer.code, answer.json())
}

fn reconcile(directory: &Path) -> (i32, Value) {
    let directory = directory.to_str().unwrap();
    let answer = meridian_tests::cli::run(&["audit", "reconcile", "--data-dir", directory, "--output", "json"]);
    (answer.code, answer.json())
}

/// The only file of a Region's log. The test does not run across midnight, or it has two.
fn log_file(cluster: &Cluster, region: &str) -> PathBuf {
    let files = meridian_tests::search::files(&cluster.region_dir(region).join("data/audit"));
    let logs = files.into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    let mut days: Vec<PathBuf> = logs.filter(|file| !file.ends_with("witnesses.jsonl")).collect();
    days.sort();
    days.pop().unwrap()
}

fn lines(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

fn write(file: &Path, lines: &[String]) {
    std::fs::write(file, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

/// Waits until every Region's log is witnessed by another Region up to some record.
async fn all_witnessed(cluster: &Cluster) {
    eventually("every log has a countersigned checkpoint", || async {
        let answer = cluster.cli_async(&["audit", "reconcile", "--output", "json"]).await;
        let logs = answer.json()["logs"].as_array().unwrap().clone();
        let witnessed = |log: &Value| log["witnessed_to"].as_u64().is_some_and(|sequence| sequence > 0);
        (logs.len() == 3 && logs.iter().all(witnessed) && answer.code == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_request_leaves_its_record_allowed_denied_or_failed() {
    let mut cluster = Cluster::start();
    let us = cluster.direct(US);
    let key_id = keys::create(&us).await;
    let ciphertext = keys::encrypt(&us, &key_id, b"recorded").await;
    assert_eq!(keys::decrypt(&us, &ciphertext).await, b"recorded");
    us.disable_key().key_id(&key_id).send().await.unwrap();
    aws::refused(us.encrypt().key_id(&key_id).plaintext(aws::blob(b"no")).send().await).is_code("DisabledException");
    let stranger = aws::client_as(&format!("http://{}", cluster.api(US)), US, "NOBODY", "nothing");
    let refused = aws::refused(stranger.list_keys().send().await);
    refused.is_code("UnrecognizedClientException");

    let names = |records: &[Value]| -> Vec<String> {
        records.iter().map(|record| record["eventName"].as_str().unwrap().to_owned()).collect()
    };
    let about = search(&cluster, &["--region", US, "--principal", "meridian"]);
    for expected in ["CreateKey", "Encrypt", "Decrypt", "DisableKey"] {
        assert!(names(&about).contains(&expected.to_owned()), "{expected}: {:?}", names(&about));
    }
    let failed = search(&cluster, &["--outcome", "DisabledException"]);
    assert_eq!(names(&failed), ["Encrypt"]);
    assert_eq!(failed[0]["requestParameters"]["encryptionAlgorithm"], "SYMMETRIC_DEFAULT");
    let unknown = search(&cluster, &["--outcome", "UnrecognizedClientException"]);
    assert_eq!(
        (names(&unknown), &unknown[0]["userIdentity"]["type"]),
        (vec!["ListKeys".to_owned()], &"Unknown".into())
    );
    assert_eq!(unknown[0]["userIdentity"]["accessKeyId"], "NOBODY");
    let created = search(&cluster, &["--operation", "CreateKey"]);
    assert_eq!(created[0]["responseElements"]["keyMetadata"]["keyId"], key_id.as_str());
    assert_eq!(created[0]["sourceIPAddress"], "127.0.0.1");
    let ids: std::collections::BTreeSet<String> =
        about.iter().map(|record| record["requestID"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), about.len(), "a request has two records");

    assert!(cluster.stop().success());
    let (code, reports) = verify(&cluster.data_dir());
    assert_eq!((code, reports.as_array().unwrap().len()), (0, 3), "{reports}");
    let last = lines(&log_file(&cluster, US)).pop().unwrap();
    assert!(last.contains("StopAuditLog"), "{last}");
}

#[tokio::test]
async fn rotations_deletions_and_new_regions_are_recorded_once_also_across_kills() {
    let mut cluster = Cluster::start_with(ClusterOptions::with(&["--day-length", "100ms"]));
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let shared = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &shared).await;
    let before = keys::material(&us, &shared).await;
    let after = keys::rotate(&us, &shared).await;
    keys::material_becomes(&eu, &shared, &after).await;
    let single = keys::create(&us).await;
    us.schedule_key_deletion().key_id(&single).pending_window_in_days(7).send().await.unwrap();
    let recorded = |arguments: &[&str]| search(&cluster, arguments).len();
    eventually("both Regions have recorded the rotation, and one the deletion", || async {
        let rotations = recorded(&["--operation", "RotateKey", "--key", &shared]);
        let deletions = recorded(&["--operation", "DeleteKey", "--key", &single]);
        (rotations == 2 && deletions == 1).then_some(())
    })
    .await;
    let rotation = &search(&cluster, &["--operation", "RotateKey", "--region", EU])[0];
    let details = &rotation["serviceEventDetails"];
    assert_eq!((&details["previousKeyMaterialId"], &details["currentKeyMaterialId"]), (&before.into(), &after.into()));
    assert_eq!(details["rotationType"], "ON_DEMAND");
    for _ in 0..2 {
        cluster.kill();
        cluster.start_again();
    }
    assert!(cluster.stop().success());
    let directory = cluster.data_dir();
    let all = |operation: &str| {
        let arguments = ["audit", "search", "--operation", operation, "--output", "json", "--data-dir"];
        let answer = meridian_tests::cli::run(&[arguments.as_slice(), &[directory.to_str().unwrap()]].concat());
        answer.done().json().as_array().unwrap().len()
    };
    assert_eq!((all("RotateKey"), all("DeleteKey"), all("ChangeMembership")), (2, 1, 9));
    assert_eq!(reconcile(&directory).0, 0);
}

/// The index in the control log that a record names.
fn index_of(record: &Value) -> Option<u64> {
    record["meridian"]["controlLogIndex"].as_u64()
}

#[tokio::test]
async fn changes_of_shared_properties_name_their_place_in_the_control_log() {
    let mut cluster = Cluster::start();
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    let shared = keys::create_primary(&us).await;
    let single = keys::create(&us).await;
    keys::replicate(&us, &eu, &shared).await;
    us.enable_key_rotation().key_id(&shared).send().await.unwrap();
    let after = keys::rotate(&us, &shared).await;
    keys::material_becomes(&eu, &shared, &after).await;
    eventually("the synchronisation is recorded", || async {
        let arguments = ["audit", "search", "--output", "json", "--operation", "SynchronizeMultiRegionKey"];
        let found = cluster.cli_async(&arguments).await.json();
        (!found.as_array()?.is_empty()).then_some(())
    })
    .await;
    us.update_primary_region().key_id(&shared).primary_region(EU).send().await.unwrap();
    let promotion = cluster.cli(&["promote", &shared, "--to", US, "--yes", "--output", "json"]).done();
    assert!(!promotion.json().is_null());
    assert!(cluster.stop().success());

    let directory = cluster.data_dir();
    let records = |operation: &str| -> Vec<Value> {
        let arguments = ["audit", "search", "--operation", operation, "--output", "json", "--data-dir"];
        let answer = meridian_tests::cli::run(&[arguments.as_slice(), &[directory.to_str().unwrap()]].concat());
        answer.done().json().as_array().unwrap().clone()
    };
    let mut indices = Vec::new();
    for operation in ["ReplicateKey", "EnableKeyRotation", "RotateKeyOnDemand", "UpdatePrimaryRegion", "Promote"] {
        let made = records(operation);
        assert_eq!(made.len(), 1, "{operation}");
        indices.push(index_of(&made[0]).unwrap_or_else(|| panic!("{operation} names no index: {}", made[0])));
    }
    let created = records("CreateKey");
    let of = |key_id: &str| {
        let mut made = created.iter().filter(|record| record.to_string().contains(key_id));
        made.next().map(index_of).unwrap()
    };
    indices.insert(0, of(&shared).unwrap());
    assert_eq!(of(&single), None, "a single-Region key is not in the control log");
    assert!(indices.windows(2).all(|pair| pair[0] < pair[1]), "{indices:?}");

    let promoted = &records("PromotePrimaryRegion");
    assert_eq!((promoted.len(), index_of(&promoted[0])), (1, indices.last().copied()));
    let synchronised = &records("SynchronizeMultiRegionKey");
    assert_eq!(synchronised.len(), 1, "only the primary Region records it: {synchronised:?}");
    assert_eq!(synchronised[0]["awsRegion"], US);
    let said = synchronised[0]["meridian"]["acknowledgements"].as_array().unwrap();
    let regions: Vec<_> = said.iter().map(|one| one["region"].as_str().unwrap()).collect();
    assert_eq!(regions, [EU, US]);
    assert!(said.iter().all(|one| one["timeMillis"].as_u64().is_some()), "{said:?}");
    for _ in 0..2 {
        cluster.start_again();
        cluster.kill();
    }
    cluster.start_again();
    assert!(cluster.stop().success());
    let applied = records("ApplyControlChange");
    let mut places: Vec<_> = applied.iter().map(|record| index_of(record).unwrap()).collect();
    places.sort_unstable();
    assert!(indices.iter().all(|index| places.contains(index)), "{indices:?} in {places:?}");
    let count = places.len();
    places.dedup();
    assert_eq!(places.len(), count, "a change is recorded twice");
    let (code, report) = reconcile(&directory);
    assert_eq!((code, report["changes_recorded"].as_u64()), (0, u64::try_from(count).ok()), "{report}");
    changes_and_records_must_match(&cluster, indices[0], places[0].saturating_sub(1));
}

/// Takes the change `known` out of every copy of the journal, then adds a change of US at `invented`, and expects both to be
/// found.
fn changes_and_records_must_match(cluster: &Cluster, known: u64, invented: u64) {
    let in_all = |edit: &dyn Fn(&mut Vec<String>)| {
        for region in REGIONS {
            let file = cluster.region_dir(region).join("data/audit/witnesses.jsonl");
            let mut copy = lines(&file);
            edit(&mut copy);
            write(&file, &copy);
        }
        let (code, report) = reconcile(&cluster.data_dir());
        (code, report["discrepancies"].to_string())
    };
    let change = |index: u64| format!("{{\"change\":{index},\"madeBy\":\"{US}\"}}");
    let (code, found) = in_all(&|copy| copy.retain(|line| *line != change(known)));
    assert!(code == 1 && found.contains(&format!("names the change {known}, which the control log")), "{found}");
    let (code, found) = in_all(&|copy| copy.extend([change(known), change(invented)]));
    let expected = format!("{US} has no record of ApplyControlChange for the change {invented}");
    assert!(code == 1 && found.contains(&expected) && !found.contains("names the change"), "{found}");
}

#[tokio::test]
async fn a_region_that_does_not_answer_is_a_recorded_fault_until_it_answers_again() {
    let cluster = Cluster::start();
    let status = cluster.status();
    for region in status["regions"].as_array().unwrap() {
        let audit = &region["audit"];
        assert!(audit["state"] == "writing" && audit["waiting"].is_u64(), "{audit}");
        assert!(audit["head"]["sequence"].as_u64().is_some_and(|sequence| sequence > 0), "{audit}");
    }
    let told = |operation: &'static str| {
        let cluster = &cluster;
        move || async move {
            let arguments = ["audit", "search", "--output", "json", "--region", US, "--operation", operation];
            let found = cluster.cli_async(&arguments).await.json().as_array().unwrap().clone();
            (!found.is_empty()).then_some(found)
        }
    };
    cluster.chaos(&["kill", EU]).await;
    let faults = eventually("the Region that was killed is a fault", told("ReportFault")).await;
    cluster.chaos(&["restart", EU]).await;
    let recoveries = eventually("the Region that is back is a recovery", told("ReportRecovery")).await;
    for found in [&faults, &recoveries] {
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["serviceEventDetails"]["component"], "Peer");
        assert!(found[0].to_string().contains(EU), "{}", found[0]);
    }
}

#[tokio::test]
async fn every_change_of_a_stopped_regions_log_is_found_and_named() {
    let mut cluster = Cluster::start();
    let us = cluster.direct(US);
    let key_id = keys::create(&us).await;
    for _ in 0..5 {
        drop(keys::encrypt(&us, &key_id, b"recorded").await);
    }
    all_witnessed(&cluster).await;
    assert!(cluster.stop().success());
    let file = log_file(&cluster, US);
    let whole = lines(&file);
    let changes: [(&str, u64, Damage); 5] = [
        ("was edited", 4, |lines| lines[3] = lines[3].replacen("us-east-1", "us-east-2", 1)),
        ("is missing", 4, |lines| drop(lines.remove(3))),
        ("was moved", 4, |lines| lines.swap(3, 4)),
        ("was inserted", 4, |lines| lines.insert(6, lines[3].clone())),
        ("cut off", 3, |lines| lines.truncate(2)),
    ];
    for (flaw, sequence, change) in changes {
        let mut changed = whole.clone();
        change(&mut changed);
        assert_ne!(changed, whole, "{flaw}");
        write(&file, &changed);
        let (code, reports) = verify(&cluster.region_dir(US));
        let findings = reports[0]["findings"].as_array().unwrap();
        let named = findings.iter().any(|finding| {
            finding["text"].as_str().unwrap().contains(flaw) && finding["sequence"].as_u64() == Some(sequence)
        });
        assert!(code == 1 && named, "{flaw}: {reports}");
    }
    write(&file, &whole);
    assert_eq!(verify(&cluster.region_dir(US)).0, 0);
}

/// The lines chained anew from one on, with the documented format and no code of the product.
fn chained_anew(cluster_id: &str, region: &str, lines: &[String], from: usize) -> Vec<String> {
    let log: Vec<u8> = [cluster_id, region]
        .iter()
        .flat_map(|name| [&[u8::try_from(name.len()).unwrap()], name.as_bytes()].concat())
        .collect();
    let hash_of = |line: &str| line.rsplit_once("\"hash\":\"").unwrap().1[..64].to_owned();
    let mut previous = hash_of(&lines[from - 1]);
    let mut out = lines[..from].to_vec();
    for line in &lines[from..] {
        let (covered, _) = line.rsplit_once(",\"hash\":\"").unwrap();
        let (start, _) = covered.rsplit_once("\"previous\":\"").unwrap();
        let covered = format!("{start}\"previous\":\"{previous}\"");
        let bytes =
            [b"meridian audit record v1\0".as_slice(), &log, &hex::decode(&previous).unwrap(), covered.as_bytes()]
                .concat();
        previous = hex::encode(Sha256::digest(bytes));
        out.push(format!("{covered},\"hash\":\"{previous}\"}}}}}}"));
    }
    out
}

#[tokio::test]
async fn a_chain_written_anew_by_one_region_is_found_by_reconcile_and_not_opened() {
    let mut cluster = Cluster::start();
    let us = cluster.direct(US);
    let key_id = keys::create(&us).await;
    for _ in 0..3 {
        drop(keys::encrypt(&us, &key_id, b"recorded").await);
    }
    all_witnessed(&cluster).await;
    let cluster_id = cluster.status()["regions"][0]["cluster_id"].as_str().unwrap().to_owned();
    assert!(cluster.stop().success());
    assert_eq!(reconcile(&cluster.data_dir()).0, 0);
    let file = log_file(&cluster, US);
    let whole = lines(&file);
    let mut forged = whole.clone();
    let at = whole.iter().position(|line| line.contains("127.0.0.1")).unwrap();
    forged[at] = forged[at].replacen("127.0.0.1", "127.0.0.2", 1);
    assert_eq!(chained_anew(&cluster_id, US, &whole, at), whole, "the format is not the documented one");
    write(&file, &chained_anew(&cluster_id, US, &forged, at));
    // The intruder takes the Region's own copy of the checkpoints away, too. The others still have theirs.
    let own_copy = cluster.region_dir(US).join("data/audit/witnesses.jsonl");
    let kept: Vec<String> = lines(&own_copy).into_iter().filter(|line| !line.contains("\"sequence\"")).collect();
    write(&own_copy, &kept);
    assert_eq!(verify(&cluster.region_dir(US)).0, 0, "alone, the new chain looks whole");
    let (code, result) = reconcile(&cluster.data_dir());
    let text = result["discrepancies"].to_string();
    assert!(code == 1 && text.contains("the log of us-east-1 was written anew"), "{result}");
    for region in REGIONS {
        assert_eq!(text.contains(&format!("log of {region} was")), region == US, "{text}");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_requests_lets_operators_work_and_says_why() {
    let mut cluster = Cluster::start();
    let key_id = keys::create(&cluster.direct(US)).await;
    assert!(cluster.stop().success());
    let directory = cluster.region_dir(US).join("data/audit");
    let Some(_disk) = SmallDisk::over(&directory, "20m") else {
        meridian_tests::random::say("no file system can be mounted here; the crate's tests fill disks in memory");
        return;
    };
    cluster.start_again();
    let (us, eu) = (cluster.direct(US), cluster.direct(EU));
    drop(keys::encrypt(&us, &key_id, b"recorded").await);
    let filler = directory.join("filler");
    std::fs::write(&filler, vec![0; 20 << 20]).unwrap_err();
    let refused = eventually("requests are refused", || async {
        us.encrypt().key_id(&key_id).plaintext(aws::blob(b"no")).send().await.err()
    })
    .await;
    assert_eq!(aws::refusal(&refused).unwrap().code, "KMSInternalException");
    let ready = meridian_tests::http1::get(&cluster.operations(US), "/readyz").await;
    let reason = String::from_utf8_lossy(&ready.body).into_owned();
    assert!(ready.status == 503 && reason.contains("disk of the audit log is full"), "{reason}");
    let metrics = meridian_tests::http1::get(&cluster.operations(US), "/metrics").await.body;
    assert!(String::from_utf8_lossy(&metrics).contains("meridian_audit_writing 0"));
    // Operators' actions use the reserve, and other Regions are not concerned.
    drop(cluster.cli_async(&["region", "rotate-kek", US]).await.done());
    drop(keys::create(&eu).await);
    let faults = eventually("the fault is in the log, for which there is room in reserve", || async {
        let arguments = ["audit", "search", "--output", "json", "--region", US, "--operation", "ReportFault"];
        let found = cluster.cli_async(&arguments).await.json().as_array().unwrap().clone();
        (!found.is_empty()).then_some(found)
    })
    .await;
    assert_eq!(faults[0]["serviceEventDetails"]["component"], "AuditLog", "{faults:?}");
    std::fs::remove_file(&filler).unwrap();
    eventually("requests are taken again", || async {
        us.encrypt().key_id(&key_id).plaintext(aws::blob(b"yes")).send().await.ok()
    })
    .await;
    let events = search(&cluster, &["--region", US]);
    let names: Vec<&str> = events.iter().map(|event| event["eventName"].as_str().unwrap()).collect();
    for expected in ["RotateRegionKek", "RecoverAuditLog"] {
        assert!(names.contains(&expected), "{expected}: {names:?}");
    }
    assert!(cluster.stop().success());
    assert_eq!(verify(&cluster.region_dir(US)).0, 0);
}
