//! What one library makes, the other takes: aws-lc-rs against k256, ed25519-dalek, ml-dsa and ml-kem.

use crate::fixture::{Stream, Vectors, frozen_key, mu, prefix};
use aws_lc_rs::kem::{EncapsulationKey, ML_KEM_512, ML_KEM_768, ML_KEM_1024};
use kms_types::{KeySpec, MessageType, SigningAlgorithm};
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams, SignatureEncoding};
use sha2::{Digest, Sha512};

const KEYS: &str = include_str!("../../../../tests/vectors/crypto/keys-v1.txt");
const MESSAGE: &[u8; 64] = &[0x42; 64];

fn secret(spec: KeySpec) -> Vec<u8> {
    Vectors::read(KEYS).hex(&format!("{}_material", prefix(spec)))
}

#[test]
fn secp256k1_signatures_go_both_ways() {
    use k256::ecdsa::signature::{Signer, Verifier};
    use k256::ecdsa::{Signature, SigningKey};
    let (ours, spec) = (frozen_key(KeySpec::EccSecgP256k1), KeySpec::EccSecgP256k1);
    let theirs = SigningKey::from_slice(&secret(spec)).unwrap();
    let algorithm = SigningAlgorithm::EcdsaSha256;
    for message in [&b""[..], b"x", MESSAGE] {
        let signature = ours.sign(algorithm, MessageType::Raw, message, &Stream::new("s")).unwrap();
        // k256 takes only the smaller of the two s; KMS makes either, as ECDSA does.
        let signature = Signature::from_der(&signature).unwrap().normalize_s();
        theirs.verifying_key().verify(message, &signature).unwrap();
        let signature: Signature = theirs.sign(message);
        let der = signature.to_der();
        assert_eq!(ours.verify(algorithm, MessageType::Raw, message, der.as_bytes()), Ok(()));
    }
}

#[test]
fn ed25519_signatures_are_the_same() {
    use ed25519_dalek::{Signer, SigningKey};
    let ours = frozen_key(KeySpec::EccNistEdwards25519);
    let theirs = SigningKey::from_bytes(&secret(KeySpec::EccNistEdwards25519).try_into().unwrap());
    let sign = |algorithm, message_type, message: &[u8]| {
        ours.sign(algorithm, message_type, message, &Stream::new("s")).unwrap()
    };
    for message in [&b""[..], b"x", MESSAGE] {
        let signature = sign(SigningAlgorithm::Ed25519Sha512, MessageType::Raw, message);
        assert_eq!(signature, theirs.sign(message).to_bytes());
        // The digest of the message is hashed once more (AWS KMS API Reference, Sign, `MessageType`).
        let digest = Sha512::digest(message);
        let signature = sign(SigningAlgorithm::Ed25519PhSha512, MessageType::Digest, &digest);
        let twice = Sha512::new_with_prefix(digest);
        assert_eq!(signature, theirs.sign_prehashed(twice, None).unwrap().to_bytes());
    }
}

fn ml_dsa_goes_both_ways<P: MlDsaParams>(spec: KeySpec) {
    use ml_dsa::{Keypair, Signature, Signer, SigningKey, Verifier};
    let (ours, draws) = (frozen_key(spec), Stream::new("ml-dsa"));
    let theirs = SigningKey::<P>::from_seed(&ml_dsa::Seed::try_from(secret(spec).as_slice()).unwrap());
    let public = theirs.verifying_key().encode();
    assert!(ours.public_key_der().ends_with(&public));
    let algorithm = SigningAlgorithm::MlDsaShake256;
    for message in [&b""[..], b"x", MESSAGE] {
        let mu = mu(&public, b"", message);
        let made = [
            ours.sign(algorithm, MessageType::Raw, message, &draws).unwrap(),
            ours.sign(algorithm, MessageType::ExternalMu, &mu, &draws).unwrap(),
            theirs.sign(message).to_vec(),
        ];
        for signature in made {
            assert_eq!(ours.verify(algorithm, MessageType::Raw, message, &signature), Ok(()), "{spec}");
            assert_eq!(ours.verify(algorithm, MessageType::ExternalMu, &mu, &signature), Ok(()), "{spec}");
            let signature = Signature::<P>::try_from(signature.as_slice()).unwrap();
            theirs.verifying_key().verify(message, &signature).unwrap();
        }
    }
}

#[test]
fn ml_dsa_signatures_of_messages_and_of_mu_go_both_ways() {
    ml_dsa_goes_both_ways::<MlDsa44>(KeySpec::MlDsa44);
    ml_dsa_goes_both_ways::<MlDsa65>(KeySpec::MlDsa65);
    ml_dsa_goes_both_ways::<MlDsa87>(KeySpec::MlDsa87);
}

#[test]
fn ml_dsa_signatures_are_hedged() {
    let key = frozen_key(KeySpec::MlDsa44);
    let draws = Stream::new("hedged");
    for message_type in [MessageType::Raw, MessageType::ExternalMu] {
        let sign = || key.sign(SigningAlgorithm::MlDsaShake256, message_type, MESSAGE, &draws).unwrap();
        assert_ne!(sign(), sign());
    }
}

#[test]
fn ml_kem_encapsulations_of_the_other_library_are_opened() {
    for (spec, algorithm, public_bytes) in [
        (KeySpec::MlKem512, &ML_KEM_512, 800),
        (KeySpec::MlKem768, &ML_KEM_768, 1184),
        (KeySpec::MlKem1024, &ML_KEM_1024, 1568),
    ] {
        let ours = frozen_key(spec);
        let der = ours.public_key_der();
        let theirs = EncapsulationKey::new(algorithm, &der[der.len() - public_bytes..]).unwrap();
        let (ciphertext, secret) = theirs.encapsulate().unwrap();
        assert_eq!(*ours.decapsulate(ciphertext.as_ref()).unwrap(), secret.as_ref(), "{spec}");
    }
}
