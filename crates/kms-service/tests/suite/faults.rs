//! What goes wrong around the service, and what callers are told then.

use super::support::{Cluster, Dry, Link, admin};
use kms_service::KmsError;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::generate_random::GenerateRandomRequest;
use std::sync::Arc;

const A: &str = "us-east-1";
const B: &str = "eu-west-1";
const C: &str = "ap-southeast-1";

#[tokio::test]
async fn region_on_its_own_keeps_serving_its_keys() {
    let cluster = Cluster::new(&[A, B, C]);
    let (single, shared) = (cluster.key(B).await, cluster.key_in(&[A, B]).await);
    let from_a = cluster.encrypt(A, &shared, "from A").await.unwrap();
    for other in [A, C] {
        cluster.set_link(other, Link::Away);
    }
    for key_id in [&single, &shared] {
        let blob = cluster.encrypt(B, key_id, "alone").await.unwrap();
        assert_eq!(cluster.decrypt(B, &blob).await.unwrap(), "alone");
    }
    assert_eq!(cluster.decrypt(B, &from_a).await.unwrap(), "from A");
    cluster.key(B).await;
}

#[tokio::test]
async fn change_of_shared_properties_without_a_majority_times_out_and_changes_nothing() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B]).await;
    let before = cluster.describe(A, &key_id).await.unwrap();
    for other in [B, C] {
        cluster.set_link(other, Link::Away);
    }
    let timeout = KmsError::DependencyTimeout;
    assert_eq!(cluster.rotate(A, &key_id).await, Err(timeout.clone()));
    assert_eq!(cluster.replicate(A, &key_id, C).await.unwrap_err(), timeout);
    let request = CreateKeyRequest { multi_region: true, ..Default::default() };
    assert_eq!(cluster.at(A).create_key(admin(request)).await.unwrap_err(), timeout);
    assert_eq!(cluster.describe(A, &key_id).await.unwrap(), before);
}

#[tokio::test]
async fn full_queue_of_changes_throttles() {
    let cluster = Cluster::new(&[A]);
    let key_id = cluster.key(A).await;
    cluster.regional(A).set_full(true);
    let request = DisableKeyRequest { key_id: key_id.clone() };
    assert_eq!(cluster.at(A).disable_key(admin(request)).await, Err(KmsError::Throttled));
    cluster.encrypt(A, &key_id, "reads go on").await.unwrap();
}

#[tokio::test]
async fn failing_source_of_randomness_makes_nothing() {
    let cluster = Cluster::build(&[A], |_| {}, |_| Arc::new(Dry));
    let internal = KmsError::Internal;
    assert_eq!(cluster.at(A).create_key(admin(CreateKeyRequest::default())).await.unwrap_err(), internal);
    let request = GenerateRandomRequest { number_of_bytes: Some(32), ..Default::default() };
    assert_eq!(cluster.at(A).generate_random(admin(request)).await.unwrap_err(), internal);
}
