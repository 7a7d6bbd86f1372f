//! When a key was last used.

use super::support::uses::{USES, kind_for};
use super::support::{Cluster, admin};
use kms_core::KeyOperation;
use kms_core::regional::TrackedOperation;
use kms_service::operations::decrypt::DecryptRequest;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::encrypt::EncryptRequest;
use kms_service::operations::generate_data_key::GenerateDataKeyRequest;
use kms_service::operations::get_key_last_usage::{GetKeyLastUsageRequest, GetKeyLastUsageResponse, KeyLastUsageData};
use kms_service::operations::re_encrypt::ReEncryptRequest;
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_service::{Authenticated, KmsError, RequestId};
use kms_types::{KeyId, Timestamp};
use std::time::Duration;

const A: &str = "us-east-1";
const B: &str = "eu-west-1";

async fn usage(cluster: &Cluster, at: &str, key_id: &str) -> GetKeyLastUsageResponse {
    let request = GetKeyLastUsageRequest { key_id: key_id.into() };
    cluster.at(at).get_key_last_usage(admin(request)).await.unwrap()
}

async fn last(cluster: &Cluster, at: &str, key_id: &str) -> Option<(&'static str, Timestamp)> {
    usage(cluster, at, key_id).await.key_last_usage.map(|usage| (usage.operation, usage.timestamp))
}

fn with_id<T>(number: u8, request: T) -> Authenticated<T> {
    let mut request = admin(request);
    request.caller.request_id = RequestId::from_random([number; 16]);
    request
}

#[tokio::test]
async fn never_used_key_says_so() {
    let cluster = Cluster::with_config(&[A], |config| {
        config.uses_tracked_since = Timestamp::from_millis(1_600_000_000_000);
    });
    let key_id = cluster.key(A).await;
    let created = cluster.now();
    cluster.advance_days(1);
    let expected = GetKeyLastUsageResponse {
        key_id: KeyId::parse(&key_id).unwrap(),
        key_last_usage: None,
        tracking_start_date: created,
        key_creation_date: created,
    };
    assert_eq!(usage(&cluster, A, &key_id).await, expected);
}

#[tokio::test]
async fn tracking_starts_no_earlier_than_this_region_has_noted_uses() {
    let since = Timestamp::from_millis(1_800_000_000_000);
    let cluster = Cluster::with_config(&[A], |config| config.uses_tracked_since = since);
    let key_id = cluster.key(A).await;
    let shown = usage(&cluster, A, &key_id).await;
    assert_eq!((shown.tracking_start_date, shown.key_creation_date), (since, cluster.now()));
}

#[tokio::test]
async fn each_success_is_noted_with_time_operation_and_request() {
    let cluster = Cluster::new(&[A]);
    let (key_id, other) = (cluster.key(A).await, cluster.key(A).await);
    let service = cluster.at(A);
    let encrypt = EncryptRequest {
        key_id: key_id.clone(),
        plaintext: Default::default(),
        encryption_context: Default::default(),
        grant_tokens: Vec::new(),
        encryption_algorithm: None,
        dry_run: false,
    };
    let blob = service.encrypt(with_id(1, encrypt.clone())).await.unwrap().ciphertext_blob;
    let shown = usage(&cluster, A, &key_id).await.key_last_usage.unwrap();
    let id = RequestId::from_random([1; 16]);
    let expected = KeyLastUsageData {
        operation: "Encrypt",
        timestamp: cluster.now(),
        cloud_trail_event_id: id.event_id(),
        kms_request_id: id,
    };
    assert_eq!(shown, expected);

    let decrypt = DecryptRequest { ciphertext_blob: Some(blob.clone()), ..Default::default() };
    let data_key = GenerateDataKeyRequest { key_id: key_id.clone(), number_of_bytes: Some(16), ..Default::default() };
    cluster.advance(Duration::from_secs(1));
    service.decrypt(with_id(2, decrypt.clone())).await.unwrap();
    assert_eq!(last(&cluster, A, &key_id).await, Some(("Decrypt", cluster.now())));
    cluster.advance(Duration::from_secs(1));
    service.generate_data_key(with_id(3, data_key.clone())).await.unwrap();
    assert_eq!(last(&cluster, A, &key_id).await, Some(("GenerateDataKey", cluster.now())));
    service.generate_data_key_without_plaintext(with_id(4, data_key.clone())).await.unwrap();
    assert_eq!(last(&cluster, A, &key_id).await, Some(("GenerateDataKeyWithoutPlaintext", cluster.now())));
    cluster.advance(Duration::from_secs(1));
    let re_encrypt = ReEncryptRequest {
        ciphertext_blob: Some(blob.clone()),
        destination_key_id: other.clone(),
        ..Default::default()
    };
    service.re_encrypt(with_id(5, re_encrypt.clone())).await.unwrap();
    for key_id in [&key_id, &other] {
        assert_eq!(last(&cluster, A, key_id).await, Some(("ReEncrypt", cluster.now())));
    }
    let noted = cluster.now();

    // What fails, and what only tries, is no use.
    cluster.advance(Duration::from_secs(1));
    let dry = EncryptRequest { dry_run: true, ..encrypt };
    assert_eq!(service.encrypt(admin(dry)).await.unwrap_err(), KmsError::DryRun);
    let dry = DecryptRequest { dry_run: true, ..decrypt };
    assert_eq!(service.decrypt(admin(dry)).await.unwrap_err(), KmsError::DryRun);
    let dry = GenerateDataKeyRequest { dry_run: true, ..data_key };
    assert_eq!(service.generate_data_key(admin(dry)).await.unwrap_err(), KmsError::DryRun);
    let wrong = ReEncryptRequest { source_key_id: Some(other.clone()), ..re_encrypt };
    assert_eq!(service.re_encrypt(admin(wrong)).await.unwrap_err(), KmsError::IncorrectKey);
    cluster.describe(A, &key_id).await.unwrap();
    cluster.at(A).disable_key(admin(DisableKeyRequest { key_id: key_id.clone() })).await.unwrap();
    cluster.decrypt(A, &blob).await.unwrap_err();
    assert_eq!(last(&cluster, A, &key_id).await, Some(("ReEncrypt", noted)));
}

#[tokio::test]
async fn every_operation_that_is_tracked_is_noted_under_its_name_and_no_dry_run_is() {
    let cluster = Cluster::new(&[A]);
    let caller = admin(()).caller;
    for operation in USES {
        let (spec, usage) = kind_for(operation);
        let key_id = cluster.key_of(A, spec, usage).await;
        let input = cluster.input_for(A, operation, &key_id).await;
        cluster.advance(Duration::from_secs(1));
        let before = last(&cluster, A, &key_id).await;
        let dry = cluster.perform((A, operation), &caller, &key_id, &input, true).await;
        assert_eq!(dry.is_ok(), operation == KeyOperation::GetPublicKey);
        assert_eq!(last(&cluster, A, &key_id).await, before, "{operation:?}");
        cluster.perform((A, operation), &caller, &key_id, &input, false).await.unwrap();
        // GetPublicKey is the one that AWS does not track.
        let expected = match TrackedOperation::of(operation) {
            Some(tracked) => Some((tracked.as_str(), cluster.now())),
            None => before,
        };
        assert_eq!(last(&cluster, A, &key_id).await, expected, "{operation:?}");
        assert_eq!(TrackedOperation::of(operation).is_none(), operation == KeyOperation::GetPublicKey);
    }
}

#[tokio::test]
async fn related_keys_are_tracked_apart() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.key_in(&[A, B]).await;
    let blob = cluster.encrypt(A, &key_id, "x").await.unwrap();
    assert_eq!(last(&cluster, B, &key_id).await, None);
    cluster.decrypt(B, &blob).await.unwrap();
    assert_eq!(last(&cluster, B, &key_id).await.unwrap().0, "Decrypt");
    assert_eq!(last(&cluster, A, &key_id).await.unwrap().0, "Encrypt");
}

#[tokio::test]
async fn uses_are_saved_in_batches_and_survive_changes_of_the_key() {
    let cluster = Cluster::new(&[A]);
    let keys = [cluster.key(A).await, cluster.key(A).await];
    for key_id in &keys {
        cluster.encrypt(A, key_id, "x").await.unwrap();
        cluster.encrypt(A, key_id, "y").await.unwrap();
    }
    let saved = |key_id: &str| {
        let id = KeyId::parse(key_id).unwrap();
        cluster.at(A).directory().read(|regional, _| regional.last_use(&id).map(|used| used.operation.as_str()))
    };
    let before = cluster.regional(A).len();
    cluster.regional(A).set_full(true);
    assert_eq!(cluster.at(A).save_last_uses().await, Err(KmsError::Throttled));
    cluster.regional(A).set_full(false);
    assert_eq!(saved(&keys[0]), None);
    cluster.at(A).save_last_uses().await.unwrap();
    assert_eq!((saved(&keys[0]), saved(&keys[1])), (Some("Encrypt"), Some("Encrypt")));
    // One command for all, and none when there is nothing new.
    cluster.at(A).save_last_uses().await.unwrap();
    assert_eq!(cluster.regional(A).len(), before + 1);
    let noted = last(&cluster, A, &keys[0]).await;
    cluster.at(A).disable_key(admin(DisableKeyRequest { key_id: keys[0].clone() })).await.unwrap();
    assert_eq!(last(&cluster, A, &keys[0]).await, noted);
}

#[tokio::test]
async fn key_that_is_gone_has_no_last_use() {
    let cluster = Cluster::new(&[A]);
    let key_id = cluster.key(A).await;
    cluster.encrypt(A, &key_id, "x").await.unwrap();
    let request = ScheduleKeyDeletionRequest { key_id: key_id.clone(), pending_window_in_days: Some(7) };
    cluster.at(A).schedule_key_deletion(admin(request)).await.unwrap();
    // Works in every key state, and forgets with the key.
    assert_eq!(last(&cluster, A, &key_id).await.unwrap().0, "Encrypt");
    cluster.advance_days(7);
    cluster.settle().await;
    cluster.at(A).save_last_uses().await.unwrap();
    let id = KeyId::parse(&key_id).unwrap();
    assert!(cluster.at(A).directory().read(|regional, _| regional.last_use(&id).is_none()));
    let gone = cluster.at(A).get_key_last_usage(admin(GetKeyLastUsageRequest { key_id })).await;
    assert!(matches!(gone, Err(KmsError::KeyNotFound(_))), "{gone:?}");
}
