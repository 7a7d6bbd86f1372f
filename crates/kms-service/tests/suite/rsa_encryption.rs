//! Encrypt, Decrypt and ReEncrypt with RSA keys.

use super::support::uses::{decrypt, encrypt, re_encrypt, secret};
use super::support::{Cluster, admin};
use kms_service::KmsError;
use kms_service::operations::decrypt::DecryptRequest;
use kms_service::operations::encrypt::EncryptRequest;
use kms_service::operations::re_encrypt::ReEncryptRequest;
use kms_types::{EncryptionAlgorithm, EncryptionContext, KeySpec, KeyUsage};

const HERE: &str = "us-east-1";
const SHA_1: EncryptionAlgorithm = EncryptionAlgorithm::RsaesOaepSha1;
const SHA_256: EncryptionAlgorithm = EncryptionAlgorithm::RsaesOaepSha256;

async fn rsa_key(cluster: &Cluster) -> String {
    cluster.key_of(HERE, KeySpec::Rsa2048, KeyUsage::EncryptDecrypt).await
}

fn encryption(key_id: &str, algorithm: EncryptionAlgorithm, plaintext: &[u8]) -> EncryptRequest {
    let encryption_algorithm = Some(algorithm);
    EncryptRequest { encryption_algorithm, plaintext: secret(plaintext), ..encrypt(key_id, false) }
}

fn decryption(key_id: &str, algorithm: EncryptionAlgorithm, blob: &[u8]) -> DecryptRequest {
    DecryptRequest { encryption_algorithm: Some(algorithm), ..decrypt(key_id, blob, false) }
}

fn context() -> EncryptionContext {
    [("a".to_owned(), "b".to_owned())].into_iter().collect()
}

#[tokio::test]
async fn what_is_encrypted_is_decrypted_by_its_key_and_algorithm() {
    let cluster = Cluster::new(&[HERE]);
    let (service, key_id) = (cluster.at(HERE), rsa_key(&cluster).await);
    for (algorithm, other) in [(SHA_1, SHA_256), (SHA_256, SHA_1)] {
        let sealed = service.encrypt(admin(encryption(&key_id, algorithm, b"secret"))).await.unwrap();
        assert_eq!((sealed.ciphertext_blob.len(), sealed.encryption_algorithm), (256, algorithm));
        let opened = service.decrypt(admin(decryption(&key_id, algorithm, &sealed.ciphertext_blob))).await.unwrap();
        assert_eq!(
            (opened.plaintext.plaintext().unwrap().0.as_slice(), opened.encryption_algorithm),
            (&b"secret"[..], algorithm)
        );
        assert_eq!((opened.key_id, opened.key_material_id), (sealed.key_id, None));

        let mut altered = sealed.ciphertext_blob.clone();
        altered[100] ^= 1;
        for bad in [
            decryption(&key_id, other, &sealed.ciphertext_blob),
            decryption(&key_id, algorithm, &altered),
            decryption(&key_id, algorithm, &sealed.ciphertext_blob[1..]),
            // A ciphertext without a key named must say itself whose it is.
            DecryptRequest { key_id: None, ..decryption(&key_id, algorithm, &sealed.ciphertext_blob) },
        ] {
            assert_eq!(service.decrypt(admin(bad)).await.unwrap_err(), KmsError::InvalidCiphertext);
        }
        let dry = DecryptRequest { dry_run: true, ..decryption(&key_id, algorithm, &sealed.ciphertext_blob) };
        assert_eq!(service.decrypt(admin(dry)).await.unwrap_err(), KmsError::DryRun);
    }
}

#[tokio::test]
async fn algorithm_must_be_named() {
    let cluster = Cluster::new(&[HERE]);
    let (service, key_id) = (cluster.at(HERE), rsa_key(&cluster).await);
    let text = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.";
    let error = service.encrypt(admin(encrypt(&key_id, false))).await.unwrap_err();
    assert_eq!(error.to_string(), text);
    let sealed = service.encrypt(admin(encryption(&key_id, SHA_256, b"secret"))).await.unwrap().ciphertext_blob;
    let error = service.decrypt(admin(decrypt(&key_id, &sealed, false))).await.unwrap_err();
    assert_eq!(error.to_string(), text);
    // A blob of a symmetric key names its key, so another key named with it is the mistake.
    let symmetric = cluster.key(HERE).await;
    let blob = cluster.encrypt(HERE, &symmetric, "secret").await.unwrap();
    assert_eq!(service.decrypt(admin(decrypt(&key_id, &blob, false))).await.unwrap_err(), KmsError::IncorrectKey);
    let error = service.decrypt(admin(decryption(&symmetric, SHA_256, &blob))).await.unwrap_err();
    let text = "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn plaintext_must_fit_the_modulus() {
    let cluster = Cluster::new(&[HERE]);
    let (service, key_id) = (cluster.at(HERE), rsa_key(&cluster).await);
    for (algorithm, max, text) in [
        (SHA_1, 214, "Algorithm RSAES_OAEP_SHA_1 and key spec RSA_2048 cannot encrypt data larger than 214 bytes."),
        (SHA_256, 190, "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes."),
    ] {
        let longest = service.encrypt(admin(encryption(&key_id, algorithm, &vec![7; max]))).await.unwrap();
        let opened = service.decrypt(admin(decryption(&key_id, algorithm, &longest.ciphertext_blob))).await.unwrap();
        assert_eq!(*opened.plaintext.plaintext().unwrap().0, vec![7; max]);
        let longer = EncryptRequest { dry_run: true, ..encryption(&key_id, algorithm, &vec![7; max + 1]) };
        assert_eq!(service.encrypt(admin(longer)).await.unwrap_err(), KmsError::service(text));
    }
}

#[tokio::test]
async fn encryption_context_is_for_symmetric_keys() {
    let cluster = Cluster::new(&[HERE]);
    let (service, key_id) = (cluster.at(HERE), rsa_key(&cluster).await);
    let refused =
        KmsError::service("EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.");
    let request = EncryptRequest { encryption_context: context(), ..encryption(&key_id, SHA_256, b"secret") };
    assert_eq!(service.encrypt(admin(request)).await.unwrap_err(), refused);
    let request = DecryptRequest { encryption_context: context(), ..decryption(&key_id, SHA_256, b"blob") };
    assert_eq!(service.decrypt(admin(request)).await.unwrap_err(), refused);
}

#[tokio::test]
async fn re_encryption_goes_between_all_kinds() {
    let cluster = Cluster::new(&[HERE]);
    let (service, rsa, symmetric) = (cluster.at(HERE), rsa_key(&cluster).await, cluster.key(HERE).await);
    let material = cluster.describe(HERE, &symmetric).await.unwrap().current_key_material_id;
    let blob = cluster.encrypt(HERE, &symmetric, "secret").await.unwrap();

    let to_rsa = ReEncryptRequest {
        source_key_id: None,
        destination_key_id: rsa.clone(),
        destination_encryption_algorithm: Some(SHA_256),
        ..re_encrypt(&symmetric, &blob, false)
    };
    let moved = service.re_encrypt(admin(to_rsa.clone())).await.unwrap();
    assert_eq!((moved.source_key_material_id, moved.destination_key_material_id), (material, None));
    assert_eq!(moved.source_encryption_algorithm, EncryptionAlgorithm::SymmetricDefault);
    assert_eq!(moved.destination_encryption_algorithm, SHA_256);

    let to_rsa_again = ReEncryptRequest {
        source_encryption_algorithm: Some(SHA_256),
        destination_encryption_algorithm: Some(SHA_1),
        ..re_encrypt(&rsa, &moved.ciphertext_blob, false)
    };
    let moved = service.re_encrypt(admin(to_rsa_again)).await.unwrap();
    assert_eq!((moved.source_key_material_id, moved.destination_key_material_id), (None, None));

    let back = ReEncryptRequest {
        source_encryption_algorithm: Some(SHA_1),
        destination_key_id: symmetric.clone(),
        destination_encryption_context: context(),
        ..re_encrypt(&rsa, &moved.ciphertext_blob, false)
    };
    let moved = service.re_encrypt(admin(back)).await.unwrap();
    assert_eq!((moved.source_key_material_id, moved.destination_key_material_id), (None, material));
    let opened = DecryptRequest { encryption_context: context(), ..decrypt(&symmetric, &moved.ciphertext_blob, false) };
    assert_eq!(*service.decrypt(admin(opened)).await.unwrap().plaintext.plaintext().unwrap().0, b"secret");

    let long = cluster.encrypt(HERE, &symmetric, &"x".repeat(191)).await.unwrap();
    let too_long = ReEncryptRequest { ciphertext_blob: Some(long), dry_run: true, ..to_rsa };
    let text = "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes.";
    assert_eq!(service.re_encrypt(admin(too_long)).await.unwrap_err(), KmsError::service(text));
}

#[tokio::test]
async fn signing_key_neither_encrypts_nor_decrypts() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key_of(HERE, KeySpec::Rsa2048, KeyUsage::SignVerify).await;
    let arn = cluster.describe(HERE, &key_id).await.unwrap().arn;
    let service = cluster.at(HERE);
    let error = service.encrypt(admin(encryption(&key_id, SHA_256, b"secret"))).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{arn} key usage is SIGN_VERIFY which is not valid for Encrypt."));
    let error = service.decrypt(admin(decryption(&key_id, SHA_256, &[7; 256]))).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{arn} key usage is SIGN_VERIFY which is not valid for Decrypt."));
    let error = service.decrypt(admin(decrypt(&key_id, &[7; 256], false))).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{arn} key usage is SIGN_VERIFY which is not valid for Decrypt."));
}
