//! Deletion of single-Region keys: waiting period, cancellation, and the end.

use super::support::{Cluster, admin};
use kms_service::operations::cancel_key_deletion::CancelKeyDeletionRequest;
use kms_service::operations::create_alias::CreateAliasRequest;
use kms_service::operations::schedule_key_deletion::{ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse};
use kms_service::{KmsError, StateFault};
use kms_types::{DayLength, KeyId, KeyState};
use std::time::Duration;

const HERE: &str = "us-east-1";

async fn schedule(cluster: &Cluster, key_id: &str, days: Option<u32>) -> Result<ScheduleKeyDeletionResponse, KmsError> {
    let request = ScheduleKeyDeletionRequest { key_id: key_id.into(), pending_window_in_days: days };
    cluster.at(HERE).schedule_key_deletion(admin(request)).await
}

async fn cancel(cluster: &Cluster, key_id: &str) -> Result<(), KmsError> {
    let request = CancelKeyDeletionRequest { key_id: key_id.into() };
    cluster.at(HERE).cancel_key_deletion(admin(request)).await.map(|_| ())
}

#[tokio::test]
async fn waiting_period_defaults_to_thirty_days() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let scheduled = schedule(&cluster, &key_id, None).await.unwrap();
    let date = cluster.now().plus(Duration::from_secs(30 * 86_400));
    assert_eq!((scheduled.key_state, scheduled.pending_window_in_days), (KeyState::PendingDeletion, 30));
    assert_eq!(scheduled.deletion_date, Some(date));
    let described = cluster.describe(HERE, &key_id).await.unwrap();
    assert_eq!((described.deletion_date, described.pending_deletion_window_in_days), (Some(date), None));
    assert_eq!(&*scheduled.key_id, described.arn.to_string());
}

#[tokio::test]
async fn waiting_period_is_seven_to_thirty_days() {
    let cluster = Cluster::new(&[HERE]);
    for days in [0, 6, 31] {
        let key_id = cluster.key(HERE).await;
        let error = schedule(&cluster, &key_id, Some(days)).await.unwrap_err();
        assert_eq!(error, KmsError::service("PendingWindowInDays must be between 7 and 30"));
    }
    for days in [7, 30] {
        let key_id = cluster.key(HERE).await;
        assert_eq!(schedule(&cluster, &key_id, Some(days)).await.unwrap().pending_window_in_days, days);
    }
}

#[tokio::test]
async fn day_of_a_development_cluster_is_shorter() {
    let second = DayLength::new(Duration::from_secs(1));
    let cluster = Cluster::with_config(&[HERE], |config| config.day_length = second);
    let key_id = cluster.key(HERE).await;
    let scheduled = schedule(&cluster, &key_id, Some(7)).await.unwrap();
    assert_eq!(scheduled.deletion_date, Some(cluster.now().plus(Duration::from_secs(7))));
}

#[tokio::test]
async fn key_with_aliases_and_material_is_gone_when_its_time_has_come() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let blob = cluster.encrypt(HERE, &key_id, "secret").await.unwrap();
    let alias = CreateAliasRequest { alias_name: "alias/app".into(), target_key_id: key_id.clone() };
    cluster.at(HERE).create_alias(admin(alias)).await.unwrap();
    schedule(&cluster, &key_id, Some(7)).await.unwrap();

    cluster.advance_days(6);
    cluster.settle().await;
    assert_eq!(cluster.describe(HERE, &key_id).await.unwrap().key_state, KeyState::PendingDeletion);
    cluster.advance_days(1);
    cluster.settle().await;
    assert!(matches!(cluster.describe(HERE, &key_id).await, Err(KmsError::KeyNotFound(_))));
    assert!(matches!(cluster.describe(HERE, "alias/app").await, Err(KmsError::AliasNotFound(_))));
    assert_eq!(cluster.regional(HERE).stored_versions(&KeyId::parse(&key_id).unwrap()), 0);
    assert!(matches!(cluster.decrypt(HERE, &blob).await, Err(KmsError::AccessDenied(_))));
}

#[tokio::test]
async fn cancelled_deletion_leaves_the_key_disabled_for_good() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    schedule(&cluster, &key_id, Some(7)).await.unwrap();
    cancel(&cluster, &key_id).await.unwrap();
    cluster.advance_days(100);
    cluster.settle().await;
    let described = cluster.describe(HERE, &key_id).await.unwrap();
    assert_eq!((described.key_state, described.deletion_date), (KeyState::Disabled, None));
    let error = cancel(&cluster, &key_id).await.unwrap_err();
    assert!(matches!(error, KmsError::InvalidState { fault: StateFault::NotPendingDeletion, .. }), "{error:?}");
    assert!(error.to_string().ends_with(" is not pending deletion."), "{error}");
}

#[tokio::test]
async fn cancellation_after_the_date_is_refused_rather_than_broken() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    schedule(&cluster, &key_id, Some(7)).await.unwrap();
    cluster.advance_days(7);
    assert!(matches!(cancel(&cluster, &key_id).await, Err(KmsError::InvalidState { .. })));
}
