//! Answers for attested recipients on the wire, and what their records show.

use super::kinds::{create, names};
use super::region::{MemoryAudit, attested_api};
use super::walk::{fails, ok};
use crate::sigv4::tests::NOW;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kms_enclave_sim::{Enclave, NitroSystem};
use serde_json::{Value, json};
use std::sync::Arc;

fn recipient(document: &[u8]) -> Value {
    json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": STANDARD.encode(document)})
}

fn opened(enclave: &Enclave, answer: &Value) -> Vec<u8> {
    enclave.open(&STANDARD.decode(answer["CiphertextForRecipient"].as_str().unwrap()).unwrap())
}

#[tokio::test]
async fn an_answer_for_an_enclave_has_no_member_in_plaintext() {
    let (system, enclave) = (NitroSystem::new(), Enclave::new(0xa0));
    let api = attested_api(system.root_pem(), Arc::default());
    let recipient = recipient(&enclave.document(&system, NOW));
    let key = create(&api, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT").await;
    let agreement = create(&api, "ECC_NIST_P256", "KEY_AGREEMENT").await;
    let peer = ok(&api, "GetPublicKey", json!({"KeyId": agreement["KeyId"]})).await["PublicKey"].clone();

    let made = json!({"KeyId": key["KeyId"], "KeySpec": "AES_256", "Recipient": recipient});
    let made = ok(&api, "GenerateDataKey", made).await;
    assert_eq!(names(&made), ["CiphertextBlob", "CiphertextForRecipient", "KeyId"]);
    let plain = ok(&api, "Decrypt", json!({"CiphertextBlob": made["CiphertextBlob"]})).await;
    assert_eq!(STANDARD.encode(opened(&enclave, &made)), plain["Plaintext"].as_str().unwrap());

    let decrypted = json!({"CiphertextBlob": made["CiphertextBlob"], "Recipient": recipient});
    let decrypted = ok(&api, "Decrypt", decrypted).await;
    assert_eq!(names(&decrypted), ["CiphertextForRecipient", "EncryptionAlgorithm", "KeyId"]);
    assert_eq!(opened(&enclave, &decrypted), opened(&enclave, &made));

    let pair = json!({"KeyId": key["KeyId"], "KeyPairSpec": "ECC_NIST_P256", "Recipient": recipient});
    let pair = ok(&api, "GenerateDataKeyPair", pair).await;
    let expected =
        ["CiphertextForRecipient", "KeyId", "KeyMaterialId", "KeyPairSpec", "PrivateKeyCiphertextBlob", "PublicKey"];
    assert_eq!(names(&pair), expected);
    assert_eq!(opened(&enclave, &pair)[0], 0x30);

    let random = ok(&api, "GenerateRandom", json!({"NumberOfBytes": 1024, "Recipient": recipient})).await;
    assert_eq!((names(&random), opened(&enclave, &random).len()), (vec!["CiphertextForRecipient"], 1024));

    let derived = json!({"KeyId": agreement["KeyId"], "KeyAgreementAlgorithm": "ECDH", "PublicKey": peer});
    let plain = ok(&api, "DeriveSharedSecret", derived.clone()).await;
    let mut attested = derived;
    attested["Recipient"] = recipient;
    let derived = ok(&api, "DeriveSharedSecret", attested).await;
    assert_eq!(names(&derived), ["CiphertextForRecipient", "KeyAgreementAlgorithm", "KeyId", "KeyOrigin"]);
    assert_eq!(STANDARD.encode(opened(&enclave, &derived)), plain["SharedSecret"].as_str().unwrap());
}

#[tokio::test]
async fn half_a_recipient_is_refused() {
    let (system, enclave) = (NitroSystem::new(), Enclave::new(1));
    let api = attested_api(system.root_pem(), Arc::default());
    let whole = recipient(&enclave.document(&system, NOW));
    for name in ["KeyEncryptionAlgorithm", "AttestationDocument"] {
        let mut half = whole.clone();
        half.as_object_mut().unwrap().remove(name);
        let text = "Recipient must have a KeyEncryptionAlgorithm and an AttestationDocument.";
        let refused =
            fails(&api, "GenerateRandom", json!({"NumberOfBytes": 1, "Recipient": half}), "ValidationException");
        assert_eq!(refused.await["message"], text, "{name}");
    }
    let mut other = whole;
    other["KeyEncryptionAlgorithm"] = json!("RSAES_OAEP_SHA_1");
    let refused = fails(&api, "GenerateRandom", json!({"NumberOfBytes": 1, "Recipient": other}), "ValidationException");
    let text = "1 validation error detected: Value 'RSAES_OAEP_SHA_1' at 'recipient.keyEncryptionAlgorithm' failed to \
                satisfy constraint: Member must satisfy enum value set: [RSAES_OAEP_SHA_256]";
    assert_eq!(refused.await["message"], text);
    // Null is absent, as everywhere.
    assert!(ok(&api, "GenerateRandom", json!({"NumberOfBytes": 1, "Recipient": null})).await["Plaintext"].is_string());
}

#[tokio::test]
async fn the_record_shows_the_measurements_and_not_the_document() {
    let (system, enclave) = (NitroSystem::new(), Enclave::new(0xa0));
    let audit = Arc::new(MemoryAudit::default());
    let api = attested_api(system.root_pem(), Arc::clone(&audit));
    let document = enclave.document(&system, NOW);
    ok(&api, "GenerateRandom", json!({"NumberOfBytes": 1, "Recipient": recipient(&document)})).await;
    let mut altered = document.clone();
    *altered.last_mut().unwrap() ^= 1;
    let refused = json!({"NumberOfBytes": 1, "Recipient": recipient(&altered)});
    let refused = fails(&api, "GenerateRandom", refused, "ValidationException").await;
    let text = "The attestation document in the request is not valid: its signature is not valid.";
    assert_eq!(refused["message"], text);

    let lines = audit.lines.lock().unwrap().clone();
    let [done, refused] = lines.as_slice() else { unreachable!("two records: {lines:?}") };
    for part in [
        "attestationDocumentModuleId",
        &enclave.module_id,
        "attestationDocumentEnclaveImageDigest",
        &enclave.register(0),
        "attestationDocumentEnclavePCR8",
        &enclave.register(8),
    ] {
        assert!(done.contains(part), "{part}: {done}");
        assert!(!refused.contains(part), "{part}: {refused}");
    }
    for line in &lines {
        assert!(!line.contains(&STANDARD.encode(&document)[..40]) && !line.contains("eyEncryptionAlgorithm"), "{line}");
    }
}
