//! Deletion of multi-Region keys: replicas on their own, the primary after them.

use super::support::{Cluster, Link, admin, region};
use kms_service::KmsError;
use kms_service::operations::cancel_key_deletion::CancelKeyDeletionRequest;
use kms_service::operations::schedule_key_deletion::{ScheduleKeyDeletionRequest, ScheduleKeyDeletionResponse};
use kms_types::{KeyId, KeyState};
use std::time::Duration;

const A: &str = "us-east-1";
const B: &str = "eu-west-1";
const C: &str = "ap-southeast-1";

async fn schedule(cluster: &Cluster, at: &str, key_id: &str) -> ScheduleKeyDeletionResponse {
    let request = ScheduleKeyDeletionRequest { key_id: key_id.into(), pending_window_in_days: Some(7) };
    cluster.at(at).schedule_key_deletion(admin(request)).await.unwrap()
}

fn versions(cluster: &Cluster, at: &str, key_id: &str) -> usize {
    cluster.regional(at).stored_versions(&KeyId::parse(key_id).unwrap())
}

#[tokio::test]
async fn replica_goes_alone_and_takes_its_material_with_it() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    let blob = cluster.encrypt(B, &key_id, "secret").await.unwrap();
    assert_eq!(schedule(&cluster, B, &key_id).await.key_state, KeyState::PendingDeletion);
    cluster.advance_days(7);
    cluster.settle().await;
    assert!(matches!(cluster.describe(B, &key_id).await, Err(KmsError::KeyNotFound(_))));
    assert_eq!(versions(&cluster, B, &key_id), 0);
    for at in [A, C] {
        let set = cluster.describe(at, &key_id).await.unwrap().multi_region.unwrap();
        assert_eq!(set.replicas, [region(C)]);
        assert_eq!(cluster.decrypt(at, &blob).await.unwrap(), "secret");
    }
    cluster.replicate(A, &key_id, B).await.unwrap();
    cluster.settle().await;
    assert_eq!(cluster.decrypt(B, &blob).await.unwrap(), "secret");
}

#[tokio::test]
async fn primary_waits_for_its_replicas_and_its_clock_starts_then() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B]).await;
    let scheduled = schedule(&cluster, A, &key_id).await;
    assert_eq!((scheduled.key_state, scheduled.deletion_date), (KeyState::PendingReplicaDeletion, None));
    assert_eq!(scheduled.pending_window_in_days, 7);
    cluster.advance_days(100);
    cluster.settle().await;
    let waiting = cluster.describe(A, &key_id).await.unwrap();
    assert_eq!(waiting.key_state, KeyState::PendingReplicaDeletion);
    assert_eq!((waiting.deletion_date, waiting.pending_deletion_window_in_days), (None, Some(7)));
    cluster.encrypt(B, &key_id, "replicas stay in use").await.unwrap();
    assert!(matches!(cluster.replicate(A, &key_id, C).await, Err(KmsError::InvalidState { .. })));

    schedule(&cluster, B, &key_id).await;
    cluster.advance_days(7);
    cluster.settle().await;
    let counting = cluster.describe(A, &key_id).await.unwrap();
    let date = cluster.now().plus(Duration::from_secs(7 * 86_400));
    assert_eq!((counting.key_state, counting.deletion_date), (KeyState::PendingDeletion, Some(date)));
    assert_eq!(counting.pending_deletion_window_in_days, None);

    cluster.advance_days(7);
    cluster.settle().await;
    assert!(matches!(cluster.describe(A, &key_id).await, Err(KmsError::KeyNotFound(_))));
    assert_eq!(versions(&cluster, A, &key_id), 0);
    for at in [A, B, C] {
        assert!(cluster.at(at).directory().read(|_, control| control.key_sets().next().is_none()), "{at}");
    }
}

#[tokio::test]
async fn deletion_of_a_waiting_primary_can_be_cancelled() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.key_in(&[A, B]).await;
    schedule(&cluster, A, &key_id).await;
    let request = CancelKeyDeletionRequest { key_id: key_id.clone() };
    cluster.at(A).cancel_key_deletion(admin(request)).await.unwrap();
    assert_eq!(cluster.describe(A, &key_id).await.unwrap().key_state, KeyState::Disabled);
}

#[tokio::test]
async fn replica_without_a_majority_stays_until_the_majority_is_back() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B]).await;
    schedule(&cluster, B, &key_id).await;
    cluster.advance_days(8);
    cluster.set_link(B, Link::Away);
    cluster.settle().await;
    assert_eq!(cluster.at(B).do_what_is_due().await, Err(KmsError::DependencyTimeout));
    assert_eq!(cluster.describe(B, &key_id).await.unwrap().key_state, KeyState::PendingDeletion);
    cluster.set_link(B, Link::Up);
    cluster.settle().await;
    assert!(matches!(cluster.describe(B, &key_id).await, Err(KmsError::KeyNotFound(_))));
}

#[tokio::test]
async fn region_whose_control_state_is_empty_destroys_nothing() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    cluster.set_link(B, Link::Away);
    // As after the loss of the control store, before the log has come again.
    let lost = cluster.at(B).directory().read(|_, control| control.clone());
    cluster.at(B).replace_control(Default::default());
    let id = KeyId::parse(&key_id).unwrap();
    assert_eq!(cluster.at(B).synchronise(&id).await, Ok(kms_service::Progress::Waiting));
    assert_eq!(versions(&cluster, B, &key_id), 1);
    cluster.at(B).replace_control(lost);
    cluster.set_link(B, Link::Up);
    cluster.settle().await;
    cluster.encrypt(B, &key_id, "still here").await.unwrap();
}

#[tokio::test]
async fn single_region_key_is_no_concern_of_the_control_log() {
    let cluster = Cluster::new(&[A]);
    let key_id = cluster.key(A).await;
    let id = KeyId::parse(&key_id).unwrap();
    assert_eq!(cluster.at(A).synchronise(&id).await, Ok(kms_service::Progress::Quiet));
    assert_eq!(versions(&cluster, A, &key_id), 1);
}
