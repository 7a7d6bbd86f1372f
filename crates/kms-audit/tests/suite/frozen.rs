//! Frozen bytes of every format. What was written once must read for ever; the files in `tests/vectors/audit` may get
//! company but never change.

use crate::fixture::{DAY_ONE, Keys, Node, account, alice, append, decrypt, key_arn, log, region, uuid};
use kms_audit::{
    Acknowledgement, ApiCall, Checkpoint, Decision, Elements, Gap, Head, Identity, LogEvent, Member, MembershipChange,
    MemoryVolume, Operation, Outcome, Record, RecordHash, RequestOrigin, Resource, ServiceEvent, ServiceRecord,
    SignedCheckpoint, Signer as _, Statement, Tls,
};
use kms_types::{EncryptionContext, KeyMaterialId, Origin, RotationType, Timestamp};
use std::time::Duration;

const LOG: &str = include_str!("../../../../tests/vectors/audit/log-v1.jsonl");
const HEAD: &str = include_str!("../../../../tests/vectors/audit/head-v1.txt");
const CHECKPOINT: &str = include_str!("../../../../tests/vectors/audit/checkpoint-v1.jsonl");
const SIGNED_BYTES: &str = include_str!("../../../../tests/vectors/audit/signed-bytes-v1.txt");

const LOG_FILE: &str = "audit-eu-west-1-2026-11-22.jsonl";
const HEAD_FILE: &str = "audit-eu-west-1.head";

fn time(after: u64) -> Timestamp {
    Timestamp::from_millis(DAY_ONE + after)
}

/// A request with every member that a request can have.
fn whole_call() -> Record {
    let key = key_arn("eu-west-1");
    let context: EncryptionContext = [("purpose".to_owned(), "a\"b\u{1b}\u{202e}é".to_owned())].into_iter().collect();
    let tag = Elements::new().text(Member::TAG_KEY, "k").text(Member::TAG_VALUE, "v");
    let parameters = Elements::new()
        .text(Member::KEY_ID, "alias/app")
        .context(Member::ENCRYPTION_CONTEXT, &context)
        .flag(Member::DRY_RUN, false)
        .number(Member::NUMBER_OF_BYTES, 32)
        .time(Member::VALID_TO, time(0))
        .texts(Member::OPERATIONS, ["Encrypt", "Decrypt"])
        .objects(Member::TAGS, [tag]);
    let metadata = Elements::new().text(Member::KEY_STATE, "Enabled").text(Member::ARN, key.to_string());
    let response = Elements::new().object(Member::KEY_METADATA, metadata);
    let additional = Elements::new().text(Member::GRANT_ID, "cd".repeat(32));
    let statements = [Statement { policy_type: "Identity", policy_name: Some("ops"), index: 2, sid: Some("Deny") }];
    let call = ApiCall {
        event_id: uuid(101),
        request_id: uuid(102),
        time: time(5),
        operation: Operation::kms("CreateKey"),
        identity: Identity::User(alice()),
        origin: RequestOrigin {
            address: "192.0.2.7",
            user_agent: "aws-cli/2.31",
            tls: Some(Tls { version: "TLSv1.3", cipher_suite: "TLS_AES_128_GCM_SHA256", host: "kms.example" }),
        },
        outcome: Outcome::Failure { code: "AccessDeniedException", message: "no\n" },
        parameters: &parameters,
        response: &response,
        additional: &additional,
        resources: &[Resource::Key(&key)],
        recipient: Some(account()),
        decision: Some(Decision {
            allowed: false,
            rule: "ExplicitDeny",
            grant_id: Some("ef"),
            statements: &statements,
        }),
        control_log_index: Some(6),
    };
    call.record(&region("eu-west-1"))
}

fn known_gap() -> Gap {
    let after = Head { sequence: 9, hash: RecordHash::from_bytes([9; 32]) };
    Gap { unrecorded: 3, at_least: true, first: time(6), last: time(7), after }
}

fn known_checkpoint() -> Checkpoint {
    let head = Head { sequence: 9, hash: RecordHash::from_bytes([9; 32]) };
    Checkpoint { log: log(), head, time: time(8), control_log_index: 6 }
}

/// One of each kind of service event.
fn service_records() -> Vec<Record> {
    let (key, eu, us) = (key_arn("eu-west-1"), region("eu-west-1"), region("us-east-1"));
    let (old, new) = (KeyMaterialId::from_bytes([1; 32]), KeyMaterialId::from_bytes([2; 32]));
    let (gap, checkpoint) = (known_gap(), known_checkpoint());
    let signature = Keys::of(&eu).sign(&gap.signed_bytes(&log())).unwrap();
    let acknowledgements =
        [Acknowledgement { region: eu.clone(), at: Some(time(2)) }, Acknowledgement { region: us.clone(), at: None }];
    let events = [
        ServiceEvent::RotateKey {
            key: &key,
            rotation_type: RotationType::OnDemand,
            origin: Origin::AwsKms,
            previous: Some(old),
            current: new,
        },
        ServiceEvent::SynchronizeMultiRegionKey {
            key: &key,
            request_id: uuid(103),
            acknowledgements: &acknowledgements,
        },
        ServiceEvent::DeleteKey { key: &key },
        ServiceEvent::DeleteExpiredKeyMaterial { key: &key, material: old },
        ServiceEvent::PromotePrimaryRegion {
            key: &key,
            from: &us,
            to: &eu,
            epoch: 2,
            unreachable: std::slice::from_ref(&us),
            duration: Duration::from_millis(1234),
        },
        ServiceEvent::ChangeMembership { region: &us, change: MembershipChange::Joined },
        ServiceEvent::ReportFault { component: "store", text: "slow" },
        ServiceEvent::ReportRecovery { component: "store", text: "fast" },
        ServiceEvent::Log(LogEvent::Recovered { since: time(1), refused: 4 }),
        ServiceEvent::Log(LogEvent::Gap { gap: &gap, signature: Some(&signature) }),
        ServiceEvent::Log(LogEvent::SignedCheckpoint(&checkpoint)),
        ServiceEvent::Log(LogEvent::CountersignedCheckpoint(&checkpoint)),
    ];
    let numbered = (200..).zip(events);
    numbered
        .map(|(number, event)| {
            let (event_id, control_log_index) = (uuid(number), number.is_multiple_of(2).then_some(number));
            ServiceRecord { event_id, time: time(number), event, control_log_index }.record(&eu)
        })
        .collect()
}

/// A log with a record of each kind.
fn remade() -> Node {
    let node = Node::new();
    let log = node.open();
    append(&log, decrypt(1, DAY_ONE + 3));
    append(&log, whole_call());
    for record in service_records() {
        append(&log, record);
    }
    drop(log);
    node
}

/// The frozen log and head file, as found by a later program.
fn frozen() -> Node {
    let node = Node::new();
    node.volume.put(LOG_FILE, LOG.as_bytes());
    node.volume.put(HEAD_FILE, HEAD.as_bytes());
    node
}

fn text(volume: &MemoryVolume, name: &str) -> String {
    String::from_utf8(volume.read(name).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn signed_bytes(checkpoint: &SignedCheckpoint) -> String {
    let countersignature = &checkpoint.countersignatures[0];
    let countersigned = checkpoint.countersigned_bytes(&countersignature.region, countersignature.time);
    let lines = [
        ("checkpoint", checkpoint.checkpoint.signed_bytes()),
        ("countersignature", countersigned),
        ("gap", known_gap().signed_bytes(&log())),
    ];
    lines.iter().map(|(name, bytes)| format!("{name} = {}\n", hex(bytes))).collect()
}

/// A checkpoint of the frozen log's last record, countersigned by two Regions.
fn remade_checkpoint(node: &Node) -> SignedCheckpoint {
    let head = node.events().last().unwrap().head;
    node.checkpoint(head, &["us-east-1", "ap-southeast-1"])
}

#[test]
fn every_record_and_the_chain_are_remade() {
    for (remade, frozen) in text(&remade().volume, LOG_FILE).lines().zip(LOG.lines()) {
        assert_eq!(remade, frozen);
    }
    assert_eq!(text(&remade().volume, LOG_FILE), LOG);
}

#[test]
fn the_head_file_is_remade() {
    assert_eq!(text(&remade().volume, HEAD_FILE), HEAD);
}

#[test]
fn the_checkpoint_and_all_signed_bytes_are_remade() {
    let checkpoint = remade_checkpoint(&remade());
    assert_eq!(format!("{}\n", checkpoint.to_line()), CHECKPOINT);
    assert_eq!(signed_bytes(&checkpoint), SIGNED_BYTES);
}

#[test]
fn the_frozen_log_verifies_opens_and_goes_on() {
    let node = frozen();
    let checkpoint = SignedCheckpoint::parse_line(CHECKPOINT.trim_end()).unwrap();
    let report = node.verify_with(&[checkpoint.checkpoint.head], std::slice::from_ref(&checkpoint));
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!((report.records, report.checkpoints), (16, 1));
    append(&node.open(), decrypt(2, DAY_ONE + 9));
    assert!(node.verify().is_clean());
    assert_eq!(node.numbers(), [1, 2]);
}

#[test]
fn other_forms_of_a_checkpoint_are_refused() {
    use kms_audit::CheckpointLineError::{Form, Version};
    let line = CHECKPOINT.trim_end();
    let refused = |other: String, error| assert_eq!(SignedCheckpoint::parse_line(&other), Err(error), "{other}");
    refused(line.replace("\"version\":1", "\"version\":2"), Version(2));
    refused(line.replace("\"sequence\"", "\"Sequence\""), Form);
    refused(line.replace("\"version\":1", "\"version\":1,\"more\":0"), Form);
    refused(line.replace("{\"version\":1", "{ \"version\":1"), Form);
    refused(line.replace("\"cluster\":\"dev-1\"", "\"cluster\":\"Dev-1\""), Form);
    refused(line.replace("\"signature\":\"", "\"signature\":\"0"), Form);
    refused(line[1..].to_owned(), Form);
    refused(String::new(), Form);
}
