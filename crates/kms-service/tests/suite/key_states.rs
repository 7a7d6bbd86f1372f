//! Enabling, disabling, describing: what each state admits.

use super::support::{ACCOUNT, Cluster, admin};
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::enable_key::EnableKeyRequest;
use kms_service::operations::enable_key_rotation::EnableKeyRotationRequest;
use kms_service::operations::generate_data_key::{DataKeySpec, GenerateDataKeyRequest};
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_service::operations::tag_resource::TagResourceRequest;
use kms_service::operations::update_key_description::UpdateKeyDescriptionRequest;
use kms_service::{KmsError, StateFault};
use kms_types::{KeyState, KeyUsage, Origin};

const HERE: &str = "us-east-1";

#[tokio::test]
async fn new_key_is_enabled_with_what_was_asked_for() {
    let cluster = Cluster::new(&[HERE]);
    let request = CreateKeyRequest { description: Some("payments".into()), ..Default::default() };
    let created = cluster.create(HERE, request).await;
    assert_eq!(created.key_state, KeyState::Enabled);
    assert_eq!((created.description.as_str(), created.key_usage), ("payments", KeyUsage::EncryptDecrypt));
    assert_eq!((created.origin, created.multi_region.clone()), (Origin::AwsKms, None));
    assert_eq!(created.creation_date, cluster.now());
    assert!(created.current_key_material_id.is_some());
    assert_eq!(cluster.describe(HERE, created.arn.key_id.as_str()).await.unwrap(), created);
}

#[tokio::test]
async fn disabled_key_refuses_use_until_it_is_enabled() {
    let cluster = Cluster::new(&[HERE]);
    let (service, key_id) = (cluster.at(HERE), cluster.key(HERE).await);
    let blob = cluster.encrypt(HERE, &key_id, "secret").await.unwrap();
    service.disable_key(admin(DisableKeyRequest { key_id: key_id.clone() })).await.unwrap();

    let disabled = format!("arn:aws:kms:{HERE}:{ACCOUNT}:key/{key_id} is disabled.");
    let refused = |error: KmsError| {
        assert!(matches!(error, KmsError::InvalidState { fault: StateFault::Disabled, .. }), "{error:?}");
        assert_eq!(error.to_string(), disabled);
    };
    refused(cluster.encrypt(HERE, &key_id, "x").await.unwrap_err());
    refused(cluster.decrypt(HERE, &blob).await.unwrap_err());
    refused(cluster.rotate(HERE, &key_id).await.unwrap_err());
    let data_key =
        GenerateDataKeyRequest { key_id: key_id.clone(), key_spec: Some(DataKeySpec::Aes256), ..Default::default() };
    refused(service.generate_data_key(admin(data_key)).await.unwrap_err());
    let rotation = EnableKeyRotationRequest { key_id: key_id.clone(), rotation_period_in_days: None };
    refused(service.enable_key_rotation(admin(rotation)).await.unwrap_err());
    assert_eq!(cluster.describe(HERE, &key_id).await.unwrap().key_state, KeyState::Disabled);

    service.enable_key(admin(EnableKeyRequest { key_id: key_id.clone() })).await.unwrap();
    assert_eq!(cluster.decrypt(HERE, &blob).await.unwrap(), "secret");
}

#[tokio::test]
async fn description_is_replaced() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let request = UpdateKeyDescriptionRequest { key_id: key_id.clone(), description: "new".into() };
    cluster.at(HERE).update_key_description(admin(request)).await.unwrap();
    assert_eq!(cluster.describe(HERE, &key_id).await.unwrap().description, "new");
}

#[tokio::test]
async fn pending_deletion_refuses_use_and_edits_alike() {
    let cluster = Cluster::new(&[HERE]);
    let (service, key_id) = (cluster.at(HERE), cluster.key(HERE).await);
    let schedule = ScheduleKeyDeletionRequest { key_id: key_id.clone(), pending_window_in_days: None };
    service.schedule_key_deletion(admin(schedule.clone())).await.unwrap();
    let pending = format!("arn:aws:kms:{HERE}:{ACCOUNT}:key/{key_id} is pending deletion.");
    let refused = |error: KmsError| assert_eq!(error.to_string(), pending);
    refused(cluster.encrypt(HERE, &key_id, "x").await.unwrap_err());
    refused(service.schedule_key_deletion(admin(schedule)).await.unwrap_err());
    refused(service.enable_key(admin(EnableKeyRequest { key_id: key_id.clone() })).await.unwrap_err());
    refused(service.disable_key(admin(DisableKeyRequest { key_id: key_id.clone() })).await.unwrap_err());
    let tag = TagResourceRequest { key_id: key_id.clone(), tags: vec![("a".into(), "b".into())] };
    refused(service.tag_resource(admin(tag)).await.unwrap_err());
    let describe = UpdateKeyDescriptionRequest { key_id, description: "new".into() };
    refused(service.update_key_description(admin(describe)).await.unwrap_err());
}
