//! Every operation once or more, as a client sees it.

use super::{Api, api, call};
use serde_json::{Value, json};

pub(super) async fn ok(api: &Api, operation: &str, body: Value) -> Value {
    let answer = call(api, operation, body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.json());
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

pub(super) async fn fails(api: &Api, operation: &str, body: Value, code: &str) -> Value {
    let answer = call(api, operation, body.to_string().as_bytes()).await;
    assert_eq!(answer.outcome.code, Some(code), "{operation} {body}: {}", answer.json());
    answer.json()
}

async fn key(api: &Api) -> (String, String) {
    let metadata = ok(api, "CreateKey", json!({})).await["KeyMetadata"].clone();
    let text = |name: &str| metadata[name].as_str().unwrap().to_owned();
    (text("KeyId"), text("Arn"))
}

#[tokio::test]
async fn a_key_is_created_and_described() {
    let api = api();
    let tags = json!([{"TagKey": "team", "TagValue": "payments"}]);
    let created = ok(&api, "CreateKey", json!({"Description": "orders", "Tags": tags, "Unknown": [1]})).await;
    let metadata = &created["KeyMetadata"];
    let (key_id, material) = (metadata["KeyId"].as_str().unwrap(), metadata["CurrentKeyMaterialId"].as_str().unwrap());
    assert_eq!((key_id.len(), material.len()), (36, 64));
    let expected = json!({
        "AWSAccountId": "111122223333",
        "KeyId": key_id,
        "Arn": format!("arn:aws:kms:us-east-1:111122223333:key/{key_id}"),
        "CreationDate": 1_440_938_160,
        "Enabled": true,
        "Description": "orders",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
        "CurrentKeyMaterialId": material,
    });
    assert_eq!(*metadata, expected);
    assert_eq!(ok(&api, "DescribeKey", json!({"KeyId": key_id})).await, created);
    let listed = ok(&api, "ListKeys", json!({})).await;
    assert_eq!(listed, json!({"Keys": [{"KeyId": key_id, "KeyArn": expected["Arn"]}], "Truncated": false}));
    let shared = json!({"ResourceOwners": ["OTHER_ACCOUNTS_VIA_RAM"]});
    assert_eq!(ok(&api, "ListKeys", shared).await, json!({"Keys": [], "Truncated": false}));
    let listed = ok(&api, "ListResourceTags", json!({"KeyId": key_id})).await;
    assert_eq!(listed, json!({"Tags": tags, "Truncated": false}));
}

#[tokio::test]
async fn what_is_encrypted_is_decrypted_under_the_same_context_only() {
    let api = api();
    let (key_id, arn) = key(&api).await;
    let context = json!({"order": "7", "ü": "é"});
    let request = json!({"KeyId": key_id, "Plaintext": "aGVsbG8=", "EncryptionContext": context});
    let encrypted = ok(&api, "Encrypt", request).await;
    assert_eq!((&encrypted["KeyId"], &encrypted["EncryptionAlgorithm"]), (&json!(arn), &json!("SYMMETRIC_DEFAULT")));
    assert!(encrypted.get("KeyMaterialId").is_none());
    let blob = &encrypted["CiphertextBlob"];
    let decrypted = ok(&api, "Decrypt", json!({"CiphertextBlob": blob, "EncryptionContext": context})).await;
    assert_eq!((&decrypted["Plaintext"], &decrypted["KeyId"]), (&json!("aGVsbG8="), &json!(arn)));
    assert_eq!(decrypted["KeyMaterialId"].as_str().unwrap().len(), 64);
    let wrong = fails(&api, "Decrypt", json!({"CiphertextBlob": blob}), "InvalidCiphertextException").await;
    assert_eq!(wrong, json!({"__type": "InvalidCiphertextException"}));
    let (other, _) = key(&api).await;
    let request = json!({"CiphertextBlob": blob, "SourceEncryptionContext": context, "DestinationKeyId": other});
    let again = ok(&api, "ReEncrypt", request).await;
    assert_eq!(again["SourceKeyId"], json!(arn));
    for name in ["SourceKeyMaterialId", "DestinationKeyMaterialId"] {
        assert_eq!(again[name].as_str().unwrap().len(), 64);
    }
    let decrypted = ok(&api, "Decrypt", json!({"CiphertextBlob": again["CiphertextBlob"], "KeyId": other})).await;
    assert_eq!(decrypted["Plaintext"], "aGVsbG8=");
    let request = json!({"CiphertextBlob": again["CiphertextBlob"], "KeyId": key_id});
    fails(&api, "Decrypt", request, "IncorrectKeyException").await;
}

#[tokio::test]
async fn data_keys_and_random_bytes_have_the_length_asked_for() {
    let api = api();
    let (key_id, arn) = key(&api).await;
    let made = ok(&api, "GenerateDataKey", json!({"KeyId": key_id, "KeySpec": "AES_256"})).await;
    assert_eq!((made["Plaintext"].as_str().unwrap().len(), &made["KeyId"]), (44, &json!(arn)));
    let opened = ok(&api, "Decrypt", json!({"CiphertextBlob": made["CiphertextBlob"]})).await;
    assert_eq!(opened["Plaintext"], made["Plaintext"]);
    let hidden = json!({"KeyId": key_id, "NumberOfBytes": 16});
    let made = ok(&api, "GenerateDataKeyWithoutPlaintext", hidden).await;
    assert!(made.get("Plaintext").is_none());
    assert_eq!(made["KeyMaterialId"].as_str().unwrap().len(), 64);
    let random = ok(&api, "GenerateRandom", json!({"NumberOfBytes": 1024})).await;
    assert_eq!(random["Plaintext"].as_str().unwrap().len(), 1368);
    let text = "The request would have succeeded, but the DryRun option is set.";
    let dry = json!({"KeyId": key_id, "KeySpec": "AES_128", "DryRun": true});
    assert_eq!(fails(&api, "GenerateDataKey", dry, "DryRunOperationException").await["message"], text);
}

#[tokio::test]
async fn operations_without_an_output_answer_an_empty_body() {
    let api = api();
    let (key_id, arn) = key(&api).await;
    let (other, _) = key(&api).await;
    for (operation, body) in [
        ("DisableKey", json!({"KeyId": key_id})),
        ("EnableKey", json!({"KeyId": key_id})),
        ("UpdateKeyDescription", json!({"KeyId": key_id, "Description": "new"})),
        ("CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": key_id})),
        ("UpdateAlias", json!({"AliasName": "alias/a", "TargetKeyId": other})),
        ("DeleteAlias", json!({"AliasName": "alias/a"})),
        ("CreateAlias", json!({"AliasName": "alias/b", "TargetKeyId": arn})),
        ("TagResource", json!({"KeyId": key_id, "Tags": [{"TagKey": "k", "TagValue": ""}]})),
        ("UntagResource", json!({"KeyId": key_id, "TagKeys": ["k", "absent"]})),
        ("EnableKeyRotation", json!({"KeyId": key_id, "RotationPeriodInDays": 90})),
        ("DisableKeyRotation", json!({"KeyId": key_id})),
    ] {
        assert_eq!(ok(&api, operation, body).await, Value::Null, "{operation}");
    }
    let aliases = ok(&api, "ListAliases", json!({"KeyId": key_id})).await;
    let expected = json!({
        "AliasName": "alias/b",
        "AliasArn": "arn:aws:kms:us-east-1:111122223333:alias/b",
        "TargetKeyId": key_id,
        "CreationDate": 1_440_938_160,
        "LastUpdatedDate": 1_440_938_160,
    });
    assert_eq!(aliases, json!({"Aliases": [expected], "Truncated": false}));
}

#[tokio::test]
async fn policies_are_read_replaced_and_listed() {
    let api = api();
    let (key_id, _) = key(&api).await;
    let read = ok(&api, "GetKeyPolicy", json!({"KeyId": key_id})).await;
    assert_eq!(read["PolicyName"], "default");
    let policy = read["Policy"].as_str().unwrap();
    assert!(policy.contains("arn:aws:iam::111122223333:root"));
    assert_eq!(ok(&api, "PutKeyPolicy", json!({"KeyId": key_id, "Policy": policy})).await, Value::Null);
    let listed = ok(&api, "ListKeyPolicies", json!({"KeyId": key_id})).await;
    assert_eq!(listed, json!({"PolicyNames": ["default"], "Truncated": false}));
    let unknown = fails(&api, "GetKeyPolicy", json!({"KeyId": key_id, "PolicyName": "x"}), "NotFoundException").await;
    assert_eq!(unknown["message"], "No such policy exists");
}

#[tokio::test]
async fn rotations_are_started_shown_and_listed() {
    let api = api();
    let (key_id, arn) = key(&api).await;
    let status = ok(&api, "GetKeyRotationStatus", json!({"KeyId": key_id})).await;
    assert_eq!(status, json!({"KeyRotationEnabled": false, "KeyId": arn}));
    ok(&api, "EnableKeyRotation", json!({"KeyId": key_id})).await;
    let status = ok(&api, "GetKeyRotationStatus", json!({"KeyId": key_id})).await;
    assert_eq!((&status["KeyRotationEnabled"], &status["RotationPeriodInDays"]), (&json!(true), &json!(365)));
    assert_eq!(status["NextRotationDate"], 1_440_938_160 + 365 * 86_400);
    assert_eq!(ok(&api, "RotateKeyOnDemand", json!({"KeyId": key_id})).await, json!({"KeyId": arn}));
    let rotations = ok(&api, "ListKeyRotations", json!({"KeyId": key_id})).await;
    assert_eq!(rotations["Truncated"], false);
    let rotation = &rotations["Rotations"][0];
    assert_eq!((&rotation["RotationType"], &rotation["RotationDate"]), (&json!("ON_DEMAND"), &json!(1_440_938_160)));
    assert_eq!(rotation["KeyMaterialState"], "CURRENT");
    let all = ok(&api, "ListKeyRotations", json!({"KeyId": key_id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"})).await;
    assert_eq!(all["Rotations"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn deletion_is_scheduled_and_cancelled() {
    let api = api();
    let (key_id, arn) = key(&api).await;
    let scheduled = ok(&api, "ScheduleKeyDeletion", json!({"KeyId": key_id, "PendingWindowInDays": 7})).await;
    let expected = json!({
        "KeyId": arn,
        "DeletionDate": 1_440_938_160 + 7 * 86_400,
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": 7,
    });
    assert_eq!(scheduled, expected);
    let again = fails(&api, "ScheduleKeyDeletion", json!({"KeyId": key_id}), "KMSInvalidStateException").await;
    assert_eq!(again["message"], format!("{arn} is pending deletion."));
    let described = ok(&api, "DescribeKey", json!({"KeyId": key_id})).await;
    assert_eq!(described["KeyMetadata"]["DeletionDate"], expected["DeletionDate"]);
    assert_eq!(described["KeyMetadata"]["Enabled"], false);
    assert_eq!(ok(&api, "CancelKeyDeletion", json!({"KeyId": key_id})).await, json!({"KeyId": arn}));
    let encrypt = json!({"KeyId": key_id, "Plaintext": "aGVsbG8="});
    let disabled = fails(&api, "Encrypt", encrypt, "DisabledException").await;
    assert_eq!(disabled, json!({"__type": "DisabledException", "message": format!("{arn} is disabled.")}));
}

#[tokio::test]
async fn pages_follow_each_other_by_their_markers() {
    let api = api();
    for _ in 0..5 {
        key(&api).await;
    }
    let mut found = Vec::new();
    let mut request = json!({"Limit": 2});
    loop {
        let page = ok(&api, "ListKeys", request.clone()).await;
        found.extend(page["Keys"].as_array().unwrap().iter().map(|key| key["KeyId"].clone()));
        assert_eq!(page["Truncated"], page.get("NextMarker").is_some());
        let Some(marker) = page.get("NextMarker") else { break };
        request["Marker"] = marker.clone();
    }
    assert_eq!(found.len(), 5);
    fails(&api, "ListKeys", json!({"Marker": "made up"}), "InvalidMarkerException").await;
}

#[tokio::test]
async fn shared_changes_need_a_majority_and_say_so() {
    let api = api();
    let (key_id, arn) = key(&api).await;
    let created = call(&api, "CreateKey", br#"{"MultiRegion":true}"#).await;
    assert_eq!((created.status, created.outcome.code), (503, Some("DependencyTimeoutException")));
    let replicate = json!({"KeyId": key_id, "ReplicaRegion": "eu-west-1"});
    let answer = fails(&api, "ReplicateKey", replicate, "UnsupportedOperationException").await;
    assert!(answer["message"].as_str().unwrap().starts_with(&arn));
    let update = json!({"KeyId": key_id, "PrimaryRegion": "eu-west-1"});
    fails(&api, "UpdatePrimaryRegion", update, "UnsupportedOperationException").await;
}
