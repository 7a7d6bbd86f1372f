//! How requests name keys, and AWS's error for each way to name them wrongly.

use super::support::{ACCOUNT, Cluster, OTHER_ACCOUNT, admin, admin_of};
use kms_service::KmsError;
use kms_service::operations::create_alias::CreateAliasRequest;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::enable_key::EnableKeyRequest;
use kms_types::KeySpec;

const HERE: &str = "us-east-1";

async fn with_alias(cluster: &Cluster) -> String {
    let key_id = cluster.key(HERE).await;
    let request = CreateAliasRequest { alias_name: "alias/app".into(), target_key_id: key_id.clone() };
    cluster.at(HERE).create_alias(admin(request)).await.unwrap();
    key_id
}

#[tokio::test]
async fn four_forms_name_the_same_key() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = with_alias(&cluster).await;
    let arn = format!("arn:aws:kms:{HERE}:{ACCOUNT}:key/{key_id}");
    let alias_arn = format!("arn:aws:kms:{HERE}:{ACCOUNT}:alias/app");
    for name in [&key_id, &arn, "alias/app", &alias_arn] {
        assert_eq!(cluster.describe(HERE, name).await.unwrap().arn.to_string(), arn);
    }
}

#[tokio::test]
async fn each_wrong_name_has_its_own_error() {
    let cluster = Cluster::new(&[HERE]);
    let missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
    let mrk = "mrk-1234abcd12ab34cd56ef1234567890ab";
    let text = async |name: &str| cluster.describe(HERE, name).await.unwrap_err().to_string();
    let not_there = |id| format!("Key 'arn:aws:kms:{HERE}:{ACCOUNT}:key/{id}' does not exist");
    assert_eq!(text(missing).await, not_there(missing));
    assert_eq!(text(mrk).await, not_there(mrk));
    assert_eq!(text("nonsense").await, "Invalid keyId 'nonsense'");
    assert_eq!(text(&format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/{missing}")).await, "Invalid arn eu-west-1");
    assert_eq!(text("alias/none").await, format!("Alias arn:aws:kms:{HERE}:{ACCOUNT}:alias/none is not found."));
    assert!(matches!(cluster.describe(HERE, "arn:aws:kms").await, Err(KmsError::InvalidArn("Invalid identifier"))));
}

#[tokio::test]
async fn operations_on_keys_alone_refuse_aliases() {
    let cluster = Cluster::new(&[HERE]);
    with_alias(&cluster).await;
    for name in ["alias/app".to_owned(), format!("arn:aws:kms:{HERE}:{ACCOUNT}:alias/app")] {
        let error = cluster.at(HERE).enable_key(admin(EnableKeyRequest { key_id: name })).await.unwrap_err();
        assert_eq!(error, KmsError::InvalidArn("Key Aliases are not supported for this operation."));
    }
}

#[tokio::test]
async fn key_of_another_account_is_not_told_from_a_missing_one() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let foreign = |id: &str| format!("arn:aws:kms:{HERE}:{OTHER_ACCOUNT}:key/{id}");
    let there = cluster.describe(HERE, &foreign(&key_id)).await.unwrap_err();
    let missing = cluster.describe(HERE, &foreign("1234abcd-12ab-34cd-56ef-1234567890ab")).await.unwrap_err();
    assert_eq!(there, missing);
    assert!(there.to_string().contains("because the resource does not exist in this Region"), "{there}");
}

#[tokio::test]
async fn create_key_says_what_does_not_fit_together() {
    let cluster = Cluster::new(&[HERE]);
    let text = async |request| cluster.at(HERE).create_key(admin(request)).await.unwrap_err().to_string();
    let both = CreateKeyRequest {
        key_spec: Some(KeySpec::SymmetricDefault),
        customer_master_key_spec: Some(KeySpec::SymmetricDefault),
        ..Default::default()
    };
    assert_eq!(
        text(both).await,
        "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated."
    );
    let no_usage = CreateKeyRequest { key_spec: Some(KeySpec::Rsa2048), ..Default::default() };
    assert_eq!(
        text(no_usage).await,
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
    );
}

#[tokio::test]
async fn key_quota_counts_the_keys_of_each_account_apart() {
    let cluster = Cluster::with_config(&[HERE], |config| config.quotas.keys_per_account = 1);
    cluster.key(HERE).await;
    let of_other = || admin_of(OTHER_ACCOUNT, CreateKeyRequest::default());
    cluster.at(HERE).create_key(of_other()).await.unwrap();
    let error = cluster.at(HERE).create_key(of_other()).await.unwrap_err();
    assert!(matches!(error, KmsError::LimitExceeded(_)), "{error:?}");
}

#[tokio::test]
async fn key_quota_is_told_with_limit_and_usage() {
    let cluster = Cluster::with_config(&[HERE], |config| config.quotas.keys_per_account = 1);
    cluster.key(HERE).await;
    let error = cluster.at(HERE).create_key(admin(CreateKeyRequest::default())).await.unwrap_err();
    let text = "Key quota for this account in this region is 1 but the current usage is 1.";
    assert_eq!(error, KmsError::LimitExceeded(text.into()));
}
