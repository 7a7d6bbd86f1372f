//! `meridian explain-access` about users and roles of the directory: the answer names the statement that decides.

use crate::roles::{document, role};
use meridian_tests::{Cluster, EU, US, eventually, keys};
use serde_json::{Value, json};

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const OPERATOR: &str = "arn:aws:iam::111122223333:role/operator";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/operator/monday";
/// Lets Decrypt, and nobody encrypt whatever else allows it.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Sid":"Reads","Effect":"Allow","Action":"kms:Decrypt","Resource":"*"},
    {"Sid":"NeverWrites","Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}]}"#;

struct Asked<'a> {
    cluster: &'a Cluster,
    key_id: String,
}

impl Asked<'_> {
    /// What the Region in Ireland says about a principal, whose changes were made in another Region.
    async fn explain(&self, principal: &str, action: &str) -> Value {
        let arguments = ["explain-access", "--principal", principal, "--action", action, "--key", &self.key_id];
        let answer = self.cluster.cli_async(&[&arguments[..], &["--region", EU, "--output", "json"]].concat()).await;
        if answer.code == 0 { answer.json() } else { json!({ "refused": answer.stderr }) }
    }

    /// Waits until the Region says whether it is allowed, and answers with the only decision.
    async fn becomes(&self, principal: &str, action: &str, allowed: bool) -> Value {
        eventually("the explanation says what the directory says", || async {
            let said = self.explain(principal, action).await;
            (said["allowed"] == json!(allowed)).then(|| said["decisions"][0].clone())
        })
        .await
    }
}

fn change(cluster: &Cluster, arguments: &[&str]) {
    drop(cluster.cli(&[&["identity"], arguments, &["--region", US]].concat()).done());
}

fn statement(decision: &Value, at: usize) -> (&Value, &Value, &Value, &Value) {
    let statement = &decision["statements"][at];
    (&statement["source"], &statement["policy"], &statement["sid"], &statement["effect"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_of_the_directory_is_explained_by_its_policies_and_its_boundary() {
    let cluster = Cluster::start();
    let asked = Asked { key_id: keys::create(&cluster.direct(EU)).await, cluster: &cluster };
    change(&cluster, &["user", "create", "alice"]);
    let decision = asked.becomes(ALICE, "kms:Decrypt", false).await;
    assert!(decision["missing"].as_str().unwrap().contains("identity policy"), "{decision}");

    let (_kept, policy) = document(POLICY);
    change(&cluster, &["policy", "put", "alice", "reader", "--document", &policy]);
    let decision = asked.becomes(ALICE, "kms:Decrypt", true).await;
    assert_eq!(decision["statements"][0]["source"], "key policy", "{decision}");
    let expected = (&json!("identity policy"), &json!("reader"), &json!("Reads"), &json!("Allow"));
    assert_eq!(statement(&decision, 1), expected, "{decision}");
    let decision = asked.becomes(ALICE, "kms:Encrypt", false).await;
    let expected = (&json!("identity policy"), &json!("reader"), &json!("NeverWrites"), &json!("Deny"));
    assert_eq!(statement(&decision, 0), expected, "{decision}");

    let (_kept, narrow) = document(
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:DescribeKey","Resource":"*"}}"#,
    );
    change(&cluster, &["boundary", "put", "alice", "--document", &narrow]);
    let decision = asked.becomes(ALICE, "kms:Decrypt", false).await;
    assert!(decision["missing"].as_str().unwrap().contains("boundary"), "{decision}");
    change(&cluster, &["user", "disable", "alice"]);
    eventually("a disabled user is nobody", || async {
        let said = asked.explain(ALICE, "kms:Decrypt").await;
        said["refused"].as_str().is_some_and(|text| text.contains("no enabled principal")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_explained_by_its_sessions() {
    let cluster = Cluster::start();
    let asked = Asked { key_id: keys::create(&cluster.direct(EU)).await, cluster: &cluster };
    drop(role(&cluster, "operator", US));
    let (_kept, policy) = document(POLICY);
    change(&cluster, &["policy", "put", "operator", "reader", "--role", "--document", &policy]);
    for principal in [OPERATOR, SESSION] {
        let decision = asked.becomes(principal, "kms:Decrypt", true).await;
        let expected = (&json!("identity policy"), &json!("reader"), &json!("Reads"), &json!("Allow"));
        assert_eq!(statement(&decision, 1), expected, "{decision}");
        asked.becomes(principal, "kms:Encrypt", false).await;
    }
    let said = asked.explain(OPERATOR, "kms:Decrypt").await;
    assert_eq!(said["principal"], "arn:aws:sts::111122223333:assumed-role/operator/explain-access");
    assert!(said["notes"].to_string().contains("begins now"), "{said}");
    let said = asked.explain(SESSION, "kms:Decrypt").await;
    assert_eq!(said["principal"], SESSION);
    assert!(said["notes"].to_string().contains("session policy"), "{said}");

    // A key policy may name the role, and every session of it is meant.
    let key_policy = r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
        {"Sid":"NotTheOperator","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/operator"},
         "Action":"kms:Decrypt","Resource":"*"}]}"#;
    cluster.direct(EU).put_key_policy().key_id(&asked.key_id).policy(key_policy).send().await.unwrap();
    let decision = asked.becomes(SESSION, "kms:Decrypt", false).await;
    assert_eq!(statement(&decision, 0).2, &json!("NotTheOperator"), "{decision}");

    change(&cluster, &["role", "delete", "operator"]);
    eventually("a deleted role has no sessions", || async {
        let said = asked.explain(SESSION, "kms:Decrypt").await;
        said["refused"].as_str().is_some_and(|text| text.contains("no enabled principal")).then_some(())
    })
    .await;
}
