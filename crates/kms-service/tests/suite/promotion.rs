//! Promotion: a plan, a commit, and no old primary needed.

use super::support::{Cluster, Link, admin, region};
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_service::{PromoteError, PromotePlan, Promoted, Promoter};
use kms_types::RotationType;

const A: &str = "us-east-1";
const B: &str = "eu-west-1";
const C: &str = "ap-southeast-1";

async fn plan(cluster: &Cluster, at: &str, key_id: &str, to: &str) -> Result<PromotePlan, PromoteError> {
    let caller = admin(()).caller;
    cluster.at(at).plan_promotion(Promoter::Principal(&caller), key_id, to).await
}

async fn promote(cluster: &Cluster, at: &str, key_id: &str, to: &str) -> Result<Promoted, PromoteError> {
    cluster.at(at).promote(Promoter::Principal(&admin(()).caller), (key_id, to), |_| true).await
}

async fn primary_seen_by(cluster: &Cluster, at: &str, key_id: &str) -> String {
    cluster.describe(at, key_id).await.unwrap().multi_region.unwrap().primary.to_string()
}

#[tokio::test]
async fn replica_becomes_primary_while_the_old_one_is_gone() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    let blob = cluster.encrypt(A, &key_id, "secret").await.unwrap();
    cluster.set_link(A, Link::Away);
    let shown = plan(&cluster, B, &key_id, B).await.unwrap();
    assert_eq!((shown.from.as_str(), shown.to.as_str(), shown.epoch), (A, B, 1));
    assert_eq!(shown.unreachable, [region(A)]);
    assert_eq!((shown.would_be_lost.len(), shown.obstacles.len()), (0, 0));
    assert_eq!(shown.target_applied_index, shown.committed_index);

    let done = promote(&cluster, B, &key_id, B).await.unwrap();
    assert_eq!(done.epoch, 2);
    cluster.settle().await;
    for at in [B, C] {
        assert_eq!(primary_seen_by(&cluster, at, &key_id).await, B);
        assert_eq!(cluster.decrypt(at, &blob).await.unwrap(), "secret");
    }
    cluster.rotate(B, &key_id).await.unwrap();

    cluster.set_link(A, Link::Up);
    cluster.settle().await;
    assert_eq!(primary_seen_by(&cluster, A, &key_id).await, B);
    assert!(cluster.rotate(A, &key_id).await.unwrap_err().to_string().ends_with("is not a multi-region primary key."));
}

#[tokio::test]
async fn new_primary_finishes_the_rotation_of_the_old_one() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    let before = cluster.describe(B, &key_id).await.unwrap().current_key_material_id;
    cluster.rotate(A, &key_id).await.unwrap();
    cluster.set_link(A, Link::Away);
    let staged = plan(&cluster, C, &key_id, C).await.unwrap().staged;
    assert!(staged.is_some());
    promote(&cluster, C, &key_id, C).await.unwrap();
    cluster.settle().await;
    // The old primary holds the key still, so its word is awaited.
    assert_eq!(cluster.describe(B, &key_id).await.unwrap().current_key_material_id, before);
    cluster.set_link(A, Link::Up);
    cluster.settle().await;
    for at in [A, B, C] {
        assert_eq!(cluster.describe(at, &key_id).await.unwrap().current_key_material_id, staged);
    }
    let kinds = cluster.at(B).directory().read(|_, control| {
        let set = control.key_sets().next().unwrap();
        set.materials.iter().map(|m| m.rotation_type).collect::<Vec<_>>()
    });
    assert_eq!(kinds, [None, Some(RotationType::OnDemand)]);
}

#[tokio::test]
async fn plan_that_was_not_agreed_to_is_not_carried_out() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    let agreed = plan(&cluster, A, &key_id, B).await.unwrap().fingerprint();
    promote(&cluster, A, &key_id, C).await.unwrap();
    let stale = cluster
        .at(A)
        .promote(Promoter::Principal(&admin(()).caller), (&key_id, B), |now| now.fingerprint() == agreed)
        .await;
    assert!(matches!(stale, Err(PromoteError::StalePlan(_))), "{stale:?}");
    assert_eq!(primary_seen_by(&cluster, A, &key_id).await, C);
}

#[tokio::test]
async fn obstacles_refuse_a_promotion_with_reasons() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B]).await;
    let refused = async |to: &str| match promote(&cluster, A, &key_id, to).await {
        Err(PromoteError::Refused(plan)) => plan.obstacles.join("; "),
        other => format!("not refused: {other:?}"),
    };
    assert_eq!(refused(A).await, "us-east-1 is the primary Region already");
    assert_eq!(refused(C).await, "ap-southeast-1 holds no replica of the key");
    cluster.set_link(B, Link::Away);
    assert_eq!(refused(B).await, "eu-west-1 does not answer");
    cluster.set_link(B, Link::Lagging);
    cluster.key(A).await;
    cluster.multi_region_key(A).await;
    assert!(refused(B).await.starts_with("eu-west-1 is behind"), "{}", refused(B).await);
    cluster.set_link(B, Link::Up);
    let request = ScheduleKeyDeletionRequest { key_id: key_id.clone(), pending_window_in_days: None };
    cluster.at(B).schedule_key_deletion(admin(request)).await.unwrap();
    assert_eq!(refused(B).await, "the replica in eu-west-1 is PendingDeletion");
}

#[tokio::test]
async fn minority_promotes_nothing() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B, C]).await;
    cluster.set_link(A, Link::Away);
    cluster.set_link(C, Link::Away);
    assert_eq!(plan(&cluster, B, &key_id, B).await.unwrap_err(), PromoteError::NoMajority);
    assert_eq!(promote(&cluster, B, &key_id, B).await.unwrap_err(), PromoteError::NoMajority);
    assert_eq!(primary_seen_by(&cluster, B, &key_id).await, A);
}

#[tokio::test]
async fn single_region_key_cannot_be_promoted() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key(A).await;
    assert!(matches!(plan(&cluster, A, &key_id, B).await, Err(PromoteError::NotMultiRegion(_))));
    assert!(matches!(plan(&cluster, A, &key_id, "Mars").await, Err(PromoteError::RegionName)));
}
