//! Claims on the facts of a request.

use super::*;
use crate::test_requests::{ada, builder};
use kms_types::{
    EncryptionAlgorithm, ExpirationModel, GrantOperation, KeyAgreementAlgorithm, KeySpec, KeyUsage, MacAlgorithm,
    MessageType, Origin, SigningAlgorithm, Timestamp, WrappingAlgorithm, WrappingKeySpec,
};
use std::collections::{BTreeMap, BTreeSet};

/// The values of a condition key as texts; nothing when the request does not have it.
fn values(request: &RequestContext<'_>, key: &str) -> Option<Vec<String>> {
    let key = ConditionKey::parse(key).unwrap();
    let mut values = Vec::new();
    let is_present = request.visit(&key, &mut |fact| values.push(fact.text().unwrap_or_else(|| "too many".to_owned())));
    is_present.then_some(values)
}

fn one(request: &RequestContext<'_>, key: &str) -> Option<String> {
    values(request, key).map(|values| values.join("|"))
}

fn key_facts(multi_region: Option<MultiRegionKeyType>) -> KeyFacts {
    let (spec, usage) = (KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt);
    KeyFacts { account: ada().account, spec, usage, origin: Origin::AwsKms, multi_region }
}

/// A request in which every fact is told that has a setter.
fn with_everything<T>(action: Action, look: impl FnOnce(&RequestContext<'_>) -> T) -> T {
    let tags = |see: &mut dyn FnMut(&str, &str)| see("Team", "Blue");
    let names = |see: &mut dyn FnMut(&str)| {
        see("alias/a");
        see("alias/b");
    };
    let pairs = BTreeMap::from([("App".to_owned(), "Store".to_owned())]);
    let operations = BTreeSet::from([GrantOperation::Decrypt, GrantOperation::Encrypt]);
    let source_arn = Some("arn:aws:s3:::bucket");
    let constraints = crate::GrantConstraints {
        encryption_context_equals: Some(&pairs),
        encryption_context_subset: None,
        source_arn,
    };
    let grant = GrantTerms { grantee: "arn:aws:iam::111122223333:role/Builder", operations: &operations, constraints };
    let context: EncryptionContext = pairs.clone().into_iter().collect();
    let request = RequestContext::new(action, ada())
        .user_id("AIDAEXAMPLE")
        .principal_tags(Pairs::new(&tags))
        .source_identity("ada@example.com")
        .token_issue_time(Timestamp::from_millis(1_795_305_600_000))
        .multi_factor_auth_present(true)
        .multi_factor_auth_age(60)
        .time(Timestamp::from_millis(1_795_305_600_500))
        .source_ip("10.0.0.1".parse().unwrap())
        .secure_transport(true)
        .user_agent("aws-cli/2")
        .referer("https://example.com")
        .requested_region("us-east-1")
        .source_arn("arn:aws:s3:::bucket")
        .source_account("111122223333")
        .key(key_facts(Some(MultiRegionKeyType::Primary)))
        .resource_tags(Pairs::new(&tags))
        .resource_aliases(Names::new(&names), 50)
        .encryption_context(&context)
        .bypass_policy_lockout_safety_check(true)
        .data_key_pair_spec(KeySpec::Rsa2048)
        .encryption_algorithm(EncryptionAlgorithm::SymmetricDefault)
        .expiration_model(ExpirationModel::KeyMaterialExpires)
        .key_agreement_algorithm(KeyAgreementAlgorithm::Ecdh)
        .mac_algorithm(MacAlgorithm::HmacSha256)
        .message_type(MessageType::Raw)
        .pending_window_in_days(7)
        .policy_name("default")
        .primary_region("eu-west-1")
        .re_encrypt_on_same_key(false)
        .replica_region("eu-west-1")
        .request_alias("alias/a")
        .retiring_principal("arn:aws:iam::111122223333:role/Admin")
        .retiring_service_principal("s3.amazonaws.com")
        .rotation_period_in_days(90)
        .signing_algorithm(SigningAlgorithm::EcdsaSha256)
        .request_tags(Pairs::new(&tags))
        .valid_to(Timestamp::from_millis(1_800_000_000_000))
        .via_service("s3.us-east-1.amazonaws.com")
        .wrapping_algorithm(WrappingAlgorithm::RsaesOaepSha256)
        .wrapping_key_spec(WrappingKeySpec::Rsa2048);
    if action == Action::CreateGrant { look(&request.new_grant(&grant)) } else { look(&request) }
}

#[test]
fn every_condition_key_is_told_where_its_action_has_it() {
    let mut told = BTreeSet::new();
    for action in Action::all() {
        with_everything(action, |request| {
            for key in NamedKey::all() {
                let is_present = values(request, key.name()).is_some();
                assert!(!is_present || key.scope().includes(action), "{action} has {}", key.name());
                if is_present {
                    told.insert(key.name());
                }
            }
        });
    }
    let missing: Vec<&str> = NamedKey::all().map(NamedKey::name).filter(|name| !told.contains(name)).collect();
    // A grant has one kind of grantee; the other is looked at below.
    assert_eq!(missing, ["kms:granteeserviceprincipal"]);
}

#[test]
fn values_are_those_that_were_told() {
    let cases = [
        (Action::Encrypt, "aws:CurrentTime", "2026-11-22T00:00:00Z"),
        (Action::Encrypt, "aws:EpochTime", "1795305600"),
        (Action::Encrypt, "aws:SourceIp", "10.0.0.1"),
        (Action::Encrypt, "aws:MultiFactorAuthPresent", "true"),
        (Action::Encrypt, "aws:PrincipalTag/team", "Blue"),
        (Action::Encrypt, "aws:ResourceTag/TEAM", "Blue"),
        (Action::Encrypt, "aws:ResourceAccount", "111122223333"),
        (Action::Encrypt, "kms:CallerAccount", "111122223333"),
        (Action::Encrypt, "kms:CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"),
        (Action::Encrypt, "kms:CustomerMasterKeyUsage", "ENCRYPT_DECRYPT"),
        (Action::Encrypt, "kms:EncryptionContext:APP", "Store"),
        (Action::Encrypt, "kms:EncryptionContextKeys", "App"),
        (Action::Encrypt, "kms:MultiRegion", "true"),
        (Action::Encrypt, "kms:MultiRegionKeyType", "PRIMARY"),
        (Action::Encrypt, "kms:ResourceAliases", "alias/a|alias/b"),
        (Action::CreateGrant, "kms:EncryptionContext:app", "Store"),
        (Action::CreateGrant, "kms:GrantConstraintSourceArn", "arn:aws:s3:::bucket"),
        (Action::CreateGrant, "kms:GrantConstraintType", "EncryptionContextEquals"),
        (Action::CreateGrant, "kms:GrantIsForAWSResource", "false"),
        (Action::CreateGrant, "kms:GrantOperations", "Decrypt|Encrypt"),
        (Action::CreateGrant, "kms:GranteePrincipal", "arn:aws:iam::111122223333:role/Builder"),
        (Action::TagResource, "aws:RequestTag/Team", "Blue"),
        (Action::TagResource, "aws:TagKeys", "Team"),
    ];
    for (action, key, expected) in cases {
        assert_eq!(with_everything(action, |request| one(request, key)).as_deref(), Some(expected), "{key}");
    }
}

#[test]
fn what_is_not_told_is_absent() {
    let request = RequestContext::new(Action::Encrypt, ada());
    let present: Vec<&str> =
        NamedKey::all().map(NamedKey::name).filter(|name| values(&request, name).is_some()).collect();
    let always = [
        "kms:calleraccount",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principaltype",
        "aws:username",
        "aws:viaawsservice",
    ];
    assert_eq!(present, always);
    let single = request.key(key_facts(None));
    assert_eq!(one(&single, "kms:MultiRegion").as_deref(), Some("false"));
    assert_eq!(one(&single, "kms:MultiRegionKeyType"), None);
    let empty = EncryptionContext::default();
    assert_eq!(values(&request.encryption_context(&empty), "kms:EncryptionContextKeys"), None);
}

#[test]
fn principals_are_told_by_their_identity() {
    let account = ada().account;
    let root = Principal { arn: "arn:aws:iam::111122223333:root", account, kind: crate::PrincipalKind::Root };
    let pathed = Principal { arn: "arn:aws:iam::111122223333:user/team/blue/eve", ..ada() };
    let cases = [
        (ada(), "aws:PrincipalType", Some("User")),
        (ada(), "aws:username", Some("ada")),
        (ada(), "aws:userid", None),
        (ada(), "aws:PrincipalArn", Some("arn:aws:iam::111122223333:user/ada")),
        (pathed, "aws:username", Some("eve")),
        (builder(), "aws:PrincipalType", Some("AssumedRole")),
        (builder(), "aws:username", None),
        (builder(), "aws:PrincipalArn", Some("arn:aws:iam::111122223333:role/Builder")),
        (root, "aws:PrincipalType", Some("Account")),
        (root, "aws:username", None),
        (root, "aws:userid", Some("111122223333")),
    ];
    for (principal, key, expected) in cases {
        let request = RequestContext::new(Action::Encrypt, principal);
        assert_eq!(one(&request, key).as_deref(), expected, "{principal:?} {key}");
    }
}

#[test]
fn a_grant_to_a_service_has_a_service_as_grantee() {
    let operations = BTreeSet::from([GrantOperation::Decrypt]);
    let constraints = crate::GrantConstraints::default();
    let grant = GrantTerms { grantee: "ebs.amazonaws.com", operations: &operations, constraints };
    let request = RequestContext::new(Action::CreateGrant, ada()).new_grant(&grant);
    assert_eq!(one(&request, "kms:GranteeServicePrincipal").as_deref(), Some("ebs.amazonaws.com"));
    assert_eq!(one(&request, "kms:GranteePrincipal"), None);
    assert_eq!(one(&request, "kms:GrantConstraintType"), None);
}

#[test]
fn values_beyond_their_limits_are_told_as_too_many() {
    let names = |see: &mut dyn FnMut(&str)| (0..3).for_each(|_| see("alias/a"));
    let request = RequestContext::new(Action::Encrypt, ada());
    let aliases = |limit| one(&request.resource_aliases(Names::new(&names), limit), "kms:ResourceAliases");
    assert_eq!(aliases(3).as_deref(), Some("alias/a|alias/a|alias/a"));
    assert_eq!(aliases(2).as_deref(), Some("too many"));
    let context: EncryptionContext = (0..=VALUES_MAX).map(|number| (format!("{number:04}"), String::new())).collect();
    let request = request.encryption_context(&context);
    let keys = values(&request, "kms:EncryptionContextKeys").unwrap();
    assert_eq!((keys.len(), keys.last().map(String::as_str)), (VALUES_MAX + 1, Some("too many")));
    assert_eq!(one(&request, "kms:EncryptionContext:none").as_deref(), Some("too many"));
}

#[test]
fn a_setter_answers_before_other_facts() {
    let facts = Facts::default().with("sts:ExternalId", ["x"]).with("aws:PrincipalType", ["Root"]);
    let facts = facts.with("kms:SigningAlgorithm", ["ECDSA_SHA_256"]).with("kms:ViaService", ["s3"]);
    let request = RequestContext::new(Action::Encrypt, ada()).other(&facts);
    assert_eq!(one(&request, "sts:ExternalId").as_deref(), Some("x"));
    assert_eq!(one(&request, "aws:PrincipalType").as_deref(), Some("User"));
    assert_eq!(one(&request, "kms:ViaService").as_deref(), Some("s3"));
    assert_eq!(one(&request, "kms:SigningAlgorithm"), None, "Encrypt has no such key");
}

#[test]
fn measurements_are_those_of_operations_that_answer_a_recipient() {
    let measured = [("ImageSha384".to_owned(), "00ff".to_owned()), ("PCR8".to_owned(), "abcd".to_owned())];
    let request = |action| RequestContext::new(action, ada()).recipient_attestation(Pairs::of(&measured));
    let key = "kms:RecipientAttestation:PCR8";
    for action in [
        Action::Decrypt,
        Action::DeriveSharedSecret,
        Action::GenerateDataKey,
        Action::GenerateDataKeyPair,
        Action::GenerateRandom,
    ] {
        assert_eq!(one(&request(action), key).as_deref(), Some("abcd"), "{action:?}");
        assert_eq!(one(&request(action), "KMS:recipientattestation:IMAGESHA384").as_deref(), Some("00ff"));
        // A register that the document does not have, one of another platform, and no document.
        assert_eq!(values(&request(action), "kms:RecipientAttestation:PCR0"), None);
        assert_eq!(values(&request(action), "kms:RecipientAttestation:NitroTPMPCR8"), None);
        assert_eq!(values(&RequestContext::new(action, ada()), key), None);
    }
    for action in [Action::Encrypt, Action::GenerateDataKeyWithoutPlaintext, Action::ReEncryptFrom, Action::Sign] {
        assert_eq!(values(&request(action), key), None, "{action:?}");
    }
}
