//! Roles and session token keys: made in one Region, the same in all.

use meridian_tests::{AP, Cluster, EU, REGIONS, US, eventually};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

/// Whoever the account lets assume roles may assume this one.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}"#;

/// A file with a document, as long as it is held.
pub(crate) fn document(text: &str) -> (NamedTempFile, String) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    (file, path)
}

/// Creates a role that everybody of the account may assume.
pub(crate) fn role(cluster: &Cluster, name: &str, region: &str) -> Value {
    let (_kept, trust) = document(TRUST);
    let arguments = ["identity", "role", "create", name, "--trust", &trust, "--region", region, "--output", "json"];
    cluster.cli(&arguments).done().json()
}

/// What a Region answers to a question.
async fn ask(cluster: &Cluster, region: &str, question: &[&str]) -> Value {
    let arguments = [&["identity"], question, &["--region", region, "--output", "json"]].concat();
    cluster.cli_async(&arguments).await.done().json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_made_in_one_region_is_the_same_in_all_and_changes_in_all() {
    let cluster = Cluster::start();
    let created = role(&cluster, "operator", US);
    assert_eq!(created["arn"], "arn:aws:iam::111122223333:role/operator");
    assert_eq!((&created["max_session_seconds"], &created["enabled"]), (&json!(3_600), &json!(true)));
    assert!(created["unique_id"].as_str().unwrap().starts_with("AROA"), "{created}");

    let identity = |arguments: &[&str], region: &str| {
        drop(cluster.cli(&[&["identity"], arguments, &["--region", region]].concat()).done());
    };
    let (_kept, policy) =
        document(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}"#);
    identity(&["policy", "put", "operator", "use-keys", "--role", "--document", &policy], EU);
    identity(&["boundary", "put", "operator", "--role", "--document", &policy], AP);
    identity(&["role", "max-session", "operator", "43200"], EU);
    let stricter = TRUST.replace(":root", ":user/alice");
    let (_kept, trust) = document(&stricter);
    identity(&["role", "trust", "operator", "--document", &trust], US);
    identity(&["role", "disable", "operator"], AP);
    for region in REGIONS {
        let expected = (json!(43_200), json!(false), json!(stricter), json!(["use-keys"]));
        eventually("the Region has applied every change", || async {
            let role = ask(&cluster, region, &["role", "show", "operator"]).await;
            let policies: Vec<&String> = role["policies"].as_object().unwrap().keys().collect();
            let told = (&role["max_session_seconds"], &role["enabled"], &role["trust"], &json!(policies));
            let is_there = told == (&expected.0, &expected.1, &expected.2, &expected.3);
            (is_there && !role["boundary"].is_null()).then_some(())
        })
        .await;
    }
    let table = cluster.cli(&["identity", "role", "list", "--region", US]).done().stdout;
    let line = table.lines().find(|line| line.contains("role/operator")).unwrap_or_default();
    assert!(line.contains("disabled") && line.contains("43200 s"), "{table}");
    let shown = cluster.cli(&["identity", "role", "show", "operator", "--region", US]).done().stdout;
    assert!(shown.contains("policies         use-keys"), "{shown}");

    identity(&["role", "delete", "operator"], EU);
    let gone = cluster.cli(&["identity", "role", "show", "operator", "--region", EU]);
    assert!(gone.code == 1 && gone.stderr.contains("NoSuchEntity"), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_role_brings_a_session_token_key_that_every_region_opens() {
    let cluster = Cluster::start();
    let keys = ["session-key", "list"];
    for region in REGIONS {
        assert_eq!(ask(&cluster, region, &keys).await, json!([]), "nobody needs one yet");
    }
    drop(role(&cluster, "operator", EU));
    // Of the key: its epoch and who cannot open it.
    let listed = |keys: &Value| -> Vec<(u64, Value)> {
        let one = |key: &Value| (key["epoch"].as_u64().unwrap(), key["missing_in"].clone());
        keys.as_array().unwrap().iter().map(one).collect()
    };
    let all_have = |epochs: &'static [u64]| {
        let (cluster, listed) = (&cluster, &listed);
        async move {
            let expected: Vec<(u64, Value)> = epochs.iter().map(|epoch| (*epoch, json!([]))).collect();
            for region in REGIONS {
                eventually("every Region has the session token keys", || async {
                    (listed(&ask(cluster, region, &keys).await) == expected).then_some(())
                })
                .await;
            }
        }
    };
    all_have(&[1]).await;
    drop(role(&cluster, "another", US));
    drop(cluster.cli(&["identity", "session-key", "rotate", "--region", AP]).done());
    all_have(&[1, 2]).await;
    let table = cluster.cli(&["identity", "session-key", "list", "--region", US]).done().stdout;
    assert!(table.lines().any(|line| line.starts_with('1') && line.contains("opens")), "{table}");
    assert!(table.lines().any(|line| line.starts_with('2') && line.contains("seals")), "{table}");

    let unsure = cluster.cli(&["identity", "session-key", "rotate", "--end-sessions"]);
    assert!(unsure.code != 0 && unsure.stderr.contains("--yes"), "{unsure:?}");
    drop(cluster.cli(&["identity", "session-key", "rotate", "--end-sessions", "--yes", "--region", EU]).done());
    all_have(&[3]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_are_refused_what_iam_refuses() {
    let cluster = Cluster::start();
    drop(role(&cluster, "operator", US));
    let refuses = |arguments: &[&str], code: &str| {
        let answer = cluster.cli(&[&["identity"], arguments, &["--region", US]].concat());
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.stderr.contains(code), "{answer:?}");
    };
    let (_kept, trust) = document(TRUST);
    // An identity policy names no principal, so it is no trust policy, and the other way round.
    let (_kept_too, policy) =
        document(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#);
    refuses(&["role", "create", "operator", "--trust", &trust], "EntityAlreadyExists");
    refuses(&["role", "create", "other", "--trust", &policy], "MalformedPolicyDocument");
    refuses(&["role", "create", "a b", "--trust", &trust], "ValidationError");
    refuses(&["role", "create", "other", "--trust", &trust, "--max-session", "60"], "3600 to 43200");
    refuses(&["role", "max-session", "operator", "43201"], "ValidationError");
    refuses(&["role", "trust", "operator", "--document", &policy], "MalformedPolicyDocument");
    refuses(&["policy", "put", "operator", "p", "--role", "--document", &trust], "MalformedPolicyDocument");
    refuses(&["boundary", "delete", "operator", "--role"], "NoSuchEntity");
    refuses(&["role", "show", "nobody"], "NoSuchEntity");
    // Names of users and of roles are apart.
    refuses(&["user", "describe", "operator"], "NoSuchEntity");
    drop(cluster.cli(&["identity", "user", "create", "operator"]).done());
}
