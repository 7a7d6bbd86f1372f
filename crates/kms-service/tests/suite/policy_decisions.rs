//! Key policies, identity policies, boundaries and session policies in force: who is let in, by what, and what those are
//! told who are not.

use super::support::principals::{Person, document, noted};
use super::support::{ACCOUNT, Cluster, admin};
use kms_service::operations::create_alias::CreateAliasRequest;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::describe_key::DescribeKeyRequest;
use kms_service::operations::encrypt::EncryptRequest;
use kms_service::operations::put_key_policy::PutKeyPolicyRequest;
use kms_service::operations::replicate_key::ReplicateKeyRequest;
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_service::operations::tag_resource::TagResourceRequest;
use kms_service::operations::update_primary_region::UpdatePrimaryRegionRequest;
use kms_service::{AccessQuestion, KmsError, PromoteError, Promoter};
use kms_types::EncryptionContext;
use std::collections::BTreeMap;

const HERE: &str = "us-east-1";
const THERE: &str = "eu-west-1";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const CAROL: &str = "arn:aws:iam::444455556666:user/carol";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/auditor/monday";
/// What the account leaves to its identity policies, as in the default key policy.
const ACCOUNT_DECIDES: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}"#;
const ALLOW_ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

async fn put_policy(cluster: &Cluster, at: &str, key_id: &str, statements: &str) {
    let request = PutKeyPolicyRequest {
        key_id: key_id.to_owned(),
        policy_name: None,
        policy: document(statements),
        bypass_policy_lockout_safety_check: Some(true),
    };
    cluster.at(at).put_key_policy(admin(request)).await.unwrap();
}

fn with_context(key_id: &str, pairs: &[(&str, &str)]) -> EncryptRequest {
    EncryptRequest {
        key_id: key_id.to_owned(),
        plaintext: Default::default(),
        encryption_context: pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        grant_tokens: Vec::new(),
        encryption_algorithm: None,
        dry_run: false,
    }
}

async fn encrypts(cluster: &Cluster, at: &str, who: &Person, key_id: &str) -> Result<(), KmsError> {
    cluster.at(at).encrypt(who.asks(with_context(key_id, &[]))).await.map(drop)
}

fn told<T: std::fmt::Debug>(result: Result<T, KmsError>) -> String {
    match result.unwrap_err() {
        KmsError::AccessDenied(text) => text,
        other => unreachable!("not a denial: {other:?}"),
    }
}

#[tokio::test]
async fn each_way_to_be_denied_has_the_text_of_aws_and_its_reason_on_the_trail() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let deny = r#"{"Sid":"NoEncrypt","Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}"#;
    let allow_decrypt = r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}"#;
    let alice = || Person::new(ALICE);
    let cases = [
        (alice(), "because no identity-based policy allows the kms:Encrypt action", "no identity policy allows it"),
        (
            alice().with(ALLOW_ALL).with(deny),
            "with an explicit deny in an identity-based policy",
            "denied by identity policy policy-1, statement 0 (NoEncrypt)",
        ),
        (
            alice().with(ALLOW_ALL).bounded_by(allow_decrypt),
            "because no permissions boundary allows the kms:Encrypt action",
            "the permission boundary does not allow it",
        ),
        (
            alice().with(ALLOW_ALL).bounded_by(deny),
            "with an explicit deny in a permissions boundary",
            "denied by permission boundary boundary, statement 0 (NoEncrypt)",
        ),
        (
            Person::new(SESSION).with(ALLOW_ALL).in_session_with(allow_decrypt),
            "because no session policy allows the kms:Encrypt action",
            "the session policy does not allow it",
        ),
    ];
    for (who, text, reason) in cases {
        let asked = who.asks(with_context(&key_id, &[]));
        let caller = asked.caller.clone();
        let found = told(cluster.at(HERE).encrypt(asked).await);
        let arn = &who.identity().arn;
        let start = format!(
            "User: {arn} is not authorized to perform: kms:Encrypt on resource: \
             arn:aws:kms:{HERE}:{ACCOUNT}:key/{key_id} "
        );
        assert_eq!(found, format!("{start}{text}"));
        assert!(noted(&caller).ends_with(reason), "{}", noted(&caller));
        let touched = caller.trail.notes().resources;
        assert_eq!(touched.len(), 1);
        assert_eq!(*touched[0].0, format!("arn:aws:kms:{HERE}:{ACCOUNT}:key/{key_id}"));
    }
    encrypts(&cluster, HERE, &alice().with(ALLOW_ALL), &key_id).await.unwrap();
}

#[tokio::test]
async fn key_policy_lets_in_by_itself_and_its_deny_beats_everything() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let alice = Person::new(ALICE);
    let named =
        format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{ALICE}"}},"Action":"kms:Encrypt","Resource":"*"}}"#);
    put_policy(&cluster, HERE, &key_id, &format!("{ACCOUNT_DECIDES},{named}")).await;
    encrypts(&cluster, HERE, &alice, &key_id).await.unwrap();
    // Without the account no identity policy has any effect.
    put_policy(&cluster, HERE, &key_id, &named).await;
    let text = told(
        encrypts(&cluster, HERE, &Person::new("arn:aws:iam::111122223333:user/bob").with(ALLOW_ALL), &key_id).await,
    );
    assert!(text.ends_with("because no resource-based policy allows the kms:Encrypt action"), "{text}");
    let key_id = cluster.key(HERE).await;
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*"}"#;
    put_policy(&cluster, HERE, &key_id, &format!("{ACCOUNT_DECIDES},{named},{deny}")).await;
    let text = told(encrypts(&cluster, HERE, &alice.with(ALLOW_ALL), &key_id).await);
    assert!(text.ends_with("with an explicit deny in a resource-based policy"), "{text}");
}

#[tokio::test]
async fn key_of_another_account_is_not_told_from_a_missing_one_however_it_denies() {
    let cluster = Cluster::new(&[HERE]);
    let deny = format!(r#"{{"Effect":"Deny","Principal":{{"AWS":"{CAROL}"}},"Action":"kms:*","Resource":"*"}}"#);
    let identity_deny = r#"{"Effect":"Deny","Action":"kms:DescribeKey","Resource":"*"}"#;
    let absent = format!("arn:aws:kms:{HERE}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab");
    for who in [Person::new(CAROL), Person::new(CAROL).with(ALLOW_ALL), Person::new(CAROL).with(identity_deny)] {
        for statements in [ACCOUNT_DECIDES.to_owned(), format!("{ACCOUNT_DECIDES},{deny}")] {
            let arn = cluster.create(HERE, CreateKeyRequest::default()).await.arn.to_string();
            put_policy(&cluster, HERE, &arn, &statements).await;
            let describe = async |key_id: &str| {
                let request = DescribeKeyRequest { key_id: key_id.to_owned(), grant_tokens: Vec::new() };
                told(cluster.at(HERE).describe_key(who.asks(request)).await).replace(key_id, "KEY")
            };
            assert_eq!(describe(&arn).await, describe(&absent).await);
        }
    }
}

#[tokio::test]
async fn both_accounts_must_allow_what_crosses_between_them() {
    let cluster = Cluster::new(&[HERE]);
    let arn = cluster.create(HERE, CreateKeyRequest::default()).await.arn.to_string();
    let external = r#"{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":["kms:Encrypt","kms:DisableKey"],"Resource":"*"}"#;
    put_policy(&cluster, HERE, &arn, &format!("{ACCOUNT_DECIDES},{external}")).await;
    let text = told(encrypts(&cluster, HERE, &Person::new(CAROL), &arn).await);
    assert!(text.ends_with("because no identity-based policy allows the kms:Encrypt action"), "{text}");
    let carol = Person::new(CAROL).with(ALLOW_ALL);
    encrypts(&cluster, HERE, &carol, &arn).await.unwrap();
    // Not an action that AWS KMS offers across accounts, whatever the policies say.
    let request = kms_service::operations::disable_key::DisableKeyRequest { key_id: arn };
    told(cluster.at(HERE).disable_key(carol.asks(request)).await);
}

#[tokio::test]
async fn conditions_see_the_request_the_key_and_the_caller() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let tags = TagResourceRequest { key_id: key_id.clone(), tags: vec![("team".into(), "blue".into())] };
    cluster.at(HERE).tag_resource(admin(tags)).await.unwrap();
    let alias = CreateAliasRequest { alias_name: "alias/app".into(), target_key_id: key_id.clone() };
    cluster.at(HERE).create_alias(admin(alias)).await.unwrap();
    let when = |condition: &str| {
        Person::new(ALICE)
            .tagged("team", "blue")
            .calling(|caller| {
                caller.origin.secure_transport = true;
                caller.origin.source_ip = Some([203, 0, 113, 7].into());
                caller.origin.user_agent = Some("boto3/1".into());
            })
            .with(&format!(r#"{{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*","Condition":{{{condition}}}}}"#))
    };
    for (condition, holds) in [
        (r#""StringEquals":{"kms:EncryptionContext:dept":"it"}"#, true),
        (r#""StringEquals":{"kms:EncryptionContext:dept":"hr"}"#, false),
        (r#""ForAnyValue:StringEquals":{"kms:EncryptionContextKeys":"dept"}"#, true),
        (r#""StringEquals":{"kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#, true),
        (r#""StringEquals":{"kms:RequestAlias":"alias/app"}"#, true),
        (r#""StringEquals":{"kms:RequestAlias":"alias/other"}"#, false),
        (r#""ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/app"}"#, true),
        (r#""StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}"#, true),
        (r#""StringEquals":{"aws:ResourceTag/team":"red"}"#, false),
        (r#""Bool":{"kms:MultiRegion":"false"}"#, true),
        (r#""StringEquals":{"kms:MultiRegionKeyType":"PRIMARY"}"#, false),
        (
            r#""StringEquals":{"kms:KeySpec":"SYMMETRIC_DEFAULT","kms:KeyUsage":"ENCRYPT_DECRYPT","kms:KeyOrigin":"AWS_KMS"}"#,
            true,
        ),
        (r#""StringEquals":{"kms:CallerAccount":"111122223333"}"#, true),
        (r#""StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"}"#, false),
        (r#""StringEquals":{"aws:RequestedRegion":"us-east-1"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, true),
        (r#""NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}"#, false),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, true),
        (r#""StringLike":{"aws:UserAgent":"boto3/*"}"#, true),
        (r#""DateGreaterThan":{"aws:CurrentTime":"2000-01-01T00:00:00Z"}"#, true),
        (r#""DateLessThan":{"aws:TokenIssueTime":"2100-01-01T00:00:00Z"}"#, false),
    ] {
        let asked = when(condition).asks(with_context("alias/app", &[("dept", "it")]));
        let result = cluster.at(HERE).encrypt(asked).await;
        assert_eq!(result.is_ok(), holds, "{condition}: {result:?}");
    }
    let window = r#"{"Effect":"Allow","Action":"kms:ScheduleKeyDeletion","Resource":"*","Condition":{"NumericGreaterThanEquals":{"kms:ScheduleKeyDeletionPendingWindowInDays":"30"}}}"#;
    let schedule = |days| ScheduleKeyDeletionRequest { key_id: key_id.clone(), pending_window_in_days: days };
    let alice = Person::new(ALICE).with(window);
    told(cluster.at(HERE).schedule_key_deletion(alice.asks(schedule(Some(7)))).await);
    // A request that names no window has the default one, 30 days.
    cluster.at(HERE).schedule_key_deletion(alice.asks(schedule(None))).await.unwrap();
}

#[tokio::test]
async fn creation_is_decided_by_identity_policies_with_the_facts_of_the_key_to_be() {
    let cluster = Cluster::new(&[HERE]);
    let create = r#"{"Effect":"Allow","Action":"kms:CreateKey","Resource":"*","Condition":{"Bool":{"kms:MultiRegion":"true"},"StringEquals":{"kms:MultiRegionKeyType":"PRIMARY","kms:KeySpec":"SYMMETRIC_DEFAULT"}}}"#;
    let role = r#"{"Effect":"Allow","Action":"iam:CreateServiceLinkedRole","Resource":"arn:aws:iam::*:role/aws-service-role/mrk.kms.amazonaws.com/*"}"#;
    let tag = r#"{"Effect":"Allow","Action":"kms:TagResource","Resource":"arn:aws:kms:us-east-1:111122223333:key/mrk-*","Condition":{"StringEquals":{"aws:RequestTag/team":"blue"}}}"#;
    let request = |multi_region, team: Option<&str>| CreateKeyRequest {
        multi_region,
        tags: team.into_iter().map(|team| ("team".to_owned(), team.to_owned())).collect(),
        ..Default::default()
    };
    let alice = Person::new(ALICE).with(create).with(role).with(tag);
    for (who, asked, denied) in [
        (&alice, request(true, None), None),
        (&alice, request(true, Some("blue")), None),
        (&alice, request(true, Some("red")), Some("kms:TagResource")),
        (&alice, request(false, None), Some("kms:CreateKey")),
        (&Person::new(ALICE).with(create), request(true, None), Some("iam:CreateServiceLinkedRole")),
    ] {
        match (cluster.at(HERE).create_key(who.asks(asked)).await, denied) {
            (Ok(_), None) => {}
            (Err(KmsError::AccessDenied(text)), Some(action)) => {
                assert!(text.contains(&format!("is not authorized to perform: {action} on")), "{text}");
            }
            (other, denied) => unreachable!("{other:?} {denied:?}"),
        }
    }
}

#[tokio::test]
async fn replication_needs_the_primary_and_the_replica_region() {
    let cluster = Cluster::new(&[HERE, THERE]);
    let replicate = r#"{"Effect":"Allow","Action":"kms:ReplicateKey","Resource":"*","Condition":{"StringEquals":{"kms:ReplicaRegion":"eu-west-1"}}}"#;
    let create_in = |region: &str| {
        format!(
            r#"{{"Effect":"Allow","Action":"kms:CreateKey","Resource":"*","Condition":{{"StringEquals":{{"aws:RequestedRegion":"{region}","kms:MultiRegionKeyType":"REPLICA"}}}}}}"#
        )
    };
    let request = |key_id: &str| ReplicateKeyRequest {
        key_id: key_id.to_owned(),
        replica_region: super::support::region(THERE),
        policy: None,
        bypass_policy_lockout_safety_check: None,
        description: None,
        tags: Vec::new(),
    };
    let key_id = cluster.multi_region_key(HERE).await;
    let ask = async |who: Person| cluster.at(HERE).replicate_key(who.asks(request(&key_id))).await;
    assert!(told(ask(Person::new(ALICE).with(&create_in(THERE))).await).contains("kms:ReplicateKey"));
    assert!(told(ask(Person::new(ALICE).with(replicate)).await).contains("kms:CreateKey"));
    assert!(told(ask(Person::new(ALICE).with(replicate).with(&create_in(HERE))).await).contains("kms:CreateKey"));
    ask(Person::new(ALICE).with(replicate).with(&create_in(THERE))).await.unwrap();
}

#[tokio::test]
async fn each_region_has_its_own_key_policy_and_a_new_primary_needs_both() {
    let cluster = Cluster::new(&[HERE, THERE]);
    let key_id = cluster.key_in(&[HERE, THERE]).await;
    let named = |condition: &str| {
        format!(
            r#"{ACCOUNT_DECIDES},{{"Effect":"Allow","Principal":{{"AWS":"{ALICE}"}},"Action":["kms:Encrypt","kms:UpdatePrimaryRegion"],"Resource":"*"{condition}}}"#
        )
    };
    put_policy(&cluster, HERE, &key_id, &named("")).await;
    let alice = Person::new(ALICE);
    encrypts(&cluster, HERE, &alice, &key_id).await.unwrap();
    told(encrypts(&cluster, THERE, &alice, &key_id).await);
    let request =
        || UpdatePrimaryRegionRequest { key_id: key_id.clone(), primary_region: super::support::region(THERE) };
    let text = told(cluster.at(HERE).update_primary_region(alice.asks(request())).await);
    assert!(text.contains(&format!("on resource: arn:aws:kms:{THERE}:")), "{text}");
    let caller = alice.asks(()).caller;
    let plan = cluster.at(HERE).plan_promotion(Promoter::Principal(&caller), &key_id, THERE).await;
    assert!(matches!(plan, Err(PromoteError::Kms(KmsError::AccessDenied(_)))), "{plan:?}");
    cluster.at(HERE).plan_promotion(Promoter::Operator(&caller), &key_id, THERE).await.unwrap();
    // The replica's Region is the one that is asked for there.
    let there = r#","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1","kms:PrimaryRegion":"eu-west-1","kms:MultiRegionKeyType":"REPLICA"}}"#;
    put_policy(&cluster, THERE, &key_id, &named(there).replace(r#""kms:Encrypt","#, "")).await;
    cluster.at(HERE).plan_promotion(Promoter::Principal(&caller), &key_id, THERE).await.unwrap();
    cluster.at(HERE).update_primary_region(alice.asks(request())).await.unwrap();
}

#[tokio::test]
async fn lockout_check_asks_for_the_caller_itself() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let role = "arn:aws:iam::111122223333:role/auditor";
    let of = |principal: &str| {
        document(&format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"kms:*","Resource":"*"}}"#
        ))
    };
    let put = async |who: &Person, principal: &str| {
        let request = PutKeyPolicyRequest {
            key_id: key_id.clone(),
            policy_name: None,
            policy: of(principal),
            bypass_policy_lockout_safety_check: None,
        };
        cluster.at(HERE).put_key_policy(who.asks(request)).await
    };
    let session = Person::new(SESSION).with(ALLOW_ALL);
    assert!(matches!(put(&session, ALICE).await, Err(KmsError::MalformedPolicy(_))));
    put(&session, role).await.unwrap();
    // In force at once, for the role's sessions and for nobody else.
    encrypts(&cluster, HERE, &Person::new(SESSION), &key_id).await.unwrap();
    told(encrypts(&cluster, HERE, &Person::new(ALICE).with(ALLOW_ALL), &key_id).await);
}

#[tokio::test]
async fn explanation_names_what_decides_and_what_is_missing() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let explain = |who: &Person, action: &str, pairs: &[(&str, &str)]| {
        let question = AccessQuestion {
            identity: who.identity(),
            action: action.to_owned(),
            key_id: Some(key_id.clone()),
            encryption_context: EncryptionContext::default(),
            facts: pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        };
        cluster.at(HERE).explain_access(&question).unwrap()
    };
    let allowed = explain(&Person::new(ALICE).with(ALLOW_ALL), "kms:Decrypt", &[]);
    let [decision] = allowed.decisions.as_slice() else { panic!("one decision") };
    let statements: Vec<String> = decision.statements().map(ToString::to_string).collect();
    assert_eq!(
        statements,
        ["key policy, statement 0 (Enable IAM User Permissions)", "identity policy policy-0, statement 0"]
    );
    assert!(allowed.is_allowed() && decision.missing.is_empty());
    let denied = explain(&Person::new(ALICE), "kms:Decrypt", &[]);
    assert!(!denied.is_allowed());
    let missing = &denied.decisions[0].missing;
    assert!(
        missing.starts_with(&format!("an identity policy of {ALICE} that allows kms:Decrypt on arn:")),
        "{missing}"
    );
    let from = r#"{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"},"StringEquals":{"kms:ReplicaRegion":"eu-west-1"}}}"#;
    let facts = [("aws:SourceIp", "203.0.113.9"), ("kms:ReplicaRegion", "eu-west-1")];
    assert!(explain(&Person::new(ALICE).with(from), "kms:ReplicateKey", &facts).is_allowed());
    assert!(!explain(&Person::new(ALICE).with(from), "kms:ReplicateKey", &facts[..1]).is_allowed());
}
