//! Writing the algorithms that go with a key.

use crate::json::Object;
use kms_types::{
    EncapsulationAlgorithm, EncryptionAlgorithm, KeyAgreementAlgorithm, KeySpec, KeyUsage, MacAlgorithm,
    SigningAlgorithm,
};

/// Writes the one list that the key's usage calls for.
pub(super) fn write(object: &mut Object<'_>, spec: KeySpec, usage: KeyUsage) {
    match usage {
        KeyUsage::EncryptDecrypt => {
            let names = spec.encryption_algorithms().iter().copied().map(EncryptionAlgorithm::as_str);
            object.texts("EncryptionAlgorithms", names);
        }
        KeyUsage::SignVerify => {
            let names = spec.signing_algorithms().iter().copied().map(SigningAlgorithm::as_str);
            object.texts("SigningAlgorithms", names);
        }
        KeyUsage::GenerateVerifyMac => {
            let names = spec.mac_algorithms().iter().copied().map(MacAlgorithm::as_str);
            object.texts("MacAlgorithms", names);
        }
        KeyUsage::KeyAgreement => {
            let names = spec.key_agreement_algorithms().iter().copied().map(KeyAgreementAlgorithm::as_str);
            object.texts("KeyAgreementAlgorithms", names);
        }
        KeyUsage::EncapsulateDecapsulate => {
            let names = spec.encapsulation_algorithms().iter().copied().map(EncapsulationAlgorithm::as_str);
            object.texts("EncapsulationAlgorithms", names);
        }
    }
}
