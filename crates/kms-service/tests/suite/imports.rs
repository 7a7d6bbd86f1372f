//! Imported key material of single-Region keys.

use super::support::{Cluster, admin, wrap};
use kms_core::KeyOperation;
use kms_crypto::generate_data_key_pair;
use kms_service::KmsError;
use kms_service::operations::describe_key::DescribeKeyRequest;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::disable_key_rotation::DisableKeyRotationRequest;
use kms_service::operations::enable_key::EnableKeyRequest;
use kms_service::operations::enable_key_rotation::EnableKeyRotationRequest;
use kms_service::operations::get_key_rotation_status::GetKeyRotationStatusRequest;
use kms_service::operations::import_key_material::ImportKeyMaterialRequest;
use kms_service::operations::list_key_rotations::KeyMaterialState;
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_types::{
    ExpirationModel, ImportType, KeyId, KeyMaterialId, KeySpec, KeyState, RotationType, Timestamp, WrappingAlgorithm,
    WrappingKeySpec,
};
use std::time::Duration;

const HERE: &str = "us-east-1";
const DAY: Duration = Duration::from_secs(86_400);

async fn state(cluster: &Cluster, key_id: &str) -> KeyState {
    cluster.describe(HERE, key_id).await.unwrap().key_state
}

fn text<T: std::fmt::Debug>(result: Result<T, KmsError>) -> String {
    result.unwrap_err().to_string()
}

fn is_incorrect<T: std::fmt::Debug>(result: &Result<T, KmsError>) -> bool {
    matches!(result, Err(KmsError::IncorrectKeyMaterial(_)))
}

fn stored(cluster: &Cluster, key_id: &str) -> usize {
    cluster.regional(HERE).stored_versions(&KeyId::parse(key_id).unwrap())
}

/// States of all versions, whether each is here, and the rotation that brought it.
async fn versions(cluster: &Cluster, key_id: &str) -> Vec<(KeyMaterialId, KeyMaterialState, bool, bool)> {
    let entries = cluster.versions(HERE, key_id).await;
    let entry = |e: &kms_service::operations::list_key_rotations::RotationsListEntry| {
        let rotation = e.rotation.map(|(kind, _)| kind);
        assert!(rotation.is_none_or(|kind| kind == RotationType::OnDemand));
        (e.key_material_id, e.key_material_state, e.import.as_ref().unwrap().is_imported, rotation.is_some())
    };
    entries.iter().map(entry).collect()
}

#[tokio::test]
async fn key_waits_for_its_material_and_is_used_with_it() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let arn = cluster.describe(HERE, &key_id).await.unwrap().arn;
    assert_eq!(state(&cluster, &key_id).await, KeyState::PendingImport);
    let waits = format!("{arn} is pending import.");
    assert_eq!(text(cluster.encrypt(HERE, &key_id, "x").await), waits);
    assert_eq!(text(cluster.rotate(HERE, &key_id).await), waits);
    let door = cluster.door(HERE, &key_id).await;
    assert_eq!(*door.parameters.key_id, arn.to_string());
    assert_eq!(door.parameters.parameters_valid_to, cluster.now().plus(DAY));
    let id = door.import(&[7; 32]).await.unwrap().unwrap();
    assert_eq!(state(&cluster, &key_id).await, KeyState::Enabled);
    assert_eq!(cluster.describe(HERE, &key_id).await.unwrap().current_key_material_id, Some(id));
    let blob = cluster.encrypt(HERE, &key_id, "imported").await.unwrap();
    assert_eq!(cluster.decrypt(HERE, &blob).await.unwrap(), "imported");
    assert_eq!(versions(&cluster, &key_id).await, [(id, KeyMaterialState::Current, true, false)]);
}

#[tokio::test]
async fn each_origin_has_operations_of_its_own() {
    let cluster = Cluster::new(&[HERE]);
    let (own, external) = (cluster.key(HERE).await, cluster.external_key(HERE, KeySpec::SymmetricDefault).await);
    let service = cluster.at(HERE);
    let arn = cluster.describe(HERE, &own).await.unwrap().arn;
    let refused = format!("{arn} origin is AWS_KMS which is not valid for this operation.");
    let (algorithm, spec) = (WrappingAlgorithm::RsaesOaepSha256, WrappingKeySpec::Rsa2048);
    let request = ImportKeyMaterialRequest { key_id: own.clone(), ..Default::default() };
    for error in [
        cluster.import_parameters(HERE, &own, algorithm, spec).await.unwrap_err(),
        service.import_key_material(admin(request)).await.unwrap_err(),
        cluster.delete_import(HERE, &own, None).await.unwrap_err(),
    ] {
        assert_eq!(error, KmsError::UnsupportedOperation(Some(refused.clone())));
    }
    let arn = cluster.describe(HERE, &external).await.unwrap().arn;
    let refused = format!("{arn} origin is EXTERNAL which is not valid for this operation.");
    for imported in [false, true] {
        if imported {
            cluster.door(HERE, &external).await.import(&[7; 32]).await.unwrap();
        }
        let key_id = external.clone();
        let enable = EnableKeyRotationRequest { key_id: key_id.clone(), rotation_period_in_days: None };
        let status = GetKeyRotationStatusRequest { key_id: key_id.clone() };
        for error in [
            service.enable_key_rotation(admin(enable)).await.unwrap_err(),
            service.disable_key_rotation(admin(DisableKeyRotationRequest { key_id })).await.unwrap_err(),
            service.get_key_rotation_status(admin(status)).await.unwrap_err(),
        ] {
            assert_eq!(error, KmsError::UnsupportedOperation(Some(refused.clone())));
        }
    }
}

/// Material of each kind, under each algorithm that may wrap it.
#[tokio::test]
async fn each_kind_of_material_is_wrapped_by_the_algorithms_that_fit_it() {
    use WrappingAlgorithm as A;
    use WrappingKeySpec as W;
    let cluster = Cluster::new(&[HERE]);
    let entropy = cluster.entropy();
    let direct = [A::RsaesOaepSha1, A::RsaesOaepSha256];
    let layered = [A::RsaAesKeyWrapSha1, A::RsaAesKeyWrapSha256];
    for (spec, takes_direct) in [
        (KeySpec::SymmetricDefault, true),
        (KeySpec::Hmac224, true),
        (KeySpec::Hmac512, true),
        (KeySpec::EccNistP256, true),
        (KeySpec::EccSecgP256k1, true),
        (KeySpec::EccNistP521, false),
        (KeySpec::Rsa2048, false),
    ] {
        let material = match spec {
            KeySpec::SymmetricDefault => vec![7; 32],
            KeySpec::Hmac224 => vec![7; 28],
            KeySpec::Hmac512 => vec![7; 64],
            _ => generate_data_key_pair(spec, entropy).unwrap().private_key_der.to_vec(),
        };
        for algorithm in direct.into_iter().chain(layered) {
            let key_id = cluster.external_key(HERE, spec).await;
            let parameters = cluster.import_parameters(HERE, &key_id, algorithm, W::Rsa2048).await;
            if direct.contains(&algorithm) && !takes_direct {
                assert!(matches!(parameters, Err(KmsError::UnsupportedOperation(Some(_)))), "{spec} {algorithm}");
                continue;
            }
            let parameters = parameters.unwrap();
            let request = ImportKeyMaterialRequest {
                key_id: key_id.clone(),
                encrypted_key_material: wrap(algorithm, &parameters.public_key, &material),
                import_token: parameters.import_token,
                expiration_model: Some(ExpirationModel::KeyMaterialDoesNotExpire),
                ..Default::default()
            };
            let imported = cluster.at(HERE).import_key_material(admin(request)).await.unwrap();
            assert_eq!(imported.key_material_id.is_some(), spec == KeySpec::SymmetricDefault, "{spec}");
            assert_eq!(state(&cluster, &key_id).await, KeyState::Enabled, "{spec} {algorithm}");
        }
    }
}

#[tokio::test]
async fn wrapping_that_is_not_to_be_had_is_refused() {
    use WrappingAlgorithm as A;
    use WrappingKeySpec as W;
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    for (algorithm, spec) in
        [(A::RsaesPkcs1V15, W::Rsa2048), (A::Sm2Pke, W::Sm2), (A::Sm2Pke, W::Rsa2048), (A::RsaesOaepSha256, W::Sm2)]
    {
        let refused = cluster.import_parameters(HERE, &key_id, algorithm, spec).await;
        assert!(matches!(refused, Err(KmsError::UnsupportedOperation(Some(_)))), "{algorithm} {spec}");
    }
    let p521 = cluster.external_key(HERE, KeySpec::EccNistP521).await;
    cluster.import_parameters(HERE, &p521, A::RsaesOaepSha256, W::Rsa3072).await.unwrap();
    cluster.set_workers_busy(true);
    let busy = cluster.import_parameters(HERE, &key_id, A::RsaesOaepSha256, W::Rsa2048).await;
    assert_eq!(busy.unwrap_err(), KmsError::Throttled);
}

#[tokio::test]
async fn token_is_good_for_its_key_for_a_day_and_unaltered() {
    let cluster = Cluster::new(&[HERE]);
    let (key_id, other) = (
        cluster.external_key(HERE, KeySpec::SymmetricDefault).await,
        cluster.external_key(HERE, KeySpec::SymmetricDefault).await,
    );
    let door = cluster.door(HERE, &key_id).await;
    let good = door.request(&[7; 32]);
    let elsewhere = ImportKeyMaterialRequest { key_id: other, ..good.clone() };
    assert_eq!(door.send(elsewhere).await, Err(KmsError::InvalidImportToken));
    for at in 0..good.import_token.len() {
        let mut altered = good.clone();
        altered.import_token[at] ^= 1;
        assert_eq!(door.send(altered).await, Err(KmsError::InvalidImportToken), "byte {at}");
    }
    let mut short = good.clone();
    short.import_token.pop();
    assert_eq!(door.send(short).await, Err(KmsError::InvalidImportToken));
    // The material of another wrapping key, or none at all.
    let second = cluster.door(HERE, &key_id).await;
    let crossed = ImportKeyMaterialRequest {
        encrypted_key_material: second.request(&[7; 32]).encrypted_key_material,
        ..good.clone()
    };
    assert_eq!(door.send(crossed).await, Err(KmsError::InvalidCiphertext));
    let mut altered = good.clone();
    altered.encrypted_key_material[0] ^= 1;
    assert_eq!(door.send(altered).await, Err(KmsError::InvalidCiphertext));
    assert_eq!(state(&cluster, &key_id).await, KeyState::PendingImport);
    cluster.advance_days(1);
    assert_eq!(door.send(good).await, Err(KmsError::ExpiredImportToken));
    cluster.door(HERE, &key_id).await.import(&[7; 32]).await.unwrap();
}

#[tokio::test]
async fn material_must_have_the_form_of_the_key_spec() {
    let cluster = Cluster::new(&[HERE]);
    let entropy = cluster.entropy();
    let p256 = generate_data_key_pair(KeySpec::EccNistP256, entropy).unwrap().private_key_der.to_vec();
    let p384 = generate_data_key_pair(KeySpec::EccNistP384, entropy).unwrap().private_key_der.to_vec();
    for (spec, wrong) in [
        (KeySpec::SymmetricDefault, vec![vec![7; 31], vec![7; 33], vec![7; 16], p256.clone()]),
        (KeySpec::Hmac256, vec![vec![7; 31], vec![7; 48]]),
        (KeySpec::EccNistP256, vec![vec![7; 32], p384.clone(), p256[..p256.len() - 1].to_vec()]),
        (KeySpec::EccSecgP256k1, vec![p256.clone()]),
        (KeySpec::Rsa2048, vec![p384, vec![7; 256]]),
    ] {
        let key_id = cluster.external_key(HERE, spec).await;
        let door = cluster.door(HERE, &key_id).await;
        for material in wrong {
            let result = door.import(&material).await;
            assert!(is_incorrect(&result), "{spec} {} bytes: {result:?}", material.len());
        }
        assert_eq!(state(&cluster, &key_id).await, KeyState::PendingImport);
    }
}

#[tokio::test]
async fn expiration_model_and_date_go_together() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let door = cluster.door(HERE, &key_id).await;
    let request = |expiration_model, valid_to: Option<Timestamp>| ImportKeyMaterialRequest {
        expiration_model,
        valid_to,
        ..door.request(&[7; 32])
    };
    use ExpirationModel::{KeyMaterialDoesNotExpire, KeyMaterialExpires};
    let missing = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES";
    assert_eq!(door.send(request(None, None)).await.unwrap_err(), KmsError::service(missing));
    assert_eq!(door.send(request(Some(KeyMaterialExpires), None)).await.unwrap_err(), KmsError::service(missing));
    let now = cluster.now();
    let year = Duration::from_secs(365 * 86_400);
    for (model, date) in [
        (Some(KeyMaterialDoesNotExpire), now.plus(DAY)),
        (None, now),
        (Some(KeyMaterialExpires), Timestamp::from_millis(0)),
        (Some(KeyMaterialExpires), now.plus(year + Duration::from_millis(1))),
    ] {
        let refused = door.send(request(model, Some(date))).await;
        assert!(matches!(refused, Err(KmsError::Validation(_))), "{model:?} {date:?}");
    }
    assert_eq!(state(&cluster, &key_id).await, KeyState::PendingImport);
    door.send(request(None, Some(now.plus(year)))).await.unwrap();
    let valid_to = |versions: Vec<kms_service::operations::list_key_rotations::RotationsListEntry>| {
        versions[0].import.as_ref().unwrap().valid_to
    };
    assert_eq!(valid_to(cluster.versions(HERE, &key_id).await), Some(now.plus(year)));
    // The same material once more: only the date changes.
    door.send(request(Some(KeyMaterialDoesNotExpire), None)).await.unwrap();
    assert_eq!(valid_to(cluster.versions(HERE, &key_id).await), None);
}

#[tokio::test]
async fn expired_material_is_destroyed_in_time_and_comes_back_with_the_same_bytes() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let door = cluster.door(HERE, &key_id).await;
    let expiring = |material: &[u8]| ImportKeyMaterialRequest {
        expiration_model: None,
        valid_to: Some(cluster.now().plus(DAY / 2)),
        ..door.request(material)
    };
    let id = door.send(expiring(&[7; 32])).await.unwrap().unwrap();
    let blob = cluster.encrypt(HERE, &key_id, "before").await.unwrap();
    // A key that is switched off loses its material all the same.
    cluster.at(HERE).disable_key(admin(DisableKeyRequest { key_id: key_id.clone() })).await.unwrap();
    cluster.advance(DAY / 2 - Duration::from_millis(1));
    cluster.settle().await;
    assert_eq!((state(&cluster, &key_id).await, stored(&cluster, &key_id)), (KeyState::Disabled, 1));
    cluster.advance(Duration::from_millis(1));
    cluster.settle().await;
    assert_eq!((state(&cluster, &key_id).await, stored(&cluster, &key_id)), (KeyState::PendingImport, 0));
    let arn = cluster.describe(HERE, &key_id).await.unwrap().arn;
    assert_eq!(text(cluster.decrypt(HERE, &blob).await), format!("{arn} is pending import."));
    let enable = EnableKeyRequest { key_id: key_id.clone() };
    let refused = cluster.at(HERE).enable_key(admin(enable)).await;
    assert_eq!(text(refused), format!("{arn} is pending import."));
    assert!(is_incorrect(&door.import(&[8; 32]).await));
    assert_eq!(door.import(&[7; 32]).await.unwrap(), Some(id));
    assert_eq!(state(&cluster, &key_id).await, KeyState::Enabled);
    assert_eq!(cluster.decrypt(HERE, &blob).await.unwrap(), "before");
}

#[tokio::test]
async fn deletion_takes_the_bytes_and_leaves_the_name() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    // Nothing is there yet, and that is no error.
    assert_eq!(cluster.delete_import(HERE, &key_id, None).await.unwrap(), Some(String::new()));
    let door = cluster.door(HERE, &key_id).await;
    let id = door.import(&[7; 32]).await.unwrap().unwrap();
    let blob = cluster.encrypt(HERE, &key_id, "x").await.unwrap();
    for named in [None, Some(id), None] {
        assert_eq!(cluster.delete_import(HERE, &key_id, named).await.unwrap(), Some(id.to_string()));
        assert_eq!((state(&cluster, &key_id).await, stored(&cluster, &key_id)), (KeyState::PendingImport, 0));
        assert_eq!(cluster.describe(HERE, &key_id).await.unwrap().current_key_material_id, Some(id));
    }
    assert_eq!(versions(&cluster, &key_id).await, [(id, KeyMaterialState::Current, false, false)]);
    let unknown = KeyMaterialId::from_bytes([1; 32]);
    let error = cluster.delete_import(HERE, &key_id, Some(unknown)).await.unwrap_err();
    assert!(matches!(error, KmsError::KeyMaterialNotFound { .. }), "{error:?}");
    door.import(&[7; 32]).await.unwrap();
    assert_eq!(cluster.decrypt(HERE, &blob).await.unwrap(), "x");
}

#[tokio::test]
async fn pending_deletion_refuses_imports_and_stays_when_material_goes() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let door = cluster.door(HERE, &key_id).await;
    door.import(&[7; 32]).await.unwrap();
    let request = ScheduleKeyDeletionRequest { key_id: key_id.clone(), pending_window_in_days: Some(7) };
    cluster.at(HERE).schedule_key_deletion(admin(request)).await.unwrap();
    let arn = cluster.describe(HERE, &key_id).await.unwrap().arn;
    let pending = format!("{arn} is pending deletion.");
    assert_eq!(text(door.import(&[7; 32]).await), pending);
    let parameters = cluster.import_parameters(HERE, &key_id, door.algorithm, WrappingKeySpec::Rsa2048).await;
    assert_eq!(text(parameters), pending);
    cluster.delete_import(HERE, &key_id, None).await.unwrap();
    assert_eq!((state(&cluster, &key_id).await, stored(&cluster, &key_id)), (KeyState::PendingDeletion, 0));
    cluster.advance_days(7);
    cluster.settle().await;
    let request = DescribeKeyRequest { key_id, grant_tokens: Vec::new() };
    let gone = cluster.at(HERE).describe_key(admin(request)).await;
    assert!(matches!(gone, Err(KmsError::KeyNotFound(_))), "{gone:?}");
}

/// The rows of the three operations in the table of key states. PendingImport and PendingDeletion have tests of their own.
#[tokio::test]
async fn disabled_key_takes_and_gives_up_material_and_a_retired_grant_needs_none() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let door = cluster.door(HERE, &key_id).await;
    door.import(&[7; 32]).await.unwrap();
    let caller = admin(()).caller;
    cluster.manage((HERE, KeyOperation::CreateGrant), &caller, &key_id).await.unwrap();
    cluster.manage((HERE, KeyOperation::CreateGrant), &caller, &key_id).await.unwrap();
    cluster.at(HERE).disable_key(admin(DisableKeyRequest { key_id: key_id.clone() })).await.unwrap();
    let again = cluster.door(HERE, &key_id).await;
    again.import(&[7; 32]).await.unwrap();
    assert_eq!(state(&cluster, &key_id).await, KeyState::Disabled);
    cluster.delete_import(HERE, &key_id, None).await.unwrap();
    assert_eq!(state(&cluster, &key_id).await, KeyState::PendingImport);
    for operation in [KeyOperation::ListGrants, KeyOperation::RetireGrant, KeyOperation::RevokeGrant] {
        cluster.manage((HERE, operation), &caller, &key_id).await.unwrap();
    }
    // As AWS documents it, a key that waited for its material is Enabled with it.
    again.import(&[7; 32]).await.unwrap();
    assert_eq!(state(&cluster, &key_id).await, KeyState::Enabled);
}

#[tokio::test]
async fn metadata_tells_the_expiration_of_material_that_is_here() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let shown = || async {
        let metadata = cluster.describe(HERE, &key_id).await.unwrap();
        (metadata.expiration_model, metadata.valid_to)
    };
    assert_eq!(shown().await, (None, None));
    let door = cluster.door(HERE, &key_id).await;
    let date = cluster.now().plus(DAY);
    let expiring = ImportKeyMaterialRequest { expiration_model: None, valid_to: Some(date), ..door.request(&[7; 32]) };
    door.send(expiring).await.unwrap();
    assert_eq!(shown().await, (Some(ExpirationModel::KeyMaterialExpires), Some(date)));
    door.import(&[7; 32]).await.unwrap();
    assert_eq!(shown().await, (Some(ExpirationModel::KeyMaterialDoesNotExpire), None));
    cluster.delete_import(HERE, &key_id, None).await.unwrap();
    assert_eq!(shown().await, (None, None));
}

#[tokio::test]
async fn new_material_waits_for_its_rotation() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let arn = cluster.describe(HERE, &key_id).await.unwrap().arn;
    let door = cluster.door(HERE, &key_id).await;
    let first = door.import(&[1; 32]).await.unwrap().unwrap();
    let nothing = format!("No available key material pending rotation for the key: {arn}.");
    assert_eq!(cluster.rotate(HERE, &key_id).await, Err(KmsError::MaterialState(nothing.clone())));
    let old = cluster.encrypt(HERE, &key_id, "old").await.unwrap();

    let second = door.import_as(ImportType::NewKeyMaterial, &[2; 32]).await.unwrap().unwrap();
    let current = || async { cluster.describe(HERE, &key_id).await.unwrap().current_key_material_id };
    assert_eq!(current().await, Some(first));
    use KeyMaterialState as S;
    let expected = [(first, S::Current, true, false), (second, S::PendingRotation, true, false)];
    assert_eq!(versions(&cluster, &key_id).await, expected);
    // One at a time. The text names the material that was sent, and the one that waits.
    let refused = text(door.import_as(ImportType::NewKeyMaterial, &[3; 32]).await);
    let (start, rest) = refused.split_at("New key material (id: ".len());
    let (third, rest) = rest.split_at(64);
    assert_eq!(start, "New key material (id: ");
    assert!(KeyMaterialId::parse(third).is_ok_and(|id| id != first && id != second));
    assert_eq!(
        rest,
        format!(
            ") cannot be imported into KMS key {arn}, because another key material (id: {second}) is pending rotation."
        )
    );

    cluster.rotate(HERE, &key_id).await.unwrap();
    assert_eq!(current().await, Some(second));
    let expected = [(first, S::NonCurrent, true, false), (second, S::Current, true, true)];
    assert_eq!(versions(&cluster, &key_id).await, expected);
    let new = cluster.encrypt(HERE, &key_id, "new").await.unwrap();
    assert_eq!(cluster.decrypt(HERE, &old).await.unwrap(), "old");
    assert_eq!(cluster.decrypt(HERE, &new).await.unwrap(), "new");
    assert_eq!(cluster.rotate(HERE, &key_id).await, Err(KmsError::MaterialState(nothing)));

    // Every material that was ever current is needed.
    cluster.delete_import(HERE, &key_id, Some(first)).await.unwrap();
    assert_eq!(state(&cluster, &key_id).await, KeyState::PendingImport);
    assert_eq!(current().await, Some(second));
    door.import(&[1; 32]).await.unwrap();
    assert_eq!(state(&cluster, &key_id).await, KeyState::Enabled);
    assert_eq!(cluster.decrypt(HERE, &old).await.unwrap(), "old");
}

#[tokio::test]
async fn material_that_waits_can_be_replaced() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let door = cluster.door(HERE, &key_id).await;
    let first = door.import(&[1; 32]).await.unwrap().unwrap();
    let second = door.import_as(ImportType::NewKeyMaterial, &[2; 32]).await.unwrap().unwrap();
    cluster.delete_import(HERE, &key_id, Some(second)).await.unwrap();
    assert_eq!((state(&cluster, &key_id).await, stored(&cluster, &key_id)), (KeyState::Enabled, 1));
    assert_eq!(versions(&cluster, &key_id).await, [(first, KeyMaterialState::Current, true, false)]);
    let third = door.import_as(ImportType::NewKeyMaterial, &[3; 32]).await.unwrap().unwrap();
    // Expiry takes material that waits altogether, too.
    let expiring = ImportKeyMaterialRequest {
        expiration_model: None,
        valid_to: Some(cluster.now().plus(Duration::from_secs(1))),
        ..door.request(&[3; 32])
    };
    assert_eq!(door.send(expiring).await.unwrap(), Some(third));
    cluster.advance(Duration::from_secs(1));
    cluster.settle().await;
    assert_eq!(versions(&cluster, &key_id).await, [(first, KeyMaterialState::Current, true, false)]);
    assert_eq!(state(&cluster, &key_id).await, KeyState::Enabled);
}

#[tokio::test]
async fn import_type_and_material_id_must_be_true() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let door = cluster.door(HERE, &key_id).await;
    assert!(is_incorrect(&door.import_as(ImportType::ExistingKeyMaterial, &[1; 32]).await));
    let first = door.import(&[1; 32]).await.unwrap().unwrap();
    for (import_type, material, key_material_id) in [
        (Some(ImportType::NewKeyMaterial), [1; 32], None),
        (Some(ImportType::ExistingKeyMaterial), [2; 32], None),
        (None, [2; 32], None),
        (None, [1; 32], Some(KeyMaterialId::from_bytes([9; 32]))),
        (Some(ImportType::ExistingKeyMaterial), [2; 32], Some(first)),
    ] {
        let request = ImportKeyMaterialRequest { import_type, key_material_id, ..door.request(&material) };
        let result = door.send(request).await;
        assert!(is_incorrect(&result), "{import_type:?} {material:?} {key_material_id:?}: {result:?}");
    }
    let both = ImportKeyMaterialRequest {
        import_type: Some(ImportType::NewKeyMaterial),
        key_material_id: Some(first),
        ..door.request(&[2; 32])
    };
    assert!(matches!(door.send(both).await, Err(KmsError::Validation(_))));
    let named = ImportKeyMaterialRequest {
        import_type: Some(ImportType::ExistingKeyMaterial),
        key_material_id: Some(first),
        key_material_description: Some("the first".into()),
        ..door.request(&[1; 32])
    };
    assert_eq!(door.send(named).await.unwrap(), Some(first));
    // A description stays until another one comes.
    door.import(&[1; 32]).await.unwrap();
    let version = cluster.versions(HERE, &key_id).await.remove(0).import.unwrap();
    assert_eq!((version.description.as_str(), version.is_imported), ("the first", true));
}

#[tokio::test]
async fn material_of_other_keys_than_symmetric_ones_never_changes() {
    let cluster = Cluster::new(&[HERE]);
    let entropy = cluster.entropy();
    let pair = |spec| generate_data_key_pair(spec, entropy).unwrap().private_key_der.to_vec();
    for (spec, material, other) in [
        (KeySpec::Hmac256, vec![1; 32], vec![2; 32]),
        (KeySpec::EccNistP256, pair(KeySpec::EccNistP256), pair(KeySpec::EccNistP256)),
    ] {
        let key_id = cluster.external_key(HERE, spec).await;
        let door = cluster.door(HERE, &key_id).await;
        for (name, request) in [
            (
                "ImportType",
                ImportKeyMaterialRequest { import_type: Some(ImportType::NewKeyMaterial), ..door.request(&material) },
            ),
            (
                "KeyMaterialDescription",
                ImportKeyMaterialRequest { key_material_description: Some("d".into()), ..door.request(&material) },
            ),
            (
                "KeyMaterialId",
                ImportKeyMaterialRequest {
                    key_material_id: Some(KeyMaterialId::from_bytes([1; 32])),
                    ..door.request(&material)
                },
            ),
        ] {
            let refused = format!("{name} is supported only for symmetric encryption KMS keys.");
            assert_eq!(door.send(request).await.unwrap_err(), KmsError::service(refused));
        }
        assert_eq!(door.import(&material).await.unwrap(), None);
        assert!(is_incorrect(&door.import(&other).await), "{spec}");
        assert_eq!(cluster.delete_import(HERE, &key_id, None).await.unwrap(), None);
        assert_eq!(state(&cluster, &key_id).await, KeyState::PendingImport);
        assert!(is_incorrect(&door.import(&other).await), "{spec}");
        door.import(&material).await.unwrap();
        assert_eq!(state(&cluster, &key_id).await, KeyState::Enabled);
        assert_eq!(cluster.rotate(HERE, &key_id).await, Err(KmsError::UnsupportedOperation(None)));
    }
}

#[tokio::test]
async fn rotations_to_imported_material_count_against_the_limit() {
    let cluster = Cluster::with_config(&[HERE], |config| config.quotas.on_demand_rotations_per_key = 1);
    let key_id = cluster.external_key(HERE, KeySpec::SymmetricDefault).await;
    let arn = cluster.describe(HERE, &key_id).await.unwrap().arn;
    let door = cluster.door(HERE, &key_id).await;
    door.import(&[1; 32]).await.unwrap();
    door.import_as(ImportType::NewKeyMaterial, &[2; 32]).await.unwrap();
    cluster.rotate(HERE, &key_id).await.unwrap();
    door.import_as(ImportType::NewKeyMaterial, &[3; 32]).await.unwrap();
    let limit = format!(
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be \
         performed for this key: {arn}"
    );
    assert_eq!(cluster.rotate(HERE, &key_id).await, Err(KmsError::LimitExceeded(limit)));
}
