//! Grants: made, found, ended.

use super::support::{ACCOUNT, Cluster, OTHER_ACCOUNT, admin, admin_of, user};
use kms_service::KmsError;
use kms_service::operations::cancel_key_deletion::CancelKeyDeletionRequest;
use kms_service::operations::create_grant::{CreateGrantRequest, CreateGrantResponse};
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::describe_key::DescribeKeyRequest;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::grants::{GrantConstraints, GrantListEntry, GrantPrincipal};
use kms_service::operations::list_grants::ListGrantsRequest;
use kms_service::operations::list_retirable_grants::ListRetirableGrantsRequest;
use kms_service::operations::retire_grant::RetireGrantRequest;
use kms_service::operations::revoke_grant::RevokeGrantRequest;
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_types::{GrantId, GrantOperation, KeySpec, KeyUsage};
use std::collections::{BTreeMap, BTreeSet};

const HERE: &str = "us-east-1";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const BOB: &str = "arn:aws:iam::111122223333:user/bob";
const ELSEWHERE: &str = "arn:aws:iam::444455556666:user/carol";

fn grant(key_id: &str) -> CreateGrantRequest {
    CreateGrantRequest {
        key_id: key_id.into(),
        grantee_principal: Some(ALICE.into()),
        operations: BTreeSet::from([GrantOperation::Encrypt, GrantOperation::Decrypt]),
        ..CreateGrantRequest::default()
    }
}

async fn create(cluster: &Cluster, request: CreateGrantRequest) -> Result<CreateGrantResponse, KmsError> {
    cluster.at(HERE).create_grant(admin(request)).await
}

async fn list(cluster: &Cluster, request: ListGrantsRequest) -> (Vec<GrantListEntry>, Option<String>) {
    let listed = cluster.at(HERE).list_grants(admin(request)).await.unwrap();
    (listed.grants, listed.next_marker)
}

async fn all(cluster: &Cluster, key_id: &str) -> Vec<GrantListEntry> {
    list(cluster, ListGrantsRequest { key_id: key_id.into(), ..Default::default() }).await.0
}

async fn retirable(cluster: &Cluster, principal: &str, account: &str) -> Vec<GrantId> {
    let request = ListRetirableGrantsRequest { retiring_principal: Some(principal.into()), ..Default::default() };
    let listed = cluster.at(HERE).list_retirable_grants(admin_of(account, request)).await.unwrap();
    listed.grants.iter().map(|grant| grant.grant_id).collect()
}

fn revocation(key_id: &str, grant_id: GrantId) -> RevokeGrantRequest {
    RevokeGrantRequest { key_id: key_id.into(), grant_id: grant_id.to_string(), dry_run: false }
}

fn context(pairs: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    Some(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

#[tokio::test]
async fn grant_is_listed_as_it_was_made() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let constraints = GrantConstraints {
        encryption_context_equals: context(&[("a", "1")]),
        encryption_context_subset: context(&[("a", "1")]),
        source_arn: Some("arn:aws:s3:us-east-1:111122223333:bucket".into()),
    };
    let request = CreateGrantRequest {
        retiring_principal: Some(BOB.into()),
        constraints: constraints.clone(),
        name: Some("backup".into()),
        ..grant(&key_id)
    };
    let created = create(&cluster, request).await.unwrap();
    let bare = create(&cluster, grant(&key_id)).await.unwrap();
    let grants = all(&cluster, &key_id).await;
    let find = |id: GrantId| grants.iter().find(|grant| grant.grant_id == id).unwrap();
    let expected = GrantListEntry {
        key: cluster.describe(HERE, &key_id).await.unwrap().arn,
        grant_id: created.grant_id,
        name: "backup".into(),
        creation_date: cluster.now(),
        grantee: GrantPrincipal::Arn(ALICE.into()),
        retiring: Some(GrantPrincipal::Arn(BOB.into())),
        issuing_account: kms_types::AccountId::parse(ACCOUNT).unwrap(),
        operations: vec![GrantOperation::Decrypt, GrantOperation::Encrypt],
        constraints,
    };
    assert_eq!(*find(created.grant_id), expected);
    let bare = find(bare.grant_id);
    assert_eq!((bare.name.as_str(), &bare.retiring), ("", &None));
    assert_eq!(grants.len(), 2);
}

#[tokio::test]
async fn a_name_finds_the_same_grant_again_with_another_token() {
    let cluster = Cluster::new(&[HERE]);
    let (key_id, other_key) = (cluster.key(HERE).await, cluster.key(HERE).await);
    let named = |name: &str| CreateGrantRequest { name: Some(name.into()), ..grant(&key_id) };
    let first = create(&cluster, named("one")).await.unwrap();
    let again = create(&cluster, named("one")).await.unwrap();
    assert_eq!(first.grant_id, again.grant_id);
    assert_ne!(first.grant_token, again.grant_token);
    for different in [
        named("two"),
        CreateGrantRequest { retiring_principal: Some(BOB.into()), ..named("one") },
        CreateGrantRequest { operations: BTreeSet::from([GrantOperation::Encrypt]), ..named("one") },
        CreateGrantRequest { key_id: other_key.clone(), ..named("one") },
        grant(&key_id),
        grant(&key_id),
    ] {
        assert_ne!(create(&cluster, different).await.unwrap().grant_id, first.grant_id);
    }
    assert_eq!(all(&cluster, &key_id).await.len(), 6);
    // Both tokens name the one grant.
    for token in [first.grant_token, again.grant_token] {
        let grant_tokens = vec![token];
        let request = DescribeKeyRequest { key_id: key_id.clone(), grant_tokens };
        cluster.at(HERE).describe_key(admin(request)).await.unwrap();
    }
}

/// A grant to a service, which needs a source and somebody to retire it.
fn grant_to_service(key_id: &str) -> CreateGrantRequest {
    CreateGrantRequest {
        grantee_principal: None,
        grantee_service_principal: Some("backup.amazonaws.com".into()),
        retiring_principal: Some(BOB.into()),
        constraints: GrantConstraints {
            source_arn: Some("arn:aws:s3:us-east-1:111122223333:bucket".into()),
            ..GrantConstraints::default()
        },
        ..grant(key_id)
    }
}

#[tokio::test]
async fn principals_are_checked() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    for (request, text) in [
        (
            CreateGrantRequest { grantee_principal: None, ..grant(&key_id) },
            "You must specify either GranteePrincipal or GranteeServicePrincipal.",
        ),
        (
            CreateGrantRequest { grantee_service_principal: Some("a.b.c".into()), ..grant(&key_id) },
            "You can specify either GranteePrincipal or GranteeServicePrincipal, but not both.",
        ),
        (
            CreateGrantRequest {
                retiring_principal: Some(BOB.into()),
                retiring_service_principal: Some("a.b.c".into()),
                ..grant(&key_id)
            },
            "You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both.",
        ),
        (
            CreateGrantRequest { constraints: GrantConstraints::default(), ..grant_to_service(&key_id) },
            "You must specify a SourceArn constraint with GranteeServicePrincipal.",
        ),
        (
            CreateGrantRequest { retiring_principal: None, ..grant_to_service(&key_id) },
            "You must specify either RetiringPrincipal or RetiringServicePrincipal with GranteeServicePrincipal.",
        ),
    ] {
        assert_eq!(create(&cluster, request).await.unwrap_err(), KmsError::service(text));
    }
    for arn in ["alice", "arn:aws:iam::111122223333:group/admins", "arn:aws:organizations::111122223333:root/r"] {
        let error = KmsError::InvalidPrincipal(arn.to_owned());
        assert_eq!(error.to_string(), format!("ARN does not refer to a valid principal: {arn}"));
        let request = CreateGrantRequest { grantee_principal: Some(arn.into()), ..grant(&key_id) };
        assert_eq!(create(&cluster, request).await.unwrap_err(), error);
        let request = CreateGrantRequest { retiring_principal: Some(arn.into()), ..grant(&key_id) };
        assert_eq!(create(&cluster, request).await.unwrap_err(), error);
    }
    assert_eq!(all(&cluster, &key_id).await, []);
    create(&cluster, grant_to_service(&key_id)).await.unwrap();
}

#[tokio::test]
async fn operations_and_constraints_are_checked() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let with = |operations: &[GrantOperation]| CreateGrantRequest {
        operations: operations.iter().copied().collect::<BTreeSet<_>>(),
        ..grant(&key_id)
    };
    let subset = |pairs: &[(&str, &str)]| CreateGrantRequest {
        constraints: GrantConstraints { encryption_context_subset: context(pairs), ..GrantConstraints::default() },
        ..grant(&key_id)
    };
    let nine: Vec<String> = (0..9).map(|n| n.to_string()).collect();
    let nine: Vec<(&str, &str)> = nine.iter().map(|n| (n.as_str(), "v")).collect();
    let (long, longest) = ("v".repeat(385), "v".repeat(384));
    for (request, text) in [
        (
            with(&[GrantOperation::Sign]),
            "Operation Sign is not supported by a grant on a key with KeySpec SYMMETRIC_DEFAULT and KeyUsage \
             ENCRYPT_DECRYPT.",
        ),
        (with(&[GrantOperation::CreateGrant]), "Grants must not contain only the CreateGrant operation."),
        (with(&[]), "Grants must contain at least one operation."),
        (subset(&nine), "A grant constraint can contain at most 8 encryption context pairs."),
        (subset(&[("k", &long)]), "An encryption context value in a grant constraint can have at most 384 characters."),
    ] {
        assert_eq!(create(&cluster, request).await.unwrap_err(), KmsError::service(text));
    }
    let hmac = CreateKeyRequest {
        key_spec: Some(KeySpec::Hmac256),
        key_usage: Some(KeyUsage::GenerateVerifyMac),
        ..CreateKeyRequest::default()
    };
    let hmac = cluster.create(HERE, hmac).await.arn.key_id.to_string();
    let on_hmac = |request: CreateGrantRequest| CreateGrantRequest {
        key_id: hmac.clone(),
        operations: BTreeSet::from([GrantOperation::GenerateMac]),
        ..request
    };
    let text = "Encryption context grant constraints are supported only on symmetric encryption keys.";
    assert_eq!(create(&cluster, on_hmac(subset(&[]))).await.unwrap_err(), KmsError::service(text));
    create(&cluster, on_hmac(grant(&key_id))).await.unwrap();
    create(&cluster, subset(&nine[..8])).await.unwrap();
    create(&cluster, subset(&[("k", &longest)])).await.unwrap();
}

#[tokio::test]
async fn grants_are_made_on_enabled_keys_named_by_id_or_arn() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let arn = cluster.describe(HERE, &key_id).await.unwrap().arn;
    create(&cluster, grant(&arn.to_string())).await.unwrap();
    let text = "Key Aliases are not supported for this operation.";
    assert_eq!(create(&cluster, grant("alias/a")).await.unwrap_err().to_string(), text);
    cluster.at(HERE).disable_key(admin(DisableKeyRequest { key_id: key_id.clone() })).await.unwrap();
    assert_eq!(create(&cluster, grant(&key_id)).await.unwrap_err().to_string(), format!("{arn} is disabled."));
    let request = ScheduleKeyDeletionRequest { key_id: key_id.clone(), pending_window_in_days: Some(7) };
    cluster.at(HERE).schedule_key_deletion(admin(request)).await.unwrap();
    assert_eq!(create(&cluster, grant(&key_id)).await.unwrap_err().to_string(), format!("{arn} is pending deletion."));
    // What is there can be seen and ended in every key state.
    let grants = all(&cluster, &key_id).await;
    cluster.at(HERE).revoke_grant(admin(revocation(&key_id, grants[0].grant_id))).await.unwrap();
    cluster.at(HERE).cancel_key_deletion(admin(CancelKeyDeletionRequest { key_id: key_id.clone() })).await.unwrap();
    assert_eq!(all(&cluster, &key_id).await, []);
}

#[tokio::test]
async fn grants_end_with_their_key() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let created = create(&cluster, CreateGrantRequest { retiring_principal: Some(BOB.into()), ..grant(&key_id) }).await;
    assert_eq!(retirable(&cluster, BOB, ACCOUNT).await, [created.as_ref().unwrap().grant_id]);
    let request = ScheduleKeyDeletionRequest { key_id, pending_window_in_days: Some(7) };
    cluster.at(HERE).schedule_key_deletion(admin(request)).await.unwrap();
    cluster.advance_days(7);
    cluster.settle().await;
    assert_eq!(retirable(&cluster, BOB, ACCOUNT).await, []);
    let request = RetireGrantRequest { grant_token: Some(created.unwrap().grant_token), ..Default::default() };
    assert_eq!(cluster.at(HERE).retire_grant(admin(request)).await, Err(KmsError::InvalidGrantToken));
}

#[tokio::test]
async fn lists_come_in_pages_and_by_grantee_or_id() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let mut made = Vec::new();
    for n in 0..7 {
        let grantee = if n % 2 == 0 { ALICE } else { BOB };
        let request = CreateGrantRequest {
            grantee_principal: Some(grantee.into()),
            retiring_principal: Some(BOB.into()),
            ..grant(&key_id)
        };
        made.push((create(&cluster, request).await.unwrap().grant_id, grantee));
    }
    made.sort();
    let ids = |grantee: Option<&str>| -> Vec<GrantId> {
        made.iter().filter(|(_, who)| grantee.is_none_or(|wanted| wanted == *who)).map(|(id, _)| *id).collect()
    };
    for grantee in [None, Some(ALICE), Some(BOB)] {
        let request = ListGrantsRequest {
            key_id: key_id.clone(),
            grantee_principal: grantee.map(str::to_owned),
            limit: Some(2),
            ..Default::default()
        };
        let (mut seen, mut marker) = (Vec::new(), None);
        loop {
            let (page, next) = list(&cluster, ListGrantsRequest { marker, ..request.clone() }).await;
            seen.extend(page.iter().map(|grant| grant.grant_id));
            marker = next;
            if marker.is_none() {
                break;
            }
        }
        assert_eq!(seen, ids(grantee));
    }
    let one = |grant_id: GrantId, who: Option<&str>| ListGrantsRequest {
        key_id: key_id.clone(),
        grant_id: Some(grant_id.to_string()),
        grantee_principal: who.map(str::to_owned),
        ..Default::default()
    };
    let (id, who) = made[0];
    assert_eq!(list(&cluster, one(id, None)).await.0[0].grant_id, id);
    assert_eq!(list(&cluster, one(id, Some(who))).await.0.len(), 1);
    assert_eq!(list(&cluster, one(id, Some(ELSEWHERE))).await.0, []);
    assert_eq!(list(&cluster, one(GrantId::from_bytes([9; 32]), None)).await.0, []);
    let malformed = ListGrantsRequest { grant_id: Some("g".into()), ..one(id, None) };
    let error = cluster.at(HERE).list_grants(admin(malformed)).await.unwrap_err();
    assert_eq!(error, KmsError::InvalidGrantId("g".into()));

    let request =
        ListRetirableGrantsRequest { retiring_principal: Some(BOB.into()), limit: Some(4), ..Default::default() };
    let first = cluster.at(HERE).list_retirable_grants(admin(request.clone())).await.unwrap();
    let request = ListRetirableGrantsRequest { marker: first.next_marker, ..request };
    let second = cluster.at(HERE).list_retirable_grants(admin(request)).await.unwrap();
    assert_eq!((first.grants.len(), second.grants.len(), second.next_marker), (4, 3, None));
    for (limit, bound) in [(0, "greater than or equal to 1"), (101, "less than or equal to 100")] {
        let request = ListGrantsRequest { key_id: key_id.clone(), limit: Some(limit), ..Default::default() };
        let text = cluster.at(HERE).list_grants(admin(request)).await.unwrap_err().to_string();
        assert!(text.ends_with(bound), "{text}");
    }
}

#[tokio::test]
async fn only_the_principals_of_ones_own_account_are_asked_for_what_they_may_retire() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let request = CreateGrantRequest { retiring_principal: Some(ELSEWHERE.into()), ..grant(&key_id) };
    let created = create(&cluster, request).await.unwrap();
    // On a key of a foreign account, which the account of the retiring principal may know.
    assert_eq!(retirable(&cluster, ELSEWHERE, OTHER_ACCOUNT).await, [created.grant_id]);
    let of = |principal: &str| ListRetirableGrantsRequest {
        retiring_principal: Some(principal.into()),
        ..Default::default()
    };
    let denied = cluster.at(HERE).list_retirable_grants(admin(of(ELSEWHERE))).await.unwrap_err();
    assert!(matches!(denied, KmsError::AccessDenied(_)), "{denied:?}");
    let denied = cluster.at(HERE).list_retirable_grants(user(ALICE, of(ALICE))).await.unwrap_err();
    assert_eq!(
        denied.to_string(),
        format!(
            "User: {ALICE} is not authorized to perform: kms:ListRetirableGrants on resource: {ALICE} because no \
             identity-based policy allows the kms:ListRetirableGrants action"
        )
    );
    let nobody = cluster.at(HERE).list_retirable_grants(admin(ListRetirableGrantsRequest::default())).await;
    assert!(matches!(nobody, Err(KmsError::Validation(_))), "{nobody:?}");
    let malformed = cluster.at(HERE).list_retirable_grants(admin(of("bob"))).await.unwrap_err();
    assert_eq!(malformed, KmsError::InvalidPrincipal("bob".into()));
}

#[tokio::test]
async fn revoked_grant_is_gone_and_an_unknown_one_is_not_found() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let created = create(&cluster, grant(&key_id)).await.unwrap();
    let denied = cluster.at(HERE).revoke_grant(user(ALICE, revocation(&key_id, created.grant_id))).await;
    assert!(matches!(denied, Err(KmsError::AccessDenied(_))), "{denied:?}");
    cluster.at(HERE).revoke_grant(admin(revocation(&key_id, created.grant_id))).await.unwrap();
    assert_eq!(all(&cluster, &key_id).await, []);
    let key = cluster.describe(HERE, &key_id).await.unwrap().arn;
    let error = cluster.at(HERE).revoke_grant(admin(revocation(&key_id, created.grant_id))).await.unwrap_err();
    assert_eq!(error, KmsError::GrantNotFound { key: key.clone(), grant_id: created.grant_id });
    let malformed = RevokeGrantRequest { key_id, grant_id: "x".into(), dry_run: false };
    let error = cluster.at(HERE).revoke_grant(admin(malformed)).await.unwrap_err();
    assert_eq!(error, KmsError::InvalidGrantId("x".into()));
}

#[tokio::test]
async fn grant_is_retired_by_token_or_by_key_and_id_and_not_by_both() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let arn = cluster.describe(HERE, &key_id).await.unwrap().arn.to_string();
    for by in ["token", "ARN", "ID"] {
        let created = create(&cluster, grant(&key_id)).await.unwrap();
        let request = match by {
            "token" => RetireGrantRequest { grant_token: Some(created.grant_token), ..Default::default() },
            _ => RetireGrantRequest {
                key_id: Some(if by == "ARN" { arn.clone() } else { key_id.clone() }),
                grant_id: Some(created.grant_id.to_string()),
                ..Default::default()
            },
        };
        cluster.at(HERE).retire_grant(admin(request.clone())).await.unwrap();
        let again = cluster.at(HERE).retire_grant(admin(request)).await.unwrap_err();
        let expected = matches!(again, KmsError::InvalidGrantToken | KmsError::GrantNotFound { .. });
        assert!(expected, "{by}: {again:?}");
    }
    assert_eq!(all(&cluster, &key_id).await, []);
    let created = create(&cluster, grant(&key_id)).await.unwrap();
    let (token, id) = (Some(created.grant_token), Some(created.grant_id.to_string()));
    for request in [
        RetireGrantRequest::default(),
        RetireGrantRequest { key_id: Some(arn.clone()), ..Default::default() },
        RetireGrantRequest { grant_id: id.clone(), ..Default::default() },
        RetireGrantRequest { grant_token: token, key_id: Some(arn), grant_id: id, dry_run: false },
    ] {
        let error = cluster.at(HERE).retire_grant(admin(request)).await.unwrap_err();
        let text = "You must specify either a GrantToken, or a KeyId and a GrantId.";
        assert_eq!(error, KmsError::service(text));
    }
    assert_eq!(all(&cluster, &key_id).await.len(), 1);
}

#[tokio::test]
async fn dry_run_changes_nothing_and_fails_as_the_real_run_would() {
    let cluster = Cluster::with_config(&[HERE], |config| config.quotas.grants_per_key = 1);
    let key_id = cluster.key(HERE).await;
    let dry = CreateGrantRequest { dry_run: true, ..grant(&key_id) };
    assert_eq!(create(&cluster, dry.clone()).await.unwrap_err(), KmsError::DryRun);
    assert_eq!(all(&cluster, &key_id).await, []);
    let created = create(&cluster, grant(&key_id)).await.unwrap();
    assert!(matches!(create(&cluster, dry).await, Err(KmsError::LimitExceeded(_))));
    let dry = RevokeGrantRequest { dry_run: true, ..revocation(&key_id, created.grant_id) };
    assert_eq!(cluster.at(HERE).revoke_grant(admin(dry.clone())).await, Err(KmsError::DryRun));
    let unknown = RevokeGrantRequest { grant_id: GrantId::from_bytes([1; 32]).to_string(), ..dry };
    let error = cluster.at(HERE).revoke_grant(admin(unknown)).await.unwrap_err();
    assert!(matches!(error, KmsError::GrantNotFound { .. }), "{error:?}");
    let dry = RetireGrantRequest { grant_token: Some(created.grant_token), dry_run: true, ..Default::default() };
    assert_eq!(cluster.at(HERE).retire_grant(admin(dry.clone())).await, Err(KmsError::DryRun));
    let denied = cluster.at(HERE).retire_grant(user(ALICE, dry)).await;
    assert!(matches!(denied, Err(KmsError::AccessDenied(_))), "{denied:?}");
    assert_eq!(all(&cluster, &key_id).await.len(), 1);
}

#[tokio::test]
async fn quota_of_grants_is_told_and_a_repeated_request_needs_no_room() {
    let cluster = Cluster::with_config(&[HERE], |config| config.quotas.grants_per_key = 2);
    let (key_id, other_key) = (cluster.key(HERE).await, cluster.key(HERE).await);
    let named = CreateGrantRequest { name: Some("one".into()), ..grant(&key_id) };
    let first = create(&cluster, named.clone()).await.unwrap();
    create(&cluster, grant(&key_id)).await.unwrap();
    let text = "Grants per key quota for this account in this region is 2, current usage is 2.";
    assert_eq!(create(&cluster, grant(&key_id)).await.unwrap_err(), KmsError::LimitExceeded(text.into()));
    assert_eq!(create(&cluster, named).await.unwrap().grant_id, first.grant_id);
    create(&cluster, grant(&other_key)).await.unwrap();
    cluster.at(HERE).revoke_grant(admin(revocation(&key_id, first.grant_id))).await.unwrap();
    create(&cluster, grant(&key_id)).await.unwrap();
}
