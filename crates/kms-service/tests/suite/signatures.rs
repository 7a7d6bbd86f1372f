//! Sign, Verify and GetPublicKey.

use super::support::uses::{MESSAGE, of_kind, secret, sign, verify};
use super::support::{ACCOUNT, Cluster, admin};
use kms_service::KmsError;
use kms_service::operations::get_public_key::GetPublicKeyRequest;
use kms_service::operations::sign::SignRequest;
use kms_service::operations::verify::VerifyRequest;
use kms_types::{KeySpec, KeyUsage, MessageType, SigningAlgorithm};

const HERE: &str = "us-east-1";

/// A digest or µ of a length in bytes.
fn digest(length: usize) -> Vec<u8> {
    (0..u8::try_from(length).unwrap()).collect()
}

async fn signing_key(cluster: &Cluster, spec: KeySpec) -> String {
    cluster.key_of(HERE, spec, KeyUsage::SignVerify).await
}

async fn refusal(cluster: &Cluster, request: SignRequest) -> KmsError {
    let signing = cluster.at(HERE).sign(admin(request.clone())).await.unwrap_err();
    let SignRequest { key_id, message, message_type, signing_algorithm, .. } = request;
    let request = VerifyRequest { message, message_type, signing_algorithm, ..verify(&key_id, b"signature", false) };
    assert_eq!(cluster.at(HERE).verify(admin(request)).await.unwrap_err(), signing);
    signing
}

#[tokio::test]
async fn every_algorithm_of_every_spec_verifies_what_it_signed_and_nothing_else() {
    let cluster = Cluster::new(&[HERE]);
    for spec in KeySpec::ALL.into_iter().filter(|spec| *spec != KeySpec::Sm2) {
        // The larger moduli take long to draw and differ in nothing that this is about.
        if spec.signing_algorithms().is_empty() || matches!(spec, KeySpec::Rsa3072 | KeySpec::Rsa4096) {
            continue;
        }
        let key_id = signing_key(&cluster, spec).await;
        for algorithm in spec.signing_algorithms() {
            check_round_trip(&cluster, &key_id, *algorithm).await;
        }
    }
}

async fn check_round_trip(cluster: &Cluster, key_id: &str, algorithm: SigningAlgorithm) {
    let service = cluster.at(HERE);
    for (message_type, message) in messages(algorithm) {
        let request = SignRequest {
            message: secret(&message),
            message_type,
            signing_algorithm: algorithm,
            ..sign(key_id, false)
        };
        let signed = service.sign(admin(request)).await.unwrap();
        assert_eq!(&*signed.key_id, format!("arn:aws:kms:{HERE}:{ACCOUNT}:key/{key_id}"));
        assert_eq!(signed.signing_algorithm, algorithm);
        let good = VerifyRequest {
            message: secret(&message),
            message_type,
            signing_algorithm: algorithm,
            ..verify(key_id, &signed.signature, false)
        };
        let verified = service.verify(admin(good.clone())).await.unwrap();
        assert_eq!((verified.key_id, verified.signing_algorithm), (signed.key_id, algorithm));
        let mut other = message.clone();
        other[0] ^= 1;
        let mut forged = signed.signature.clone();
        *forged.last_mut().unwrap() ^= 1;
        let cut = signed.signature[1..].to_vec();
        for bad in [
            VerifyRequest { message: secret(&other), ..good.clone() },
            VerifyRequest { signature: forged, ..good.clone() },
            VerifyRequest { signature: cut, ..good.clone() },
            VerifyRequest { signature: vec![0], dry_run: true, ..good },
        ] {
            assert_eq!(service.verify(admin(bad)).await.unwrap_err(), KmsError::InvalidSignature, "{algorithm}");
        }
    }
}

/// A message of each type that goes with the algorithm.
fn messages(algorithm: SigningAlgorithm) -> Vec<(MessageType, Vec<u8>)> {
    use SigningAlgorithm as A;
    let raw = (MessageType::Raw, MESSAGE.to_vec());
    match algorithm {
        A::Ed25519Sha512 => vec![raw],
        A::Ed25519PhSha512 => vec![(MessageType::Digest, digest(64))],
        A::MlDsaShake256 => vec![raw, (MessageType::ExternalMu, digest(64))],
        A::RsassaPssSha256 | A::RsassaPkcs1V15Sha256 | A::EcdsaSha256 | A::Sm2Dsa => {
            vec![raw, (MessageType::Digest, digest(32))]
        }
        A::RsassaPssSha384 | A::RsassaPkcs1V15Sha384 | A::EcdsaSha384 => vec![raw, (MessageType::Digest, digest(48))],
        A::RsassaPssSha512 | A::RsassaPkcs1V15Sha512 | A::EcdsaSha512 => vec![raw, (MessageType::Digest, digest(64))],
    }
}

#[tokio::test]
async fn message_signed_raw_verifies_by_its_digest() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = signing_key(&cluster, KeySpec::EccNistP256).await;
    // SHA-256 of "abc", FIPS 180-4 example.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let hash: Vec<u8> = (0..32).map(|i| u8::from_str_radix(&abc[2 * i..2 * i + 2], 16).unwrap()).collect();
    let raw = SignRequest { message: secret(b"abc"), ..sign(&key_id, false) };
    let signature = cluster.at(HERE).sign(admin(raw)).await.unwrap().signature;
    let by_digest = VerifyRequest {
        message: secret(&hash),
        message_type: MessageType::Digest,
        ..verify(&key_id, &signature, false)
    };
    cluster.at(HERE).verify(admin(by_digest)).await.unwrap();
}

#[tokio::test]
async fn digest_of_another_length_is_refused_with_the_text_of_aws() {
    let cluster = Cluster::new(&[HERE]);
    let (p256, rsa) =
        (signing_key(&cluster, KeySpec::EccNistP256).await, signing_key(&cluster, KeySpec::Rsa2048).await);
    for (key_id, signing_algorithm) in [
        (&p256, SigningAlgorithm::EcdsaSha256),
        (&rsa, SigningAlgorithm::RsassaPssSha256),
        (&rsa, SigningAlgorithm::RsassaPkcs1V15Sha512),
    ] {
        for length in [0, 31, 33, 63, 65] {
            let (message, message_type) = (secret(&digest(length)), MessageType::Digest);
            let request = SignRequest { message, message_type, signing_algorithm, ..sign(key_id, true) };
            let text = format!("Digest is invalid length for algorithm {signing_algorithm}.");
            assert_eq!(refusal(&cluster, request).await, KmsError::service(text), "{length}");
        }
    }
    let ed25519 = signing_key(&cluster, KeySpec::EccNistEdwards25519).await;
    let request = SignRequest {
        message: secret(&digest(32)),
        message_type: MessageType::Digest,
        signing_algorithm: SigningAlgorithm::Ed25519PhSha512,
        ..sign(&ed25519, false)
    };
    let text = "Digest is invalid length for algorithm ED25519_PH_SHA_512.";
    assert_eq!(refusal(&cluster, request).await, KmsError::service(text));
}

#[tokio::test]
async fn message_type_must_go_with_the_algorithm() {
    use SigningAlgorithm as A;
    let cluster = Cluster::new(&[HERE]);
    for (spec, signing_algorithm, message_type, text) in [
        (
            KeySpec::EccNistEdwards25519,
            A::Ed25519Sha512,
            MessageType::Digest,
            "Message type DIGEST is incompatible with algorithm ED25519_SHA_512.",
        ),
        (
            KeySpec::EccNistEdwards25519,
            A::Ed25519PhSha512,
            MessageType::Raw,
            "Message type RAW is incompatible with algorithm ED25519_PH_SHA_512.",
        ),
        (
            KeySpec::MlDsa44,
            A::MlDsaShake256,
            MessageType::Digest,
            "Message type DIGEST is incompatible with key spec ML_DSA_44.",
        ),
        (
            KeySpec::MlDsa44,
            A::MlDsaShake256,
            MessageType::ExternalMu,
            "External Mu is invalid length for algorithm ML_DSA_SHAKE_256.",
        ),
        (
            KeySpec::EccNistP256,
            A::EcdsaSha256,
            MessageType::ExternalMu,
            "Message type EXTERNAL_MU is incompatible with key spec ECC_NIST_P256.",
        ),
    ] {
        let key_id = signing_key(&cluster, spec).await;
        let message = secret(&digest(63));
        let request = SignRequest { message, message_type, signing_algorithm, ..sign(&key_id, false) };
        assert_eq!(refusal(&cluster, request).await, KmsError::service(text));
    }
}

#[tokio::test]
async fn message_has_at_most_four_kibibytes() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = signing_key(&cluster, KeySpec::EccNistP256).await;
    let request = SignRequest { message: secret(&[7; 4096]), ..sign(&key_id, false) };
    cluster.at(HERE).sign(admin(request)).await.unwrap();
    let request = SignRequest { message: secret(&[7; 4097]), ..sign(&key_id, false) };
    let text = "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length \
                less than or equal to 4096";
    assert_eq!(refusal(&cluster, request).await.to_string(), text);
}

#[tokio::test]
async fn algorithm_of_another_spec_is_refused() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = signing_key(&cluster, KeySpec::EccNistP384).await;
    let error = refusal(&cluster, sign(&key_id, false)).await;
    assert!(matches!(error, KmsError::IncompatibleAlgorithm { .. }));
    assert_eq!(error.to_string(), "Algorithm ECDSA_SHA_256 is incompatible with key spec ECC_NIST_P384.");
}

#[tokio::test]
async fn public_key_is_handed_out_with_what_the_key_is_for() {
    let cluster = Cluster::new(&[HERE]);
    let service = cluster.at(HERE);
    for (spec, usage) in [
        (KeySpec::EccNistP256, KeyUsage::SignVerify),
        (KeySpec::EccNistP521, KeyUsage::KeyAgreement),
        (KeySpec::MlKem768, KeyUsage::EncapsulateDecapsulate),
        (KeySpec::EccNistEdwards25519, KeyUsage::SignVerify),
    ] {
        let key_id = cluster.key_of(HERE, spec, usage).await;
        let request = GetPublicKeyRequest { key_id: key_id.clone(), grant_tokens: Vec::new() };
        let answer = service.get_public_key(admin(request)).await.unwrap();
        assert_eq!(&*answer.key_id, format!("arn:aws:kms:{HERE}:{ACCOUNT}:key/{key_id}"));
        assert_eq!((answer.key_spec, answer.key_usage), (spec, usage));
        // A SubjectPublicKeyInfo is a DER sequence.
        assert_eq!(answer.public_key[0], 0x30);
    }
}

#[tokio::test]
async fn keys_without_a_public_half_have_none_to_show() {
    let cluster = Cluster::new(&[HERE]);
    for (spec, usage) in
        [(KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt), (KeySpec::Hmac256, KeyUsage::GenerateVerifyMac)]
    {
        let key_id = cluster.key_of(HERE, spec, usage).await;
        let request = GetPublicKeyRequest { key_id, grant_tokens: Vec::new() };
        let error = cluster.at(HERE).get_public_key(admin(request)).await.unwrap_err();
        assert!(matches!(error, KmsError::UnsupportedOperation(Some(_))), "{error:?}");
    }
}

#[tokio::test]
async fn related_keys_verify_each_others_signatures() {
    const THERE: &str = "eu-west-1";
    let cluster = Cluster::new(&[HERE, THERE]);
    for (spec, algorithm) in
        [(KeySpec::EccNistP256, SigningAlgorithm::EcdsaSha256), (KeySpec::MlDsa44, SigningAlgorithm::MlDsaShake256)]
    {
        let request = kms_service::operations::create_key::CreateKeyRequest {
            multi_region: true,
            ..of_kind((spec, KeyUsage::SignVerify))
        };
        let key_id = cluster.create(HERE, request).await.arn.key_id.to_string();
        cluster.settle().await;
        cluster.replicate(HERE, &key_id, THERE).await.unwrap();
        cluster.settle().await;
        assert_eq!(cluster.public_key(HERE, &key_id).await, cluster.public_key(THERE, &key_id).await);
        let request = SignRequest { signing_algorithm: algorithm, ..sign(&key_id, false) };
        let signature = cluster.at(THERE).sign(admin(request)).await.unwrap().signature;
        let request = VerifyRequest { signing_algorithm: algorithm, ..verify(&key_id, &signature, false) };
        cluster.at(HERE).verify(admin(request)).await.unwrap();
    }
}
