//! Every change of the directory of principals has its audit record in the log of the Region that was asked, and no secret in it.

use crate::roles::document;
use meridian_tests::{AP, Cluster, EU, REGIONS, US, eventually};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TRUST: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;
const POLICY: &str = r#"{"Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}"#;

/// Records of a Region by operation.
fn records(cluster: &Cluster, region: &str) -> BTreeMap<String, Vec<Value>> {
    let answer = cluster.cli(&["audit", "search", "--region", region, "--output", "json"]).done().json();
    let mut by_name: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for record in answer.as_array().unwrap() {
        by_name.entry(record["eventName"].as_str().unwrap().to_owned()).or_default().push(record.clone());
    }
    by_name
}

/// Makes every change that there is in Ireland, and answers with the ID and the secret of the access key.
fn change_everything(cluster: &Cluster) -> (String, String) {
    let asked = |arguments: &[&str]| {
        cluster.cli(&[&["identity"], arguments, &["--region", EU, "--output", "json"]].concat()).done()
    };
    let (_trust_file, trust) = document(TRUST);
    let (_policy_file, policy) = document(POLICY);
    asked(&["user", "create", "alice", "--path", "/team/", "--tag", "department=sales"]);
    let key = asked(&["access-key", "create", "alice"]).json();
    let text = |member: &str| key[member].as_str().unwrap().to_owned();
    let (id, secret) = (text("access_key_id"), text("secret_access_key"));
    asked(&["role", "create", "operator", "--trust", &trust, "--max-session", "7200"]);
    for (name, of_role) in [("alice", None), ("operator", Some("--role"))] {
        let change = |arguments: &[&str]| asked(&[arguments, of_role.as_slice()].concat());
        change(&["policy", "put", name, "reader", "--document", &policy]);
        change(&["policy", "delete", name, "reader"]);
        change(&["boundary", "put", name, "--document", &policy]);
        change(&["boundary", "delete", name]);
    }
    asked(&["role", "trust", "operator", "--document", &trust]);
    asked(&["role", "max-session", "operator", "3600"]);
    asked(&["session-key", "rotate"]);
    for (kind, name) in [("access-key", id.as_str()), ("user", "alice"), ("role", "operator")] {
        for change in ["disable", "enable", "delete"] {
            asked(&[kind, change, name]);
        }
    }
    asked(&["user", "create", "alice"]);
    (id, secret)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_of_the_directory_is_recorded_where_it_was_asked_and_nowhere_else() {
    let cluster = Cluster::start();
    let (id, secret) = change_everything(&cluster);
    let refused = cluster.cli(&["identity", "user", "create", "alice", "--region", EU]);
    assert!(refused.stderr.contains("EntityAlreadyExists"), "{refused:?}");
    let recorded = records(&cluster, EU);
    let counts = [
        ("CreateUser", 3),
        ("UpdateUser", 2),
        ("DeleteUser", 1),
        ("CreateAccessKey", 1),
        ("UpdateAccessKey", 2),
        ("DeleteAccessKey", 1),
        ("PutUserPolicy", 1),
        ("DeleteUserPolicy", 1),
        ("PutUserPermissionsBoundary", 1),
        ("DeleteUserPermissionsBoundary", 1),
        ("CreateRole", 1),
        // The longest session, disabled, enabled.
        ("UpdateRole", 3),
        ("DeleteRole", 1),
        ("UpdateAssumeRolePolicy", 1),
        ("PutRolePolicy", 1),
        ("DeleteRolePolicy", 1),
        ("PutRolePermissionsBoundary", 1),
        ("DeleteRolePermissionsBoundary", 1),
        ("RotateSessionKey", 1),
    ];
    for (name, count) in counts {
        let found = recorded.get(name).map_or(0, Vec::len);
        assert_eq!(found, count, "{name}");
        for record in &recorded[name] {
            assert_eq!(record["userIdentity"]["principalId"], "operator", "{record}");
        }
    }
    for other in [US, AP] {
        let elsewhere = records(&cluster, other);
        assert!(counts.iter().all(|(name, _)| !elsewhere.contains_key(*name)), "{other}: {:?}", elsewhere.keys());
    }

    let parameters = |name: &str, at: usize| &recorded[name][at]["requestParameters"];
    let tags = &parameters("CreateUser", 0)["tags"];
    assert!(tags.to_string().contains("department"), "{tags}");
    assert_eq!(parameters("PutRolePolicy", 0)["policyDocument"], json!(POLICY));
    assert_eq!(parameters("PutRolePolicy", 0)["roleName"], "operator");
    assert_eq!(parameters("CreateRole", 0)["assumeRolePolicyDocument"], json!(TRUST));
    assert_eq!(parameters("CreateRole", 0)["maxSessionDuration"], json!(7200));
    assert_eq!(recorded["RotateSessionKey"][0]["responseElements"]["epoch"], json!(2));
    assert_eq!(recorded["CreateAccessKey"][0]["responseElements"]["accessKeyId"], json!(id));
    let failed: Vec<&Value> = recorded["CreateUser"].iter().filter(|record| !record["errorCode"].is_null()).collect();
    assert_eq!((failed.len(), &failed[0]["errorCode"]), (1, &json!("EntityAlreadyExists")));
    assert!(!json!(recorded).to_string().contains(&secret), "the secret of an access key is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_of_the_directory_names_its_place_in_the_control_log() {
    let cluster = Cluster::start();
    drop(change_everything(&cluster));
    let changes = |region: &str| -> Vec<(String, Value)> {
        let applied = records(&cluster, region).remove("ApplyControlChange").unwrap_or_default();
        let one = |record: &Value| {
            let change = record["serviceEventDetails"]["change"].as_str().unwrap_or_default().to_owned();
            (change, record["meridian"]["controlLogIndex"].clone())
        };
        applied.iter().map(one).collect()
    };
    let count = |region: &str, name: &str| changes(region).iter().filter(|(change, _)| change == name).count();
    eventually("every change has its record", || async {
        // The first session token key comes with the first role, from whichever Region is first.
        let session_keys: usize = REGIONS.iter().map(|region| count(region, "CreateSessionKey")).sum();
        (count(EU, "ChangePrincipals") == 23 && session_keys == 2).then_some(())
    })
    .await;
    let mut places: Vec<u64> = changes(EU).iter().map(|(_, place)| place.as_u64().unwrap()).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), changes(EU).len(), "two records name one place");
    assert_eq!((count(US, "ChangePrincipals"), count(AP, "ChangePrincipals")), (0, 0));
}
