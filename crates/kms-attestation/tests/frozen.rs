//! Documents that other software made, as they were made.
#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read fails the test")]

use aws_lc_rs::digest::{SHA256, digest};
use kms_attestation::{AttestationError, AttestationVerifier, Platform, TrustRoots};
use kms_types::Timestamp;

const ROOT: &[u8] = include_bytes!("../../../tests/vectors/attestation/root.pem");
const ENCLAVE: &str = include_str!("../../../tests/vectors/attestation/enclave-v1.hex");
const NITRO_TPM: &str = include_str!("../../../tests/vectors/attestation/nitro-tpm-v1.hex");
const MADE: u64 = 1_795_903_151_667;
/// SHA-256 of the recipient's public key.
const KEY: &str = "beac33742d92d9c393dfded51b3453c2a475d518b63371c9ad3c4d6071f12dd9";

fn verifier() -> AttestationVerifier {
    AttestationVerifier::new(TrustRoots::default().with_pem(ROOT).unwrap())
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text.split_whitespace().collect::<String>()).unwrap()
}

#[test]
fn a_frozen_document_of_an_enclave_is_read_for_ever() {
    let attestation = verifier().verify(&bytes(ENCLAVE), Timestamp::from_millis(MADE)).unwrap();
    assert_eq!(attestation.platform(), Platform::Enclave);
    assert_eq!(attestation.module_id(), "i-0123456789abcdef0-enc0123456789abcdef");
    assert_eq!(hex::encode(digest(&SHA256, attestation.public_key())), KEY);
    let registers = [0, 1, 2, 3, 4, 8].map(|number: u8| (number, vec![0xa0 + number; 48]));
    assert_eq!(*attestation.registers(), registers.into());
}

#[test]
fn a_frozen_document_of_an_instance_is_read_for_ever() {
    let attestation = verifier().verify(&bytes(NITRO_TPM), Timestamp::from_millis(MADE)).unwrap();
    assert_eq!(attestation.platform(), Platform::NitroTpm);
    let registers = [(4, vec![0x44; 48]), (7, vec![0x77; 48]), (23, vec![0x23; 48])];
    assert_eq!(*attestation.registers(), registers.into());
}

#[test]
fn its_time_is_over() {
    let later = |millis| verifier().verify(&bytes(ENCLAVE), Timestamp::from_millis(MADE + millis));
    assert_eq!(later(300_001), Err(AttestationError::TooOld));
    // The certificate that signed it was valid for three hours.
    assert_eq!(later(3 * 3_600_000 + 1_000), Err(AttestationError::Expired));
}
