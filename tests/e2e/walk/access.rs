//! Who is let in: administrators of the account, and nobody else; and what does not exist is said to not exist.

use super::{arn, cluster};
use meridian_tests::aws::client_as;
use meridian_tests::http1::RawRequest;
use meridian_tests::sigv4::Signer;
use meridian_tests::{Cluster, ClusterOptions, US, blob, keys, refused};
use std::os::unix::fs::OpenOptionsExt as _;

const PRINCIPALS: &str = r#"
[[principal]]
access_key = "meridian"
secret_key = "meridian-dev"
arn = "arn:aws:iam::111122223333:user/meridian"
account = "111122223333"
administrator = true

[[principal]]
access_key = "reader"
secret_key = "reader-secret"
arn = "arn:aws:iam::111122223333:user/reader"
account = "111122223333"

[[principal]]
access_key = "stranger"
secret_key = "stranger-secret"
arn = "arn:aws:iam::444455556666:user/stranger"
account = "444455556666"
administrator = true
"#;

#[tokio::test]
async fn only_administrators_of_the_account_are_let_in() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("principals.toml");
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(&file).unwrap();
    std::io::Write::write_all(&mut { opened }, PRINCIPALS.as_bytes()).unwrap();
    let cluster = Cluster::start_with(ClusterOptions::with(&["--principals", file.to_str().unwrap()]));
    let endpoint = format!("http://{}", cluster.front_door());
    let administrator = cluster.kms(US);
    let key_id = keys::create(&administrator).await;
    let ciphertext = keys::encrypt(&administrator, &key_id, b"x").await;

    let reader = client_as(&endpoint, US, "reader", "reader-secret");
    refused(reader.create_key().send().await).is_code("AccessDeniedException");
    refused(reader.list_keys().send().await).is_code("AccessDeniedException");
    let refusal = refused(reader.encrypt().key_id(&key_id).plaintext(blob(b"x")).send().await);
    refusal.is_code("AccessDeniedException");
    let start = format!(
        "User: arn:aws:iam::111122223333:user/reader is not authorized to perform: kms:Encrypt on resource: {}",
        arn(US, &key_id)
    );
    assert!(refusal.message.starts_with(&start), "{}", refusal.message);
    refused(reader.decrypt().ciphertext_blob(blob(&ciphertext)).send().await).is_code("AccessDeniedException");
    refused(reader.generate_random().number_of_bytes(1).send().await).is_code("AccessDeniedException");

    // Another account's administrator does not learn whether the key exists.
    let stranger = client_as(&endpoint, US, "stranger", "stranger-secret");
    let existing = refused(stranger.describe_key().key_id(arn(US, &key_id)).send().await);
    let missing = refused(stranger.describe_key().key_id(arn(US, super::NO_KEY)).send().await);
    existing.is_code("AccessDeniedException");
    assert_eq!(existing, missing);
    assert!(existing.message.contains("because the resource does not exist in this Region"), "{existing:?}");
    refused(stranger.decrypt().ciphertext_blob(blob(&ciphertext)).send().await).is_code("AccessDeniedException");
    assert!(stranger.list_keys().send().await.unwrap().keys().is_empty());
}

#[tokio::test]
async fn wrong_credentials_are_refused_as_aws_does() {
    let cluster = cluster();
    let endpoint = format!("http://{}", cluster.api(US));
    let unknown = client_as(&endpoint, US, "nobody", "meridian-dev");
    refused(unknown.list_keys().send().await)
        .is("UnrecognizedClientException", "The security token included in the request is invalid.");
    let wrong = client_as(&endpoint, US, "meridian", "not-the-secret");
    let refusal = refused(wrong.list_keys().send().await);
    refusal.is_code("InvalidSignatureException");
    assert!(refusal.message.starts_with("The request signature we calculated does not match"), "{refusal:?}");
}

#[tokio::test]
async fn an_operation_that_does_not_exist_is_unknown() {
    let cluster = cluster();
    let signer = Signer::administrator(US);
    for operation in ["MakeCoffee", "encrypt", "TrentService.Encrypt"] {
        let answer = RawRequest::signed(&cluster.api(US), &signer, operation, "{}");
        let answer = answer.send(&cluster.api(US)).await;
        let code = answer.json()["__type"].as_str().unwrap().to_owned();
        assert!(code.ends_with("UnknownOperationException"), "{operation}: {code}");
        assert!([400, 404].contains(&answer.status), "{}", answer.status);
    }
}
