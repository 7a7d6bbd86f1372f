//! The residency guard and the residency report, on real processes.

use aws_sdk_kms::types::Tag;
use meridian_tests::{
    AP, Cluster, ClusterOptions, EU, REGIONS, US, eventually, eventually_within, http1, keys, refused,
};
use serde_json::Value;
use std::path::PathBuf;

const ACCOUNT: &str = "111122223333";

fn write(cluster: &Cluster, name: &str, text: &str) -> String {
    let path: PathBuf = cluster.data_dir().join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn tag() -> Tag {
    Tag::builder().tag_key("data").tag_value("west").build().unwrap()
}

/// Material, Region, whether it is known to be installed, and why it ended, in the order of the report.
fn holdings(report: &Value) -> Vec<(String, String, bool, Option<String>)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let one = |h: &Value| {
        (
            text(&h["material_id"]).unwrap(),
            text(&h["region"]).unwrap(),
            h["installed_index"].is_u64(),
            text(&h["ended"]),
        )
    };
    report["holdings"].as_array().unwrap().iter().map(one).collect()
}

/// A value in the answer of the first Region's operations port.
async fn metric(cluster: &Cluster, series: &str) -> f64 {
    let answer = http1::get(&cluster.operations(US), "/metrics").await;
    let text = String::from_utf8(answer.body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| unreachable!("no {series} in {text}")).parse().unwrap()
}

#[tokio::test]
async fn rules_by_key_tag_and_account_keep_keys_out_of_a_region() {
    let cluster = Cluster::start();
    let [us, eu, ap] = REGIONS.map(|region| cluster.direct(region));
    let named = keys::create_primary(&us).await;
    let plain = keys::create_primary(&us).await;
    let tagged = us.create_key().multi_region(true).tags(tag()).send().await.unwrap();
    let tagged = tagged.key_metadata.unwrap().key_id;
    let file = write(
        &cluster,
        "rules.toml",
        &format!(
            "[[rule]]\nname = \"one key\"\nkeys = [\"{named}\"]\nallow = [\"{US}\", \"{EU}\"]\n\
             [[rule]]\nname = \"west\"\ntag = {{ key = \"data\", value = \"west\" }}\nallow = [\"{US}\", \"{EU}\"]\n"
        ),
    );
    drop(cluster.cli_async(&["residency", "put", &file]).await.done());
    assert_eq!(metric(&cluster, "meridian_residency_rules_version").await, 1.0);
    for (key_id, rule) in [(&named, "one key"), (&tagged, "west")] {
        let refusal = refused(us.replicate_key().key_id(key_id).replica_region(AP).send().await);
        refusal.is_code("AccessDeniedException");
        let said = format!("{refusal:?}");
        assert!(said.contains(&format!("explicit deny in the residency rule {rule}")), "{said}");
        keys::replicate(&us, &eu, key_id).await;
    }
    keys::replicate(&us, &ap, &plain).await;
    // A later tag, in any Region that holds the key, and a new key with the tag where it may not be.
    for kms in [&us, &ap] {
        refused(kms.tag_resource().key_id(&plain).tags(tag()).send().await).is_code("AccessDeniedException");
    }
    refused(ap.create_key().tags(tag()).send().await).is_code("AccessDeniedException");
    keys::create(&ap).await;

    // Lost updates, misspelt fields, and rules that existing keys violate.
    let stale = cluster.cli_async(&["residency", "put", &file, "--expect-version", "0"]).await;
    assert_eq!(stale.code, 1, "{stale:?}");
    assert!(stale.stderr.contains("at version 1"), "{stale:?}");
    let misspelt = write(&cluster, "misspelt.toml", "[[rule]]\nname = \"x\"\nregions = [\"us-east-1\"]\n");
    assert_eq!(cluster.cli_async(&["residency", "put", &misspelt]).await.code, 64);
    let all = format!("[[rule]]\nname = \"west only\"\naccounts = [\"{ACCOUNT}\"]\nallow = [\"{US}\", \"{EU}\"]\n");
    let all = write(&cluster, "account.toml", &all);
    let refused_put = cluster.cli_async(&["residency", "put", &all]).await;
    assert_eq!(refused_put.code, 1, "{refused_put:?}");
    assert!(refused_put.stdout.contains(&plain) && !refused_put.stdout.contains(&named), "{refused_put:?}");
    drop(cluster.cli_async(&["residency", "put", &all, "--accept-existing"]).await.done());
    // What was accepted stays and goes on; nothing new comes.
    let newer = keys::rotate(&us, &plain).await;
    keys::material_becomes(&ap, &plain, &newer).await;
    refused(ap.create_key().send().await).is_code("AccessDeniedException");
    let fresh = keys::create_primary(&us).await;
    refused(us.replicate_key().key_id(&fresh).replica_region(AP).send().await).is_code("AccessDeniedException");
    let shown = cluster.cli_async(&["residency", "show", "--output", "json"]).await.done().json();
    assert_eq!(shown["version"], 2);
    let accepted = shown["accepted"].as_array().unwrap();
    assert!(accepted.iter().any(|a| a["key_id"] == *plain && a["region"] == AP), "{shown}");
    let checked = cluster.cli_async(&["residency", "check", "--output", "json"]).await.done().json();
    assert!(checked["violations"].as_array().unwrap().iter().all(|v| v["accepted"] == true), "{checked}");
}

#[tokio::test]
async fn a_report_tells_exactly_where_material_has_been_and_every_region_signs_it() {
    let cluster = Cluster::start_with(ClusterOptions::with(&["--day-length", "1s"]));
    let [us, eu, ap] = REGIONS.map(|region| cluster.direct(region));
    let key_id = keys::create_primary(&us).await;
    let first = keys::material(&us, &key_id).await;
    keys::replicate(&us, &eu, &key_id).await;
    keys::replicate(&us, &ap, &key_id).await;
    let second = keys::rotate(&us, &key_id).await;
    keys::material_becomes(&eu, &key_id, &second).await;
    drop(cluster.cli_async(&["promote", &key_id, "--to", EU, "--yes"]).await.done());
    ap.schedule_key_deletion().key_id(&key_id).pending_window_in_days(7).send().await.unwrap();
    let ended = |h: &(String, String, bool, Option<String>)| h.3.as_deref() == Some("REPLICA_REMOVED");
    let report = eventually_within(std::time::Duration::from_secs(60), "the replica is gone", || async {
        let report = cluster.cli_async(&["residency", "report", &key_id, "--output", "json"]).await.done().json();
        holdings(&report).iter().any(ended).then_some(report)
    })
    .await;
    let told = |material: &str, region: &str| {
        let found: Vec<_> = holdings(&report).into_iter().filter(|h| h.0 == material && h.1 == region).collect();
        assert_eq!(found.len(), 1, "{report}");
        (found[0].2, found[0].3.clone())
    };
    assert_eq!(holdings(&report).len(), 6, "{report}");
    for material in [&first, &second] {
        assert_eq!(told(material, US), (true, None));
        assert_eq!(told(material, EU), (true, None));
        assert_eq!(told(material, AP), (true, Some("REPLICA_REMOVED".to_owned())));
    }
    assert_eq!(report["unsigned"], serde_json::json!([]));
    eventually("nothing waits for the Region", || async {
        let waiting = metric(&cluster, &format!("meridian_replication_waiting_keys{{region=\"{EU}\"}}")).await;
        (waiting == 0.0).then_some(())
    })
    .await;
    assert_eq!(metric(&cluster, "meridian_residency_refused_keys").await, 0.0);
    assert_eq!(metric(&cluster, "meridian_rotation_oldest_stage_seconds").await, 0.0);
    assert!(metric(&cluster, "meridian_imported_material_expires_seconds").await.is_infinite());
    assert!(metric(&cluster, "meridian_certificate_expires_seconds{certificate=\"cluster\"}").await > 86_400.0);
    let signers: Vec<_> = report["statements"].as_array().unwrap().iter().map(|s| s["region"].clone()).collect();
    assert_eq!(signers, REGIONS);

    let verify = async |report: &Value| {
        let path = write(&cluster, "report.json", &report.to_string());
        cluster.cli_async(&["residency", "verify", &path, "--output", "json"]).await
    };
    let verified = verify(&report).await.done().json();
    assert_eq!(verified["signed_by"], serde_json::json!(REGIONS));
    // A changed holding, a changed statement, and one Region's statement in another's name.
    let mut changed = report.clone();
    changed["holdings"][0]["region"] = AP.into();
    assert_eq!(verify(&changed).await.code, 1);
    let mut changed = report.clone();
    let statement = changed["statements"][1]["statement"].as_str().unwrap();
    let flipped = if statement.as_bytes()[40] == b'A' { "B" } else { "A" };
    changed["statements"][1]["statement"] = format!("{}{flipped}{}", &statement[..40], &statement[41..]).into();
    assert_eq!(verify(&changed).await.code, 1);
    let mut changed = report.clone();
    changed["statements"][0]["signature"] = report["statements"][1]["signature"].clone();
    changed["statements"][0]["signing_key_id"] = report["statements"][1]["signing_key_id"].clone();
    let answer = verify(&changed).await;
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("is not signed by that Region"), "{answer:?}");
    // A Region that is away does not sign, and the report says so.
    cluster.chaos(&["kill", AP]).await;
    let report = cluster.cli_async(&["residency", "report", &key_id, "--output", "json"]).await.done().json();
    assert_eq!(report["unsigned"], serde_json::json!([AP]));
}
