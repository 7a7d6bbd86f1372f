//! DeriveSharedSecret, Encapsulate and Decapsulate.

use super::support::uses::{decapsulate, derive, encapsulate};
use super::support::{ACCOUNT, Cluster, admin};
use kms_service::KmsError;
use kms_types::{EncapsulationAlgorithm, KeyAgreementAlgorithm, KeySpec, KeyUsage, Origin};

const HERE: &str = "us-east-1";

#[tokio::test]
async fn two_keys_agree_on_the_x_coordinate() {
    let cluster = Cluster::new(&[HERE]);
    let service = cluster.at(HERE);
    for (spec, length) in [(KeySpec::EccNistP256, 32), (KeySpec::EccNistP384, 48), (KeySpec::EccNistP521, 66)] {
        let alice = cluster.key_of(HERE, spec, KeyUsage::KeyAgreement).await;
        let bob = cluster.key_of(HERE, spec, KeyUsage::KeyAgreement).await;
        let (of_alice, of_bob) = (cluster.public_key(HERE, &alice).await, cluster.public_key(HERE, &bob).await);
        let mine = service.derive_shared_secret(admin(derive(&alice, &of_bob, false))).await.unwrap();
        let theirs = service.derive_shared_secret(admin(derive(&bob, &of_alice, false))).await.unwrap();
        assert_eq!(mine.shared_secret.plaintext().unwrap().0.len(), length);
        assert_eq!(mine.shared_secret.plaintext().unwrap().0, theirs.shared_secret.plaintext().unwrap().0);
        assert_eq!(&*mine.key_id, format!("arn:aws:kms:{HERE}:{ACCOUNT}:key/{alice}"));
        assert_eq!((mine.key_agreement_algorithm, mine.key_origin), (KeyAgreementAlgorithm::Ecdh, Origin::AwsKms));
    }
}

#[tokio::test]
async fn public_key_that_is_none_or_of_another_curve_is_refused_without_a_word() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key_of(HERE, KeySpec::EccNistP256, KeyUsage::KeyAgreement).await;
    let other_curve = cluster.key_of(HERE, KeySpec::EccNistP384, KeyUsage::KeyAgreement).await;
    let mut off_the_curve = cluster.public_key(HERE, &key_id).await;
    *off_the_curve.last_mut().unwrap() ^= 1;
    for peer in [b"no key".to_vec(), cluster.public_key(HERE, &other_curve).await, off_the_curve] {
        for dry_run in [false, true] {
            let error = cluster.at(HERE).derive_shared_secret(admin(derive(&key_id, &peer, dry_run))).await;
            assert_eq!(error.unwrap_err(), KmsError::InvalidPublicKey);
        }
    }
}

#[tokio::test]
async fn encapsulated_secret_is_decapsulated() {
    let cluster = Cluster::new(&[HERE]);
    let service = cluster.at(HERE);
    for (spec, length) in [(KeySpec::MlKem512, 768), (KeySpec::MlKem768, 1088), (KeySpec::MlKem1024, 1568)] {
        let key_id = cluster.key_of(HERE, spec, KeyUsage::EncapsulateDecapsulate).await;
        let made = service.encapsulate(admin(encapsulate(&key_id, false))).await.unwrap();
        assert_eq!((made.shared_secret.0.len(), made.shared_secret_ciphertext_blob.len()), (32, length));
        assert_eq!(made.encapsulation_algorithm, EncapsulationAlgorithm::MlKem);
        let blob = made.shared_secret_ciphertext_blob;
        let opened = service.decapsulate(admin(decapsulate(&key_id, &blob, false))).await.unwrap();
        assert_eq!((opened.shared_secret.0, opened.key_id), (made.shared_secret.0, made.key_id));
        let again = service.encapsulate(admin(encapsulate(&key_id, false))).await.unwrap();
        assert_ne!(again.shared_secret_ciphertext_blob, blob);
    }
}

#[tokio::test]
async fn altered_encapsulation_gives_another_secret_and_one_of_another_length_an_error() {
    let cluster = Cluster::new(&[HERE]);
    let service = cluster.at(HERE);
    let key_id = cluster.key_of(HERE, KeySpec::MlKem512, KeyUsage::EncapsulateDecapsulate).await;
    let made = service.encapsulate(admin(encapsulate(&key_id, false))).await.unwrap();
    let mut altered = made.shared_secret_ciphertext_blob.clone();
    altered[0] ^= 1;
    let opened = service.decapsulate(admin(decapsulate(&key_id, &altered, false))).await.unwrap();
    assert_eq!(opened.shared_secret.0.len(), 32);
    assert_ne!(opened.shared_secret.0, made.shared_secret.0);
    let blob = &made.shared_secret_ciphertext_blob;
    for wrong in [&blob[1..], &[blob.as_slice(), &[0]].concat(), b"x"] {
        let error = service.decapsulate(admin(decapsulate(&key_id, wrong, true))).await.unwrap_err();
        assert_eq!(error, KmsError::InvalidCiphertext);
    }
}
