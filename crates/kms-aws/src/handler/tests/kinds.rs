//! Keys of every kind, as a client sees them.

use super::walk::{fails, ok};
use super::{Api, api};
use serde_json::{Value, json};

/// A new key, as CreateKey describes it.
pub(super) async fn create(api: &Api, spec: &str, usage: &str) -> Value {
    ok(api, "CreateKey", json!({"KeySpec": spec, "KeyUsage": usage})).await["KeyMetadata"].clone()
}

/// The members of an object that is not to have others.
pub(super) fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn base64_length(value: &Value) -> usize {
    let text = value.as_str().unwrap();
    text.len() / 4 * 3 - text.bytes().rev().take_while(|c| *c == b'=').count()
}

#[tokio::test]
async fn metadata_lists_the_algorithms_of_the_usage_alone() {
    let api = api();
    let rsa_signing = json!([
        "RSASSA_PKCS1_V1_5_SHA_256",
        "RSASSA_PKCS1_V1_5_SHA_384",
        "RSASSA_PKCS1_V1_5_SHA_512",
        "RSASSA_PSS_SHA_256",
        "RSASSA_PSS_SHA_384",
        "RSASSA_PSS_SHA_512",
    ]);
    for (spec, usage, member, algorithms) in [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", json!(["SYMMETRIC_DEFAULT"])),
        ("RSA_2048", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", json!(["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])),
        ("RSA_2048", "SIGN_VERIFY", "SigningAlgorithms", rsa_signing),
        ("ECC_NIST_P384", "SIGN_VERIFY", "SigningAlgorithms", json!(["ECDSA_SHA_384"])),
        ("ECC_NIST_P384", "KEY_AGREEMENT", "KeyAgreementAlgorithms", json!(["ECDH"])),
        ("HMAC_512", "GENERATE_VERIFY_MAC", "MacAlgorithms", json!(["HMAC_SHA_512"])),
        ("ML_DSA_65", "SIGN_VERIFY", "SigningAlgorithms", json!(["ML_DSA_SHAKE_256"])),
        ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE", "EncapsulationAlgorithms", json!(["ML_KEM"])),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "SigningAlgorithms", json!(["ED25519_SHA_512", "ED25519_PH_SHA_512"])),
    ] {
        let metadata = create(&api, spec, usage).await;
        let lists: Vec<&str> = names(&metadata).into_iter().filter(|name| name.ends_with("Algorithms")).collect();
        assert_eq!((lists, &metadata[member]), (vec![member], &algorithms));
        assert_eq!((&metadata["KeySpec"], &metadata["KeyUsage"]), (&json!(spec), &json!(usage)));
        // The deprecated member knows no newer specs, and other keys than symmetric ones show no material.
        let is_new = spec.starts_with("ML_") || spec == "ECC_NIST_EDWARDS25519";
        assert_eq!(metadata.get("CustomerMasterKeySpec"), (!is_new).then(|| &metadata["KeySpec"]));
        assert_eq!(metadata.get("CurrentKeyMaterialId").is_some(), spec == "SYMMETRIC_DEFAULT");
    }
}

#[tokio::test]
async fn key_that_waits_for_its_import_says_so() {
    let api = api();
    let created = ok(&api, "CreateKey", json!({"Origin": "EXTERNAL"})).await["KeyMetadata"].clone();
    assert_eq!((&created["KeyState"], &created["Enabled"]), (&json!("PendingImport"), &json!(false)));
    assert_eq!(created["Origin"], "EXTERNAL");
    for absent in ["CurrentKeyMaterialId", "ExpirationModel", "ValidTo"] {
        assert!(created.get(absent).is_none(), "{absent}");
    }
    let request = json!({"KeyId": created["KeyId"], "Plaintext": "AA=="});
    let refused = fails(&api, "Encrypt", request, "KMSInvalidStateException").await;
    assert_eq!(refused["message"], format!("{} is pending import.", created["Arn"].as_str().unwrap()));
}

#[tokio::test]
async fn signature_is_valid_or_an_error_without_a_message() {
    let api = api();
    let key = create(&api, "ECC_NIST_P256", "SIGN_VERIFY").await;
    let (key_id, arn) = (&key["KeyId"], &key["Arn"]);
    let request = json!({"KeyId": key_id, "Message": "aGVsbG8=", "SigningAlgorithm": "ECDSA_SHA_256"});
    let signed = ok(&api, "Sign", request.clone()).await;
    assert_eq!(names(&signed), ["KeyId", "Signature", "SigningAlgorithm"]);
    assert_eq!((&signed["KeyId"], &signed["SigningAlgorithm"]), (arn, &json!("ECDSA_SHA_256")));
    let mut verify = request;
    verify["Signature"] = signed["Signature"].clone();
    let expected = json!({"KeyId": arn, "SignatureValid": true, "SigningAlgorithm": "ECDSA_SHA_256"});
    assert_eq!(ok(&api, "Verify", verify.clone()).await, expected);
    verify["Message"] = json!("aGVsbG9v");
    let refused = fails(&api, "Verify", verify.clone(), "KMSInvalidSignatureException").await;
    assert_eq!(refused, json!({"__type": "KMSInvalidSignatureException"}));
    verify["MessageType"] = json!("DIGEST");
    let refused = fails(&api, "Verify", verify, "ValidationException").await;
    assert_eq!(refused["message"], "Digest is invalid length for algorithm ECDSA_SHA_256.");
}

#[tokio::test]
async fn public_key_comes_with_what_it_is_for() {
    let api = api();
    let key = create(&api, "ECC_NIST_P256", "KEY_AGREEMENT").await;
    let answer = ok(&api, "GetPublicKey", json!({"KeyId": key["KeyId"]})).await;
    let expected = json!({
        "KeyId": key["Arn"],
        "PublicKey": answer["PublicKey"],
        "CustomerMasterKeySpec": "ECC_NIST_P256",
        "KeySpec": "ECC_NIST_P256",
        "KeyUsage": "KEY_AGREEMENT",
        "KeyAgreementAlgorithms": ["ECDH"],
    });
    assert_eq!(answer, expected);
    assert_eq!(base64_length(&answer["PublicKey"]), 91);
    let symmetric = create(&api, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT").await;
    let request = json!({"KeyId": symmetric["KeyId"]});
    fails(&api, "GetPublicKey", request, "UnsupportedOperationException").await;
}

#[tokio::test]
async fn mac_is_valid_or_an_error_without_a_message() {
    let api = api();
    let key = create(&api, "HMAC_224", "GENERATE_VERIFY_MAC").await;
    let (key_id, arn) = (&key["KeyId"], &key["Arn"]);
    let request = json!({"KeyId": key_id, "Message": "aGVsbG8=", "MacAlgorithm": "HMAC_SHA_224"});
    let made = ok(&api, "GenerateMac", request.clone()).await;
    assert_eq!(names(&made), ["KeyId", "Mac", "MacAlgorithm"]);
    assert_eq!((&made["KeyId"], base64_length(&made["Mac"])), (arn, 28));
    let mut verify = request;
    verify["Mac"] = made["Mac"].clone();
    let expected = json!({"KeyId": arn, "MacValid": true, "MacAlgorithm": "HMAC_SHA_224"});
    assert_eq!(ok(&api, "VerifyMac", verify.clone()).await, expected);
    verify["Mac"] = json!("AAAA");
    let refused = fails(&api, "VerifyMac", verify.clone(), "KMSInvalidMacException").await;
    assert_eq!(refused, json!({"__type": "KMSInvalidMacException"}));
    verify["MacAlgorithm"] = json!("HMAC_SHA_256");
    for operation in ["GenerateMac", "VerifyMac"] {
        let refused = fails(&api, operation, verify.clone(), "InvalidKeyUsageException").await;
        assert_eq!(refused["message"], "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_224.");
    }
}

#[tokio::test]
async fn key_of_another_usage_is_refused_by_name_of_the_operation() {
    let api = api();
    let symmetric = create(&api, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT").await;
    let signing = create(&api, "ECC_NIST_P256", "SIGN_VERIFY").await;
    let text = |key: &Value, usage: &str, operation: &str| {
        format!("{} key usage is {usage} which is not valid for {operation}.", key["Arn"].as_str().unwrap())
    };
    for (operation, more) in [
        ("GenerateMac", json!({"Message": "AA==", "MacAlgorithm": "HMAC_SHA_256"})),
        ("VerifyMac", json!({"Message": "AA==", "MacAlgorithm": "HMAC_SHA_256", "Mac": "AA=="})),
        ("Sign", json!({"Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_256"})),
        ("Verify", json!({"Message": "AA==", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": "AA=="})),
        ("DeriveSharedSecret", json!({"KeyAgreementAlgorithm": "ECDH", "PublicKey": "AA=="})),
        ("Encapsulate", json!({"EncapsulationAlgorithm": "ML_KEM"})),
        ("Decapsulate", json!({"EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": "AA=="})),
    ] {
        let mut request = more;
        request["KeyId"] = symmetric["KeyId"].clone();
        let refused = fails(&api, operation, request, "InvalidKeyUsageException").await;
        assert_eq!(refused["message"], text(&symmetric, "ENCRYPT_DECRYPT", operation));
    }
    for (operation, more) in [
        ("Encrypt", json!({"Plaintext": "AA=="})),
        ("GenerateDataKey", json!({"KeySpec": "AES_256"})),
        ("GenerateDataKeyPair", json!({"KeyPairSpec": "ECC_NIST_P256"})),
    ] {
        let mut request = more;
        request["KeyId"] = signing["KeyId"].clone();
        let refused = fails(&api, operation, request, "InvalidKeyUsageException").await;
        assert_eq!(refused["message"], text(&signing, "SIGN_VERIFY", operation));
    }
}

#[tokio::test]
async fn secret_is_derived_from_a_key_of_the_same_curve() {
    let api = api();
    let (mine, theirs) =
        (create(&api, "ECC_NIST_P256", "KEY_AGREEMENT").await, create(&api, "ECC_NIST_P256", "KEY_AGREEMENT").await);
    let peer = ok(&api, "GetPublicKey", json!({"KeyId": theirs["KeyId"]})).await["PublicKey"].clone();
    let request = json!({"KeyId": mine["KeyId"], "KeyAgreementAlgorithm": "ECDH", "PublicKey": peer});
    let derived = ok(&api, "DeriveSharedSecret", request.clone()).await;
    assert_eq!(names(&derived), ["KeyAgreementAlgorithm", "KeyId", "KeyOrigin", "SharedSecret"]);
    assert_eq!((&derived["KeyId"], &derived["KeyOrigin"]), (&mine["Arn"], &json!("AWS_KMS")));
    assert_eq!(base64_length(&derived["SharedSecret"]), 32);
    let mut enclave = request.clone();
    enclave["Recipient"] = json!({"AttestationDocument": "AAAA"});
    fails(&api, "DeriveSharedSecret", enclave, "ValidationException").await;
    let mut unparsable = request;
    unparsable["PublicKey"] = json!("AAAA");
    let refused = fails(&api, "DeriveSharedSecret", unparsable, "ValidationException").await;
    assert_eq!(refused, json!({"__type": "ValidationException"}));
}

#[tokio::test]
async fn secret_is_encapsulated_and_decapsulated() {
    let api = api();
    let key = create(&api, "ML_KEM_512", "ENCAPSULATE_DECAPSULATE").await;
    let made = ok(&api, "Encapsulate", json!({"KeyId": key["KeyId"], "EncapsulationAlgorithm": "ML_KEM"})).await;
    assert_eq!(names(&made), ["EncapsulationAlgorithm", "KeyId", "SharedSecret", "SharedSecretCiphertextBlob"]);
    assert_eq!((&made["KeyId"], base64_length(&made["SharedSecretCiphertextBlob"])), (&key["Arn"], 768));
    let mut request = json!({"KeyId": key["KeyId"], "EncapsulationAlgorithm": "ML_KEM"});
    request["SharedSecretCiphertextBlob"] = made["SharedSecretCiphertextBlob"].clone();
    let opened = ok(&api, "Decapsulate", request.clone()).await;
    let expected =
        json!({"KeyId": key["Arn"], "SharedSecret": made["SharedSecret"], "EncapsulationAlgorithm": "ML_KEM"});
    assert_eq!(opened, expected);
    request["SharedSecretCiphertextBlob"] = json!("AAAA");
    let refused = fails(&api, "Decapsulate", request, "InvalidCiphertextException").await;
    assert_eq!(refused, json!({"__type": "InvalidCiphertextException"}));
}

#[tokio::test]
async fn data_key_pair_has_the_members_of_aws() {
    let api = api();
    let key = create(&api, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT").await;
    let request = json!({"KeyId": key["KeyId"], "KeyPairSpec": "ECC_NIST_P256"});
    let made = ok(&api, "GenerateDataKeyPair", request.clone()).await;
    let shared = ["KeyId", "KeyMaterialId", "KeyPairSpec", "PrivateKeyCiphertextBlob"];
    assert_eq!(names(&made), [&shared[..], &["PrivateKeyPlaintext", "PublicKey"]].concat());
    assert_eq!((&made["KeyId"], &made["KeyMaterialId"]), (&key["Arn"], &key["CurrentKeyMaterialId"]));
    let opened = ok(&api, "Decrypt", json!({"CiphertextBlob": made["PrivateKeyCiphertextBlob"]})).await;
    assert_eq!(opened["Plaintext"], made["PrivateKeyPlaintext"]);
    let hidden = ok(&api, "GenerateDataKeyPairWithoutPlaintext", request).await;
    assert_eq!(names(&hidden), [&shared[..], &["PublicKey"]].concat());
}

#[tokio::test]
async fn rsa_key_encrypts_what_fits_and_shows_no_material() {
    let api = api();
    let key = create(&api, "RSA_2048", "ENCRYPT_DECRYPT").await;
    let request = |plaintext: &str| json!({"KeyId": key["KeyId"], "Plaintext": plaintext, "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"});
    let long = "AAAA".repeat(72);
    let refused = fails(&api, "Encrypt", request(&long), "ValidationException").await;
    let text = "Algorithm RSAES_OAEP_SHA_1 and key spec RSA_2048 cannot encrypt data larger than 214 bytes.";
    assert_eq!(refused["message"], text);
    let sealed = ok(&api, "Encrypt", request("aGVsbG8=")).await;
    assert_eq!(names(&sealed), ["CiphertextBlob", "EncryptionAlgorithm", "KeyId"]);
    assert_eq!(base64_length(&sealed["CiphertextBlob"]), 256);
    let mut decrypt = sealed.clone();
    let opened = ok(&api, "Decrypt", decrypt.clone()).await;
    let expected = json!({"KeyId": key["Arn"], "Plaintext": "aGVsbG8=", "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"});
    assert_eq!(opened, expected);
    decrypt["SourceKeyId"] = key["KeyId"].clone();
    decrypt["SourceEncryptionAlgorithm"] = json!("RSAES_OAEP_SHA_1");
    decrypt["DestinationKeyId"] = key["KeyId"].clone();
    decrypt["DestinationEncryptionAlgorithm"] = json!("RSAES_OAEP_SHA_256");
    let moved = ok(&api, "ReEncrypt", decrypt).await;
    let members =
        ["CiphertextBlob", "DestinationEncryptionAlgorithm", "KeyId", "SourceEncryptionAlgorithm", "SourceKeyId"];
    assert_eq!(names(&moved), members);
}

#[tokio::test]
async fn there_are_no_custom_key_stores() {
    let api = api();
    let none = json!({"CustomKeyStores": [], "Truncated": false});
    assert_eq!(ok(&api, "DescribeCustomKeyStores", json!({})).await, none);
    for operation in
        ["ConnectCustomKeyStore", "DeleteCustomKeyStore", "DisconnectCustomKeyStore", "UpdateCustomKeyStore"]
    {
        let request = json!({"CustomKeyStoreId": "cks-1"});
        fails(&api, operation, request, "CustomKeyStoreNotFoundException").await;
    }
    let request = json!({"CustomKeyStoreName": "store", "KeyStorePassword": "kmsPswd123"});
    fails(&api, "CreateCustomKeyStore", request, "UnsupportedOperationException").await;
}

#[tokio::test]
async fn keys_of_other_owners_are_none() {
    let api = api();
    let key = create(&api, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT").await;
    let own = json!({"Keys": [{"KeyId": key["KeyId"], "KeyArn": key["Arn"]}], "Truncated": false});
    let none = json!({"Keys": [], "Truncated": false});
    for (owners, expected) in [
        (json!(["SELF"]), &own),
        (json!(["OTHER_ACCOUNTS_VIA_RAM"]), &none),
        (json!(["OTHER_ACCOUNTS_VIA_RAM", "SELF"]), &own),
    ] {
        assert_eq!(ok(&api, "ListKeys", json!({"ResourceOwners": owners})).await, *expected);
    }
}
