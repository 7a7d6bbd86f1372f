//! Aliases: names, uniqueness, moves, quotas.

use super::support::{ACCOUNT, Cluster, OTHER_ACCOUNT, admin, admin_of};
use kms_service::KmsError;
use kms_service::operations::create_alias::CreateAliasRequest;
use kms_service::operations::delete_alias::DeleteAliasRequest;
use kms_service::operations::list_aliases::{AliasListEntry, ListAliasesRequest};
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_service::operations::update_alias::UpdateAliasRequest;

const HERE: &str = "us-east-1";

async fn create(cluster: &Cluster, name: &str, key_id: &str) -> Result<(), KmsError> {
    let request = CreateAliasRequest { alias_name: name.into(), target_key_id: key_id.into() };
    cluster.at(HERE).create_alias(admin(request)).await
}

async fn update(cluster: &Cluster, name: &str, key_id: &str) -> Result<(), KmsError> {
    let request = UpdateAliasRequest { alias_name: name.into(), target_key_id: key_id.into() };
    cluster.at(HERE).update_alias(admin(request)).await
}

async fn delete(cluster: &Cluster, name: &str) -> Result<(), KmsError> {
    cluster.at(HERE).delete_alias(admin(DeleteAliasRequest { alias_name: name.into() })).await
}

async fn list(cluster: &Cluster, request: ListAliasesRequest) -> Vec<AliasListEntry> {
    cluster.at(HERE).list_aliases(admin(request)).await.unwrap().aliases
}

async fn schedule_deletion(cluster: &Cluster, key_id: &str) {
    let request = ScheduleKeyDeletionRequest { key_id: key_id.into(), pending_window_in_days: None };
    cluster.at(HERE).schedule_key_deletion(admin(request)).await.unwrap();
}

#[tokio::test]
async fn alias_leads_to_its_key_until_it_is_deleted() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    create(&cluster, "alias/app", &key_id).await.unwrap();
    let blob = cluster.encrypt(HERE, "alias/app", "secret").await.unwrap();
    assert_eq!(cluster.decrypt(HERE, &blob).await.unwrap(), "secret");
    delete(&cluster, "alias/app").await.unwrap();
    assert!(matches!(cluster.encrypt(HERE, "alias/app", "x").await, Err(KmsError::AliasNotFound(_))));
    assert!(matches!(delete(&cluster, "alias/app").await, Err(KmsError::AliasNotFound(_))));
}

#[tokio::test]
async fn moved_alias_keeps_its_creation_date() {
    let cluster = Cluster::new(&[HERE]);
    let (first, second) = (cluster.key(HERE).await, cluster.key(HERE).await);
    create(&cluster, "alias/app", &first).await.unwrap();
    let created_at = cluster.now();
    cluster.advance_days(1);
    update(&cluster, "alias/app", &second).await.unwrap();
    let listed = list(&cluster, ListAliasesRequest::default()).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].target_key_id.as_str(), second);
    assert_eq!((listed[0].creation_date, listed[0].last_updated_date), (created_at, cluster.now()));
    let of_first = ListAliasesRequest { key_id: Some(first), ..Default::default() };
    assert_eq!(list(&cluster, of_first).await, Vec::new());
    let of_second = ListAliasesRequest { key_id: Some(second), ..Default::default() };
    assert_eq!(list(&cluster, of_second).await, listed);
}

#[tokio::test]
async fn name_is_taken_once_per_account() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    create(&cluster, "alias/app", &key_id).await.unwrap();
    let text = format!("An alias with the name arn:aws:kms:{HERE}:{ACCOUNT}:alias/app already exists");
    assert_eq!(create(&cluster, "alias/app", &key_id).await, Err(KmsError::AlreadyExists(text)));
    create(&cluster, "alias/App", &key_id).await.unwrap();

    let service = cluster.at(HERE);
    let theirs = service.create_key(admin_of(OTHER_ACCOUNT, Default::default())).await.unwrap().key_metadata;
    let target_key_id = theirs.arn.key_id.to_string();
    let request = CreateAliasRequest { alias_name: "alias/app".into(), target_key_id };
    service.create_alias(admin_of(OTHER_ACCOUNT, request)).await.unwrap();
    assert_eq!(list(&cluster, ListAliasesRequest::default()).await.len(), 2);
    assert_eq!(cluster.describe(HERE, "alias/app").await.unwrap().arn.key_id.as_str(), key_id);
}

#[tokio::test]
async fn impossible_names_have_their_own_errors() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let prefix = "Alias must start with the prefix \"alias/\". Please see \
                  https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
    assert_eq!(create(&cluster, "app", &key_id).await, Err(KmsError::service(prefix)));
    assert_eq!(create(&cluster, "alias/aws/s3", &key_id).await, Err(KmsError::ReservedAlias));
    assert_eq!(update(&cluster, "alias/aws/s3", &key_id).await, Err(KmsError::ReservedAlias));
    assert_eq!(delete(&cluster, "alias/aws/s3").await, Err(KmsError::ReservedAlias));
    let colon = KmsError::service("alias/a:b contains invalid characters for an alias");
    assert_eq!(create(&cluster, "alias/a:b", &key_id).await, Err(colon));
    assert!(matches!(create(&cluster, "alias/", &key_id).await, Err(KmsError::InvalidAliasName(_))));
}

#[tokio::test]
async fn target_is_a_key_of_the_same_account() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    create(&cluster, "alias/app", &key_id).await.unwrap();
    let not_keys = KmsError::service("Aliases must refer to keys. Not aliases");
    assert_eq!(create(&cluster, "alias/b", "alias/app").await, Err(not_keys.clone()));
    assert_eq!(update(&cluster, "alias/app", "alias/app").await, Err(not_keys));
    let foreign = format!("arn:aws:kms:{HERE}:{OTHER_ACCOUNT}:key/{key_id}");
    let cross = KmsError::service("This operation cannot be called cross account");
    assert_eq!(create(&cluster, "alias/b", &foreign).await, Err(cross));
    let missing = "1234abcd-12ab-34cd-56ef-1234567890ab";
    assert!(matches!(create(&cluster, "alias/b", missing).await, Err(KmsError::KeyNotFound(_))));
    assert!(matches!(update(&cluster, "alias/none", &key_id).await, Err(KmsError::AliasNotFound(_))));
}

#[tokio::test]
async fn configured_quota_of_aliases_is_kept_and_told() {
    let cluster = Cluster::with_config(&[HERE], |config| config.quotas.aliases_per_key = 1);
    let key_id = cluster.key(HERE).await;
    create(&cluster, "alias/a", &key_id).await.unwrap();
    let text = "Aliases per key quota for this account in this region is 1, current usage is 1.";
    assert_eq!(create(&cluster, "alias/b", &key_id).await, Err(KmsError::LimitExceeded(text.into())));
}

#[tokio::test]
async fn key_has_at_most_fifty_aliases() {
    let cluster = Cluster::new(&[HERE]);
    let (full, other) = (cluster.key(HERE).await, cluster.key(HERE).await);
    for number in 0..50 {
        create(&cluster, &format!("alias/{number}"), &full).await.unwrap();
    }
    let text = "Aliases per key quota for this account in this region is 50, current usage is 50.";
    assert_eq!(create(&cluster, "alias/more", &full).await, Err(KmsError::LimitExceeded(text.into())));
    create(&cluster, "alias/more", &other).await.unwrap();
    assert!(matches!(update(&cluster, "alias/more", &full).await, Err(KmsError::LimitExceeded(_))));
    // Pointing an alias at the key that it has already takes no room.
    update(&cluster, "alias/7", &full).await.unwrap();
}

#[tokio::test]
async fn alias_may_leave_a_key_that_is_pending_deletion_but_not_come_to_it() {
    let cluster = Cluster::new(&[HERE]);
    let (going, staying) = (cluster.key(HERE).await, cluster.key(HERE).await);
    create(&cluster, "alias/a", &going).await.unwrap();
    create(&cluster, "alias/b", &staying).await.unwrap();
    schedule_deletion(&cluster, &going).await;
    assert!(matches!(create(&cluster, "alias/c", &going).await, Err(KmsError::InvalidState { .. })));
    assert!(matches!(update(&cluster, "alias/b", &going).await, Err(KmsError::InvalidState { .. })));
    update(&cluster, "alias/a", &staying).await.unwrap();
    schedule_deletion(&cluster, &staying).await;
    delete(&cluster, "alias/a").await.unwrap();
}

#[tokio::test]
async fn filter_by_a_missing_key_is_not_found() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = Some("1234abcd-12ab-34cd-56ef-1234567890ab".to_owned());
    let request = ListAliasesRequest { key_id, ..Default::default() };
    assert!(matches!(cluster.at(HERE).list_aliases(admin(request)).await, Err(KmsError::KeyNotFound(_))));
}
