//! Rotation of multi-Region keys: staged everywhere first, used afterwards, and never a failed decrypt.

use super::support::{Cluster, Link, admin};
use kms_service::operations::enable_key_rotation::EnableKeyRotationRequest;
use kms_service::operations::get_key_rotation_status::GetKeyRotationStatusRequest;
use kms_service::operations::list_key_rotations::{IncludeKeyMaterial, ListKeyRotationsRequest};
use kms_service::{KmsError, Trail};
use kms_types::{KeyId, KeyMaterialId, RotationType, Timestamp};
use std::collections::BTreeSet;

const A: &str = "us-east-1";
const B: &str = "eu-west-1";
const C: &str = "ap-southeast-1";

async fn current(cluster: &Cluster, at: &str, key_id: &str) -> KeyMaterialId {
    cluster.describe(at, key_id).await.unwrap().current_key_material_id.unwrap()
}

async fn rotations(cluster: &Cluster, at: &str, key_id: &str) -> Vec<RotationType> {
    let include_key_material = IncludeKeyMaterial::RotationsOnly;
    let request = ListKeyRotationsRequest { key_id: key_id.into(), include_key_material, limit: None, marker: None };
    let listed = cluster.at(at).list_key_rotations(admin(request)).await.unwrap().rotations;
    listed.iter().map(|r| r.rotation.unwrap().0).collect()
}

async fn on_demand_since(cluster: &Cluster, at: &str, key_id: &str) -> Option<Timestamp> {
    let request = GetKeyRotationStatusRequest { key_id: key_id.into() };
    cluster.at(at).get_key_rotation_status(admin(request)).await.unwrap().on_demand_rotation_start_date
}

async fn enable(cluster: &Cluster, at: &str, key_id: &str, days: u32) -> Result<(), KmsError> {
    let request = EnableKeyRotationRequest { key_id: key_id.into(), rotation_period_in_days: Some(days) };
    cluster.at(at).enable_key_rotation(admin(request)).await
}

/// Activates the staged material without a Region, as an operator would.
async fn activate_without(cluster: &Cluster, at: &str, key_id: &str, region: &str) -> Result<KeyMaterialId, KmsError> {
    let found = cluster.at(at).find_for_operator(key_id).unwrap();
    cluster.at(at).activate_without(&Trail::default(), &found, BTreeSet::from([super::support::region(region)])).await
}

#[tokio::test]
async fn rotation_reaches_all_regions_and_old_ciphertext_stays_open() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    let old = cluster.encrypt(B, &key_id, "old").await.unwrap();
    let before = current(&cluster, A, &key_id).await;
    cluster.rotate(A, &key_id).await.unwrap();
    cluster.settle().await;
    let after = current(&cluster, A, &key_id).await;
    assert_ne!(before, after);
    for at in [A, B, C] {
        assert_eq!(current(&cluster, at, &key_id).await, after);
        assert_eq!(rotations(&cluster, at, &key_id).await, [RotationType::OnDemand]);
        assert_eq!(cluster.decrypt(at, &old).await.unwrap(), "old");
        let new = cluster.encrypt(at, &key_id, at).await.unwrap();
        for other in [A, B, C] {
            assert_eq!(cluster.decrypt(other, &new).await.unwrap(), at);
        }
    }
}

#[tokio::test]
async fn rotation_waits_for_an_absent_region_and_finishes_when_it_is_back() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    let before = current(&cluster, A, &key_id).await;
    cluster.set_link(C, Link::Away);
    cluster.rotate(A, &key_id).await.unwrap();
    let started = cluster.now();
    cluster.advance_days(1);
    cluster.settle().await;
    for at in [A, B, C] {
        assert_eq!(current(&cluster, at, &key_id).await, before, "{at}");
    }
    assert_eq!(on_demand_since(&cluster, A, &key_id).await, Some(started));
    assert_eq!(on_demand_since(&cluster, B, &key_id).await, Some(started));
    assert_eq!(rotations(&cluster, A, &key_id).await, []);
    assert!(matches!(cluster.rotate(A, &key_id).await, Err(KmsError::Conflict(_))));

    cluster.set_link(C, Link::Up);
    cluster.settle().await;
    let after = current(&cluster, A, &key_id).await;
    assert_ne!(before, after);
    assert_eq!(current(&cluster, C, &key_id).await, after);
    assert_eq!(on_demand_since(&cluster, A, &key_id).await, None);
    assert_eq!(rotations(&cluster, C, &key_id).await, [RotationType::OnDemand]);
}

#[tokio::test]
async fn region_that_was_gone_without_asks_for_patience_and_never_calls_ciphertext_invalid() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    let old = cluster.encrypt(A, &key_id, "old").await.unwrap();
    cluster.set_link(C, Link::Away);
    cluster.rotate(A, &key_id).await.unwrap();
    cluster.settle().await;
    activate_without(&cluster, A, &key_id, C).await.unwrap();
    cluster.settle().await;
    let new = cluster.encrypt(A, &key_id, "new").await.unwrap();
    assert_eq!(cluster.decrypt(B, &new).await.unwrap(), "new");

    assert_eq!(cluster.decrypt(C, &new).await, Err(KmsError::KeyUnavailable));
    assert_eq!(cluster.decrypt(C, &old).await.unwrap(), "old");
    let meanwhile = cluster.encrypt(C, &key_id, "meanwhile").await.unwrap();
    assert_eq!(cluster.decrypt(A, &meanwhile).await.unwrap(), "meanwhile");

    cluster.set_link(C, Link::Up);
    cluster.settle().await;
    assert_eq!(cluster.decrypt(C, &new).await.unwrap(), "new");
    assert_eq!(current(&cluster, C, &key_id).await, current(&cluster, A, &key_id).await);
}

#[tokio::test]
async fn region_that_is_behind_catches_up_before_it_answers() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    cluster.set_link(C, Link::Lagging);
    cluster.rotate(A, &key_id).await.unwrap();
    cluster.settle().await;
    activate_without(&cluster, A, &key_id, C).await.unwrap();
    let new = cluster.encrypt(A, &key_id, "new").await.unwrap();
    // Unknown here until the read barrier; then the box is opened and the decrypt goes on.
    assert_eq!(cluster.decrypt(C, &new).await.unwrap(), "new");
}

#[tokio::test]
async fn made_up_material_is_invalid_once_the_majority_does_not_know_it() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B]).await;
    let mut blob = cluster.encrypt(A, &key_id, "secret").await.unwrap();
    blob[30] ^= 1;
    assert_eq!(cluster.decrypt(B, &blob).await, Err(KmsError::InvalidCiphertext));
    cluster.set_link(B, Link::Away);
    // Without the majority nobody knows whether the material exists.
    assert_eq!(cluster.decrypt(B, &blob).await, Err(KmsError::KeyUnavailable));
}

#[tokio::test]
async fn going_on_without_a_region_needs_all_others() {
    let cluster = Cluster::new(&[A, B, C, "us-west-2", "eu-north-1"]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    assert!(matches!(activate_without(&cluster, A, &key_id, C).await, Err(KmsError::UnsupportedOperation(_))));
    cluster.set_link(B, Link::Away);
    cluster.set_link(C, Link::Away);
    let before = current(&cluster, A, &key_id).await;
    cluster.rotate(A, &key_id).await.unwrap();
    cluster.settle().await;
    assert!(matches!(activate_without(&cluster, A, &key_id, C).await, Err(KmsError::UnsupportedOperation(_))));
    assert_eq!(current(&cluster, A, &key_id).await, before);
    assert!(matches!(activate_without(&cluster, A, &key_id, "us-west-2").await, Err(KmsError::ReplicaNotFound { .. })));
}

#[tokio::test]
async fn rotation_belongs_to_the_primary() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.key_in(&[A, B]).await;
    let arn = cluster.describe(B, &key_id).await.unwrap().arn;
    let refused = Err(KmsError::UnsupportedOperation(Some(format!("{arn} is not a multi-region primary key."))));
    assert_eq!(cluster.rotate(B, &key_id).await, refused);
    assert_eq!(enable(&cluster, B, &key_id, 90).await, refused);
}

#[tokio::test]
async fn schedule_is_shared_and_the_primary_keeps_it() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B]).await;
    enable(&cluster, A, &key_id, 90).await.unwrap();
    let status = |at: &'static str| {
        let request = GetKeyRotationStatusRequest { key_id: key_id.clone() };
        cluster.at(at).get_key_rotation_status(admin(request))
    };
    let (primary, replica) = (status(A).await.unwrap(), status(B).await.unwrap());
    assert_eq!((replica.key_rotation_enabled, replica.rotation_period_in_days), (true, Some(90)));
    assert_eq!(replica.next_rotation_date, primary.next_rotation_date);
    let before = current(&cluster, A, &key_id).await;
    cluster.advance_days(90);
    cluster.settle().await;
    assert_ne!(current(&cluster, A, &key_id).await, before);
    assert_eq!(current(&cluster, B, &key_id).await, current(&cluster, A, &key_id).await);
    assert_eq!(rotations(&cluster, B, &key_id).await, [RotationType::Automatic]);
    assert!(status(A).await.unwrap().next_rotation_date > primary.next_rotation_date);
}

#[tokio::test]
async fn replica_added_during_a_rotation_gets_the_staged_material_too() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B]).await;
    cluster.set_link(B, Link::Away);
    cluster.rotate(A, &key_id).await.unwrap();
    cluster.settle().await;
    cluster.replicate(A, &key_id, C).await.unwrap();
    cluster.settle().await;
    assert_eq!(cluster.regional(C).stored_versions(&KeyId::parse(&key_id).unwrap()), 2);
    cluster.set_link(B, Link::Up);
    cluster.settle().await;
    let after = current(&cluster, A, &key_id).await;
    assert_eq!(current(&cluster, B, &key_id).await, after);
    assert_eq!(current(&cluster, C, &key_id).await, after);
}
