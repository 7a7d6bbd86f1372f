//! Requests that were right once: a valid body of every operation with a random change somewhere in it. Whatever it is, it
//! earns an answer in the shape of AWS, in bounded time; nothing panics.

use super::{Api, Operation, api, block, call, check_shape};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Keys of several kinds and what was made with them, to be referred to by valid requests.
struct World {
    api: Api,
    key: String,
    external: String,
    mac_key: String,
    signing_key: String,
    agreement_key: String,
    kem_key: String,
    ciphertext: Value,
    mac: Value,
    signature: Value,
    public_key: Value,
    encapsulated: Value,
}

impl World {
    async fn new() -> Self {
        let api = api();
        let create = async |body: Value| {
            let answer = answer(&api, "CreateKey", &body).await;
            answer["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
        };
        let key = create(json!({})).await;
        let external = create(json!({"Origin": "EXTERNAL"})).await;
        let mac_key = create(json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"})).await;
        let signing_key = create(json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"})).await;
        let agreement_key = create(json!({"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"})).await;
        let kem_key = create(json!({"KeySpec": "ML_KEM_512", "KeyUsage": "ENCAPSULATE_DECAPSULATE"})).await;
        answer(&api, "CreateAlias", &json!({"AliasName": "alias/a", "TargetKeyId": key})).await;
        let encrypted = answer(&api, "Encrypt", &json!({"KeyId": key, "Plaintext": "AAAA"})).await;
        let mac = json!({"KeyId": mac_key, "Message": "AAAA", "MacAlgorithm": "HMAC_SHA_256"});
        let mac = answer(&api, "GenerateMac", &mac).await;
        let signed = json!({"KeyId": signing_key, "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256"});
        let signed = answer(&api, "Sign", &signed).await;
        let public = answer(&api, "GetPublicKey", &json!({"KeyId": agreement_key})).await;
        let encapsulated = json!({"KeyId": kem_key, "EncapsulationAlgorithm": "ML_KEM"});
        let encapsulated = answer(&api, "Encapsulate", &encapsulated).await;
        Self {
            ciphertext: encrypted["CiphertextBlob"].clone(),
            mac: mac["Mac"].clone(),
            signature: signed["Signature"].clone(),
            public_key: public["PublicKey"].clone(),
            encapsulated: encapsulated["SharedSecretCiphertextBlob"].clone(),
            api,
            key,
            external,
            mac_key,
            signing_key,
            agreement_key,
            kem_key,
        }
    }

    /// A body that is right for the operation, with every member that it knows.
    fn body(&self, operation: Operation) -> Value {
        let context = json!({"a": "b"});
        let mut body = json!({
            "KeyId": self.key_for(operation.name()),
            "GrantTokens": [], "DryRun": false, "EncryptionContext": context, "Limit": 7, "Marker": "m",
            "Plaintext": "AAAA", "CiphertextBlob": self.ciphertext, "SourceKeyId": self.key,
            "DestinationKeyId": self.key, "SourceEncryptionContext": {}, "DestinationEncryptionContext": context,
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT", "NumberOfBytes": 32, "KeyPairSpec": "ECC_NIST_P256",
            "Message": "AAAA", "MessageType": "RAW", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": self.signature,
            "MacAlgorithm": "HMAC_SHA_256", "Mac": self.mac, "KeyAgreementAlgorithm": "ECDH",
            "PublicKey": self.public_key, "EncapsulationAlgorithm": "ML_KEM",
            "SharedSecretCiphertextBlob": self.encapsulated, "Description": "text", "MultiRegion": false,
            "Origin": "AWS_KMS", "KeyUsage": "ENCRYPT_DECRYPT", "Tags": [{"TagKey": "k", "TagValue": "v"}],
            "TagKeys": ["k"], "AliasName": "alias/a", "TargetKeyId": self.key, "PendingWindowInDays": 7,
            "RotationPeriodInDays": 90, "ReplicaRegion": "eu-west-1", "PrimaryRegion": "eu-west-1",
            "PolicyName": "default", "BypassPolicyLockoutSafetyCheck": true, "IncludeKeyMaterial": "ALL_KEY_MATERIAL",
        });
        let more = json!({
            "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048", "ImportToken": "AAAA",
            "EncryptedKeyMaterial": "AAAA", "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": 1_440_948_160.5,
            "ImportType": "NEW_KEY_MATERIAL", "KeyMaterialDescription": "text",
            "GranteePrincipal": "arn:aws:iam::111122223333:user/bob", "Operations": ["Encrypt", "Decrypt"],
            "RetiringPrincipal": "arn:aws:iam::111122223333:user/carol", "Name": "n",
            "Constraints": {"EncryptionContextEquals": context}, "CustomKeyStoreId": "cks-1234567890abcdef0",
            "CustomKeyStoreName": "store", "CustomKeyStoreType": "AWS_CLOUDHSM", "ResourceOwners": ["SELF"],
            "Policy": r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},
                "Action":"kms:*","Resource":"*"}]}"#,
        });
        let (Value::Object(members), Value::Object(more)) = (&mut body, more) else { return body };
        members.extend(more);
        // Members that other operations would refuse beside the ones above.
        match operation {
            Operation::CreateKey => drop(members.remove("CustomKeyStoreId")),
            Operation::ReplicateKey | Operation::ListAliases | Operation::ListKeys => drop(members.remove("Marker")),
            _ => {}
        }
        body
    }

    fn key_for(&self, operation: &str) -> &str {
        match operation {
            "GenerateMac" | "VerifyMac" => &self.mac_key,
            "Sign" | "Verify" | "GetPublicKey" => &self.signing_key,
            "DeriveSharedSecret" => &self.agreement_key,
            "Encapsulate" | "Decapsulate" => &self.kem_key,
            "GetParametersForImport" | "ImportKeyMaterial" | "DeleteImportedKeyMaterial" => &self.external,
            _ => &self.key,
        }
    }
}

async fn answer(api: &Api, operation: &str, body: &Value) -> Value {
    let answer = call(api, operation, body.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.json());
    answer.json()
}

/// What a member may become.
fn replacements() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!("")),
        ".{0,40}".prop_map(Value::from),
        "[A-Za-z0-9+/]{0,40}={0,2}".prop_map(Value::from),
        (0_usize..9_000).prop_map(|length| json!("A".repeat(length))),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[[[[[[[]]]]]]]])),
        Just(json!([{"TagKey": "aws:x", "TagValue": null}, 7, "x"])),
        Just(json!({"EncryptionContextEquals": {"a": 1}, "EncryptionContextSubset": [], "SourceArn": "arn"})),
        Just(json!("mrk-00000000000000000000000000000000")),
        Just(json!("arn:aws:kms:us-east-1:111122223333:key/x")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_valid_request_with_any_member_changed_earns_an_answer_in_the_shape_of_aws(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), replacements()), 56),
    ) {
        block(async {
            let world = World::new().await;
            for (operation, (which, replacement)) in Operation::ALL.iter().zip(&changes) {
                let mut body = world.body(*operation);
                let members = body.as_object_mut().ok_or_else(|| TestCaseError::fail("an object"))?;
                let names: Vec<String> = members.keys().cloned().collect();
                members.insert(which.get(&names).clone(), replacement.clone());
                check_shape(&call(&world.api, operation.name(), body.to_string().as_bytes()).await)?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    }

    #[test]
    fn an_altered_blob_mac_or_signature_is_refused_by_name(
        alterations in proptest::collection::vec((any::<u16>(), 1_u8..=255, 0_u8..3), 40),
    ) {
        block(async {
            let world = World::new().await;
            for (at, bits, kind) in alterations {
                let decrypt = json!({"CiphertextBlob": altered(&world.ciphertext, at, bits, kind)});
                let refused = call(&world.api, "Decrypt", decrypt.to_string().as_bytes()).await;
                let code = refused.outcome.code;
                // A blob whose clear key ID was altered names a key that does not exist.
                prop_assert!(matches!(code, Some("InvalidCiphertextException" | "AccessDeniedException")), "{code:?}");
                let mac = json!({
                    "KeyId": world.mac_key, "Message": "AAAA", "MacAlgorithm": "HMAC_SHA_256",
                    "Mac": altered(&world.mac, at, bits, kind),
                });
                let refused = call(&world.api, "VerifyMac", mac.to_string().as_bytes()).await;
                prop_assert_eq!(refused.outcome.code, Some("KMSInvalidMacException"));
                let signature = json!({
                    "KeyId": world.signing_key, "Message": "AAAA", "SigningAlgorithm": "ECDSA_SHA_256",
                    "Signature": altered(&world.signature, at, bits, kind),
                });
                let refused = call(&world.api, "Verify", signature.to_string().as_bytes()).await;
                prop_assert_eq!(refused.outcome.code, Some("KMSInvalidSignatureException"));
            }
            Ok(())
        })?;
    }
}

/// The bytes with a bit flipped, the end cut off, or something appended.
fn altered(blob: &Value, at: u16, bits: u8, kind: u8) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let mut bytes = STANDARD.decode(blob.as_str().unwrap()).unwrap();
    let at = usize::from(at) % bytes.len();
    match kind {
        0 => bytes[at] ^= bits,
        1 => bytes.truncate(at.max(1)),
        _ => bytes.extend(std::iter::repeat_n(bits, at % 40 + 1)),
    }
    STANDARD.encode(bytes)
}
