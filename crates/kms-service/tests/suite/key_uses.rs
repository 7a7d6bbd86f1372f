//! What all operations that use key material have in common.

use super::support::uses::{USES, kind_for};
use super::support::{Cluster, OTHER_ACCOUNT, admin, admin_of, nobody};
use kms_core::KeyOperation;
use kms_service::KmsError;
use kms_types::{KeySpec, KeyUsage};

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

#[tokio::test]
async fn destroyed_key_is_gone_though_it_was_in_use() {
    use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
    let cluster = Cluster::new(&[HERE]);
    for operation in [KeyOperation::Sign, KeyOperation::GenerateMac, KeyOperation::Encrypt] {
        let (key_id, input) = prepared(&cluster, operation).await;
        let caller = admin(()).caller;
        let perform = || cluster.perform((HERE, operation), &caller, &key_id, &input, false);
        perform().await.unwrap();
        let request = ScheduleKeyDeletionRequest { key_id: key_id.clone(), pending_window_in_days: Some(7) };
        cluster.at(HERE).schedule_key_deletion(admin(request)).await.unwrap();
        cluster.advance_days(8);
        cluster.settle().await;
        assert!(matches!(perform().await.unwrap_err(), KmsError::KeyNotFound(_)));
    }
}
