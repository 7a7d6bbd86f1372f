//! What keys of each spec do, and what they refuse to do.

use crate::fixture::{Stream, asymmetric_specs, frozen_key, frozen_material, message_type, specs};
use kms_crypto::{AsymmetricKey, CryptoError, KeyMaterial, MacKey, generate_data_key_pair};
use kms_types::{EncryptionAlgorithm, KeySpec, MessageType, SigningAlgorithm};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::collections::BTreeSet;

const REFUSED: CryptoError = CryptoError::Refused;
const MESSAGE: &[u8; 64] = b"Sixty-four bytes long, so that it can be a raw, digest, or a mu.";

/// The digest that an algorithm hashes a raw message to; none for those that cannot take one instead.
fn digest(algorithm: SigningAlgorithm, message: &[u8]) -> Option<Vec<u8>> {
    use SigningAlgorithm as A;
    match algorithm {
        A::RsassaPssSha256 | A::RsassaPkcs1V15Sha256 | A::EcdsaSha256 => Some(Sha256::digest(message).to_vec()),
        A::RsassaPssSha384 | A::RsassaPkcs1V15Sha384 | A::EcdsaSha384 => Some(Sha384::digest(message).to_vec()),
        A::RsassaPssSha512 | A::RsassaPkcs1V15Sha512 | A::EcdsaSha512 => Some(Sha512::digest(message).to_vec()),
        A::Sm2Dsa | A::MlDsaShake256 | A::Ed25519Sha512 | A::Ed25519PhSha512 => None,
    }
}

/// Whether an algorithm goes with a message type (AWS KMS API Reference, Sign, `MessageType`).
fn goes_with(algorithm: SigningAlgorithm, message_type: MessageType) -> bool {
    match message_type {
        MessageType::Raw => algorithm != SigningAlgorithm::Ed25519PhSha512,
        MessageType::Digest => algorithm == SigningAlgorithm::Ed25519PhSha512 || digest(algorithm, MESSAGE).is_some(),
        MessageType::ExternalMu => algorithm == SigningAlgorithm::MlDsaShake256,
    }
}

#[test]
fn every_signature_verifies_and_no_other_message_key_or_algorithm_does() {
    let draws = Stream::new("signatures");
    for spec in asymmetric_specs() {
        let key = frozen_key(spec);
        let other =
            if rsa(spec) { None } else { AsymmetricKey::new(&KeyMaterial::generate(spec, &draws).unwrap()).ok() };
        for algorithm in spec.signing_algorithms().iter().copied() {
            let message_type = message_type(algorithm);
            let signature = key.sign(algorithm, message_type, MESSAGE, &draws).unwrap();
            let verify = |key: &AsymmetricKey, algorithm, message: &[u8]| {
                key.verify(algorithm, message_type, message, &signature)
            };
            assert_eq!(verify(&key, algorithm, MESSAGE), Ok(()), "{spec} {algorithm}");
            let mut altered = *MESSAGE;
            altered[63] ^= 1;
            assert_eq!(verify(&key, algorithm, &altered), Err(REFUSED), "{spec} {algorithm}");
            if let Some(other) = &other {
                assert_eq!(verify(other, algorithm, MESSAGE), Err(REFUSED), "{spec} {algorithm}");
            }
            for another in spec.signing_algorithms().iter().copied().filter(|a| *a != algorithm) {
                verify(&key, another, MESSAGE).unwrap_err();
            }
            assert_eq!(key.verify(algorithm, message_type, MESSAGE, b""), Err(REFUSED), "{spec} {algorithm}");
        }
    }
}

fn rsa(spec: KeySpec) -> bool {
    matches!(spec, KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096)
}

#[test]
fn message_and_its_digest_are_the_same_message() {
    let draws = Stream::new("digests");
    for spec in asymmetric_specs() {
        let key = frozen_key(spec);
        for algorithm in spec.signing_algorithms().iter().copied() {
            let Some(digest) = digest(algorithm, MESSAGE) else { continue };
            let of_message = key.sign(algorithm, MessageType::Raw, MESSAGE, &draws).unwrap();
            let of_digest = key.sign(algorithm, MessageType::Digest, &digest, &draws).unwrap();
            for signature in [of_message, of_digest] {
                assert_eq!(key.verify(algorithm, MessageType::Raw, MESSAGE, &signature), Ok(()), "{spec} {algorithm}");
                assert_eq!(key.verify(algorithm, MessageType::Digest, &digest, &signature), Ok(()));
                assert_eq!(key.verify(algorithm, MessageType::Raw, &digest, &signature), Err(REFUSED));
            }
        }
    }
}

#[test]
fn algorithm_or_message_type_of_another_key_is_unsupported() {
    let draws = Stream::new("unsupported");
    for spec in asymmetric_specs() {
        let key = frozen_key(spec);
        for algorithm in SigningAlgorithm::ALL {
            for message_type in MessageType::ALL {
                let supported = spec.signing_algorithms().contains(&algorithm) && goes_with(algorithm, message_type);
                let signed = key.sign(algorithm, message_type, MESSAGE, &draws);
                let verified = key.verify(algorithm, message_type, MESSAGE, b"no signature");
                let case = format!("{spec} {algorithm} {message_type}");
                if !supported {
                    assert!(matches!(signed, Err(CryptoError::UnsupportedAlgorithm(_))), "{case}: {signed:?}");
                    assert!(matches!(verified, Err(CryptoError::UnsupportedAlgorithm(_))), "{case}: {verified:?}");
                } else if message_type == MessageType::Digest && digest(algorithm, b"").is_some_and(|d| d.len() != 64) {
                    let length = CryptoError::Length { what: "a digest for this algorithm", found: 64 };
                    assert_eq!((signed, verified), (Err(length), Err(length)), "{case}");
                } else {
                    assert_eq!((signed.map(|_| ()), verified), (Ok(()), Err(REFUSED)), "{case}");
                }
            }
        }
        for algorithm in EncryptionAlgorithm::ALL {
            if !spec.encryption_algorithms().contains(&algorithm) {
                let unsupported = CryptoError::UnsupportedAlgorithm(algorithm.as_str());
                assert_eq!(key.encrypt(algorithm, b"x", &draws), Err(unsupported), "{spec}");
                assert_eq!(key.decrypt(algorithm, b"x"), Err(unsupported), "{spec}");
            }
        }
        if spec.key_agreement_algorithms().is_empty() {
            let peer = frozen_key(KeySpec::EccNistP256);
            let unsupported = CryptoError::UnsupportedAlgorithm("ECDH");
            assert_eq!(key.derive_shared_secret(peer.public_key_der()), Err(unsupported), "{spec}");
        }
        if spec.encapsulation_algorithms().is_empty() {
            let unsupported = CryptoError::UnsupportedAlgorithm("ML_KEM");
            assert_eq!(key.encapsulate(&draws).unwrap_err(), unsupported, "{spec}");
            assert_eq!(key.decapsulate(&[0; 768]), Err(unsupported), "{spec}");
        }
    }
}

#[test]
fn digest_or_mu_of_another_length_is_told() {
    for (spec, algorithm, message_type) in [
        (KeySpec::Rsa2048, SigningAlgorithm::RsassaPssSha384, MessageType::Digest),
        (KeySpec::EccNistP256, SigningAlgorithm::EcdsaSha256, MessageType::Digest),
        (KeySpec::EccNistEdwards25519, SigningAlgorithm::Ed25519PhSha512, MessageType::Digest),
        (KeySpec::MlDsa65, SigningAlgorithm::MlDsaShake256, MessageType::ExternalMu),
    ] {
        let key = frozen_key(spec);
        for found in [0, 31, 47, 63, 65] {
            let signed = key.sign(algorithm, message_type, &vec![7; found], &Stream::new("length"));
            let verified = key.verify(algorithm, message_type, &vec![7; found], b"");
            for error in [signed.unwrap_err(), verified.unwrap_err()] {
                assert!(matches!(error, CryptoError::Length { found: f, .. } if f == found), "{spec} {found}: {error}");
            }
        }
    }
}

#[test]
fn rsa_encrypts_up_to_the_documented_length() {
    // AWS KMS API Reference, Encrypt.
    let draws = Stream::new("oaep");
    for (spec, algorithm, longest) in [
        (KeySpec::Rsa2048, EncryptionAlgorithm::RsaesOaepSha1, 214),
        (KeySpec::Rsa2048, EncryptionAlgorithm::RsaesOaepSha256, 190),
        (KeySpec::Rsa3072, EncryptionAlgorithm::RsaesOaepSha1, 342),
        (KeySpec::Rsa3072, EncryptionAlgorithm::RsaesOaepSha256, 318),
        (KeySpec::Rsa4096, EncryptionAlgorithm::RsaesOaepSha1, 470),
        (KeySpec::Rsa4096, EncryptionAlgorithm::RsaesOaepSha256, 446),
    ] {
        let key = frozen_key(spec);
        for length in [0, 1, longest] {
            let plaintext = vec![0xa5; length];
            let ciphertext = key.encrypt(algorithm, &plaintext, &draws).unwrap();
            assert_ne!(ciphertext, key.encrypt(algorithm, &plaintext, &draws).unwrap());
            assert_eq!(*key.decrypt(algorithm, &ciphertext).unwrap(), plaintext, "{spec} {algorithm} {length}");
            let swapped = match algorithm {
                EncryptionAlgorithm::RsaesOaepSha1 => EncryptionAlgorithm::RsaesOaepSha256,
                _ => EncryptionAlgorithm::RsaesOaepSha1,
            };
            assert_eq!(key.decrypt(swapped, &ciphertext), Err(REFUSED));
        }
        let too_long = key.encrypt(algorithm, &vec![0; longest + 1], &draws).unwrap_err();
        let expected = CryptoError::Length { what: "a plaintext for this key and algorithm", found: longest + 1 };
        assert_eq!(too_long, expected, "{spec} {algorithm}");
    }
}

#[test]
fn both_sides_agree_on_a_secret_of_the_curve_s_length() {
    for (spec, bytes) in [(KeySpec::EccNistP256, 32), (KeySpec::EccNistP384, 48), (KeySpec::EccNistP521, 66)] {
        let ours = frozen_key(spec);
        let theirs = AsymmetricKey::new(&KeyMaterial::generate(spec, &Stream::new("peer")).unwrap()).unwrap();
        let secret = ours.derive_shared_secret(theirs.public_key_der()).unwrap();
        assert_eq!(secret, theirs.derive_shared_secret(ours.public_key_der()).unwrap());
        assert_eq!(secret.len(), bytes);
    }
}

#[test]
fn peer_of_another_kind_or_form_is_malformed() {
    let malformed = Err(CryptoError::Malformed("public key of this key's curve"));
    let key = frozen_key(KeySpec::EccNistP256);
    for spec in asymmetric_specs().filter(|spec| *spec != KeySpec::EccNistP256) {
        assert_eq!(key.derive_shared_secret(frozen_key(spec).public_key_der()), malformed, "{spec}");
    }
    let peer = frozen_key(KeySpec::EccNistP256).public_key_der().to_vec();
    key.derive_shared_secret(&peer).unwrap();
    // The bare point, as X9.62 has it, is what the last 65 bytes are.
    for bytes in [&peer[peer.len() - 65..], &[peer.as_slice(), &[0]].concat(), &peer[..peer.len() - 1], b""] {
        assert_eq!(key.derive_shared_secret(bytes), malformed);
    }
    let mut off_curve = peer.clone();
    *off_curve.last_mut().unwrap() ^= 1;
    assert_eq!(key.derive_shared_secret(&off_curve), malformed);
}

#[test]
fn encapsulated_secret_is_decapsulated_and_an_altered_one_is_another() {
    let draws = Stream::new("encapsulation");
    for (spec, bytes) in [(KeySpec::MlKem512, 768), (KeySpec::MlKem768, 1088), (KeySpec::MlKem1024, 1568)] {
        let key = frozen_key(spec);
        let (ciphertext, secret) = key.encapsulate(&draws).unwrap();
        let (again, other) = key.encapsulate(&draws).unwrap();
        assert_eq!((ciphertext.len(), secret.len()), (bytes, 32));
        assert!(ciphertext != again && secret != other);
        assert_eq!(key.decapsulate(&ciphertext).unwrap(), secret);
        let mut altered = ciphertext.clone();
        altered[bytes / 2] ^= 1;
        let rejected = key.decapsulate(&altered).unwrap();
        assert_ne!(rejected, secret);
        assert_eq!(rejected, key.decapsulate(&altered).unwrap());
        for found in [0, bytes - 1, bytes + 1] {
            let length = CryptoError::Length { what: "an ML-KEM ciphertext of this key", found };
            assert_eq!(key.decapsulate(&vec![0; found]), Err(length));
        }
    }
}

#[test]
fn macs_have_the_length_of_their_hash_and_prefixes_are_refused() {
    for (spec, bytes) in
        [(KeySpec::Hmac224, 28), (KeySpec::Hmac256, 32), (KeySpec::Hmac384, 48), (KeySpec::Hmac512, 64)]
    {
        let key = MacKey::new(&frozen_material(spec)).unwrap();
        assert_eq!(&[key.algorithm()], spec.mac_algorithms());
        let mac = key.generate(MESSAGE);
        assert_eq!(mac.len(), bytes);
        assert_eq!(key.verify(MESSAGE, &mac), Ok(()));
        assert_eq!(key.verify(MESSAGE, &mac[..bytes - 1]), Err(REFUSED));
        assert_eq!(key.verify(&MESSAGE[1..], &mac), Err(REFUSED));
    }
}

#[test]
fn keys_of_other_kinds_are_not_made() {
    for spec in specs() {
        let material = frozen_material(spec);
        let unsupported = CryptoError::UnsupportedSpec(spec);
        if spec.mac_algorithms().is_empty() {
            assert_eq!(MacKey::new(&material).unwrap_err(), unsupported);
        }
        if !spec.is_asymmetric() {
            assert_eq!(AsymmetricKey::new(&material).unwrap_err(), unsupported);
        }
    }
}

#[test]
fn data_key_pairs_are_those_of_aws() {
    // `DataKeyPairSpec` of the API model without SM2. The two larger RSA sizes would only take time.
    let offered = BTreeSet::from([
        KeySpec::Rsa2048,
        KeySpec::EccNistP256,
        KeySpec::EccNistP384,
        KeySpec::EccNistP521,
        KeySpec::EccSecgP256k1,
        KeySpec::EccNistEdwards25519,
        KeySpec::MlKem512,
        KeySpec::MlKem768,
        KeySpec::MlKem1024,
    ]);
    let draws = Stream::new("pairs");
    for spec in KeySpec::ALL.into_iter().filter(|spec| !matches!(spec, KeySpec::Rsa3072 | KeySpec::Rsa4096)) {
        let pair = generate_data_key_pair(spec, &draws);
        if !offered.contains(&spec) {
            assert_eq!(pair.unwrap_err(), CryptoError::UnsupportedSpec(spec));
            continue;
        }
        let pair = pair.unwrap();
        // Where the private key can be imported, it has the public key that came with it.
        match KeyMaterial::import(spec, &pair.private_key_der) {
            Ok(material) => assert_eq!(AsymmetricKey::new(&material).unwrap().public_key_der(), pair.public_key_der),
            Err(error) => assert_eq!(error, CryptoError::UnsupportedSpec(spec)),
        }
        if !spec.encapsulation_algorithms().is_empty() {
            // RFC 9935 §6: the seed form has the same length for all parameter sets.
            assert_eq!(pair.private_key_der.len(), 86);
        }
    }
}

#[test]
fn one_key_serves_many_threads() {
    for spec in [KeySpec::Rsa2048, KeySpec::EccNistP384, KeySpec::EccNistEdwards25519, KeySpec::MlDsa44] {
        let (key, draws) = (frozen_key(spec), Stream::new("threads"));
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let (key, draws) = (&key, &draws);
                scope.spawn(move || {
                    for algorithm in spec.signing_algorithms() {
                        let message = [[thread; 64]; 1].concat();
                        let message_type = message_type(*algorithm);
                        let signature = key.sign(*algorithm, message_type, &message, draws).unwrap();
                        assert_eq!(key.verify(*algorithm, message_type, &message, &signature), Ok(()));
                    }
                });
            }
        });
    }
}
