//! Grants, imported material and last use, as a client sees them.

use super::walk::{fails, ok};
use super::{Api, api, call};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const BOB: &str = "arn:aws:iam::111122223333:user/bob";
/// The request ID of every request to the API under test.
const REQUEST_ID: &str = "07070707-0707-4707-8707-070707070707";
/// The time of every request.
const NOW: u64 = 1_440_938_160;

async fn key(api: &Api, body: Value) -> (String, String) {
    let metadata = ok(api, "CreateKey", body).await["KeyMetadata"].clone();
    let text = |name: &str| metadata[name].as_str().unwrap().to_owned();
    (text("KeyId"), text("Arn"))
}

fn wrap(public_key: &Value, material: &[u8]) -> String {
    let der = STANDARD.decode(public_key.as_str().unwrap()).unwrap();
    let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&der).unwrap()).unwrap();
    let mut room = vec![0; key.ciphertext_size()];
    STANDARD.encode(key.encrypt(&OAEP_SHA256_MGF1SHA256, material, &mut room, None).unwrap())
}

#[tokio::test]
async fn grants_are_created_listed_retired_and_revoked() {
    let api = api();
    let (key_id, arn) = key(&api, json!({})).await;
    let constraints = json!({
        "EncryptionContextEquals": {"a": "1"}, "EncryptionContextSubset": {"a": "1"},
        "SourceArn": "arn:aws:s3:us-east-1:111122223333:bucket",
    });
    let request = json!({
        "KeyId": key_id, "GranteePrincipal": BOB, "RetiringPrincipal": BOB, "Name": "backup",
        "Operations": ["Encrypt", "Decrypt", "Encrypt"], "Constraints": constraints,
    });
    let created = ok(&api, "CreateGrant", request).await;
    assert_eq!(created.as_object().unwrap().len(), 2);
    let (token, grant_id) = (created["GrantToken"].as_str().unwrap(), created["GrantId"].as_str().unwrap());
    assert_eq!((token.len() > 100, grant_id.len()), (true, 64));
    let entry = json!({
        "KeyId": arn, "GrantId": grant_id, "Name": "backup", "CreationDate": NOW, "GranteePrincipal": BOB,
        "RetiringPrincipal": BOB, "IssuingAccount": "arn:aws:iam::111122223333:root",
        "Operations": ["Decrypt", "Encrypt"], "Constraints": constraints,
    });
    let listed = json!({"Grants": [entry], "Truncated": false});
    assert_eq!(ok(&api, "ListGrants", json!({"KeyId": key_id})).await, listed);
    assert_eq!(ok(&api, "ListGrants", json!({"KeyId": arn, "GrantId": grant_id})).await, listed);
    assert_eq!(ok(&api, "ListRetirableGrants", json!({"RetiringPrincipal": BOB})).await, listed);
    ok(&api, "DescribeKey", json!({"KeyId": key_id, "GrantTokens": [token]})).await;
    let dry =
        fails(&api, "RetireGrant", json!({"GrantToken": token, "DryRun": true}), "DryRunOperationException").await;
    assert_eq!(dry["message"], "The request would have succeeded, but the DryRun option is set.");
    assert_eq!(ok(&api, "RetireGrant", json!({"GrantToken": token})).await, Value::Null);
    fails(&api, "DescribeKey", json!({"KeyId": key_id, "GrantTokens": [token]}), "InvalidGrantTokenException").await;

    let service = json!({
        "KeyId": key_id, "GranteeServicePrincipal": "backup.amazonaws.com",
        "RetiringServicePrincipal": "backup.amazonaws.com", "Operations": ["Encrypt"],
        "Constraints": {"SourceArn": "arn:aws:s3:us-east-1:111122223333:bucket"},
    });
    let grant_id = ok(&api, "CreateGrant", service).await["GrantId"].clone();
    let listed = ok(&api, "ListGrants", json!({"KeyId": key_id})).await;
    let entry = json!({
        "KeyId": arn, "GrantId": grant_id, "Name": "", "CreationDate": NOW,
        "GranteeServicePrincipal": "backup.amazonaws.com", "RetiringServicePrincipal": "backup.amazonaws.com",
        "IssuingAccount": "arn:aws:iam::111122223333:root", "Operations": ["Encrypt"],
        "Constraints": {"SourceArn": "arn:aws:s3:us-east-1:111122223333:bucket"},
    });
    assert_eq!(listed["Grants"], json!([entry]));
    assert_eq!(ok(&api, "RevokeGrant", json!({"KeyId": key_id, "GrantId": grant_id})).await, Value::Null);
    fails(&api, "RevokeGrant", json!({"KeyId": key_id, "GrantId": grant_id}), "NotFoundException").await;
    fails(&api, "RevokeGrant", json!({"KeyId": key_id, "GrantId": "g"}), "InvalidGrantIdException").await;
    let group = json!({"KeyId": key_id, "GranteePrincipal": "arn:aws:iam::1:group/g", "Operations": ["Encrypt"]});
    let refused = fails(&api, "CreateGrant", group, "InvalidArnException").await;
    assert_eq!(refused["message"], "ARN does not refer to a valid principal: arn:aws:iam::1:group/g");
}

fn import(key_id: &str, parameters: &Value, material: [u8; 32], more: &Value) -> Value {
    let mut request = json!({
        "KeyId": key_id, "ImportToken": parameters["ImportToken"],
        "EncryptedKeyMaterial": wrap(&parameters["PublicKey"], &material),
    });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

#[tokio::test]
async fn material_is_imported_described_rotated_to_and_deleted() {
    let api = api();
    let (key_id, arn) = key(&api, json!({"Origin": "EXTERNAL"})).await;
    let request = json!({
        "KeyId": key_id, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048",
    });
    let parameters = ok(&api, "GetParametersForImport", request).await;
    let valid_to = NOW + 86_400;
    assert_eq!((&parameters["KeyId"], &parameters["ParametersValidTo"]), (&json!(arn), &json!(valid_to)));
    let import = |material: [u8; 32], more: Value| import(&key_id, &parameters, material, &more);
    let forever = json!({"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"});
    let missing = fails(&api, "ImportKeyMaterial", import([1; 32], json!({})), "ValidationException").await;
    let text = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES";
    assert_eq!(missing["message"], text);

    let described = json!({"KeyMaterialDescription": "the first", "ValidTo": 1_441_000_000.25});
    let first = ok(&api, "ImportKeyMaterial", import([1; 32], described)).await;
    assert_eq!((&first["KeyId"], first.as_object().unwrap().len()), (&json!(arn), 2));
    let first = &first["KeyMaterialId"];
    let metadata = ok(&api, "DescribeKey", json!({"KeyId": key_id})).await["KeyMetadata"].clone();
    assert_eq!(metadata["CurrentKeyMaterialId"], *first);
    assert_eq!(
        (&metadata["ExpirationModel"], &metadata["ValidTo"]),
        (&json!("KEY_MATERIAL_EXPIRES"), &json!(1_441_000_000.25))
    );
    let mut new = forever.clone();
    new["ImportType"] = json!("NEW_KEY_MATERIAL");
    let second = ok(&api, "ImportKeyMaterial", import([2; 32], new)).await["KeyMaterialId"].clone();
    let all = json!({"KeyId": key_id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
    let listed = json!({"Rotations": [
        {
            "KeyId": key_id, "KeyMaterialId": first, "KeyMaterialDescription": "the first", "ImportState": "IMPORTED",
            "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": 1_441_000_000.25, "KeyMaterialState": "CURRENT",
        },
        {
            "KeyId": key_id, "KeyMaterialId": second, "ImportState": "IMPORTED",
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", "KeyMaterialState": "PENDING_ROTATION",
        },
    ], "Truncated": false});
    assert_eq!(ok(&api, "ListKeyRotations", all.clone()).await, listed);
    ok(&api, "RotateKeyOnDemand", json!({"KeyId": key_id})).await;
    let nothing = fails(&api, "RotateKeyOnDemand", json!({"KeyId": key_id}), "KMSInvalidStateException").await;
    let text = format!("No available key material pending rotation for the key: {arn}.");
    assert_eq!(nothing["message"], text);

    let deleted = ok(&api, "DeleteImportedKeyMaterial", json!({"KeyId": key_id, "KeyMaterialId": first})).await;
    assert_eq!(deleted, json!({"KeyId": arn, "KeyMaterialId": first}));
    let rotations = ok(&api, "ListKeyRotations", all).await["Rotations"].clone();
    assert_eq!(
        rotations[0],
        json!({
            "KeyId": key_id, "KeyMaterialId": first, "KeyMaterialDescription": "the first",
            "ImportState": "PENDING_IMPORT", "KeyMaterialState": "NON_CURRENT",
        })
    );
    assert_eq!((&rotations[1]["RotationType"], &rotations[1]["RotationDate"]), (&json!("ON_DEMAND"), &json!(NOW)));
    let waits = fails(&api, "Encrypt", json!({"KeyId": key_id, "Plaintext": "AAAA"}), "KMSInvalidStateException").await;
    assert_eq!(waits["message"], format!("{arn} is pending import."));
    ok(&api, "ImportKeyMaterial", import([1; 32], forever.clone())).await;
    ok(&api, "Encrypt", json!({"KeyId": key_id, "Plaintext": "AAAA"})).await;

    for (change, code) in [
        (json!({"ImportToken": "AAAA"}), "InvalidImportTokenException"),
        (json!({"EncryptedKeyMaterial": "AAAA"}), "InvalidCiphertextException"),
        (json!({"EncryptedKeyMaterial": wrap(&parameters["PublicKey"], &[3; 32])}), "IncorrectKeyMaterialException"),
    ] {
        let mut request = import([1; 32], forever.clone());
        request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        fails(&api, "ImportKeyMaterial", request, code).await;
    }
}

#[tokio::test]
async fn other_imported_keys_show_no_material_id() {
    let api = api();
    let kind = json!({"Origin": "EXTERNAL", "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"});
    let (key_id, arn) = key(&api, kind).await;
    let request = json!({
        "KeyId": key_id, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048",
    });
    let parameters = ok(&api, "GetParametersForImport", request).await;
    let import = json!({
        "KeyId": key_id, "ImportToken": parameters["ImportToken"], "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "EncryptedKeyMaterial": wrap(&parameters["PublicKey"], &[7; 32]),
    });
    assert_eq!(ok(&api, "ImportKeyMaterial", import).await, json!({"KeyId": arn}));
    assert_eq!(ok(&api, "DeleteImportedKeyMaterial", json!({"KeyId": key_id})).await, json!({"KeyId": arn}));
}

#[tokio::test]
async fn last_use_names_operation_time_and_request() {
    let api = api();
    let (key_id, _) = key(&api, json!({})).await;
    let unused = json!({
        "KeyId": key_id, "KeyLastUsage": {}, "TrackingStartDate": NOW, "KeyCreationDate": NOW,
    });
    assert_eq!(ok(&api, "GetKeyLastUsage", json!({"KeyId": key_id})).await, unused);
    let used = call(&api, "Encrypt", json!({"KeyId": key_id, "Plaintext": "AAAA"}).to_string().as_bytes()).await;
    assert_eq!(used.headers["x-amzn-requestid"], REQUEST_ID);
    let usage = ok(&api, "GetKeyLastUsage", json!({"KeyId": key_id})).await["KeyLastUsage"].clone();
    let event = usage["CloudTrailEventId"].as_str().unwrap();
    assert_eq!((event.len(), event == REQUEST_ID), (36, false));
    let expected = json!({
        "Operation": "Encrypt", "Timestamp": NOW, "KmsRequestId": REQUEST_ID, "CloudTrailEventId": event,
    });
    assert_eq!(usage, expected);
}

#[tokio::test]
async fn a_date_is_a_number_of_seconds() {
    let api = api();
    let (key_id, _) = key(&api, json!({"Origin": "EXTERNAL"})).await;
    let body = |valid_to: Value| {
        json!({"KeyId": key_id, "ImportToken": "AAAA", "EncryptedKeyMaterial": "AAAA", "ValidTo": valid_to}).to_string()
    };
    for (valid_to, code, text) in [
        (json!("2015-08-30"), "SerializationException", "STRING_VALUE cannot be converted to a Timestamp"),
        (json!(true), "SerializationException", "TRUE_VALUE cannot be converted to a Timestamp"),
        (json!(-1), "ValidationException", "The validTo date must be in the future"),
        (json!(-0.5), "ValidationException", "The validTo date must be in the future"),
        (json!(1e300), "ValidationException", "The validTo date must be within 365 days of the request"),
        (json!(i64::MAX), "ValidationException", "The validTo date must be within 365 days of the request"),
        (json!(u64::MAX), "ValidationException", "The validTo date must be within 365 days of the request"),
    ] {
        let answer = call(&api, "ImportKeyMaterial", body(valid_to.clone()).as_bytes()).await;
        assert_eq!(answer.json(), json!({"__type": code, "message": text}), "{valid_to}");
    }
}
