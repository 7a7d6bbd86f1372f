//! Encrypt, Decrypt and ReEncrypt.

use super::support::{Cluster, OTHER_ACCOUNT, admin, admin_of};
use kms_service::KmsError;
use kms_service::operations::decrypt::DecryptRequest;
use kms_service::operations::encrypt::{EncryptRequest, Secret};
use kms_service::operations::re_encrypt::ReEncryptRequest;
use kms_types::{EncryptionAlgorithm, EncryptionContext};

const HERE: &str = "us-east-1";

fn context(value: &str) -> EncryptionContext {
    [("purpose".to_owned(), value.to_owned())].into_iter().collect()
}

fn encryption(key_id: &str, value: &str) -> EncryptRequest {
    let mut plaintext = Secret::default();
    plaintext.0.extend_from_slice(b"secret");
    EncryptRequest {
        key_id: key_id.into(),
        plaintext,
        encryption_context: context(value),
        grant_tokens: Vec::new(),
        encryption_algorithm: None,
        dry_run: false,
    }
}

async fn decrypt(cluster: &Cluster, request: DecryptRequest) -> Result<Vec<u8>, KmsError> {
    cluster.at(HERE).decrypt(admin(request)).await.map(|response| response.plaintext.plaintext().unwrap().0.to_vec())
}

#[tokio::test]
async fn ciphertext_opens_under_its_context_alone() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let sealed = cluster.at(HERE).encrypt(admin(encryption(&key_id, "a"))).await.unwrap();
    let with = |value| DecryptRequest {
        ciphertext_blob: Some(sealed.ciphertext_blob.clone()),
        encryption_context: context(value),
        ..Default::default()
    };
    assert_eq!(decrypt(&cluster, with("a")).await.unwrap(), b"secret");
    assert_eq!(decrypt(&cluster, with("b")).await, Err(KmsError::InvalidCiphertext));
    let without = DecryptRequest { encryption_context: EncryptionContext::default(), ..with("a") };
    assert_eq!(decrypt(&cluster, without).await, Err(KmsError::InvalidCiphertext));
}

#[tokio::test]
async fn changed_or_cut_ciphertext_is_invalid_without_detail() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let blob = cluster.encrypt(HERE, &key_id, "secret").await.unwrap();
    // From the material ID on; before it come format and key ID, which say whose ciphertext it is.
    for at in 21..blob.len() {
        let mut changed = blob.clone();
        changed[at] ^= 1;
        assert_eq!(cluster.decrypt(HERE, &changed).await, Err(KmsError::InvalidCiphertext), "byte {at}");
    }
    for length in [0, 1, 52, blob.len() - 1] {
        assert_eq!(cluster.decrypt(HERE, &blob[..length]).await, Err(KmsError::InvalidCiphertext), "{length} bytes");
    }
}

#[tokio::test]
async fn named_key_must_be_the_one_that_made_the_ciphertext() {
    let cluster = Cluster::new(&[HERE]);
    let (mine, other) = (cluster.key(HERE).await, cluster.key(HERE).await);
    let blob = cluster.encrypt(HERE, &mine, "secret").await.unwrap();
    let named = |key_id: &str| DecryptRequest {
        ciphertext_blob: Some(blob.clone()),
        key_id: Some(key_id.into()),
        ..Default::default()
    };
    assert_eq!(decrypt(&cluster, named(&mine)).await.unwrap(), b"secret");
    assert_eq!(decrypt(&cluster, named(&other)).await, Err(KmsError::IncorrectKey));
}

#[tokio::test]
async fn administrator_of_another_account_opens_nothing() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let blob = cluster.encrypt(HERE, &key_id, "secret").await.unwrap();
    let request = DecryptRequest { ciphertext_blob: Some(blob), ..Default::default() };
    let error = cluster.at(HERE).decrypt(admin_of(OTHER_ACCOUNT, request)).await.unwrap_err();
    assert!(matches!(error, KmsError::AccessDenied(_)), "{error:?}");
}

#[tokio::test]
async fn plaintext_has_at_most_four_kibibytes() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let of = |length| cluster.encrypt(HERE, &key_id, Box::leak("x".repeat(length).into_boxed_str()));
    of(4096).await.unwrap();
    assert_eq!(
        of(4097).await.unwrap_err().to_string(),
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less \
         than or equal to 4096"
    );
}

#[tokio::test]
async fn asymmetric_algorithm_does_not_fit_a_symmetric_key() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let encryption_algorithm = Some(EncryptionAlgorithm::RsaesOaepSha256);
    let request = EncryptRequest { encryption_algorithm, ..encryption(&key_id, "a") };
    let error = cluster.at(HERE).encrypt(admin(request)).await.unwrap_err();
    let text = "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn re_encryption_changes_key_and_context() {
    let cluster = Cluster::new(&[HERE]);
    let (from, to) = (cluster.key(HERE).await, cluster.key(HERE).await);
    let sealed = cluster.at(HERE).encrypt(admin(encryption(&from, "a"))).await.unwrap();
    let request = ReEncryptRequest {
        ciphertext_blob: Some(sealed.ciphertext_blob),
        source_encryption_context: context("a"),
        destination_key_id: to.clone(),
        destination_encryption_context: context("b"),
        ..Default::default()
    };
    let moved = cluster.at(HERE).re_encrypt(admin(request.clone())).await.unwrap();
    let (source, destination) =
        (cluster.describe(HERE, &from).await.unwrap(), cluster.describe(HERE, &to).await.unwrap());
    assert_eq!((&*moved.source_key_id, &*moved.key_id), (&*source.arn.to_string(), &*destination.arn.to_string()));
    assert_eq!(moved.source_key_material_id, source.current_key_material_id);
    assert_eq!(moved.destination_key_material_id, destination.current_key_material_id);
    let reopened = DecryptRequest {
        ciphertext_blob: Some(moved.ciphertext_blob),
        encryption_context: context("b"),
        ..Default::default()
    };
    assert_eq!(decrypt(&cluster, reopened).await.unwrap(), b"secret");

    let wrong_source = ReEncryptRequest { source_key_id: Some(to), ..request.clone() };
    assert_eq!(cluster.at(HERE).re_encrypt(admin(wrong_source)).await.unwrap_err(), KmsError::IncorrectKey);
    let wrong_context = ReEncryptRequest { source_encryption_context: context("z"), ..request };
    assert_eq!(cluster.at(HERE).re_encrypt(admin(wrong_context)).await.unwrap_err(), KmsError::InvalidCiphertext);
}

#[tokio::test]
async fn nothing_is_re_encrypted_to_a_key_of_another_account() {
    let cluster = Cluster::new(&[HERE]);
    let mine = cluster.key(HERE).await;
    let theirs = cluster.at(HERE).create_key(admin_of(OTHER_ACCOUNT, Default::default())).await.unwrap();
    let ciphertext_blob = Some(cluster.encrypt(HERE, &mine, "secret").await.unwrap());
    let destination_key_id = theirs.key_metadata.arn.to_string();
    let request = ReEncryptRequest { ciphertext_blob, destination_key_id, ..Default::default() };
    let error = cluster.at(HERE).re_encrypt(admin(request)).await.unwrap_err();
    assert!(error.to_string().contains("not authorized to perform: kms:ReEncryptTo"), "{error:?}");
}

#[tokio::test]
async fn dry_run_comes_last() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let sealed = cluster.at(HERE).encrypt(admin(encryption(&key_id, "a"))).await.unwrap();
    let dry = EncryptRequest { dry_run: true, ..encryption(&key_id, "a") };
    assert_eq!(cluster.at(HERE).encrypt(admin(dry)).await.unwrap_err(), KmsError::DryRun);

    let dry = DecryptRequest {
        ciphertext_blob: Some(sealed.ciphertext_blob.clone()),
        encryption_context: context("a"),
        dry_run: true,
        ..Default::default()
    };
    assert_eq!(decrypt(&cluster, dry.clone()).await, Err(KmsError::DryRun));
    let wrong = DecryptRequest { encryption_context: context("b"), ..dry };
    assert_eq!(decrypt(&cluster, wrong).await, Err(KmsError::InvalidCiphertext));

    let without =
        DecryptRequest { key_id: Some(key_id.clone()), dry_run: true, ignore_ciphertext: true, ..Default::default() };
    assert_eq!(decrypt(&cluster, without.clone()).await, Err(KmsError::DryRun));
    let not_dry = DecryptRequest { dry_run: false, ..without };
    assert!(matches!(decrypt(&cluster, not_dry).await, Err(KmsError::Validation(_))));

    let dry = ReEncryptRequest {
        ciphertext_blob: Some(sealed.ciphertext_blob),
        source_encryption_context: context("a"),
        destination_key_id: key_id,
        dry_run: true,
        ..Default::default()
    };
    assert_eq!(cluster.at(HERE).re_encrypt(admin(dry)).await.unwrap_err(), KmsError::DryRun);
}
