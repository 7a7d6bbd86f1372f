//! What grants permit: to whom, which operations, under which encryption context.

use super::support::principals::Person;
use super::support::uses::{USES, kind_for};
use super::support::{ACCOUNT, Cluster, OTHER_ACCOUNT, admin, admin_of, user};
use kms_core::KeyOperation;
use kms_service::operations::create_grant::{CreateGrantRequest, CreateGrantResponse};
use kms_service::operations::decrypt::DecryptRequest;
use kms_service::operations::describe_key::DescribeKeyRequest;
use kms_service::operations::encrypt::EncryptRequest;
use kms_service::operations::generate_data_key::GenerateDataKeyRequest;
use kms_service::operations::grants::GrantConstraints;
use kms_service::operations::re_encrypt::ReEncryptRequest;
use kms_service::operations::retire_grant::RetireGrantRequest;
use kms_service::operations::revoke_grant::RevokeGrantRequest;
use kms_service::{Authenticated, KmsError};
use kms_types::{EncryptionContext, GrantOperation};
use std::collections::BTreeSet;

const HERE: &str = "us-east-1";
const THERE: &str = "eu-west-1";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const BOB: &str = "arn:aws:iam::111122223333:user/bob";
const CAROL: &str = "arn:aws:iam::444455556666:user/carol";

/// Whose own account allows her what others grant.
fn carol() -> Person {
    Person::new(CAROL).with(r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#)
}

fn grant(key_id: &str, grantee: &str, operations: &[GrantOperation]) -> CreateGrantRequest {
    CreateGrantRequest {
        key_id: key_id.into(),
        grantee_principal: Some(grantee.into()),
        operations: operations.iter().copied().collect(),
        ..CreateGrantRequest::default()
    }
}

async fn allow(cluster: &Cluster, key_id: &str, grantee: &str, operations: &[GrantOperation]) -> CreateGrantResponse {
    cluster.at(HERE).create_grant(admin(grant(key_id, grantee, operations))).await.unwrap()
}

fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn constraint(pairs: &[(&str, &str)]) -> Option<std::collections::BTreeMap<String, String>> {
    Some(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

async fn encrypt(cluster: &Cluster, at: &str, caller: &str, key_id: &str) -> Result<Vec<u8>, KmsError> {
    encrypt_with(cluster, at, user(caller, ()), key_id, &[]).await
}

async fn encrypt_with(
    cluster: &Cluster,
    at: &str,
    caller: Authenticated<()>,
    key_id: &str,
    pairs: &[(&str, &str)],
) -> Result<Vec<u8>, KmsError> {
    let request = EncryptRequest {
        key_id: key_id.into(),
        plaintext: Default::default(),
        encryption_context: context(pairs),
        grant_tokens: Vec::new(),
        encryption_algorithm: None,
        dry_run: false,
    };
    let request = Authenticated { caller: caller.caller, request };
    cluster.at(at).encrypt(request).await.map(|response| response.ciphertext_blob)
}

fn is_denied<T: std::fmt::Debug>(result: &Result<T, KmsError>) -> bool {
    matches!(result, Err(KmsError::AccessDenied(_)))
}

#[tokio::test]
async fn grantee_may_do_the_granted_operations_at_once_and_nothing_else() {
    let cluster = Cluster::new(&[HERE]);
    let (key_id, other) = (cluster.key(HERE).await, cluster.key(HERE).await);
    assert!(is_denied(&encrypt(&cluster, HERE, ALICE, &key_id).await));
    allow(&cluster, &key_id, ALICE, &[GrantOperation::Encrypt]).await;
    let blob = encrypt(&cluster, HERE, ALICE, &key_id).await.unwrap();
    assert!(is_denied(&encrypt(&cluster, HERE, BOB, &key_id).await));
    assert!(is_denied(&encrypt(&cluster, HERE, ALICE, &other).await));
    let decrypt = DecryptRequest { ciphertext_blob: Some(blob), ..Default::default() };
    assert!(is_denied(&cluster.at(HERE).decrypt(user(ALICE, decrypt.clone())).await));
    allow(&cluster, &key_id, ALICE, &[GrantOperation::Decrypt]).await;
    cluster.at(HERE).decrypt(user(ALICE, decrypt)).await.unwrap();
    let describe = DescribeKeyRequest { key_id, grant_tokens: Vec::new() };
    assert!(is_denied(&cluster.at(HERE).describe_key(user(ALICE, describe)).await));
}

/// What the grant of an operation is called; ReEncrypt is two.
fn grants_for(operation: KeyOperation) -> Vec<GrantOperation> {
    match operation {
        KeyOperation::ReEncrypt => vec![GrantOperation::ReEncryptFrom, GrantOperation::ReEncryptTo],
        other => vec![GrantOperation::parse(&format!("{other:?}")).unwrap()],
    }
}

#[tokio::test]
async fn each_operation_is_permitted_by_its_own_grant_and_by_no_other() {
    let cluster = Cluster::new(&[HERE]);
    let caller = user(ALICE, ()).caller;
    for operation in USES {
        let (spec, usage) = kind_for(operation);
        let key_id = cluster.key_of(HERE, spec, usage).await;
        let input = cluster.input_for(HERE, operation, &key_id).await;
        let fitting = |granted: &GrantOperation| {
            let request = CreateGrantRequest { dry_run: true, ..grant(&key_id, ALICE, &[*granted]) };
            cluster.at(HERE).create_grant(admin(request))
        };
        let own = grants_for(operation);
        for granted in GrantOperation::ALL {
            if own.contains(&granted) || fitting(&granted).await.unwrap_err() != KmsError::DryRun {
                continue;
            }
            allow(&cluster, &key_id, ALICE, &[granted]).await;
        }
        let without = cluster.perform((HERE, operation), &caller, &key_id, &input, false).await;
        assert!(is_denied(&without), "{operation:?}: {without:?}");
        for (index, granted) in own.iter().enumerate() {
            allow(&cluster, &key_id, ALICE, &[*granted]).await;
            let with = cluster.perform((HERE, operation), &caller, &key_id, &input, false).await;
            assert_eq!(with.is_ok(), index + 1 == own.len(), "{operation:?}: {with:?}");
        }
    }
}

#[tokio::test]
async fn grant_ends_at_once() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let made = allow(&cluster, &key_id, ALICE, &[GrantOperation::Encrypt]).await;
    let second = allow(&cluster, &key_id, ALICE, &[GrantOperation::Encrypt]).await;
    for (created, remains) in [(made, true), (second, false)] {
        let grant_id = created.grant_id.to_string();
        let request = RevokeGrantRequest { key_id: key_id.clone(), grant_id, dry_run: false };
        cluster.at(HERE).revoke_grant(admin(request)).await.unwrap();
        assert_eq!(encrypt(&cluster, HERE, ALICE, &key_id).await.is_ok(), remains);
    }
}

#[tokio::test]
async fn grant_counts_in_its_region_only() {
    let cluster = Cluster::new(&[HERE, THERE]);
    let key_id = cluster.key_in(&[HERE, THERE]).await;
    let made = allow(&cluster, &key_id, ALICE, &[GrantOperation::Encrypt, GrantOperation::DescribeKey]).await;
    encrypt(&cluster, HERE, ALICE, &key_id).await.unwrap();
    assert!(is_denied(&encrypt(&cluster, THERE, ALICE, &key_id).await));
    let describe = DescribeKeyRequest { key_id, grant_tokens: vec![made.grant_token] };
    cluster.at(HERE).describe_key(user(ALICE, describe.clone())).await.unwrap();
    assert_eq!(cluster.at(THERE).describe_key(admin(describe)).await.unwrap_err(), KmsError::InvalidGrantToken);
}

#[tokio::test]
async fn role_as_grantee_means_its_sessions() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let role = format!("arn:aws:iam::{ACCOUNT}:role/worker");
    allow(&cluster, &key_id, &role, &[GrantOperation::Encrypt]).await;
    for (caller, may) in [
        (format!("arn:aws:sts::{ACCOUNT}:assumed-role/worker/one"), true),
        (role, true),
        (format!("arn:aws:sts::{ACCOUNT}:assumed-role/worker2/one"), false),
        (format!("arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/worker/one"), false),
        (format!("arn:aws:iam::{ACCOUNT}:user/worker"), false),
    ] {
        let arn = cluster.describe(HERE, &key_id).await.unwrap().arn.to_string();
        assert_eq!(encrypt(&cluster, HERE, &caller, &arn).await.is_ok(), may, "{caller}");
    }
}

#[tokio::test]
async fn account_as_grantee_means_its_administrators() {
    let cluster = Cluster::new(&[HERE]);
    let arn = cluster.create(HERE, Default::default()).await.arn.to_string();
    let foreign_admin = || admin_of(OTHER_ACCOUNT, ());
    assert!(is_denied(&encrypt_with(&cluster, HERE, foreign_admin(), &arn, &[]).await));
    allow(&cluster, &arn, &format!("arn:aws:iam::{OTHER_ACCOUNT}:root"), &[GrantOperation::Encrypt]).await;
    encrypt_with(&cluster, HERE, foreign_admin(), &arn, &[]).await.unwrap();
    assert!(is_denied(&encrypt(&cluster, HERE, CAROL, &arn).await));
}

#[tokio::test]
async fn grantee_of_another_account_needs_its_own_account_too_and_names_the_key_by_its_arn() {
    let cluster = Cluster::new(&[HERE]);
    let key = cluster.create(HERE, Default::default()).await.arn;
    allow(&cluster, &key.to_string(), CAROL, &[GrantOperation::Encrypt, GrantOperation::Decrypt]).await;
    assert!(is_denied(&encrypt(&cluster, HERE, CAROL, &key.to_string()).await));
    let user = |_: &str, request| carol().asks(request);
    let encrypt = async |key_id: &str| encrypt_with(&cluster, HERE, carol().asks(()), key_id, &[]).await;
    let blob = encrypt(&key.to_string()).await.unwrap();
    // Her own account has no such key.
    assert!(matches!(encrypt(key.key_id.as_str()).await, Err(KmsError::KeyNotFound(_))));
    let request = DecryptRequest { ciphertext_blob: Some(blob), ..Default::default() };
    cluster.at(HERE).decrypt(user(CAROL, request.clone())).await.unwrap();
    // Beside a ciphertext of the key its bare ID will do, for those who may.
    let named = DecryptRequest { key_id: Some(key.key_id.to_string()), ..request };
    let opened = cluster.at(HERE).decrypt(user(CAROL, named.clone())).await.unwrap();
    assert_eq!(*opened.key_id, key.to_string());
    let text = format!("Key 'arn:aws:kms:{HERE}:{OTHER_ACCOUNT}:key/{}' does not exist", key.key_id);
    let other = cluster.at(HERE).decrypt(admin_of(OTHER_ACCOUNT, named)).await.unwrap_err();
    assert_eq!(other.to_string(), text);
}

#[tokio::test]
async fn constraints_bind_the_encryption_context_of_each_operation_that_has_one() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let operations = [
        GrantOperation::Encrypt,
        GrantOperation::Decrypt,
        GrantOperation::GenerateDataKey,
        GrantOperation::GenerateDataKeyWithoutPlaintext,
        GrantOperation::ReEncryptFrom,
        GrantOperation::ReEncryptTo,
        GrantOperation::DescribeKey,
    ];
    let constraints =
        GrantConstraints { encryption_context_subset: constraint(&[("Team", "a")]), ..Default::default() };
    let request = CreateGrantRequest { constraints, ..grant(&key_id, ALICE, &operations) };
    cluster.at(HERE).create_grant(admin(request)).await.unwrap();
    let service = cluster.at(HERE);
    let good = [("team", "a"), ("x", "1")];
    let bad = [("team", "b")];
    let blob = encrypt_with(&cluster, HERE, admin(()), &key_id, &good).await.unwrap();
    let other = encrypt_with(&cluster, HERE, admin(()), &key_id, &bad).await.unwrap();
    for (pairs, blob, may) in [(&good[..], &blob, true), (&bad[..], &other, false), (&[], &other, false)] {
        let encryption_context = context(pairs);
        assert_eq!(encrypt_with(&cluster, HERE, user(ALICE, ()), &key_id, pairs).await.is_ok(), may);
        let request = DecryptRequest {
            ciphertext_blob: Some(blob.clone()),
            encryption_context: encryption_context.clone(),
            ..Default::default()
        };
        assert_eq!(service.decrypt(user(ALICE, request.clone())).await.is_ok(), may);
        let named = DecryptRequest { key_id: Some(key_id.clone()), ..request };
        assert_eq!(service.decrypt(user(ALICE, named)).await.is_ok(), may);
        let request = GenerateDataKeyRequest {
            key_id: key_id.clone(),
            encryption_context: encryption_context.clone(),
            number_of_bytes: Some(16),
            ..Default::default()
        };
        assert_eq!(service.generate_data_key(user(ALICE, request.clone())).await.is_ok(), may);
        assert_eq!(service.generate_data_key_without_plaintext(user(ALICE, request)).await.is_ok(), may);
        // Each side of ReEncrypt has a context of its own.
        for (destination, too) in [(&good[..], true), (&bad[..], false)] {
            let request = ReEncryptRequest {
                ciphertext_blob: Some(blob.clone()),
                source_encryption_context: encryption_context.clone(),
                destination_key_id: key_id.clone(),
                destination_encryption_context: context(destination),
                ..Default::default()
            };
            assert_eq!(service.re_encrypt(user(ALICE, request)).await.is_ok(), may && too);
        }
    }
    let describe = DescribeKeyRequest { key_id, grant_tokens: Vec::new() };
    service.describe_key(user(ALICE, describe)).await.unwrap();
}

#[tokio::test]
async fn source_arn_never_holds_for_a_request_that_no_service_makes() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let constraints = GrantConstraints {
        source_arn: Some("arn:aws:s3:us-east-1:111122223333:bucket".into()),
        ..GrantConstraints::default()
    };
    let operations = [GrantOperation::Encrypt, GrantOperation::DescribeKey, GrantOperation::RetireGrant];
    let request = CreateGrantRequest { constraints, ..grant(&key_id, ALICE, &operations) };
    let created = cluster.at(HERE).create_grant(admin(request)).await.unwrap();
    assert!(is_denied(&encrypt(&cluster, HERE, ALICE, &key_id).await));
    let describe = DescribeKeyRequest { key_id, grant_tokens: Vec::new() };
    assert!(is_denied(&cluster.at(HERE).describe_key(user(ALICE, describe)).await));
    // It does not apply to RetireGrant.
    let retire = RetireGrantRequest { grant_token: Some(created.grant_token), ..Default::default() };
    cluster.at(HERE).retire_grant(user(ALICE, retire)).await.unwrap();
}

#[tokio::test]
async fn who_may_retire_a_grant() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let arn = cluster.describe(HERE, &key_id).await.unwrap().arn.to_string();
    let with_retire = [GrantOperation::Encrypt, GrantOperation::RetireGrant];
    let own_admin = admin(()).caller;
    let foreign_admin = admin_of(OTHER_ACCOUNT, ()).caller;
    for (grantee, retiring, operations, caller, may) in [
        (ALICE, None, &with_retire[..], user(ALICE, ()).caller, true),
        (ALICE, None, &with_retire[..1], user(ALICE, ()).caller, false),
        (ALICE, Some(BOB), &with_retire[..1], user(BOB, ()).caller, true),
        (ALICE, Some(BOB), &with_retire[..], user(CAROL, ()).caller, false),
        (ALICE, Some(CAROL), &with_retire[..1], user(CAROL, ()).caller, true),
        (ALICE, Some(CAROL), &with_retire[..1], foreign_admin.clone(), false),
        (ALICE, Some("arn:aws:iam::444455556666:root"), &with_retire[..1], foreign_admin, true),
        (ALICE, None, &with_retire[..1], own_admin, true),
    ] {
        let request = CreateGrantRequest {
            retiring_principal: retiring.map(str::to_owned),
            ..grant(&key_id, grantee, operations)
        };
        let created = cluster.at(HERE).create_grant(admin(request)).await.unwrap();
        let by_token = RetireGrantRequest { grant_token: Some(created.grant_token), ..Default::default() };
        let by_id = RetireGrantRequest {
            key_id: Some(arn.clone()),
            grant_id: Some(created.grant_id.to_string()),
            ..Default::default()
        };
        for (request, expected) in [(RetireGrantRequest { dry_run: true, ..by_id }, may), (by_token, may)] {
            let dry = request.dry_run;
            let result = cluster.at(HERE).retire_grant(Authenticated { caller: caller.clone(), request }).await;
            let succeeded = if dry { result == Err(KmsError::DryRun) } else { result.is_ok() };
            assert_eq!(succeeded, expected, "{} {retiring:?} {result:?}", caller.arn());
            assert!(expected || is_denied(&result), "{result:?}");
        }
    }
}

#[tokio::test]
async fn account_that_created_a_grant_on_a_foreign_key_may_retire_it() {
    let cluster = Cluster::new(&[HERE]);
    let arn = cluster.create(HERE, Default::default()).await.arn.to_string();
    allow(&cluster, &arn, CAROL, &[GrantOperation::CreateGrant, GrantOperation::Encrypt]).await;
    let child = grant(&arn, ALICE, &[GrantOperation::Encrypt]);
    let created = cluster.at(HERE).create_grant(carol().asks(child)).await.unwrap();
    let retire = RetireGrantRequest { grant_token: Some(created.grant_token), ..Default::default() };
    // The owner of the key revokes; it did not create the grant.
    assert!(is_denied(&cluster.at(HERE).retire_grant(admin(retire.clone())).await));
    cluster.at(HERE).retire_grant(admin_of(OTHER_ACCOUNT, retire)).await.unwrap();
}

#[tokio::test]
async fn nobody_learns_from_retire_grant_which_keys_and_grants_there_are() {
    let cluster = Cluster::new(&[HERE]);
    let key = cluster.create(HERE, Default::default()).await.arn;
    let absent = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let ask = |key_id: &str| RetireGrantRequest {
        key_id: Some(key_id.into()),
        grant_id: Some("00".repeat(32)),
        ..Default::default()
    };
    let texts = [ask(&key.to_string()), ask(absent)].map(|request| async {
        match cluster.at(HERE).retire_grant(user(CAROL, request)).await {
            Err(KmsError::AccessDenied(text)) => text,
            other => unreachable!("{other:?}"),
        }
    });
    let [there, gone] = texts;
    assert_eq!(there.await, gone.await);
    let error = cluster.at(HERE).retire_grant(admin(ask(absent))).await.unwrap_err();
    assert_eq!(error.to_string(), format!("Key '{absent}' does not exist"));
    let error = cluster.at(HERE).retire_grant(admin(ask(&key.to_string()))).await.unwrap_err();
    assert!(matches!(error, KmsError::GrantNotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn child_of_a_grant_permits_no_more_than_its_parent() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let of_parent = [GrantOperation::CreateGrant, GrantOperation::Encrypt, GrantOperation::Decrypt];
    let subset = |pairs: &[(&str, &str)]| GrantConstraints {
        encryption_context_subset: constraint(pairs),
        ..GrantConstraints::default()
    };
    let equals = |pairs: &[(&str, &str)]| GrantConstraints {
        encryption_context_equals: constraint(pairs),
        ..GrantConstraints::default()
    };
    let parent = CreateGrantRequest { constraints: subset(&[("team", "a")]), ..grant(&key_id, ALICE, &of_parent) };
    cluster.at(HERE).create_grant(admin(parent)).await.unwrap();
    let more = [("team", "a"), ("x", "1")];
    for (operations, constraints, may) in [
        (&[GrantOperation::Encrypt][..], subset(&[("TEAM", "a")]), true),
        (&of_parent[..], subset(&more), true),
        (&[GrantOperation::Decrypt], equals(&more), true),
        (&[GrantOperation::Encrypt, GrantOperation::GenerateDataKey], subset(&more), false),
        (&[GrantOperation::Encrypt, GrantOperation::RetireGrant], subset(&more), false),
        (&[GrantOperation::Encrypt], GrantConstraints::default(), false),
        (&[GrantOperation::Encrypt], subset(&[("team", "b")]), false),
        (&[GrantOperation::Encrypt], equals(&[("x", "1")]), false),
    ] {
        let child = CreateGrantRequest { constraints: constraints.clone(), ..grant(&key_id, BOB, operations) };
        let result = cluster.at(HERE).create_grant(user(ALICE, child)).await;
        assert_eq!(result.is_ok(), may, "{operations:?} {constraints:?}");
        assert!(may || is_denied(&result), "{result:?}");
    }
    // Bob has a child that lets him pass on as much as he has.
    let grandchild = |operations: &[GrantOperation]| CreateGrantRequest {
        constraints: equals(&more),
        operations: operations.iter().copied().collect::<BTreeSet<_>>(),
        ..grant(&key_id, CAROL, &[])
    };
    cluster.at(HERE).create_grant(user(BOB, grandchild(&[GrantOperation::Encrypt]))).await.unwrap();
    // CreateGrant is asked of each grant as a whole: two parents do not add up.
    assert!(is_denied(&encrypt(&cluster, HERE, BOB, &key_id).await));
}

#[tokio::test]
async fn tokens_of_the_wrong_kind_are_refused_for_everybody() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let created = allow(&cluster, &key_id, ALICE, &[GrantOperation::DescribeKey]).await;
    let mut altered = created.grant_token.clone().into_bytes();
    altered[20] ^= 1;
    let altered = String::from_utf8(altered).unwrap();
    for tokens in [vec!["token".to_owned()], vec![altered], vec![created.grant_token.clone(), String::new()]] {
        for caller in [admin(()), user(ALICE, ())] {
            let request = DescribeKeyRequest { key_id: key_id.clone(), grant_tokens: tokens.clone() };
            let request = Authenticated { caller: caller.caller, request };
            let error = cluster.at(HERE).describe_key(request).await.unwrap_err();
            assert_eq!(error, KmsError::InvalidGrantToken);
        }
    }
    let describe = DescribeKeyRequest { key_id: key_id.clone(), grant_tokens: vec![created.grant_token.clone()] };
    cluster.at(HERE).describe_key(user(ALICE, describe.clone())).await.unwrap();
    // A token is no secret and gives nobody else a right.
    assert!(is_denied(&cluster.at(HERE).describe_key(user(BOB, describe.clone())).await));
    let grant_id = created.grant_id.to_string();
    let revoke = RevokeGrantRequest { key_id, grant_id, dry_run: false };
    cluster.at(HERE).revoke_grant(admin(revoke)).await.unwrap();
    let error = cluster.at(HERE).describe_key(admin(describe)).await.unwrap_err();
    assert_eq!(error, KmsError::InvalidGrantToken);
}
