//! Documents of every shape: near to policies, and far from them.

use kms_policy::{
    AccessRequest, Action, CallerPolicies, DocumentKind, KeyResource, PolicyDocument, Principal, PrincipalKind,
    RequestContext, decide_on_account, decide_on_key, may_put_next_policy,
};
use kms_types::{AccountId, EncryptionContext, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

use crate::world::KEY;

/// Parses a text as each kind of document and, if it is one, asks it about every action.
pub(crate) fn parse_and_decide(text: &str) {
    for kind in [DocumentKind::Key, DocumentKind::Identity, DocumentKind::Trust] {
        if let Ok(document) = PolicyDocument::parse(text, kind) {
            let pairs = [("a".to_owned(), "1".repeat(20)), ("B".to_owned(), "*?${".to_owned())];
            decide(&document, &pairs.into_iter().collect());
        }
    }
}

fn decide(document: &PolicyDocument, encryption_context: &EncryptionContext) {
    let account = AccountId::parse("111122223333").unwrap();
    let arn = "arn:aws:iam::111122223333:user/ada";
    let principal = Principal { arn, account, kind: PrincipalKind::User };
    for action in Action::all() {
        let context = RequestContext::new(action, principal)
            .encryption_context(encryption_context)
            .time(Timestamp::from_millis(1_795_305_600_000))
            .source_ip("10.0.0.1".parse().unwrap())
            .user_agent("aws-cli");
        let request = AccessRequest { context: &context, policies: CallerPolicies::default() };
        let key = KeyResource { arn: KEY, account: &account, policy: document };
        let decided = (decide_on_key(&request, &key, []), decide_on_account(&request, None));
        let next = may_put_next_policy(document, KEY, &request);
        std::hint::black_box((decided, next));
    }
}

/// Words that policies are made of, and some that they are not.
const WORDS: [&str; 46] = [
    "*",
    "",
    "Allow",
    "Deny",
    "2012-10-17",
    "2008-10-17",
    "kms:*",
    "kms:Encrypt",
    "kms:De?rypt",
    "sts:AssumeRole",
    "arn:aws:kms:*:111122223333:key/*",
    "arn:aws:kms:us-east-1:*",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/ada",
    "arn:aws:sts::111122223333:assumed-role/Builder/ci",
    "111122223333",
    "s3.amazonaws.com",
    "${aws:username}",
    "${aws:username, 'x'}",
    "${",
    "a*b?c",
    "true",
    "10.0.0.0/8",
    "::/0",
    "2026-11-22",
    "7.5",
    "Version",
    "Statement",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "Sid",
    "AWS",
    "Service",
    "StringLike",
    "ForAnyValue:StringNotEqualsIfExists",
    "Null",
    "IpAddress",
    "kms:EncryptionContext:a",
    "aws:SourceIp",
    "kms:EncryptionContextKeys",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![9 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => word().prop_map(Value::String),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => any::<i64>().prop_map(|number| json!(number)),
        1 => Just(Value::Null)
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((word(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A statement whose elements are mostly of their right shape.
fn statement() -> impl Strategy<Value = Value> {
    let element = |right: Vec<Value>| prop_oneof![6 => prop::sample::select(right), 1 => any_value()];
    let effect = element(vec![json!("Allow"), json!("Deny")]);
    let principal = element(vec![json!("*"), json!({"AWS": "111122223333"}), json!({"AWS": ["*"]})]);
    let action = element(vec![json!("kms:*"), json!(["kms:En*", "kms:?ecrypt"])]);
    let resource = element(vec![json!("*"), json!([KEY]), json!("arn:aws:kms:*:*:key/${aws:username}")]);
    let operator = prop_oneof![
        Just("StringEquals".to_owned()),
        Just("StringNotLike".to_owned()),
        Just("ForAllValues:StringLike".to_owned()),
        Just("NumericLessThanIfExists".to_owned()),
        Just("DateGreaterThan".to_owned()),
        Just("NotIpAddress".to_owned()),
        Just("ArnLike".to_owned()),
        Just("Null".to_owned()),
        word()
    ];
    let condition = (operator, word(), any_value());
    (effect, principal, action, resource, prop::option::of(condition)).prop_map(
        |(effect, principal, action, resource, condition)| {
            let mut statement =
                json!({"Effect": effect, "Principal": principal, "Action": action, "Resource": resource});
            if let Some((operator, key, values)) = condition {
                statement["Condition"] = json!({ operator: { key: values } });
            }
            statement
        },
    )
}

pub(crate) fn any_document() -> impl Strategy<Value = String> {
    let near = prop::collection::vec(statement(), 0..4)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}));
    prop_oneof![3 => near, 1 => any_value()].prop_map(|value| value.to_string())
}

const EXAMPLE: &str = r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"a b","Effect":"Deny","NotPrincipal":{"AWS":[
"arn:aws:iam::111122223333:user/ada","111122223333"]},"NotAction":["kms:Describe*","kms:List?eys"],"Resource":"*",
"Condition":{"ForAnyValue:StringNotLike":{"kms:EncryptionContextKeys":["a*","${aws:username, 'b'}"]},"IpAddress":
{"aws:SourceIp":"10.0.0.0/8"},"DateLessThan":{"aws:CurrentTime":"2026-11-22T00:00:00Z"},"Null":{"kms:ViaService":true},
"NumericGreaterThanIfExists":{"kms:RotationPeriodInDays":90.5},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}}}]}"#;

/// The example with some of its bytes changed, taken out or doubled.
pub(crate) fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0_u8..4, any::<u8>());
    prop::collection::vec(change, 1..6).prop_map(|changes| {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        for (place, kind, byte) in changes {
            // Removals may have left nothing to change.
            if bytes.is_empty() {
                bytes.push(byte);
            }
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => drop(bytes.remove(place)),
                2 => bytes.insert(place, b"{}[]\",:*?$"[usize::from(byte) % 10]),
                _ => bytes.truncate(place.max(1)),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Far more than any of these takes, far less than one of them would take without its bound.
const LONGEST: Duration = Duration::from_secs(60);

#[test]
fn the_worst_documents_and_requests_are_decided_in_bounded_time() {
    let condition = |operator: &str, key: &str, values: &Value| {
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {operator: {key: values}}}})
        .to_string()
    };
    let repeated = |text: &str, count: usize| json!(vec![text; count]);
    let documents = [
        condition("StringLike", "kms:EncryptionContext:a", &json!("*a".repeat(15_000))),
        condition("StringLike", "kms:EncryptionContext:a", &json!(format!("*{}b", "a".repeat(30_000)))),
        condition("StringLike", "kms:EncryptionContext:a", &json!(format!("*{}?b", "a?".repeat(900)))),
        condition("StringLike", "kms:EncryptionContext:a", &repeated("*aab*", 3_500)),
        condition("ForAllValues:StringLike", "kms:EncryptionContextKeys", &repeated("*b*", 4_500)),
        condition("ForAllValues:StringEquals", "kms:EncryptionContextKeys", &repeated("b", 7_500)),
        condition("StringEquals", "kms:EncryptionContext:none", &repeated("b", 7_500)),
    ];
    let long: EncryptionContext = [("a".to_owned(), "a".repeat(1_000_000))].into_iter().collect();
    let fit: EncryptionContext = [("a".to_owned(), "a".repeat(8_192))].into_iter().collect();
    let many: EncryptionContext = (0..100_000).map(|number| (number.to_string(), String::new())).collect();
    let start = Instant::now();
    for document in documents {
        assert!(document.len() <= kms_types::limits::POLICY_BYTES_MAX + 6_000, "{}", document.len());
        let document = PolicyDocument::parse(&document, DocumentKind::Key).unwrap();
        for context in [&long, &fit, &many] {
            decide_once(&document, context);
        }
    }
    assert!(start.elapsed() < LONGEST, "{:?}", start.elapsed());
}

fn decide_once(document: &PolicyDocument, encryption_context: &EncryptionContext) {
    let account = AccountId::parse("111122223333").unwrap();
    let principal = Principal { arn: "arn:aws:iam::111122223333:user/ada", account, kind: PrincipalKind::User };
    let context = RequestContext::new(Action::Encrypt, principal).encryption_context(encryption_context);
    let request = AccessRequest { context: &context, policies: CallerPolicies::default() };
    let key = KeyResource { arn: KEY, account: &account, policy: document };
    std::hint::black_box(decide_on_key(&request, &key, []));
}
