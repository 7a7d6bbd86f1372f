//! What all operations that use key material have in common.

use super::support::uses::{USES, kind_for};
use super::support::{Cluster, OTHER_ACCOUNT, admin, admin_of, nobody};
use kms_core::KeyOperation;
use kms_service::KmsError;
use kms_service::operations::import_key_material::ImportKeyMaterialRequest;
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_types::{ExpirationModel, KeySpec, KeyState, KeyUsage};
use std::time::Duration;

const HERE: &str = "us-east-1";

/// A key that fits the operation, and its input.
async fn prepared(cluster: &Cluster, operation: KeyOperation) -> (String, Vec<u8>) {
    let (spec, usage) = kind_for(operation);
    let key_id = cluster.key_of(HERE, spec, usage).await;
    let input = cluster.input_for(HERE, operation, &key_id).await;
    (key_id, input)
}

#[tokio::test]
async fn each_succeeds_for_whoever_may_and_is_denied_to_others() {
    let cluster = Cluster::new(&[HERE]);
    for operation in USES {
        let (key_id, input) = prepared(&cluster, operation).await;
        let arn = cluster.describe(HERE, &key_id).await.unwrap().arn.to_string();
        for name in [&key_id, &arn] {
            cluster.perform((HERE, operation), &admin(()).caller, name, &input, false).await.unwrap();
        }
        for stranger in [nobody(()).caller, admin_of(OTHER_ACCOUNT, ()).caller] {
            for dry_run in [false, true] {
                let error = cluster.perform((HERE, operation), &stranger, &arn, &input, dry_run).await.unwrap_err();
                assert!(matches!(error, KmsError::AccessDenied(_)), "{operation:?}: {error:?}");
            }
        }
    }
}

#[tokio::test]
async fn dry_run_of_each_says_that_it_would_have_succeeded() {
    let cluster = Cluster::new(&[HERE]);
    for operation in USES.into_iter().filter(|operation| *operation != KeyOperation::GetPublicKey) {
        let (key_id, input) = prepared(&cluster, operation).await;
        let error = cluster.perform((HERE, operation), &admin(()).caller, &key_id, &input, true).await.unwrap_err();
        assert_eq!(error, KmsError::DryRun, "{operation:?}");
        let text = "The request would have succeeded, but the DryRun option is set.";
        assert_eq!(error.to_string(), text);
    }
}

#[tokio::test]
async fn each_refuses_keys_of_every_other_usage() {
    let cluster = Cluster::new(&[HERE]);
    let mut keys = Vec::new();
    for (spec, usage) in [
        (KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt),
        (KeySpec::EccNistP256, KeyUsage::SignVerify),
        (KeySpec::Hmac256, KeyUsage::GenerateVerifyMac),
        (KeySpec::EccNistP256, KeyUsage::KeyAgreement),
        (KeySpec::MlKem512, KeyUsage::EncapsulateDecapsulate),
    ] {
        keys.push((cluster.key_of(HERE, spec, usage).await, usage));
    }
    for operation in USES.into_iter().filter(|operation| *operation != KeyOperation::GetPublicKey) {
        for (key_id, usage) in keys.iter().filter(|(_, usage)| *usage != kind_for(operation).1) {
            let arn = cluster.describe(HERE, key_id).await.unwrap().arn;
            let expected = KmsError::InvalidKeyUsage { key: arn.clone(), usage: *usage, operation: name(operation) };
            for dry_run in [false, true] {
                let error = cluster.perform((HERE, operation), &admin(()).caller, key_id, b"x", dry_run).await;
                assert_eq!(error.unwrap_err(), expected, "{operation:?}");
            }
            let text = format!("{arn} key usage is {usage} which is not valid for {operation:?}.");
            assert_eq!(expected.to_string(), text);
        }
    }
}

/// The operation's name in the table of the operations themselves.
fn name(operation: KeyOperation) -> &'static str {
    format!("{operation:?}").leak()
}

#[tokio::test]
async fn key_that_is_not_there_is_not_found() {
    let cluster = Cluster::new(&[HERE]);
    let absent = "1234abcd-12ab-34cd-56ef-1234567890ab";
    for operation in USES {
        let error = cluster.perform((HERE, operation), &admin(()).caller, absent, b"x", false).await.unwrap_err();
        let text = format!("Key 'arn:aws:kms:{HERE}:111122223333:key/{absent}' does not exist");
        assert_eq!(error.to_string(), text, "{operation:?}");
        let denied = cluster.perform((HERE, operation), &nobody(()).caller, absent, b"x", false).await.unwrap_err();
        assert!(matches!(denied, KmsError::AccessDenied(_)), "{operation:?}: {denied:?}");
    }
}

fn prepared_keys(cluster: &Cluster, count: usize) {
    assert_eq!(format!("{:?}", cluster.keyring(HERE)), format!("Keyring({HERE}, {count} prepared keys)"));
}

#[tokio::test]
async fn destroyed_key_is_gone_though_it_was_in_use() {
    let cluster = Cluster::new(&[HERE]);
    for operation in [KeyOperation::Sign, KeyOperation::GenerateMac, KeyOperation::Encrypt] {
        let (key_id, input) = prepared(&cluster, operation).await;
        let caller = admin(()).caller;
        let perform = || cluster.perform((HERE, operation), &caller, &key_id, &input, false);
        perform().await.unwrap();
        prepared_keys(&cluster, 1);
        let request = ScheduleKeyDeletionRequest { key_id: key_id.clone(), pending_window_in_days: Some(7) };
        cluster.at(HERE).schedule_key_deletion(admin(request)).await.unwrap();
        cluster.advance_days(8);
        cluster.settle().await;
        assert!(matches!(perform().await.unwrap_err(), KmsError::KeyNotFound(_)));
        prepared_keys(&cluster, 0);
    }
}

#[tokio::test]
async fn deleted_and_expired_material_is_not_kept_in_memory() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let door = cluster.door(HERE, &key_id).await;
    let caller = admin(()).caller;
    let encrypt = || cluster.perform((HERE, KeyOperation::Encrypt), &caller, &key_id, b"", false);
    door.import(&[7; 32]).await.unwrap();
    encrypt().await.unwrap();
    prepared_keys(&cluster, 1);
    cluster.delete_import(HERE, &key_id, None).await.unwrap();
    prepared_keys(&cluster, 0);

    let valid_to = cluster.now().plus(Duration::from_secs(3600));
    let expiring = ImportKeyMaterialRequest {
        expiration_model: Some(ExpirationModel::KeyMaterialExpires),
        valid_to: Some(valid_to),
        ..door.request(&[7; 32])
    };
    door.send(expiring).await.unwrap();
    encrypt().await.unwrap();
    let described = cluster.describe(HERE, &key_id).await.unwrap();
    let expected = (Some(ExpirationModel::KeyMaterialExpires), Some(valid_to));
    assert_eq!((described.expiration_model, described.valid_to), expected);
    prepared_keys(&cluster, 1);
    cluster.advance_days(1);
    cluster.settle().await;
    prepared_keys(&cluster, 0);
    let described = cluster.describe(HERE, &key_id).await.unwrap();
    assert_eq!((described.expiration_model, described.valid_to), (None, None));
    assert_eq!(described.key_state, KeyState::PendingImport);
    // AWS goes on naming the material that was current (recorded).
    assert!(described.current_key_material_id.is_some());
}
