//! CreateKey for every kind of key, and what it says of them.

use super::support::uses::of_kind;
use super::support::{Cluster, admin};
use kms_service::KmsError;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_types::{KeySpec, KeyState, KeyUsage, Origin};

const HERE: &str = "us-east-1";

async fn refusal(cluster: &Cluster, request: CreateKeyRequest) -> KmsError {
    cluster.at(HERE).create_key(admin(request)).await.unwrap_err()
}

#[tokio::test]
async fn every_spec_is_created_with_each_of_its_usages_and_no_other() {
    let cluster = Cluster::new(&[HERE]);
    for spec in KeySpec::ALL.into_iter().filter(|spec| *spec != KeySpec::Sm2) {
        for usage in KeyUsage::ALL {
            let request = of_kind((spec, usage));
            if !spec.usages().contains(&usage) {
                let text = format!("KeyUsage {usage} is not compatible with KeySpec {spec}");
                assert_eq!(refusal(&cluster, request).await, KmsError::service(text));
                continue;
            }
            // Two RSA keys of the larger sizes would take long and show nothing new.
            if matches!(spec, KeySpec::Rsa3072 | KeySpec::Rsa4096) && usage == KeyUsage::EncryptDecrypt {
                continue;
            }
            let created = cluster.create(HERE, request).await;
            assert_eq!((created.key_spec, created.key_usage), (spec, usage));
            assert_eq!((created.key_state, created.origin), (KeyState::Enabled, Origin::AwsKms));
            let has_material_id = created.current_key_material_id.is_some();
            assert_eq!(has_material_id, spec == KeySpec::SymmetricDefault, "{spec}");
        }
    }
}

#[tokio::test]
async fn every_kind_is_replicated() {
    const THERE: &str = "eu-west-1";
    let cluster = Cluster::new(&[HERE, THERE]);
    for spec in KeySpec::ALL.into_iter().filter(|spec| *spec != KeySpec::Sm2) {
        if matches!(spec, KeySpec::Rsa3072 | KeySpec::Rsa4096) {
            continue;
        }
        let request = CreateKeyRequest { multi_region: true, ..of_kind((spec, spec.usages()[0])) };
        let key_id = cluster.create(HERE, request).await.arn.key_id.to_string();
        cluster.settle().await;
        cluster.replicate(HERE, &key_id, THERE).await.unwrap();
        cluster.settle().await;
        let (primary, replica) =
            (cluster.describe(HERE, &key_id).await.unwrap(), cluster.describe(THERE, &key_id).await.unwrap());
        assert_eq!((replica.key_state, replica.key_spec), (KeyState::Enabled, spec));
        assert_eq!(replica.current_key_material_id, primary.current_key_material_id);
        if spec.is_asymmetric() {
            assert_eq!(cluster.public_key(HERE, &key_id).await, cluster.public_key(THERE, &key_id).await);
        }
    }
}

#[tokio::test]
async fn usage_must_be_named_for_all_keys_but_symmetric_ones() {
    let cluster = Cluster::new(&[HERE]);
    let text = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
    for spec in KeySpec::ALL.into_iter().filter(|spec| !matches!(spec, KeySpec::SymmetricDefault | KeySpec::Sm2)) {
        for deprecated in [false, true] {
            let (key_spec, customer_master_key_spec) = if deprecated { (None, Some(spec)) } else { (Some(spec), None) };
            let request = CreateKeyRequest { key_spec, customer_master_key_spec, ..Default::default() };
            assert_eq!(refusal(&cluster, request).await, KmsError::service(text), "{spec}");
        }
    }
    let created = cluster.create(HERE, CreateKeyRequest::default()).await;
    assert_eq!(created.key_usage, KeyUsage::EncryptDecrypt);
}

#[tokio::test]
async fn recorded_combination_is_refused_with_the_text_of_aws() {
    let cluster = Cluster::new(&[HERE]);
    let error = refusal(&cluster, of_kind((KeySpec::Rsa2048, KeyUsage::KeyAgreement))).await;
    assert_eq!(error.to_string(), "KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048");
}

#[tokio::test]
async fn sm2_is_for_other_regions() {
    let cluster = Cluster::new(&[HERE]);
    let error = refusal(&cluster, of_kind((KeySpec::Sm2, KeyUsage::SignVerify))).await;
    assert_eq!(error, KmsError::service("KeySpec SM2 is not supported in this Region"));
}

#[tokio::test]
async fn spec_is_named_once() {
    let cluster = Cluster::new(&[HERE]);
    let both = Some(KeySpec::SymmetricDefault);
    let request = CreateKeyRequest { key_spec: both, customer_master_key_spec: both, ..Default::default() };
    let text = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is \
                deprecated.";
    assert_eq!(refusal(&cluster, request).await, KmsError::service(text));
}

#[tokio::test]
async fn there_are_no_custom_key_stores_to_create_keys_in() {
    let cluster = Cluster::new(&[HERE]);
    for origin in [Origin::AwsCloudHsm, Origin::ExternalKeyStore] {
        let request = CreateKeyRequest { origin: Some(origin), ..Default::default() };
        assert!(matches!(refusal(&cluster, request).await, KmsError::UnsupportedOperation(Some(_))));
        let custom_key_store_id = Some("cks-1234567890abcdef0".to_owned());
        let request = CreateKeyRequest { origin: Some(origin), custom_key_store_id, ..Default::default() };
        let expected = KmsError::CustomKeyStoreNotFound("cks-1234567890abcdef0".into());
        assert_eq!(refusal(&cluster, request).await, expected);
    }
}

#[tokio::test]
async fn key_for_imported_material_waits_for_it() {
    let cluster = Cluster::new(&[HERE]);
    let origin = Some(Origin::External);
    for spec in KeySpec::ALL.into_iter().filter(|spec| *spec != KeySpec::Sm2) {
        for multi_region in [false, true] {
            let request = CreateKeyRequest { origin, multi_region, ..of_kind((spec, spec.usages()[0])) };
            if !spec.allows_origin(Origin::External) {
                let text = format!("KeySpec {spec} is not supported for Origin EXTERNAL");
                assert_eq!(refusal(&cluster, request).await, KmsError::service(text));
                continue;
            }
            let created = cluster.create(HERE, request).await;
            assert_eq!((created.key_spec, created.origin), (spec, Origin::External));
            assert_eq!((created.key_state, created.multi_region.is_some()), (KeyState::PendingImport, multi_region));
            assert_eq!(created.current_key_material_id, None);
            assert_eq!((created.expiration_model, created.valid_to), (None, None));
            cluster.settle().await;
            assert_eq!(cluster.describe(HERE, created.arn.key_id.as_str()).await.unwrap(), created);
        }
    }
}

#[tokio::test]
async fn material_of_a_key_for_imported_material_is_in_no_log() {
    let cluster = Cluster::new(&[HERE]);
    let request = CreateKeyRequest { origin: Some(Origin::External), multi_region: true, ..Default::default() };
    let key_id = cluster.create(HERE, request).await.arn.key_id;
    assert_eq!(cluster.regional(HERE).stored_versions(&key_id), 0);
    assert!(cluster.at(HERE).directory().read(|_, control| control.key_set(&key_id).unwrap().materials.is_empty()));
}
