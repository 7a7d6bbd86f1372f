//! Rotation of single-Region keys.

use super::support::{Cluster, admin};
use kms_service::KmsError;
use kms_service::operations::cancel_key_deletion::CancelKeyDeletionRequest;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::disable_key_rotation::DisableKeyRotationRequest;
use kms_service::operations::enable_key::EnableKeyRequest;
use kms_service::operations::enable_key_rotation::EnableKeyRotationRequest;
use kms_service::operations::get_key_rotation_status::{GetKeyRotationStatusRequest, GetKeyRotationStatusResponse};
use kms_service::operations::list_key_rotations::{
    IncludeKeyMaterial, KeyMaterialState, ListKeyRotationsRequest, ListKeyRotationsResponse,
};
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_types::{KeyMaterialId, RotationType};
use std::time::Duration;

const HERE: &str = "us-east-1";

async fn enable(cluster: &Cluster, key_id: &str, period: Option<u32>) -> Result<(), KmsError> {
    let request = EnableKeyRotationRequest { key_id: key_id.into(), rotation_period_in_days: period };
    cluster.at(HERE).enable_key_rotation(admin(request)).await
}

async fn status(cluster: &Cluster, key_id: &str) -> GetKeyRotationStatusResponse {
    let request = GetKeyRotationStatusRequest { key_id: key_id.into() };
    cluster.at(HERE).get_key_rotation_status(admin(request)).await.unwrap()
}

async fn list(cluster: &Cluster, request: ListKeyRotationsRequest) -> Result<ListKeyRotationsResponse, KmsError> {
    cluster.at(HERE).list_key_rotations(admin(request)).await
}

fn all_of(key_id: &str) -> ListKeyRotationsRequest {
    let include_key_material = IncludeKeyMaterial::AllKeyMaterial;
    ListKeyRotationsRequest { key_id: key_id.into(), include_key_material, limit: None, marker: None }
}

async fn current(cluster: &Cluster, key_id: &str) -> KeyMaterialId {
    cluster.describe(HERE, key_id).await.unwrap().current_key_material_id.unwrap()
}

#[tokio::test]
async fn rotated_key_encrypts_with_new_material_and_opens_the_old() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let (old, first) = (cluster.encrypt(HERE, &key_id, "old").await.unwrap(), current(&cluster, &key_id).await);
    cluster.rotate(HERE, &key_id).await.unwrap();
    let (new, second) = (cluster.encrypt(HERE, &key_id, "new").await.unwrap(), current(&cluster, &key_id).await);
    assert_ne!(first, second);
    assert_eq!(cluster.decrypt(HERE, &old).await.unwrap(), "old");
    assert_eq!(cluster.open(HERE, &old).await.unwrap().key_material_id, Some(first));
    assert_eq!(cluster.decrypt(HERE, &new).await.unwrap(), "new");
    assert_eq!(cluster.open(HERE, &new).await.unwrap().key_material_id, Some(second));
}

#[tokio::test]
async fn rotations_are_listed_with_type_date_and_state() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let first = current(&cluster, &key_id).await;
    cluster.advance_days(1);
    cluster.rotate(HERE, &key_id).await.unwrap();
    let rotated_at = cluster.now();
    let second = current(&cluster, &key_id).await;
    let all = list(&cluster, all_of(&key_id)).await.unwrap().rotations;
    assert_eq!(all.iter().map(|r| r.key_material_id).collect::<Vec<_>>(), [first, second]);
    assert_eq!((all[0].key_material_state, all[0].rotation), (KeyMaterialState::NonCurrent, None));
    assert_eq!(
        (all[1].key_material_state, all[1].rotation),
        (KeyMaterialState::Current, Some((RotationType::OnDemand, rotated_at)))
    );
    let rotations_only =
        ListKeyRotationsRequest { include_key_material: IncludeKeyMaterial::RotationsOnly, ..all_of(&key_id) };
    assert_eq!(list(&cluster, rotations_only.clone()).await.unwrap().rotations, all[1..]);

    let page = list(&cluster, ListKeyRotationsRequest { limit: Some(1), ..all_of(&key_id) }).await.unwrap();
    assert_eq!(page.rotations, all[..1]);
    let next = ListKeyRotationsRequest { marker: page.next_marker.clone(), ..all_of(&key_id) };
    assert_eq!(list(&cluster, next).await.unwrap().rotations, all[1..]);
    let elsewhere = ListKeyRotationsRequest { marker: page.next_marker, ..rotations_only };
    assert_eq!(list(&cluster, elsewhere).await.unwrap_err(), KmsError::InvalidMarker);
}

#[tokio::test]
async fn status_shows_period_and_next_date() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let off = status(&cluster, &key_id).await;
    assert_eq!((off.key_rotation_enabled, off.rotation_period_in_days, off.next_rotation_date), (false, None, None));
    enable(&cluster, &key_id, None).await.unwrap();
    let on = status(&cluster, &key_id).await;
    let next = cluster.now().plus(Duration::from_secs(365 * 86_400));
    assert_eq!((on.key_rotation_enabled, on.rotation_period_in_days), (true, Some(365)));
    assert_eq!((on.next_rotation_date, on.on_demand_rotation_start_date), (Some(next), None));
    cluster.at(HERE).disable_key_rotation(admin(DisableKeyRotationRequest { key_id: key_id.clone() })).await.unwrap();
    assert_eq!(status(&cluster, &key_id).await, off);
}

#[tokio::test]
async fn asking_again_for_the_same_period_does_not_put_rotation_off() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    enable(&cluster, &key_id, Some(90)).await.unwrap();
    let next = status(&cluster, &key_id).await.next_rotation_date;
    cluster.advance_days(10);
    enable(&cluster, &key_id, Some(90)).await.unwrap();
    assert_eq!(status(&cluster, &key_id).await.next_rotation_date, next);
    enable(&cluster, &key_id, Some(100)).await.unwrap();
    let next = cluster.now().plus(Duration::from_secs(100 * 86_400));
    assert_eq!(status(&cluster, &key_id).await.next_rotation_date, Some(next));
}

#[tokio::test]
async fn period_is_ninety_to_2560_days() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    for (days, bound) in [(89, "greater than or equal to 90"), (2561, "less than or equal to 2560")] {
        let error = enable(&cluster, &key_id, Some(days)).await.unwrap_err();
        let text = format!(
            "1 validation error detected: Value '{days}' at 'rotationPeriodInDays' failed to satisfy constraint: \
             Member must have value {bound}"
        );
        assert_eq!(error.to_string(), text);
    }
}

#[tokio::test]
async fn scheduled_rotation_happens_when_due_and_again() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    enable(&cluster, &key_id, Some(90)).await.unwrap();
    let first = current(&cluster, &key_id).await;
    cluster.advance_days(89);
    cluster.settle().await;
    assert_eq!(current(&cluster, &key_id).await, first);
    cluster.advance_days(1);
    cluster.settle().await;
    assert_ne!(current(&cluster, &key_id).await, first);
    cluster.advance_days(90);
    cluster.settle().await;
    let rotations = list(&cluster, all_of(&key_id)).await.unwrap().rotations;
    let kinds: Vec<_> = rotations.iter().map(|r| r.rotation.map(|(kind, _)| kind)).collect();
    assert_eq!(kinds, [None, Some(RotationType::Automatic), Some(RotationType::Automatic)]);
}

#[tokio::test]
async fn overdue_rotation_of_a_disabled_key_happens_once_it_is_enabled() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    enable(&cluster, &key_id, Some(90)).await.unwrap();
    let first = current(&cluster, &key_id).await;
    cluster.at(HERE).disable_key(admin(DisableKeyRequest { key_id: key_id.clone() })).await.unwrap();
    cluster.advance_days(300);
    cluster.settle().await;
    assert_eq!(current(&cluster, &key_id).await, first);
    cluster.at(HERE).enable_key(admin(EnableKeyRequest { key_id: key_id.clone() })).await.unwrap();
    cluster.settle().await;
    assert_ne!(current(&cluster, &key_id).await, first);
    assert_eq!(list(&cluster, all_of(&key_id)).await.unwrap().rotations.len(), 2);
}

#[tokio::test]
async fn status_of_a_key_that_is_pending_deletion_reads_off_until_cancelled() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    enable(&cluster, &key_id, None).await.unwrap();
    let request = ScheduleKeyDeletionRequest { key_id: key_id.clone(), pending_window_in_days: None };
    cluster.at(HERE).schedule_key_deletion(admin(request)).await.unwrap();
    assert!(!status(&cluster, &key_id).await.key_rotation_enabled);
    let request = CancelKeyDeletionRequest { key_id: key_id.clone() };
    cluster.at(HERE).cancel_key_deletion(admin(request)).await.unwrap();
    assert!(status(&cluster, &key_id).await.key_rotation_enabled);
}

#[tokio::test]
async fn on_demand_rotations_are_counted_and_leave_the_schedule_alone() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    enable(&cluster, &key_id, None).await.unwrap();
    let next = status(&cluster, &key_id).await.next_rotation_date;
    for _ in 0..25 {
        cluster.rotate(HERE, &key_id).await.unwrap();
    }
    assert_eq!(status(&cluster, &key_id).await.next_rotation_date, next);
    let arn = cluster.describe(HERE, &key_id).await.unwrap().arn;
    let text = format!(
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be \
         performed for this key: {arn}"
    );
    assert_eq!(cluster.rotate(HERE, &key_id).await, Err(KmsError::LimitExceeded(text)));
}

#[tokio::test]
async fn on_demand_rotation_close_to_an_automatic_one_conflicts() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    enable(&cluster, &key_id, Some(90)).await.unwrap();
    cluster.advance_days(90);
    assert!(matches!(cluster.rotate(HERE, &key_id).await, Err(KmsError::Conflict(_))));
}
