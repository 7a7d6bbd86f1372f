//! Which documents are believed, and which are not.
#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test")]

use ciborium::Value;
use kms_attestation::{Attestation, AttestationError, AttestationVerifier, DOCUMENT_AGE_MAX, Platform, TrustRoots};
use kms_enclave_sim::{ChainPlan, Draft, Enclave, NitroSystem};
use kms_types::Timestamp;
use std::sync::LazyLock;
use std::time::Duration;

/// 2026-11-28T12:00:00Z.
const NOW: u64 = 1_795_867_200_000;

static GOOD: LazyLock<(NitroSystem, Enclave)> = LazyLock::new(|| (NitroSystem::new(), Enclave::new(0xa0)));

fn verifier(system: &NitroSystem) -> AttestationVerifier {
    AttestationVerifier::new(TrustRoots::aws().unwrap().with_pem(system.root_pem().as_bytes()).unwrap())
}

fn verify(system: &NitroSystem, document: &[u8]) -> Result<Attestation, AttestationError> {
    verifier(system).verify(document, Timestamp::from_millis(NOW))
}

/// What becomes of a good document after a change.
fn changed(change: impl FnOnce(Draft) -> Draft) -> Option<AttestationError> {
    let (system, enclave) = &*GOOD;
    verify(system, &system.sign(&change(enclave.draft(system, NOW)).payload())).err()
}

fn chained(plan: &ChainPlan) -> Option<AttestationError> {
    let system = NitroSystem::with(plan);
    verify(&system, &GOOD.1.document(&system, NOW)).err()
}

fn field(name: &'static str) -> Option<AttestationError> {
    Some(AttestationError::Field(name))
}

#[test]
fn a_good_document_says_what_runs_in_the_enclave() {
    let (system, enclave) = (NitroSystem::new(), Enclave::new(0xa0));
    let attestation = verify(&system, &enclave.document(&system, NOW)).unwrap();
    assert_eq!((attestation.module_id(), attestation.platform()), (enclave.module_id.as_str(), Platform::Enclave));
    assert_eq!(attestation.public_key(), enclave.public_key());
    assert_eq!(attestation.register(3), Some("a3".repeat(48)));
    assert_eq!(attestation.register(9), None);
    let measured = attestation.measurements();
    let names: Vec<&str> = measured.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ImageSha384", "PCR0", "PCR1", "PCR2", "PCR3", "PCR4", "PCR8"]);
    assert_eq!((&measured[0].1, &measured[1].1), (&"a0".repeat(48), &"a0".repeat(48)));
}

#[test]
fn a_document_of_an_instance_has_registers_of_another_name() {
    let (system, instance) = (NitroSystem::new(), Enclave::tpm(0x10));
    let attestation = verify(&system, &instance.document(&system, NOW)).unwrap();
    assert_eq!(attestation.platform(), Platform::NitroTpm);
    let measured = attestation.measurements();
    assert_eq!(measured[0], ("NitroTPMPCR4".to_owned(), "14".repeat(48)));
    assert!(measured.iter().all(|(name, _)| name.starts_with("NitroTPMPCR")), "{measured:?}");
}

#[test]
fn the_tag_of_the_envelope_may_be_left_out() {
    let (system, enclave) = (NitroSystem::new(), Enclave::new(1));
    let payload = enclave.draft(&system, NOW).payload();
    let untagged = bytes(&system.sign1(&[0xa1, 0x01, 0x38, 0x22], &payload));
    verify(&system, &untagged).unwrap();
    let other_tag = bytes(&Value::Tag(17, Box::new(system.sign1(&[0xa1, 0x01, 0x38, 0x22], &payload))));
    assert_eq!(verify(&system, &other_tag), Err(AttestationError::Structure));
}

#[test]
fn only_es384_is_a_signature() {
    let (system, enclave) = (NitroSystem::new(), Enclave::new(1));
    let payload = enclave.draft(&system, NOW).payload();
    // ES256, ES384 with a second parameter, no parameter, no map.
    for protected in [&[0xa1, 0x01, 0x26][..], &[0xa2, 0x01, 0x38, 0x22, 0x02, 0x80], &[0xa0], &[0x01]] {
        let document = bytes(&system.sign1(protected, &payload));
        assert_eq!(verify(&system, &document), Err(AttestationError::Algorithm), "{protected:02x?}");
    }
    let document = bytes(&system.sign1(&[], &payload));
    assert_eq!(verify(&system, &document), Err(AttestationError::Cbor("its protected header")));
}

#[test]
fn what_is_no_envelope_is_refused() {
    let system = NitroSystem::new();
    let good = Enclave::new(1).document(&system, NOW);
    assert_eq!(verify(&system, b""), Err(AttestationError::Length));
    assert_eq!(verify(&system, &vec![0; 262_145]), Err(AttestationError::Length));
    assert_eq!(verify(&system, &[&good[..], &[0]].concat()), Err(AttestationError::Cbor("it")));
    assert_eq!(verify(&system, &good[..good.len() - 1]), Err(AttestationError::Cbor("it")));
    assert_eq!(verify(&system, &[0x80]), Err(AttestationError::Structure));
    // Nested as deep as fits: an error, and no end of the stack.
    assert_eq!(verify(&system, &[0x81; 262_144]), Err(AttestationError::Cbor("it")));
    // Lengths of 2^64 - 1.
    for start in [0x5b, 0x7b, 0x9b, 0xbb] {
        assert_eq!(verify(&system, &[[start; 1].as_slice(), &[0xff; 8]].concat()), Err(AttestationError::Cbor("it")));
    }
}

#[test]
fn every_field_is_as_documented() {
    let text = |text: &str| Value::Text(text.to_owned());
    let registers = |number: u64, length| Value::Map(vec![(number.into(), Value::Bytes(vec![0; length]))]);
    for name in ["module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle", "public_key"] {
        assert_eq!(changed(|d| d.without(name)), field(name), "{name} is left out");
        assert_eq!(changed(|d| d.with(name, Value::Null)), field(name), "{name} is null");
        assert_eq!(changed(|d| d.with(name, Value::Bool(true))), field(name), "{name} is of another type");
    }
    assert_eq!(changed(|d| d.with("module_id", text(""))), field("module_id"));
    assert_eq!(changed(|d| d.with("digest", text("SHA256"))), field("digest"));
    assert_eq!(changed(|d| d.with("timestamp", 0.into())), field("timestamp"));
    assert_eq!(changed(|d| d.with("timestamp", (-1).into())), field("timestamp"));
    for pcrs in [registers(32, 48), registers(0, 47), registers(0, 0), Value::Map(Vec::new()), Value::Array(vec![])] {
        assert_eq!(changed(|d| d.with("pcrs", pcrs.clone())), field("pcrs"), "{pcrs:?}");
    }
    let twice = Value::Map(vec![(0.into(), Value::Bytes(vec![0; 48])), (0.into(), Value::Bytes(vec![1; 48]))]);
    assert_eq!(changed(|d| d.with("pcrs", twice)), field("pcrs"));
    assert_eq!(changed(|d| d.with("nitrotpm_pcrs", registers(4, 48))), field("pcrs"), "both kinds of registers");
    let tpm = |number| changed(|d| d.without("pcrs").with("nitrotpm_pcrs", registers(number, 48)));
    assert_eq!((tpm(23), tpm(24)), (None, field("nitrotpm_pcrs")));
    assert_eq!(changed(|d| d.with("cabundle", Value::Array(Vec::new()))), field("cabundle"));
    assert_eq!(changed(|d| d.with("certificate", Value::Bytes(vec![0; 1025]))), field("certificate"));
    assert_eq!(changed(|d| d.with("public_key", Value::Bytes(Vec::new()))), field("public_key"));
    assert_eq!(changed(|d| d.with("nonce", Value::Bytes(vec![0; 1024]))), None);
    assert_eq!(changed(|d| d.with("nonce", Value::Bytes(vec![0; 1025]))), field("nonce"));
    assert_eq!(changed(|d| d.with("user_data", text("a"))), field("user_data"));
    assert_eq!(changed(|d| d.with("extra", Value::Null)), Some(AttestationError::UnknownField));
    let module_twice = |mut d: Draft| {
        d.0.push(d.0[0].clone());
        d
    };
    assert_eq!(changed(module_twice), field("module_id"));
}

#[test]
fn a_root_that_is_not_trusted_is_refused() {
    let (ours, theirs) = (NitroSystem::new(), NitroSystem::new());
    let document = Enclave::new(1).document(&theirs, NOW);
    assert_eq!(verify(&ours, &document), Err(AttestationError::UntrustedRoot));
    // Our root in their bundle does not help: their certificates do not lead to it.
    let bundle = [&ours.bundle()[..1], &theirs.bundle()[1..]].concat();
    let bundle = Value::Array(bundle.into_iter().map(Value::Bytes).collect());
    let payload = Enclave::new(1).draft(&theirs, NOW).with("cabundle", bundle).payload();
    assert_eq!(verify(&ours, &theirs.sign(&payload)), Err(AttestationError::Chain));
}

#[test]
fn a_document_that_somebody_else_signed_is_refused() {
    let (ours, theirs) = (NitroSystem::new(), NitroSystem::new());
    let payload = Enclave::new(1).draft(&ours, NOW).payload();
    assert_eq!(verify(&ours, &theirs.sign(&payload)), Err(AttestationError::Signature));
}

#[test]
fn certificates_count_only_in_their_time() {
    let seconds = i64::try_from(NOW / 1000).unwrap();
    let (past, future) = ((seconds - 100, seconds - 1), (seconds + 1, seconds + 100));
    for valid in [past, future] {
        assert_eq!(chained(&ChainPlan { root_valid: valid, ..Default::default() }), Some(AttestationError::Expired));
        assert_eq!(chained(&ChainPlan { leaf_valid: valid, ..Default::default() }), Some(AttestationError::Expired));
    }
    let edges = (seconds, seconds);
    assert_eq!(chained(&ChainPlan { root_valid: edges, leaf_valid: edges, ..Default::default() }), None);
}

#[test]
fn certificates_count_only_for_what_they_may_be_used() {
    let refused = Some(AttestationError::Chain);
    let good = ChainPlan::default();
    assert_eq!(chained(&ChainPlan { authorities_may_sign_certificates: false, ..good }), refused);
    assert_eq!(chained(&ChainPlan { leaf_may_sign: false, ..good }), refused);
    assert_eq!(chained(&ChainPlan { leaf_is_authority: true, ..good }), refused);
    assert_eq!(chained(&ChainPlan { root_path_length: Some(2), ..good }), refused);
    assert_eq!(chained(&ChainPlan { root_path_length: Some(3), ..good }), None);
    assert_eq!(chained(&ChainPlan { authorities: 0, ..good }), None);
    // A chain with a link left out.
    let system = NitroSystem::new();
    let bundle = Value::Array(system.bundle()[..3].iter().cloned().map(Value::Bytes).collect());
    let payload = Enclave::new(1).draft(&system, NOW).with("cabundle", bundle).payload();
    assert_eq!(verify(&system, &system.sign(&payload)).err(), refused);
}

#[test]
fn a_document_counts_for_five_minutes() {
    let (system, enclave) = (NitroSystem::new(), Enclave::new(1));
    let document = enclave.document(&system, NOW);
    let verifier = verifier(&system);
    let at = |millis| verifier.verify(&document, Timestamp::from_millis(millis)).err();
    let age = u64::try_from(DOCUMENT_AGE_MAX.as_millis()).unwrap();
    assert_eq!(DOCUMENT_AGE_MAX, Duration::from_secs(300));
    assert_eq!((at(NOW + age), at(NOW + age + 1)), (None, Some(AttestationError::TooOld)));
    assert_eq!((at(NOW - age), at(NOW - age - 1)), (None, Some(AttestationError::FromTheFuture)));
}

fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}
