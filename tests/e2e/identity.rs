//! The directory of principals: made in one Region, in force in all, and not honoured longer than the lease by a Region that
//! is cut off.

use aws_sdk_kms::error::ProvideErrorMetadata as _;
use meridian_tests::{AP, Cluster, ClusterOptions, EU, REGIONS, US, eventually, eventually_within, keys};
use std::time::{Duration, Instant};

const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// Creates a user who may do everything, and an access key of it.
pub(crate) fn user(cluster: &Cluster, name: &str) -> (String, String) {
    let identity = |arguments: &[&str]| cluster.cli(&[&["identity"], arguments, &["--output", "json"]].concat()).done();
    identity(&["user", "create", name]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), EVERYTHING).unwrap();
    let document = file.path().to_str().unwrap();
    identity(&["policy", "put", name, "AdministratorAccess", "--document", document, "--region", EU]);
    let key = identity(&["access-key", "create", name, "--region", US]).json();
    let text = |member: &str| key[member].as_str().unwrap().to_owned();
    assert_eq!(key["missing_in"], serde_json::json!([]));
    (text("access_key_id"), text("secret_access_key"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_key_made_in_one_region_signs_in_all_and_is_refused_in_all_within_a_second() {
    let cluster = Cluster::start();
    let (id, secret) = user(&cluster, "alice");
    let clients = REGIONS.map(|region| cluster.direct_as(region, &id, &secret));
    for kms in &clients {
        eventually("the access key is known", || async { kms.list_keys().send().await.ok() }).await;
    }
    let key_id = keys::create_primary(&clients[0]).await;
    keys::replicate(&clients[0], &clients[1], &key_id).await;
    let sealed = keys::encrypt(&clients[0], &key_id, b"of alice").await;
    assert_eq!(keys::decrypt(&clients[1], &sealed).await, b"of alice");

    for (change, code) in [("disable", Some("UnrecognizedClientException")), ("enable", None)] {
        drop(cluster.cli(&["identity", "user", change, "alice", "--region", US]).done());
        let changed = Instant::now();
        for kms in &clients {
            eventually_within(Duration::from_secs(1), "the change is in force", || async {
                let answer = kms.list_keys().send().await;
                (answer.err().map(|e| e.code().unwrap_or("?").to_owned()).as_deref() == code).then_some(())
            })
            .await;
        }
        assert!(changed.elapsed() < Duration::from_secs(1), "{change} took {:?}", changed.elapsed());
    }
    drop(cluster.cli(&["identity", "access-key", "delete", &id, "--region", AP]).done());
    for kms in &clients {
        eventually_within(Duration::from_secs(1), "the deleted access key is refused", || async {
            let answer = kms.list_keys().send().await;
            answer.is_err_and(|error| error.code() == Some("UnrecognizedClientException")).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_is_cut_off_honours_the_directory_for_its_lease_and_no_longer() {
    // Long enough for an election and two commands on a busy machine.
    let cluster = Cluster::start_with(ClusterOptions::with(&["--identity-lease", "10s"]));
    let (id, secret) = user(&cluster, "bob");
    let [us, ap] = [US, AP].map(|region| cluster.direct_as(region, &id, &secret));
    for kms in [&us, &ap] {
        eventually("the access key is known", || async { kms.list_keys().send().await.ok() }).await;
    }
    cluster.chaos(&["isolate", AP]).await;
    let isolated = Instant::now();
    drop(cluster.cli(&["identity", "access-key", "disable", &id, "--region", US]).done());
    // It cannot know yet, and serves within the lease: that is what a lease is.
    ap.list_keys().send().await.unwrap();
    let refused = eventually("the lease is over", || async {
        ap.list_keys().send().await.err().map(|error| error.code().map(str::to_owned))
    })
    .await;
    assert_eq!(refused.as_deref(), Some("ServiceUnavailableException"));
    assert!(isolated.elapsed() >= Duration::from_secs(1), "not before the lease");
    // The principals of the file go on: cryptography is local.
    let administrator = cluster.direct(AP);
    administrator.list_keys().send().await.unwrap();
    let change = cluster.cli_async(&["identity", "user", "create", "carol", "--region", AP]).await;
    assert_eq!(change.code, 69, "without a majority nothing changes: {change:?}");

    cluster.chaos(&["heal"]).await;
    eventually("the Region has heard that the access key is disabled", || async {
        let answer = ap.list_keys().send().await;
        answer.is_err_and(|error| error.code() == Some("UnrecognizedClientException")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_refuses_what_iam_refuses() {
    let cluster = Cluster::start();
    let identity = |arguments: &[&str]| cluster.cli(&[&["identity"], arguments].concat());
    drop(identity(&["user", "create", "dora"]).done());
    let refuses = |arguments: &[&str], code: &str| {
        let answer = identity(arguments);
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.stderr.contains(code), "{answer:?}");
    };
    refuses(&["user", "create", "dora"], "EntityAlreadyExists");
    refuses(&["user", "describe", "nobody"], "NoSuchEntity");
    refuses(&["user", "create", "a b"], "ValidationError");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{}").unwrap();
    let document = file.path().to_str().unwrap();
    refuses(&["policy", "put", "dora", "p", "--document", document], "MalformedPolicyDocument");
    refuses(&["boundary", "delete", "dora"], "NoSuchEntity");
    for _ in 0..2 {
        drop(identity(&["access-key", "create", "dora"]).done());
    }
    refuses(&["access-key", "create", "dora"], "LimitExceeded");
    drop(identity(&["user", "delete", "dora"]).done());
    refuses(&["access-key", "list", "dora"], "NoSuchEntity");
}
