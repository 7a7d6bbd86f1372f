//! GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext.

use super::support::uses::pair;
use super::support::{Cluster, admin};
use kms_service::KmsError;
use kms_service::operations::decrypt::DecryptRequest;
use kms_service::operations::generate_data_key_pair::{DATA_KEY_PAIR_SPECS, GenerateDataKeyPairRequest};
use kms_types::{EncryptionContext, KeySpec, KeyUsage};

const HERE: &str = "us-east-1";

#[tokio::test]
async fn private_half_opens_to_what_was_handed_out() {
    let cluster = Cluster::new(&[HERE]);
    let (service, key_id) = (cluster.at(HERE), cluster.key(HERE).await);
    let described = cluster.describe(HERE, &key_id).await.unwrap();
    let context: EncryptionContext = [("purpose".to_owned(), "a".to_owned())].into_iter().collect();
    for key_pair_spec in DATA_KEY_PAIR_SPECS {
        if matches!(key_pair_spec, KeySpec::Sm2 | KeySpec::Rsa3072 | KeySpec::Rsa4096) {
            continue;
        }
        let request =
            GenerateDataKeyPairRequest { key_pair_spec, encryption_context: context.clone(), ..pair(&key_id, false) };
        let made = service.generate_data_key_pair(admin(request.clone())).await.unwrap();
        assert_eq!((made.key_pair_spec, &*made.key_id), (key_pair_spec, &*described.arn.to_string()));
        assert_eq!(Some(made.key_material_id), described.current_key_material_id);
        // Both are DER sequences.
        assert_eq!((made.public_key[0], made.private_key_plaintext.plaintext().unwrap().0[0]), (0x30, 0x30));
        let sealed = |blob: Vec<u8>| DecryptRequest {
            ciphertext_blob: Some(blob),
            encryption_context: context.clone(),
            ..Default::default()
        };
        let opened = service.decrypt(admin(sealed(made.private_key_ciphertext_blob.clone()))).await.unwrap();
        assert_eq!(opened.plaintext.plaintext().unwrap().0, made.private_key_plaintext.plaintext().unwrap().0);
        let without_context = cluster.open(HERE, &made.private_key_ciphertext_blob).await;
        assert_eq!(without_context.unwrap_err(), KmsError::InvalidCiphertext);

        let hidden = service.generate_data_key_pair_without_plaintext(admin(request)).await.unwrap();
        assert_ne!(hidden.public_key, made.public_key);
        let opened = service.decrypt(admin(sealed(hidden.private_key_ciphertext_blob))).await.unwrap();
        assert_eq!(opened.plaintext.plaintext().unwrap().0[0], 0x30);
    }
}

#[tokio::test]
async fn specs_that_are_no_data_key_pairs_are_refused() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    for key_pair_spec in [KeySpec::Sm2, KeySpec::MlDsa44, KeySpec::Hmac256, KeySpec::SymmetricDefault] {
        let request = GenerateDataKeyPairRequest { key_pair_spec, ..pair(&key_id, false) };
        let error = cluster.at(HERE).generate_data_key_pair(admin(request)).await.unwrap_err();
        let text = format!("KeyPairSpec {key_pair_spec} is not supported in this Region");
        assert_eq!(error, KmsError::service(text));
    }
}

#[tokio::test]
async fn key_pairs_are_encrypted_under_symmetric_keys_only() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key_of(HERE, KeySpec::Rsa2048, KeyUsage::EncryptDecrypt).await;
    let error = cluster.at(HERE).generate_data_key_pair(admin(pair(&key_id, false))).await.unwrap_err();
    assert_eq!(error.to_string(), "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.");
}

#[tokio::test]
async fn rsa_keys_are_drawn_by_worker_threads_and_refused_when_those_are_busy() {
    let cluster = Cluster::new(&[HERE]);
    let (service, key_id) = (cluster.at(HERE), cluster.key(HERE).await);
    cluster.set_workers_busy(true);
    let rsa = GenerateDataKeyPairRequest { key_pair_spec: KeySpec::Rsa2048, ..pair(&key_id, false) };
    assert_eq!(service.generate_data_key_pair(admin(rsa.clone())).await.unwrap_err(), KmsError::Throttled);
    let create = super::support::uses::of_kind((KeySpec::Rsa2048, KeyUsage::SignVerify));
    assert_eq!(service.create_key(admin(create)).await.unwrap_err(), KmsError::Throttled);
    // What is checked before is told all the same, and other pairs are made.
    let dry = GenerateDataKeyPairRequest { dry_run: true, ..rsa };
    assert_eq!(service.generate_data_key_pair(admin(dry)).await.unwrap_err(), KmsError::DryRun);
    service.generate_data_key_pair(admin(pair(&key_id, false))).await.unwrap();
}
