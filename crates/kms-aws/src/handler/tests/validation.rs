//! Faults of request bodies, from the table in `tests/vectors/aws/validation.json`: operation, body, code, message.

use super::{api, call};
use serde_json::{Value, json};

const TABLE: &str = include_str!("../../../../../tests/vectors/aws/validation.json");

#[tokio::test]
async fn each_faulty_body_earns_the_exact_text() {
    let api = api();
    let table: Vec<Value> = serde_json::from_str(TABLE).unwrap();
    assert!(table.len() > 60);
    for case in table {
        let [operation, body, code, message] = [0, 1, 2, 3].map(|index| case[index].clone());
        let body = if let Value::String(raw) = &body { raw.clone() } else { body.to_string() };
        let answer = call(&api, operation.as_str().unwrap(), body.as_bytes()).await;
        assert_eq!(answer.status, 400, "{case}");
        assert_eq!(answer.json(), json!({"__type": code, "message": message}), "{case}");
    }
}

/// Built here because their values are long.
#[tokio::test]
async fn what_is_too_long_is_told_so_and_secrets_are_not_repeated() {
    let check = async |operation: &str, body: Value, sentence: String| {
        let answer = call(&api(), operation, body.to_string().as_bytes()).await;
        let message = format!("1 validation error detected: {sentence}");
        assert_eq!(answer.json(), json!({"__type": "ValidationException", "message": message}));
    };
    let at_most = |shown: &str, path: &str, limit: usize| {
        format!(
            "Value{shown} at '{path}' failed to satisfy constraint: Member must have length less than or equal to \
             {limit}"
        )
    };
    let zeros = |bytes: usize| "AAAA".repeat(bytes / 3 + 1);
    let plaintext = json!({"KeyId": "alias/a", "Plaintext": zeros(4098)});
    check("Encrypt", plaintext, at_most("", "plaintext", 4096)).await;
    let blob = json!({"CiphertextBlob": zeros(6144)});
    check("Decrypt", blob, at_most("", "ciphertextBlob", 6144)).await;
    for (operation, member, path) in
        [("Sign", "Message", "message"), ("GenerateMac", "Message", "message"), ("VerifyMac", "Message", "message")]
    {
        let mut body = json!({"KeyId": "k", "SigningAlgorithm": "ECDSA_SHA_256", "MacAlgorithm": "HMAC_SHA_256"});
        body["Mac"] = json!("AA==");
        body[member] = json!(zeros(4098));
        check(operation, body, at_most("", path, 4096)).await;
    }
    for (operation, member, path, limit) in [
        ("Verify", "Signature", "signature", 6144),
        ("VerifyMac", "Mac", "mac", 6144),
        ("Decapsulate", "SharedSecretCiphertextBlob", "sharedSecretCiphertextBlob", 6144),
        ("DeriveSharedSecret", "PublicKey", "publicKey", 8192),
    ] {
        let mut body = json!({
            "KeyId": "k",
            "Message": "AA==",
            "SigningAlgorithm": "ECDSA_SHA_256",
            "MacAlgorithm": "HMAC_SHA_256",
            "KeyAgreementAlgorithm": "ECDH",
            "EncapsulationAlgorithm": "ML_KEM",
        });
        body[member] = json!(zeros(limit + 3));
        check(operation, body, at_most("", path, limit)).await;
    }
    let token = "t".repeat(8193);
    let tokens = json!({"KeyId": "alias/a", "GrantTokens": ["a", token]});
    check("DescribeKey", tokens, at_most("", "grantTokens.2.member", 8192)).await;
    let tokens = json!({"KeyId": "alias/a", "GrantTokens": vec!["a"; 11]});
    check("DescribeKey", tokens, at_most("", "grantTokens", 10)).await;
    for (member, limit) in [("TagKey", 128), ("TagValue", 256)] {
        let value = "v".repeat(limit + 1);
        let mut tag = json!({"TagKey": "k", "TagValue": "v"});
        tag[member] = json!(value);
        let path = format!("tags.1.member.t{}", &member[1..]);
        let sentence = at_most(&format!(" '{value}'"), &path, limit);
        check("TagResource", json!({"KeyId": "k", "Tags": [tag]}), sentence).await;
    }
    let description = "d".repeat(8193);
    let sentence = at_most(&format!(" '{description}'"), "description", 8192);
    check("UpdateKeyDescription", json!({"KeyId": "k", "Description": description}), sentence).await;
    let key_id = "k".repeat(2049);
    check("EnableKey", json!({"KeyId": key_id}), at_most(&format!(" '{key_id}'"), "keyId", 2048)).await;
}

/// The service counts UTF-16 units: 8192 characters outside the basic plane are 16384 of them.
#[tokio::test]
async fn lengths_are_counted_in_utf16_units() {
    for (unit, fits) in [("ä", true), ("𝄞", false)] {
        let body = json!({"KeyId": "no-such-key", "Description": unit.repeat(8192)}).to_string();
        let answer = call(&api(), "UpdateKeyDescription", body.as_bytes()).await;
        let expected = if fits { "NotFoundException" } else { "ValidationException" };
        assert_eq!(answer.outcome.code, Some(expected));
    }
}
