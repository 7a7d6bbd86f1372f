//! Key policies: the one name, the whole document, the lockout check.

use super::support::{ACCOUNT, Cluster, OTHER_ACCOUNT, admin};
use kms_service::KmsError;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::get_key_policy::GetKeyPolicyRequest;
use kms_service::operations::list_key_policies::ListKeyPoliciesRequest;
use kms_service::operations::put_key_policy::PutKeyPolicyRequest;

const HERE: &str = "us-east-1";

fn policy_for(account: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"kms:*","Resource":"*"}}]}}"#
    )
}

async fn put(cluster: &Cluster, key_id: &str, policy: String, bypass: bool) -> Result<(), KmsError> {
    let request = PutKeyPolicyRequest {
        key_id: key_id.into(),
        policy_name: None,
        policy,
        bypass_policy_lockout_safety_check: Some(bypass),
    };
    cluster.at(HERE).put_key_policy(admin(request)).await
}

async fn get(cluster: &Cluster, key_id: &str, name: Option<&str>) -> Result<String, KmsError> {
    let request = GetKeyPolicyRequest { key_id: key_id.into(), policy_name: name.map(Into::into) };
    cluster.at(HERE).get_key_policy(admin(request)).await.map(|response| response.policy)
}

#[tokio::test]
async fn key_without_a_policy_of_its_own_has_the_default_one() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let policy = get(&cluster, &key_id, None).await.unwrap();
    assert!(policy.contains("key-default-1") && policy.contains(ACCOUNT), "{policy}");
    assert_eq!(get(&cluster, &key_id, Some("default")).await.unwrap(), policy);
    let request = ListKeyPoliciesRequest { key_id, limit: None, marker: None };
    assert_eq!(cluster.at(HERE).list_key_policies(admin(request)).await.unwrap().policy_names, ["default"]);
}

#[tokio::test]
async fn policy_comes_back_as_it_was_put() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    put(&cluster, &key_id, policy_for(ACCOUNT), false).await.unwrap();
    assert_eq!(get(&cluster, &key_id, None).await.unwrap(), policy_for(ACCOUNT));
}

#[tokio::test]
async fn other_policy_names_do_not_exist() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    assert_eq!(get(&cluster, &key_id, Some("other")).await, Err(KmsError::PolicyNotFound));
    let request = PutKeyPolicyRequest {
        key_id,
        policy_name: Some("AWS_RAM".into()),
        policy: policy_for(ACCOUNT),
        bypass_policy_lockout_safety_check: None,
    };
    let error = cluster.at(HERE).put_key_policy(admin(request)).await.unwrap_err();
    assert_eq!(error, KmsError::service("The AWS_RAM policy can only be managed by the RAM service."));
}

#[tokio::test]
async fn policy_that_locks_its_author_out_needs_the_bypass() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let text = "The new key policy will not allow you to update the key policy in the future.";
    let lockout = Err(KmsError::MalformedPolicy(text.into()));
    assert_eq!(put(&cluster, &key_id, policy_for(OTHER_ACCOUNT), false).await, lockout);
    let request = CreateKeyRequest { policy: Some(policy_for(OTHER_ACCOUNT)), ..Default::default() };
    assert_eq!(cluster.at(HERE).create_key(admin(request)).await.map(|_| ()), lockout);
    put(&cluster, &key_id, policy_for(OTHER_ACCOUNT), true).await.unwrap();
}

#[tokio::test]
async fn document_that_is_no_policy_or_too_large_is_refused() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    assert!(matches!(put(&cluster, &key_id, "{}".into(), true).await, Err(KmsError::MalformedPolicy(_))));
    let padded = format!("{}{}", policy_for(ACCOUNT), " ".repeat(32_768));
    assert!(matches!(put(&cluster, &key_id, padded, true).await, Err(KmsError::LimitExceeded(_))));
}
