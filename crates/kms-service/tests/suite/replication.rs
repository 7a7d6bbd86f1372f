//! Multi-Region keys: replicas, what they share and what they do not, and where material goes.

use super::support::{ACCOUNT, Cluster, Link, admin, region};
use kms_core::control::ControlBody;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::replicate_key::ReplicateKeyRequest;
use kms_service::{KmsError, StateFault};
use kms_types::{KeyId, KeyState};

const A: &str = "us-east-1";
const B: &str = "eu-west-1";
const C: &str = "ap-southeast-1";

#[tokio::test]
async fn primary_knows_itself_and_its_replicas() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.multi_region_key(A).await;
    assert!(key_id.starts_with("mrk-"), "{key_id}");
    let alone = cluster.describe(A, &key_id).await.unwrap().multi_region.unwrap();
    assert_eq!((alone.is_primary, alone.primary, alone.replicas), (true, region(A), Vec::new()));
    cluster.replicate(A, &key_id, B).await.unwrap();
    cluster.settle().await;
    for (at, is_primary) in [(A, true), (B, false)] {
        let set = cluster.describe(at, &key_id).await.unwrap().multi_region.unwrap();
        assert_eq!((set.is_primary, set.primary, set.replicas), (is_primary, region(A), vec![region(B)]));
    }
}

#[tokio::test]
async fn replica_is_creating_at_first_and_then_opens_the_primarys_ciphertext() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.multi_region_key(A).await;
    let before = cluster.encrypt(A, &key_id, "before").await.unwrap();
    let made = cluster.replicate(A, &key_id, B).await.unwrap();
    let metadata = made.replica_key_metadata;
    assert_eq!(metadata.arn.to_string(), format!("arn:aws:kms:{B}:{ACCOUNT}:key/{key_id}"));
    assert_eq!((metadata.key_state, metadata.current_key_material_id), (KeyState::Creating, None));
    assert_eq!(metadata.creation_date, cluster.now());
    let set = metadata.multi_region.unwrap();
    assert_eq!((set.is_primary, set.primary, set.replicas), (false, region(A), vec![region(B)]));
    assert!(made.replica_policy.contains("key-default-1"));
    assert_eq!(made.replica_tags, Vec::new());

    cluster.settle().await;
    let (primary, replica) = (cluster.describe(A, &key_id).await.unwrap(), cluster.describe(B, &key_id).await.unwrap());
    assert_eq!(replica.key_state, KeyState::Enabled);
    assert_eq!(replica.current_key_material_id, primary.current_key_material_id);
    assert_eq!(cluster.decrypt(B, &before).await.unwrap(), "before");
    let back = cluster.encrypt(B, &key_id, "back").await.unwrap();
    assert_eq!(cluster.decrypt(A, &back).await.unwrap(), "back");
    assert_eq!(&*cluster.open(B, &before).await.unwrap().key_id, replica.arn.to_string());
}

#[tokio::test]
async fn independent_properties_are_the_replicas_own() {
    let cluster = Cluster::new(&[A, B]);
    let request = CreateKeyRequest {
        multi_region: true,
        description: Some("primary".into()),
        tags: vec![("at".into(), "a".into())],
        ..Default::default()
    };
    let key_id = cluster.create(A, request).await.arn.key_id.to_string();
    let request = ReplicateKeyRequest {
        key_id: key_id.clone(),
        replica_region: region(B),
        policy: None,
        bypass_policy_lockout_safety_check: None,
        description: Some("replica".into()),
        tags: vec![("at".into(), "b".into())],
    };
    let made = cluster.at(A).replicate_key(admin(request)).await.unwrap();
    assert_eq!(made.replica_tags, [("at".to_owned(), "b".to_owned())]);
    cluster.settle().await;
    assert_eq!(cluster.describe(B, &key_id).await.unwrap().description, "replica");
    assert_eq!(cluster.describe(A, &key_id).await.unwrap().description, "primary");
    let disable = DisableKeyRequest { key_id: key_id.clone() };
    cluster.at(A).disable_key(admin(disable)).await.unwrap();
    cluster.encrypt(B, &key_id, "still in use").await.unwrap();
}

#[tokio::test]
async fn older_material_comes_with_the_replica() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.multi_region_key(A).await;
    let old = cluster.encrypt(A, &key_id, "old").await.unwrap();
    cluster.rotate(A, &key_id).await.unwrap();
    cluster.settle().await;
    let new = cluster.encrypt(A, &key_id, "new").await.unwrap();
    cluster.replicate(A, &key_id, B).await.unwrap();
    cluster.settle().await;
    assert_eq!(cluster.decrypt(B, &old).await.unwrap(), "old");
    assert_eq!(cluster.decrypt(B, &new).await.unwrap(), "new");
    assert_eq!(cluster.regional(B).stored_versions(&KeyId::parse(&key_id).unwrap()), 2);
}

#[tokio::test]
async fn material_is_sealed_to_holding_regions_and_to_nobody_else() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.key_in(&[A, B]).await;
    cluster.rotate(A, &key_id).await.unwrap();
    cluster.settle().await;
    let mut sealed_to = Vec::new();
    for command in cluster.control_commands() {
        match command.body {
            ControlBody::AddReplica(body) => sealed_to.extend(body.boxes.values().map(|_| body.replica.clone())),
            ControlBody::StageMaterial(body) => sealed_to.extend(body.boxes.into_keys()),
            _ => {}
        }
    }
    // The first material to B, then the staged one to both; C is in the cluster and gets nothing.
    assert_eq!(sealed_to, [region(B), region(B), region(A)]);
    assert_eq!(cluster.regional(C).stored_versions(&KeyId::parse(&key_id).unwrap()), 0);
    assert!(matches!(cluster.describe(C, &key_id).await, Err(KmsError::KeyNotFound(_))));
}

#[tokio::test]
async fn each_wrong_replication_has_its_own_error() {
    let cluster = Cluster::new(&[A, B]);
    let single = cluster.key(A).await;
    let key_id = cluster.key_in(&[A, B]).await;
    let arn = |at: &str, id: &str| format!("arn:aws:kms:{at}:{ACCOUNT}:key/{id}");
    let unsupported = |text: String| Err(KmsError::UnsupportedOperation(Some(text)));
    let replicate = async |at, key_id: &str, to| cluster.replicate(at, key_id, to).await.map(|_| ());
    let single_region = format!("{} is not a multi-region key.", arn(A, &single));
    assert_eq!(replicate(A, &single, B).await, unsupported(single_region));
    let replica = format!("{} is not a multi-region primary key.", arn(B, &key_id));
    assert_eq!(replicate(B, &key_id, C).await, unsupported(replica));
    let twice = "You can create only one replica of each primary key in each AWS Region.";
    assert_eq!(replicate(A, &key_id, B).await, Err(KmsError::AlreadyExists(twice.into())));
    let here = format!("{A} cannot have a replica because it contains the primary.");
    assert_eq!(replicate(A, &key_id, A).await, Err(KmsError::service(here)));
    let partition = "The replica key Region must be in the same AWS partition as the primary key Region.";
    assert_eq!(replicate(A, &key_id, "cn-north-1").await, Err(KmsError::service(partition)));
    assert!(matches!(replicate(A, &key_id, C).await, Err(KmsError::Validation(_))));
}

#[tokio::test]
async fn witness_gets_no_replica() {
    let cluster = Cluster::new(&[A, B]);
    cluster.join_witness(C);
    let key_id = cluster.multi_region_key(A).await;
    assert!(matches!(cluster.replicate(A, &key_id, C).await, Err(KmsError::Validation(_))));
    let is_box_for_c = |body: &ControlBody| matches!(body, ControlBody::AddReplica(add) if add.replica == region(C));
    assert!(!cluster.control_commands().iter().any(|command| is_box_for_c(&command.body)));
}

#[tokio::test]
async fn disabled_primary_is_not_replicated() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.multi_region_key(A).await;
    cluster.at(A).disable_key(admin(DisableKeyRequest { key_id: key_id.clone() })).await.unwrap();
    let error = cluster.replicate(A, &key_id, B).await.unwrap_err();
    assert!(matches!(error, KmsError::InvalidState { fault: StateFault::Disabled, .. }), "{error:?}");
}

#[tokio::test]
async fn replica_is_refused_use_while_it_is_creating() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.multi_region_key(A).await;
    cluster.replicate(A, &key_id, B).await.unwrap();
    // The Region knows of the key but has done nothing for it yet.
    assert!(matches!(cluster.encrypt(B, &key_id, "x").await, Err(KmsError::KeyNotFound(_))));
    cluster.settle().await;
    cluster.encrypt(B, &key_id, "x").await.unwrap();
}

#[tokio::test]
async fn replica_of_an_absent_region_waits_for_its_return() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.multi_region_key(A).await;
    let blob = cluster.encrypt(A, &key_id, "secret").await.unwrap();
    cluster.set_link(B, Link::Away);
    cluster.replicate(A, &key_id, B).await.unwrap();
    cluster.settle().await;
    assert!(matches!(cluster.describe(B, &key_id).await, Err(KmsError::KeyNotFound(_))));
    cluster.set_link(B, Link::Up);
    cluster.settle().await;
    assert_eq!(cluster.decrypt(B, &blob).await.unwrap(), "secret");
}

#[tokio::test]
async fn replica_counts_against_the_quota_of_its_own_region() {
    let cluster = Cluster::with_config(&[A, B, C], |config| {
        config.quotas.keys_per_account = if config.region.as_str() == B { 1 } else { 5 };
    });
    let (key_id, second) = (cluster.multi_region_key(A).await, cluster.multi_region_key(A).await);
    cluster.replicate(A, &key_id, B).await.unwrap();
    cluster.settle().await;
    let text = "Key quota for this account in this region is 1 but the current usage is 1.";
    assert_eq!(cluster.replicate(A, &second, B).await.unwrap_err(), KmsError::LimitExceeded(text.into()));
    cluster.replicate(A, &second, C).await.unwrap();
    // A Region that does not answer cannot say; its replica waits for it as ever.
    cluster.set_link(B, Link::Away);
    cluster.replicate(A, &second, B).await.unwrap();
}
