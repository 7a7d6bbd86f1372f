//! Denied by default: who is not an administrator may do nothing, and is told so before anything about the key.

use super::support::{ACCOUNT, Cluster, nobody};
use kms_service::KmsError;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::decrypt::DecryptRequest;
use kms_service::operations::describe_key::DescribeKeyRequest;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::generate_random::GenerateRandomRequest;
use kms_service::operations::list_aliases::ListAliasesRequest;
use kms_service::operations::list_keys::ListKeysRequest;

const HERE: &str = "us-east-1";

fn denied<T: std::fmt::Debug>(result: Result<T, KmsError>) -> String {
    match result.unwrap_err() {
        KmsError::AccessDenied(text) => text,
        other => unreachable!("not a denial: {other:?}"),
    }
}

#[tokio::test]
async fn nobody_is_denied_by_name_of_action_and_key() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let service = cluster.at(HERE);
    let request = DescribeKeyRequest { key_id: key_id.clone(), grant_tokens: Vec::new() };
    assert_eq!(
        denied(service.describe_key(nobody(request)).await),
        format!(
            "User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: kms:DescribeKey on resource: \
             arn:aws:kms:{HERE}:{ACCOUNT}:key/{key_id} because no identity-based policy allows the kms:DescribeKey \
             action"
        )
    );
    denied(service.create_key(nobody(CreateKeyRequest::default())).await);
    denied(service.list_keys(nobody(ListKeysRequest::default())).await);
    denied(service.list_aliases(nobody(ListAliasesRequest::default())).await);
    denied(service.generate_random(nobody(GenerateRandomRequest::default())).await);
    denied(service.disable_key(nobody(DisableKeyRequest { key_id })).await);
}

#[tokio::test]
async fn nobody_cannot_tell_which_keys_and_aliases_exist() {
    let cluster = Cluster::new(&[HERE]);
    for name in ["1234abcd-12ab-34cd-56ef-1234567890ab", "alias/none"] {
        let request = DescribeKeyRequest { key_id: name.into(), grant_tokens: Vec::new() };
        denied(cluster.at(HERE).describe_key(nobody(request)).await);
    }
}

#[tokio::test]
async fn nobody_decrypts_nothing() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let blob = cluster.encrypt(HERE, &key_id, "secret").await.unwrap();
    let request = DecryptRequest { ciphertext_blob: Some(blob), ..Default::default() };
    let text = denied(cluster.at(HERE).decrypt(nobody(request)).await);
    assert!(text.contains("kms:Decrypt on the resource associated with this ciphertext"), "{text}");
}

#[tokio::test]
async fn unknown_grant_token_is_refused() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let request = DescribeKeyRequest { key_id, grant_tokens: vec!["token".into()] };
    let error = cluster.at(HERE).describe_key(super::support::admin(request)).await.unwrap_err();
    assert_eq!(error, KmsError::InvalidGrantToken);
}
