//! Cost of a decision. Run with `cargo bench -p kms-policy`; the target is about a microsecond.
#![expect(clippy::unwrap_used, reason = "a benchmark has nobody to report an error to")]
#![expect(missing_docs, reason = "criterion's macros generate an undocumented function")]

use criterion::{Criterion, criterion_group, criterion_main};
use kms_policy::{
    AccessRequest, Action, CallerPolicies, Decision, DocumentKind, GrantConstraints, GrantTerms, KeyFacts, KeyResource,
    MultiRegionKeyType, NamedPolicy, Pairs, PolicyDocument, Principal, PrincipalKind, RequestContext, decide_on_key,
};
use kms_types::{
    AccountId, EncryptionAlgorithm, EncryptionContext, GrantId, GrantOperation, KeySpec, KeyUsage, Origin, Timestamp,
};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";

fn account() -> AccountId {
    AccountId::parse("111122223333").unwrap()
}

fn ada() -> Principal<'static> {
    Principal { arn: "arn:aws:iam::111122223333:user/ada", account: account(), kind: PrincipalKind::User }
}

fn identity(name: &str, statement: &str) -> NamedPolicy {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let document = PolicyDocument::parse(&text, DocumentKind::Identity).unwrap();
    NamedPolicy { name: name.into(), document: Arc::new(document) }
}

/// Builds a request as the data path does, and decides it.
fn decide(
    policy: &PolicyDocument,
    policies: CallerPolicies<'_>,
    encryption_context: &EncryptionContext,
    grants: &[(GrantId, GrantTerms<'_>)],
) -> Decision {
    let account = account();
    let tags = |see: &mut dyn FnMut(&str, &str)| see("team", "blue");
    let facts = KeyFacts {
        account,
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        multi_region: Some(MultiRegionKeyType::Primary),
    };
    let context = RequestContext::new(Action::Decrypt, black_box(ada()))
        .time(Timestamp::from_millis(1_795_305_600_000))
        .source_ip([10, 0, 0, 1].into())
        .secure_transport(true)
        .requested_region("us-east-1")
        .user_agent("aws-cli/2.31")
        .key(facts)
        .principal_tags(Pairs::new(&tags))
        .resource_tags(Pairs::new(&tags))
        .encryption_algorithm(EncryptionAlgorithm::SymmetricDefault)
        .encryption_context(encryption_context);
    let request = AccessRequest { context: &context, policies };
    let key = KeyResource { arn: black_box(KEY), account: &account, policy };
    decide_on_key(&request, &key, grants.iter().copied())
}

/// Twenty statements, most of them about the caller's action and each with conditions; the last one allows.
fn long_policy() -> PolicyDocument {
    let mut statements = Vec::new();
    for number in 0..19 {
        let (effect, condition) = match number % 5 {
            0 => ("Deny", r#""NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","192.168.0.0/16"]}"#.to_owned()),
            1 => ("Deny", r#""Bool":{"aws:SecureTransport":"false"}"#.to_owned()),
            2 => ("Allow", format!(r#""StringEquals":{{"kms:EncryptionContext:tenant":"tenant-{number}"}}"#)),
            3 => ("Allow", format!(r#""StringLike":{{"aws:UserAgent":"meridian-{number}/*"}}"#)),
            _ => ("Deny", r#""DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}"#.to_owned()),
        };
        statements.push(format!(
            r#"{{"Effect":"{effect}","Principal":{{"AWS":"arn:aws:iam::111122223333:user/ada"}},"Action":["kms:*crypt*"],
            "Resource":"*","Condition":{{{condition}}}}}"#
        ));
    }
    statements.push(
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*",
        "Condition":{"StringEquals":{"kms:MultiRegionKeyType":"PRIMARY"}}}"#
            .to_owned(),
    );
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
    PolicyDocument::parse(&text, DocumentKind::Key).unwrap()
}

fn decision(criterion: &mut Criterion) {
    let default = PolicyDocument::parse(&kms_policy::default_key_policy(&account()), DocumentKind::Key).unwrap();
    let administrator = [identity("Administrator", r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#)];
    let pairs = [("tenant".to_owned(), "tenant-x".to_owned()), ("purpose".to_owned(), "bench".to_owned())];
    let context: EncryptionContext = pairs.into_iter().collect();
    let by_identity = CallerPolicies { identity: &administrator, ..CallerPolicies::default() };
    criterion.bench_function("default key policy and an administrator", |b| {
        b.iter(|| assert!(decide(&default, by_identity, &context, &[]).is_allowed()));
    });

    let scoped = [identity(
        "Scoped",
        r#"{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"arn:aws:kms:*:111122223333:key/mrk-*",
        "Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}"#,
    )];
    let by_tag = CallerPolicies { identity: &scoped, ..CallerPolicies::default() };
    criterion.bench_function("default key policy and a scoped identity policy with a variable", |b| {
        b.iter(|| assert!(decide(&default, by_tag, &context, &[]).is_allowed()));
    });

    let long = long_policy();
    criterion.bench_function("20 statements with conditions", |b| {
        b.iter(|| assert!(decide(&long, by_identity, &context, &[]).is_allowed()));
    });

    let operations = BTreeSet::from([GrantOperation::Decrypt]);
    let constraints = GrantConstraints::default();
    let grants =
        [(GrantId::from_bytes([7; 32]), GrantTerms { grantee: ada().arn, operations: &operations, constraints })];
    criterion.bench_function("a grant", |b| {
        b.iter(|| assert!(decide(&default, CallerPolicies::default(), &context, &grants).is_allowed()));
    });

    let text = kms_policy::default_key_policy(&account());
    criterion.bench_function("parse the default key policy", |b| {
        b.iter(|| PolicyDocument::parse(black_box(&text), DocumentKind::Key).unwrap());
    });
}

criterion_group!(benches, decision);
criterion_main!(benches);
