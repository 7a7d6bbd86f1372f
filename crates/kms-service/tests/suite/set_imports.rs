//! Imported key material of multi-Region keys: the set says which material belongs to the key, each Region has its own
//! bytes.

use super::support::{Cluster, Link};
use kms_core::control::ControlBody;
use kms_crypto::generate_data_key_pair;
use kms_service::KmsError;
use kms_service::operations::import_key_material::ImportKeyMaterialRequest;
use kms_service::operations::list_key_rotations::KeyMaterialState;
use kms_types::{ImportType, KeyId, KeyMaterialId, KeySpec, KeyState};
use std::time::Duration;

const A: &str = "us-east-1";
const B: &str = "eu-west-1";
const C: &str = "ap-southeast-1";

async fn state(cluster: &Cluster, at: &str, key_id: &str) -> KeyState {
    cluster.describe(at, key_id).await.unwrap().key_state
}

async fn versions(cluster: &Cluster, at: &str, key_id: &str) -> Vec<(KeyMaterialId, KeyMaterialState, bool)> {
    let entries = cluster.versions(at, key_id).await;
    entries.iter().map(|e| (e.key_material_id, e.key_material_state, e.import.as_ref().unwrap().is_imported)).collect()
}

fn stored(cluster: &Cluster, at: &str, key_id: &str) -> usize {
    cluster.regional(at).stored_versions(&KeyId::parse(key_id).unwrap())
}

/// A key with replicas in B and C and the same material everywhere.
async fn imported_everywhere(cluster: &Cluster, material: &[u8]) -> String {
    let key_id = cluster.external_key_set(A, KeySpec::SymmetricDefault).await;
    cluster.door(A, &key_id).await.import(material).await.unwrap();
    for replica in [B, C] {
        cluster.replicate(A, &key_id, replica).await.unwrap();
        cluster.settle().await;
        cluster.door(replica, &key_id).await.import(material).await.unwrap();
    }
    cluster.settle().await;
    key_id
}

#[tokio::test]
async fn replica_waits_for_the_same_bytes_and_then_opens_the_same_ciphertext() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.external_key_set(A, KeySpec::SymmetricDefault).await;
    let arn = cluster.describe(A, &key_id).await.unwrap().arn;
    assert_eq!(state(&cluster, A, &key_id).await, KeyState::PendingImport);
    let refused = cluster.replicate(A, &key_id, B).await.unwrap_err();
    assert_eq!(refused.to_string(), format!("{arn} is pending import."));
    let id = cluster.door(A, &key_id).await.import(&[1; 32]).await.unwrap();
    assert_eq!(state(&cluster, A, &key_id).await, KeyState::Enabled);
    let blob = cluster.encrypt(A, &key_id, "from A").await.unwrap();

    cluster.replicate(A, &key_id, B).await.unwrap();
    cluster.settle().await;
    assert_eq!((state(&cluster, B, &key_id).await, stored(&cluster, B, &key_id)), (KeyState::PendingImport, 0));
    assert_eq!(cluster.describe(B, &key_id).await.unwrap().current_key_material_id, id);
    let door = cluster.door(B, &key_id).await;
    let wrong = door.import(&[2; 32]).await;
    assert!(matches!(wrong, Err(KmsError::IncorrectKeyMaterial(_))), "{wrong:?}");
    assert_eq!(door.import_as(ImportType::ExistingKeyMaterial, &[1; 32]).await.unwrap(), id);
    assert_eq!(state(&cluster, B, &key_id).await, KeyState::Enabled);
    assert_eq!(cluster.decrypt(B, &blob).await.unwrap(), "from A");
    let back = cluster.encrypt(B, &key_id, "from B").await.unwrap();
    assert_eq!(cluster.decrypt(A, &back).await.unwrap(), "from B");
}

#[tokio::test]
async fn imported_bytes_never_travel() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = imported_everywhere(&cluster, &[1; 32]).await;
    cluster.door(A, &key_id).await.import_as(ImportType::NewKeyMaterial, &[2; 32]).await.unwrap();
    cluster.settle().await;
    let key_id = KeyId::parse(&key_id).unwrap();
    for command in cluster.control_commands() {
        match command.body {
            ControlBody::AddReplica(body) => assert!(body.boxes.is_empty()),
            ControlBody::StageMaterial(body) => unreachable!("{body:?}"),
            _ => {}
        }
    }
    cluster.at(C).directory().read(|_, control| {
        let set = control.key_set(&key_id).unwrap();
        assert!(set.materials.iter().all(|version| version.boxes.is_empty()));
        assert_eq!(set.materials.len(), 2);
    });
}

#[tokio::test]
async fn new_material_is_used_when_every_region_has_it_and_the_primary_says_so() {
    use KeyMaterialState as S;
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = imported_everywhere(&cluster, &[1; 32]).await;
    let arn = cluster.describe(A, &key_id).await.unwrap().arn;
    let first = versions(&cluster, A, &key_id).await[0].0;
    let old = cluster.encrypt(B, &key_id, "old").await.unwrap();
    let nothing =
        || Err(KmsError::MaterialState(format!("No available key material pending rotation for the key: {arn}.")));
    assert_eq!(cluster.rotate(A, &key_id).await, nothing());

    // A replica takes none that its primary does not know.
    let door_b = cluster.door(B, &key_id).await;
    let refused = door_b.import_as(ImportType::NewKeyMaterial, &[2; 32]).await;
    assert!(matches!(refused, Err(KmsError::UnsupportedOperation(Some(_)))), "{refused:?}");

    let door_a = cluster.door(A, &key_id).await;
    let described = ImportKeyMaterialRequest {
        import_type: Some(ImportType::NewKeyMaterial),
        key_material_description: Some("second".into()),
        ..door_a.request(&[2; 32])
    };
    let second = door_a.send(described).await.unwrap().unwrap();
    cluster.settle().await;
    let waits = S::PendingMultiRegionImportAndRotation;
    assert_eq!(versions(&cluster, A, &key_id).await, [(first, S::Current, true), (second, waits, true)]);
    assert_eq!(versions(&cluster, B, &key_id).await, [(first, S::Current, true), (second, waits, false)]);
    assert_eq!(cluster.versions(B, &key_id).await[1].import.as_ref().unwrap().description, "second");
    let refused = door_a.import_as(ImportType::NewKeyMaterial, &[3; 32]).await.unwrap_err().to_string();
    assert!(refused.ends_with(&format!("(id: {second}) is pending rotation.")), "{refused}");
    // Material that waits is not missed by anybody.
    assert_eq!(state(&cluster, B, &key_id).await, KeyState::Enabled);

    door_b.import(&[2; 32]).await.unwrap();
    cluster.settle().await;
    assert_eq!(cluster.rotate(A, &key_id).await, nothing());
    cluster.door(C, &key_id).await.import_as(ImportType::ExistingKeyMaterial, &[2; 32]).await.unwrap();
    cluster.settle().await;
    for at in [A, B, C] {
        let expected = [(first, S::Current, true), (second, S::PendingRotation, true)];
        assert_eq!(versions(&cluster, at, &key_id).await, expected, "{at}");
    }
    let arn_b = cluster.describe(B, &key_id).await.unwrap().arn;
    let refused = cluster.rotate(B, &key_id).await.unwrap_err().to_string();
    assert_eq!(refused, format!("{arn_b} is not a multi-region primary key."));
    cluster.rotate(A, &key_id).await.unwrap();
    cluster.settle().await;
    for at in [A, B, C] {
        let expected = [(first, S::NonCurrent, true), (second, S::Current, true)];
        assert_eq!(versions(&cluster, at, &key_id).await, expected, "{at}");
        assert_eq!(cluster.describe(at, &key_id).await.unwrap().current_key_material_id, Some(second));
        assert_eq!(cluster.decrypt(at, &old).await.unwrap(), "old");
        let new = cluster.encrypt(at, &key_id, at).await.unwrap();
        for other in [A, B, C] {
            assert_eq!(cluster.decrypt(other, &new).await.unwrap(), at);
        }
    }
}

#[tokio::test]
async fn primary_takes_waiting_material_back_everywhere_and_a_replica_only_for_itself() {
    use KeyMaterialState as S;
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = imported_everywhere(&cluster, &[1; 32]).await;
    let first = versions(&cluster, A, &key_id).await[0].0;
    let door = cluster.door(A, &key_id).await;
    let second = door.import_as(ImportType::NewKeyMaterial, &[2; 32]).await.unwrap().unwrap();
    cluster.settle().await;
    for replica in [B, C] {
        cluster.door(replica, &key_id).await.import(&[2; 32]).await.unwrap();
    }
    cluster.settle().await;
    cluster.delete_import(B, &key_id, Some(second)).await.unwrap();
    cluster.settle().await;
    let waits = S::PendingMultiRegionImportAndRotation;
    assert_eq!(versions(&cluster, A, &key_id).await, [(first, S::Current, true), (second, waits, true)]);
    assert_eq!(versions(&cluster, B, &key_id).await, [(first, S::Current, true), (second, waits, false)]);
    assert_eq!(versions(&cluster, C, &key_id).await, [(first, S::Current, true), (second, waits, true)]);

    let deleted = cluster.delete_import(A, &key_id, Some(second)).await.unwrap();
    assert_eq!(deleted, Some(second.to_string()));
    // At once here, and elsewhere as soon as it is heard of.
    assert_eq!(stored(&cluster, A, &key_id), 1);
    cluster.settle().await;
    for at in [A, B, C] {
        assert_eq!(versions(&cluster, at, &key_id).await, [(first, S::Current, true)], "{at}");
        assert_eq!((stored(&cluster, at, &key_id), state(&cluster, at, &key_id).await), (1, KeyState::Enabled));
    }
    // Another one may take its place.
    door.import_as(ImportType::NewKeyMaterial, &[3; 32]).await.unwrap();
}

#[tokio::test]
async fn deletion_and_expiry_of_one_region_leave_the_others_alone() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = imported_everywhere(&cluster, &[1; 32]).await;
    let blob = cluster.encrypt(A, &key_id, "x").await.unwrap();
    let door = cluster.door(C, &key_id).await;
    let expiring = ImportKeyMaterialRequest {
        expiration_model: None,
        valid_to: Some(cluster.now().plus(Duration::from_secs(60))),
        ..door.request(&[1; 32])
    };
    door.send(expiring).await.unwrap();
    cluster.delete_import(A, &key_id, None).await.unwrap();
    cluster.advance(Duration::from_secs(60));
    cluster.settle().await;
    for (at, expected) in [(A, KeyState::PendingImport), (B, KeyState::Enabled), (C, KeyState::PendingImport)] {
        assert_eq!(state(&cluster, at, &key_id).await, expected, "{at}");
    }
    assert_eq!(cluster.decrypt(B, &blob).await.unwrap(), "x");
    for at in [A, C] {
        let door = cluster.door(at, &key_id).await;
        let wrong = door.import(&[2; 32]).await;
        assert!(matches!(wrong, Err(KmsError::IncorrectKeyMaterial(_))), "{at}: {wrong:?}");
        door.import(&[1; 32]).await.unwrap();
        assert_eq!(cluster.decrypt(at, &blob).await.unwrap(), "x");
    }
}

#[tokio::test]
async fn first_material_needs_a_majority_and_known_material_none() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = imported_everywhere(&cluster, &[1; 32]).await;
    let fresh = cluster.external_key_set(A, KeySpec::SymmetricDefault).await;
    for other in [B, C] {
        cluster.set_link(other, Link::Away);
    }
    let door = cluster.door(A, &fresh).await;
    assert_eq!(door.import(&[1; 32]).await, Err(KmsError::DependencyTimeout));
    assert_eq!((state(&cluster, A, &fresh).await, stored(&cluster, A, &fresh)), (KeyState::PendingImport, 0));
    cluster.delete_import(A, &key_id, None).await.unwrap();
    cluster.door(A, &key_id).await.import(&[1; 32]).await.unwrap();
    let blob = cluster.encrypt(A, &key_id, "alone").await.unwrap();
    assert_eq!(cluster.decrypt(A, &blob).await.unwrap(), "alone");
    for other in [B, C] {
        cluster.set_link(other, Link::Up);
    }
    door.import(&[1; 32]).await.unwrap();
    cluster.settle().await;
    assert_eq!(state(&cluster, A, &fresh).await, KeyState::Enabled);
}

#[tokio::test]
async fn replica_that_is_behind_catches_up_before_it_calls_material_incorrect() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = imported_everywhere(&cluster, &[1; 32]).await;
    cluster.set_link(B, Link::Lagging);
    let door = cluster.door(A, &key_id).await;
    let second = door.import_as(ImportType::NewKeyMaterial, &[2; 32]).await.unwrap();
    assert_eq!(cluster.door(B, &key_id).await.import(&[2; 32]).await.unwrap(), second);
    // Without a majority nobody knows what the primary was given.
    cluster.set_link(A, Link::Away);
    cluster.set_link(C, Link::Away);
    let unknown = cluster.door(B, &key_id).await.import(&[3; 32]).await;
    assert_eq!(unknown, Err(KmsError::DependencyTimeout));
}

#[tokio::test]
async fn an_import_that_stopped_half_way_is_gone_on_with() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.external_key_set(A, KeySpec::SymmetricDefault).await;
    let door = cluster.door(A, &key_id).await;
    // The offer is committed, and then this Region's own queue is full.
    cluster.regional(A).set_full(true);
    assert_eq!(door.import_as(ImportType::NewKeyMaterial, &[1; 32]).await, Err(KmsError::Throttled));
    cluster.regional(A).set_full(false);
    cluster.settle().await;
    assert_eq!(state(&cluster, A, &key_id).await, KeyState::PendingImport);
    door.import_as(ImportType::NewKeyMaterial, &[1; 32]).await.unwrap();
    cluster.settle().await;
    assert_eq!(state(&cluster, A, &key_id).await, KeyState::Enabled);
    let known = door.import_as(ImportType::NewKeyMaterial, &[1; 32]).await;
    assert!(matches!(known, Err(KmsError::IncorrectKeyMaterial(_))), "{known:?}");
}

#[tokio::test]
async fn asymmetric_key_takes_the_same_private_key_in_every_region() {
    let cluster = Cluster::new(&[A, B, C]);
    let key_id = cluster.external_key_set(A, KeySpec::EccNistP256).await;
    let pair = || generate_data_key_pair(KeySpec::EccNistP256, cluster.entropy()).unwrap().private_key_der.to_vec();
    let (material, other) = (pair(), pair());
    cluster.door(A, &key_id).await.import(&material).await.unwrap();
    cluster.replicate(A, &key_id, B).await.unwrap();
    cluster.settle().await;
    for at in [A, B] {
        let door = cluster.door(at, &key_id).await;
        let wrong = door.import(&other).await;
        assert!(matches!(wrong, Err(KmsError::IncorrectKeyMaterial(_))), "{at}: {wrong:?}");
        door.import(&material).await.unwrap();
        assert_eq!(state(&cluster, at, &key_id).await, KeyState::Enabled, "{at}");
    }
    cluster.delete_import(A, &key_id, None).await.unwrap();
    cluster.settle().await;
    let wrong = cluster.door(A, &key_id).await.import(&other).await;
    assert!(matches!(wrong, Err(KmsError::IncorrectKeyMaterial(_))), "{wrong:?}");
    assert_eq!(state(&cluster, B, &key_id).await, KeyState::Enabled);
}
