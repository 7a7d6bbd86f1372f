//! What a record says, and what it cannot be made to say.

use crate::fixture::{DAY_ONE, Node, account, alice, append, key_arn, log_of, region, uuid};
use kms_audit::{
    Acknowledgement, ApiCall, Checkpoint, Decision, Elements, EventSource, Head, Identity, LogEvent, Member,
    MembershipChange, Operation, Outcome, RECORD_BYTES_MAX, Record, RecordHash, RequestOrigin, Resource, RoleIdentity,
    ServiceEvent, ServiceRecord, Statement, Tls,
};
use kms_types::{AliasArn, AliasName, EncryptionContext, KeyMaterialId, Origin, RegionName, RotationType, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

fn eu() -> RegionName {
    region("eu-west-1")
}

/// A request with nothing special about it.
fn call<'a>(parameters: &'a Elements<'a>, none: &'a Elements<'a>) -> ApiCall<'a> {
    ApiCall {
        event_id: uuid(1),
        request_id: uuid(2),
        time: Timestamp::from_millis(DAY_ONE + 1500),
        operation: Operation::kms("Decrypt"),
        identity: Identity::User(alice()),
        origin: RequestOrigin { address: "192.0.2.7", user_agent: "aws-cli/2.31", tls: None },
        outcome: Outcome::Success,
        parameters,
        response: none,
        additional: none,
        resources: &[],
        recipient: Some(account()),
        decision: None,
        control_log_index: None,
    }
}

/// The line of a record, as the log has it.
fn line(record: Record) -> String {
    let node = Node::new();
    append(&node.open(), record);
    let files = node.files();
    let text = String::from_utf8(node.volume.read(&files.name(files.days()[0])).unwrap()).unwrap();
    text.lines().nth(1).unwrap().to_owned()
}

fn json(record: Record) -> Value {
    serde_json::from_str(&line(record)).unwrap()
}

fn service(event: ServiceEvent<'_>) -> Value {
    let (event_id, time) = (uuid(1), Timestamp::from_millis(DAY_ONE));
    json(ServiceRecord { event_id, time, event, control_log_index: Some(41) }.record(&eu()))
}

#[test]
fn a_request_has_the_members_of_cloudtrail() {
    let (key, none) = (key_arn("eu-west-1"), Elements::new());
    let alias = AliasArn { region: eu(), account: account(), name: AliasName::parse("alias/app").unwrap() };
    let context: EncryptionContext = [("purpose".to_owned(), "test".to_owned())].into_iter().collect();
    let parameters = Elements::new()
        .text(Member::KEY_ID, "alias/app")
        .text(Member::ENCRYPTION_ALGORITHM, "SYMMETRIC_DEFAULT")
        .context(Member::ENCRYPTION_CONTEXT, &context);
    let additional = Elements::new().text(Member::KEY_MATERIAL_ID, "ab".repeat(32));
    let resources = [Resource::Key(&key), Resource::Alias(&alias)];
    let tls = Tls { version: "TLSv1.3", cipher_suite: "TLS_AES_128_GCM_SHA256", host: "kms.eu-west-1.example" };
    let mut call = call(&parameters, &none);
    call.origin.tls = Some(tls);
    call.additional = &additional;
    call.resources = &resources;
    let record = json(call.record(&eu()));
    let expected = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": "arn:aws:iam::111122223333:user/alice",
            "accountId": "111122223333",
            "accessKeyId": "AKIAEXAMPLE",
            "userName": "alice",
        },
        "eventTime": "2026-11-22T00:00:01Z",
        "eventSource": "kms.amazonaws.com",
        "eventName": "Decrypt",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli/2.31",
        "requestParameters": {
            "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
            "encryptionContext": {"purpose": "test"},
            "keyId": "alias/app",
        },
        "responseElements": null,
        "additionalEventData": {"keyMaterialId": "ab".repeat(32)},
        "requestID": "00000000-0000-0000-0000-000000000002",
        "eventID": "00000000-0000-0000-0000-000000000001",
        "readOnly": true,
        "resources": [
            {"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": key.to_string()},
            {"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": alias.to_string()},
        ],
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
        "tlsDetails": {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": "kms.eu-west-1.example",
        },
        "meridian": {"version": 1, "timeMillis": DAY_ONE + 1500, "chain": record["meridian"]["chain"]},
    });
    assert_eq!(record, expected);
}

#[test]
fn a_denied_request_says_what_the_caller_got_and_what_decided() {
    let (parameters, none) = (Elements::new(), Elements::new());
    let mut call = call(&parameters, &none);
    call.outcome = Outcome::Failure { code: "AccessDeniedException", message: "User: … is not authorized" };
    let statements = [Statement { policy_type: "Key", policy_name: None, index: 3, sid: Some("No") }];
    call.decision = Some(Decision { allowed: false, rule: "ExplicitDeny", grant_id: None, statements: &statements });
    call.control_log_index = Some(7);
    let record = json(call.record(&eu()));
    assert_eq!(record["errorCode"], "AccessDeniedException");
    assert_eq!(record["errorMessage"], "User: … is not authorized");
    assert_eq!(record["requestParameters"], Value::Null);
    let statement = json!({"policyType": "Key", "index": 3, "sid": "No"});
    let decision = json!({"allowed": false, "rule": "ExplicitDeny", "statements": [statement]});
    assert_eq!(record["meridian"]["decision"], decision);
    assert_eq!(record["meridian"]["controlLogIndex"], 7);
}

#[test]
fn every_kind_of_caller_is_told() {
    let role = RoleIdentity {
        arn: "arn:aws:sts::111122223333:assumed-role/app/one",
        principal_id: "AROAEXAMPLE:one",
        account: account(),
        access_key_id: Some("ASIAEXAMPLE"),
        role_arn: "arn:aws:iam::111122223333:role/app",
        role_id: "AROAEXAMPLE",
        role_name: "app",
        session_created_at: Timestamp::from_millis(DAY_ONE),
    };
    let issuer = json!({
        "type": "Role", "principalId": "AROAEXAMPLE", "arn": role.role_arn, "accountId": "111122223333",
        "userName": "app",
    });
    let attributes = json!({"creationDate": "2026-11-22T00:00:00Z", "mfaAuthenticated": "false"});
    let (parameters, none) = (Elements::new(), Elements::new());
    let check = |identity: Identity<'_>, expected: Value| {
        let call = ApiCall { identity, ..call(&parameters, &none) };
        assert_eq!(json(call.record(&eu()))["userIdentity"], expected);
    };
    check(
        Identity::AssumedRole(role),
        json!({
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:one", "arn": role.arn, "accountId": "111122223333",
            "accessKeyId": "ASIAEXAMPLE", "sessionContext": {"sessionIssuer": issuer, "attributes": attributes},
        }),
    );
    check(
        Identity::Root { account: account(), access_key_id: None },
        json!({
            "type": "Root", "principalId": "111122223333", "arn": "arn:aws:iam::111122223333:root",
            "accountId": "111122223333",
        }),
    );
    check(Identity::Operator { name: "ops" }, json!({"type": "Operator", "principalId": "ops"}));
    let service = Identity::Service { account: Some(account()), invoked_by: "kms.amazonaws.com" };
    check(service, json!({"accountId": "111122223333", "invokedBy": "kms.amazonaws.com"}));
    let unknown = json!({"type": "Unknown", "principalId": "", "accountId": "", "accessKeyId": "AKIA"});
    check(Identity::Unknown { access_key_id: Some("AKIA") }, unknown);
}

#[test]
fn an_operation_of_another_service_is_told_apart() {
    let (parameters, none) = (Elements::new(), Elements::new());
    let operation = Operation { source: EventSource::Sts, name: "AssumeRole", read_only: true };
    let record = json(ApiCall { operation, ..call(&parameters, &none) }.record(&eu()));
    assert_eq!((&record["eventSource"], &record["readOnly"]), (&json!("sts.amazonaws.com"), &json!(true)));
}

#[test]
fn service_events_have_the_details_of_aws() {
    let key = key_arn("eu-west-1");
    let (old, new) = (KeyMaterialId::from_bytes([1; 32]), KeyMaterialId::from_bytes([2; 32]));
    let (rotation_type, origin) = (RotationType::Automatic, Origin::AwsKms);
    let record =
        service(ServiceEvent::RotateKey { key: &key, rotation_type, origin, previous: Some(old), current: new });
    let details = json!({
        "keyId": key.key_id.as_str(), "rotationType": "AUTOMATIC", "keyOrigin": "AWS_KMS",
        "previousKeyMaterialId": "01".repeat(32), "currentKeyMaterialId": "02".repeat(32),
    });
    assert_eq!((&record["eventName"], &record["serviceEventDetails"]), (&json!("RotateKey"), &details));
    assert_eq!((&record["eventType"], &record["readOnly"]), (&json!("AwsServiceEvent"), &json!(false)));
    assert_eq!(record["userIdentity"], json!({"accountId": "111122223333", "invokedBy": "AWS Internal"}));
    assert_eq!((&record["sourceIPAddress"], &record["userAgent"]), (&json!("AWS Internal"), &json!("AWS Internal")));
    assert_eq!(record["resources"][0]["ARN"], key.to_string());
    assert_eq!(record["meridian"]["controlLogIndex"], 41);
    let record = service(ServiceEvent::DeleteExpiredKeyMaterial { key: &key, material: old });
    let details = json!({"keyId": key.key_id.as_str(), "keyMaterialId": "01".repeat(32)});
    assert_eq!((&record["eventName"], &record["serviceEventDetails"]), (&json!("DeleteExpiredKeyMaterial"), &details));
    let record = service(ServiceEvent::DeleteKey { key: &key });
    assert_eq!(record["serviceEventDetails"], json!({"keyId": key.key_id.as_str()}));
}

#[test]
fn a_synchronisation_names_every_region_and_when_it_had_the_change() {
    let key = key_arn("eu-west-1");
    let at = |name, at: Option<u64>| Acknowledgement { region: region(name), at: at.map(Timestamp::from_millis) };
    let acknowledgements = [at("eu-west-1", Some(DAY_ONE + 1)), at("us-east-1", None)];
    let event =
        ServiceEvent::SynchronizeMultiRegionKey { key: &key, request_id: uuid(9), acknowledgements: &acknowledgements };
    let record = service(event);
    assert_eq!(record["eventType"], "AwsApiCall");
    assert_eq!((&record["requestParameters"], &record["responseElements"]), (&Value::Null, &Value::Null));
    assert_eq!(record["requestID"], "00000000-0000-0000-0000-000000000009");
    assert_eq!(record.get("serviceEventDetails"), None);
    let expected = json!([
        {"region": "eu-west-1", "timeMillis": DAY_ONE + 1},
        {"region": "us-east-1", "timeMillis": null},
    ]);
    assert_eq!(record["meridian"]["acknowledgements"], expected);
}

#[test]
fn events_of_meridian_say_what_an_operator_asks() {
    let (key, from, to) = (key_arn("eu-west-1"), region("us-east-1"), eu());
    let promotion = ServiceEvent::PromotePrimaryRegion {
        key: &key,
        from: &from,
        to: &to,
        epoch: 3,
        unreachable: std::slice::from_ref(&from),
        duration: Duration::from_millis(1200),
    };
    let record = service(promotion);
    assert_eq!(record["eventSource"], "meridian");
    let expected = json!({
        "keyId": key.key_id.as_str(), "fromRegion": "us-east-1", "toRegion": "eu-west-1", "epoch": 3,
        "unreachableRegions": ["us-east-1"], "durationMillis": 1200,
    });
    assert_eq!(record["serviceEventDetails"], expected);
    let record = service(ServiceEvent::ChangeMembership { region: &from, change: MembershipChange::Rebuilt });
    assert_eq!(record["serviceEventDetails"], json!({"region": "us-east-1", "change": "Rebuilt"}));
    let record = service(ServiceEvent::ApplyControlChange { change: "AddReplica" });
    assert_eq!((&record["eventName"], &record["eventSource"]), (&json!("ApplyControlChange"), &json!("meridian")));
    assert_eq!(record["serviceEventDetails"], json!({"change": "AddReplica"}));
    let record = service(ServiceEvent::ReportFault { component: "store", text: "the disk\u{1b}[2J is slow" });
    assert_eq!(record["serviceEventDetails"], json!({"component": "store", "text": "the disk\u{1b}[2J is slow"}));
    let head = Head { sequence: 5, hash: RecordHash::from_bytes([7; 32]) };
    let time = Timestamp::from_millis(DAY_ONE);
    let checkpoint = Checkpoint { log: log_of("us-east-1"), head, time, control_log_index: 12 };
    let record = service(ServiceEvent::Log(LogEvent::CountersignedCheckpoint(&checkpoint)));
    assert_eq!(record["eventName"], "CountersignCheckpoint");
    assert_eq!(record["serviceEventDetails"]["hash"], "07".repeat(32));
}

#[test]
fn there_is_no_member_for_a_secret_or_a_payload() {
    let source = include_str!("../../src/member.rs");
    let names: Vec<&str> = source.split("Self(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(names.len() > 100, "the members were not found");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "each is there once");
    for secret in [
        "plaintext",
        "ciphertext",
        "blob",
        "signature",
        "token",
        "password",
        "secret",
        "credentialsvalue",
        "privatekey",
        "publickey",
    ] {
        assert!(names.iter().all(|name| !name.to_lowercase().contains(secret)), "{secret}");
    }
    for payload in [
        "message",
        "mac",
        "keyMaterial",
        "encryptedKeyMaterial",
        "sharedSecret",
        "sessionToken",
        // What it says has members of its own.
        "attestationDocument",
    ] {
        assert!(!names.contains(&payload), "{payload}");
    }
}

#[test]
fn parameters_that_are_too_long_give_way_to_what_identifies_them() {
    let context: EncryptionContext = (0..1000).map(|number| (format!("key-{number:04}"), "v".repeat(100))).collect();
    let (parameters, none) = (Elements::new().context(Member::ENCRYPTION_CONTEXT, &context), Elements::new());
    let record = json(call(&parameters, &none).record(&eu()));
    let omitted = &record["requestParameters"];
    assert_eq!((&omitted["omitted"], &record["meridian"]["cutValues"]), (&json!(true), &json!(1)));
    let pairs: Vec<String> = context.iter().map(|(key, value)| format!("\"{key}\":\"{value}\"")).collect();
    let whole = format!("{{\"encryptionContext\":{{{}}}}}", pairs.join(","));
    assert_eq!(omitted["originalBytes"], whole.len());
    let digest: String = <sha2::Sha256 as sha2::Digest>::digest(whole).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(omitted["sha256"], digest);
}

/// A request in which everything is as long as possible and needs the longest escapes.
fn longest<'a>(
    text: &'a str,
    elements: [&'a Elements<'a>; 3],
    resources: &'a [Resource<'a>],
    statements: &'a [Statement<'a>],
) -> ApiCall<'a> {
    let role = RoleIdentity {
        arn: text,
        principal_id: text,
        account: account(),
        access_key_id: Some(text),
        role_arn: text,
        role_id: text,
        role_name: text,
        session_created_at: Timestamp::from_millis(DAY_ONE),
    };
    ApiCall {
        operation: Operation::kms(text),
        identity: Identity::AssumedRole(role),
        origin: RequestOrigin {
            address: text,
            user_agent: text,
            tls: Some(Tls { version: text, cipher_suite: text, host: text }),
        },
        outcome: Outcome::Failure { code: text, message: text },
        response: elements[1],
        additional: elements[2],
        resources,
        decision: Some(Decision { allowed: false, rule: "Rule", grant_id: Some(text), statements }),
        control_log_index: Some(u64::MAX),
        ..call(elements[0], elements[0])
    }
}

#[test]
fn no_record_is_longer_than_the_bound() {
    let text = "\u{1}".repeat(20_000);
    let key = key_arn("eu-west-1");
    let statement = Statement { policy_type: "Identity", policy_name: Some(&text), index: u64::MAX, sid: Some(&text) };
    // As near to the bound of a section as texts come, and far beyond it.
    for texts in [[1, 6, 9], [1, 7, 7], [1, 100, 100]] {
        let elements = texts.map(|count| {
            let values = std::iter::repeat_n(text.as_str(), count);
            Elements::new().texts(Member::OPERATIONS, values)
        });
        let (resources, statements) = ([Resource::Key(&key); 9], [statement; 9]);
        let record = longest(&text, [&elements[1], &elements[2], &elements[0]], &resources, &statements).record(&eu());
        let length = line(record).len() + 1;
        assert!(length <= RECORD_BYTES_MAX, "{texts:?}: {length} bytes");
        assert!(length > RECORD_BYTES_MAX / 10, "{texts:?}: {length} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_of_a_caller_leaves_its_place(text in any::<String>(), forged in 0..3_usize) {
        // Among others, texts that look like the end of a record.
        let tails = ["", "\",\"hash\":\"00\"}}}", "\"}},\"meridian\":{\"controlLogIndex\":9,\"chain\":{\"version\":1,"];
        let text = format!("{text}{}\n", tails[forged]);
        let (parameters, none) = (Elements::new().text(Member::KEY_ID, text.as_str()), Elements::new());
        let mut call = call(&parameters, &none);
        call.origin.user_agent = &text;
        call.operation = Operation::kms(&text);
        let record = json(call.record(&eu()));
        prop_assert_eq!(record["requestParameters"]["keyId"].as_str(), Some(text.as_str()));
        prop_assert_eq!(record["userAgent"].as_str(), Some(text.as_str()));
        prop_assert_eq!(record["eventName"].as_str(), Some(text.as_str()));
        prop_assert_eq!(record["meridian"].get("controlLogIndex"), None);
        prop_assert_eq!(record["meridian"]["chain"]["sequence"].as_u64(), Some(2));
    }
}
