//! `GetKeyPolicy`, `PutKeyPolicy`, `ListKeyPolicies`.

use super::{NO_KEY, cluster};
use meridian_tests::{EU, US, keys, refused};
use serde_json::{Value, json};

fn policy(sid: &str) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "kms:*",
            "Resource": "*"
        }]
    })
    .to_string()
}

#[tokio::test]
async fn a_key_starts_with_the_default_policy_and_keeps_what_is_put() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let names = kms.list_key_policies().key_id(&key_id).send().await.unwrap();
    assert_eq!((names.policy_names(), names.truncated()), (["default".to_owned()].as_slice(), false));
    let first = kms.get_key_policy().key_id(&key_id).send().await.unwrap();
    assert_eq!(first.policy_name(), Some("default"));
    let document: Value = serde_json::from_str(first.policy().unwrap()).unwrap();
    assert_eq!(document["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::111122223333:root");
    assert_eq!(document["Statement"][0]["Sid"], "Enable IAM User Permissions");

    let put = kms.put_key_policy().key_id(&key_id).policy_name("default").policy(policy("second"));
    put.send().await.unwrap();
    let second = kms.get_key_policy().key_id(&key_id).policy_name("default").send().await.unwrap();
    let document: Value = serde_json::from_str(second.policy().unwrap()).unwrap();
    assert_eq!(document["Statement"][0]["Sid"], "second");
}

#[tokio::test]
async fn wrong_policies_are_refused() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let put = |policy: String| kms.put_key_policy().key_id(&key_id).policy(policy).send();
    for wrong in ["not json", "{}", "[]", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Maybe"}]}"#] {
        refused(put(wrong.to_owned()).await).is_code("MalformedPolicyDocumentException");
    }
    refused(put(policy(&"s".repeat(33_000))).await).is_code("LimitExceededException");
    let answer = kms.get_key_policy().key_id(&key_id).policy_name("other").send().await;
    refused(answer).is("NotFoundException", "No such policy exists");
    refused(kms.get_key_policy().key_id(NO_KEY).send().await).is_code("NotFoundException");
    refused(kms.list_key_policies().key_id(NO_KEY).send().await).is_code("NotFoundException");
}

#[tokio::test]
async fn a_replica_has_a_policy_of_its_own() {
    let cluster = cluster();
    let (us, eu) = (cluster.kms(US), cluster.kms(EU));
    let created = us.create_key().multi_region(true).policy(policy("primary")).send().await.unwrap();
    let key_id = created.key_metadata.unwrap().key_id;
    let replicated = us.replicate_key().key_id(&key_id).replica_region(EU).policy(policy("replica")).send();
    let replicated = replicated.await.unwrap();
    assert!(replicated.replica_policy().unwrap().contains("replica"));
    meridian_tests::keys::state_becomes(&eu, &key_id, &aws_sdk_kms::types::KeyState::Enabled).await;
    let there = eu.get_key_policy().key_id(&key_id).send().await.unwrap().policy.unwrap();
    assert!(there.contains("\"replica\"") && !there.contains("\"primary\""), "{there}");
    eu.put_key_policy().key_id(&key_id).policy(policy("changed")).send().await.unwrap();
    let here = us.get_key_policy().key_id(&key_id).send().await.unwrap().policy.unwrap();
    assert!(here.contains("\"primary\""), "{here}");
}
