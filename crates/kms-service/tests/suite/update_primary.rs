//! UpdatePrimaryRegion: the planned move, between two Regions that are well.

use super::support::{ACCOUNT, Cluster, Link, admin, region};
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::update_primary_region::UpdatePrimaryRegionRequest;
use kms_service::{KmsError, StateFault};

const A: &str = "us-east-1";
const B: &str = "eu-west-1";
const C: &str = "ap-southeast-1";

async fn update(cluster: &Cluster, at: &str, key_id: &str, to: &str) -> Result<(), KmsError> {
    let request = UpdatePrimaryRegionRequest { key_id: key_id.into(), primary_region: region(to) };
    cluster.at(at).update_primary_region(admin(request)).await
}

#[tokio::test]
async fn primary_moves_and_moves_back() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    update(&cluster, A, &key_id, B).await.unwrap();
    for at in [A, B, C] {
        let set = cluster.describe(at, &key_id).await.unwrap().multi_region.unwrap();
        assert_eq!((set.primary, set.replicas, set.is_primary), (region(B), vec![region(C), region(A)], at == B));
    }
    cluster.rotate(B, &key_id).await.unwrap();
    update(&cluster, B, &key_id, A).await.unwrap();
    cluster.settle().await;
    cluster.rotate(A, &key_id).await.unwrap();
}

#[tokio::test]
async fn each_wrong_move_has_its_own_error() {
    let cluster = Cluster::new(&[A, B, C]);
    let (single, key_id) = (cluster.key(A).await, cluster.key_in(&[A, B]).await);
    let text = async |at, key_id: &str, to| update(&cluster, at, key_id, to).await.unwrap_err().to_string();
    let arn = |at: &str, id: &str| format!("arn:aws:kms:{at}:{ACCOUNT}:key/{id}");
    assert_eq!(text(A, &single, B).await, format!("{} is not a multi-region key.", arn(A, &single)));
    assert_eq!(text(B, &key_id, A).await, format!("{} is not a multi-region primary key.", arn(B, &key_id)));
    assert!(matches!(update(&cluster, A, &key_id, A).await, Err(KmsError::Validation(_))));
    assert!(matches!(update(&cluster, A, &key_id, C).await, Err(KmsError::ReplicaNotFound { .. })));
}

#[tokio::test]
async fn both_keys_must_be_enabled() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.key_in(&[A, B]).await;
    let disable = DisableKeyRequest { key_id: key_id.clone() };
    cluster.at(B).disable_key(admin(disable.clone())).await.unwrap();
    match update(&cluster, A, &key_id, B).await.unwrap_err() {
        KmsError::InvalidState { key, fault } => assert_eq!((key.region, fault), (region(B), StateFault::Disabled)),
        other => unreachable!("{other:?}"),
    }
    cluster.at(A).disable_key(admin(disable)).await.unwrap();
    match update(&cluster, A, &key_id, B).await.unwrap_err() {
        KmsError::InvalidState { key, fault } => assert_eq!((key.region, fault), (region(A), StateFault::Disabled)),
        other => unreachable!("{other:?}"),
    }
}

#[tokio::test]
async fn replica_that_is_not_ready_or_not_there_cannot_take_over() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.multi_region_key(A).await;
    cluster.replicate(A, &key_id, B).await.unwrap();
    let error = update(&cluster, A, &key_id, B).await.unwrap_err();
    assert!(matches!(error, KmsError::InvalidState { fault: StateFault::Creating, .. }), "{error:?}");
    cluster.settle().await;
    cluster.set_link(B, Link::Away);
    assert_eq!(update(&cluster, A, &key_id, B).await, Err(KmsError::DependencyTimeout));
}
