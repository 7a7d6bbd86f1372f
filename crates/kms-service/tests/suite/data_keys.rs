//! Data keys and random bytes.

use super::support::{Cluster, admin};
use kms_service::KmsError;
use kms_service::operations::generate_data_key::{DataKeySpec, GenerateDataKeyRequest};
use kms_service::operations::generate_random::GenerateRandomRequest;

const HERE: &str = "us-east-1";

#[tokio::test]
async fn data_key_opens_to_what_was_handed_out() {
    let cluster = Cluster::new(&[HERE]);
    let (service, key_id) = (cluster.at(HERE), cluster.key(HERE).await);
    let described = cluster.describe(HERE, &key_id).await.unwrap();
    for (key_spec, number_of_bytes, length) in
        [(Some(DataKeySpec::Aes256), None, 32), (Some(DataKeySpec::Aes128), None, 16), (None, Some(1024), 1024)]
    {
        let request =
            GenerateDataKeyRequest { key_id: key_id.clone(), key_spec, number_of_bytes, ..Default::default() };
        let made = service.generate_data_key(admin(request.clone())).await.unwrap();
        assert_eq!(made.plaintext.plaintext().unwrap().0.len(), length);
        assert_eq!(made.key_material_id, described.current_key_material_id);
        assert_eq!(&*made.key_id, described.arn.to_string());
        assert_eq!(
            cluster.open(HERE, &made.ciphertext_blob).await.unwrap().plaintext.plaintext().unwrap().0,
            made.plaintext.plaintext().unwrap().0
        );

        let hidden = service.generate_data_key_without_plaintext(admin(request)).await.unwrap();
        let opened = cluster.open(HERE, &hidden.ciphertext_blob).await.unwrap();
        assert_eq!(opened.plaintext.plaintext().unwrap().0.len(), length);
        assert_ne!(opened.plaintext.plaintext().unwrap().0, made.plaintext.plaintext().unwrap().0);
    }
}

#[tokio::test]
async fn exactly_one_length_is_given() {
    let cluster = Cluster::new(&[HERE]);
    let neither = GenerateDataKeyRequest { key_id: cluster.key(HERE).await, ..Default::default() };
    let both =
        GenerateDataKeyRequest { number_of_bytes: Some(32), key_spec: Some(DataKeySpec::Aes256), ..neither.clone() };
    for request in [neither.clone(), both] {
        let error = cluster.at(HERE).generate_data_key(admin(request)).await.unwrap_err();
        assert_eq!(error, KmsError::service("Please specify either number of bytes or key spec."));
    }
    for (length, bound) in [(0, "greater than or equal to 1"), (1025, "less than or equal to 1024")] {
        let request = GenerateDataKeyRequest { number_of_bytes: Some(length), ..neither.clone() };
        let error = cluster.at(HERE).generate_data_key_without_plaintext(admin(request)).await.unwrap_err();
        assert!(error.to_string().ends_with(&format!("Member must have value {bound}")), "{error}");
    }
}

#[tokio::test]
async fn dry_run_makes_no_data_key() {
    let cluster = Cluster::new(&[HERE]);
    let request = GenerateDataKeyRequest {
        key_id: cluster.key(HERE).await,
        number_of_bytes: Some(32),
        dry_run: true,
        ..Default::default()
    };
    let service = cluster.at(HERE);
    assert_eq!(service.generate_data_key(admin(request.clone())).await.unwrap_err(), KmsError::DryRun);
    let without = service.generate_data_key_without_plaintext(admin(request)).await;
    assert_eq!(without.unwrap_err(), KmsError::DryRun);
}

#[tokio::test]
async fn random_bytes_need_a_length() {
    let cluster = Cluster::new(&[HERE]);
    let random = |number_of_bytes| {
        let request = GenerateRandomRequest { number_of_bytes, ..Default::default() };
        cluster.at(HERE).generate_random(admin(request))
    };
    assert_eq!(random(None).await.unwrap_err(), KmsError::service("NumberOfBytes is required."));
    assert!(matches!(random(Some(1025)).await, Err(KmsError::Validation(_))));
    let (first, second) = (random(Some(32)).await.unwrap(), random(Some(32)).await.unwrap());
    assert_eq!(first.plaintext.plaintext().unwrap().0.len(), 32);
    assert_ne!(first.plaintext.plaintext().unwrap().0, second.plaintext.plaintext().unwrap().0);
}

#[tokio::test]
async fn there_is_no_custom_key_store_to_draw_random_bytes_from() {
    let cluster = Cluster::new(&[HERE]);
    let request =
        GenerateRandomRequest { number_of_bytes: Some(8), custom_key_store_id: Some("cks-1".into()), recipient: None };
    let error = cluster.at(HERE).generate_random(admin(request)).await.unwrap_err();
    assert_eq!(error, KmsError::CustomKeyStoreNotFound("cks-1".into()));
}
