//! `EnableKeyRotation`, `DisableKeyRotation`, `GetKeyRotationStatus`, `RotateKeyOnDemand`, `ListKeyRotations`.

use super::{NO_KEY, arn, cluster};
use aws_sdk_kms::types::{IncludeKeyMaterial, KeyMaterialState, RotationType};
use meridian_tests::{EU, US, keys, refused};
use std::time::{Duration, SystemTime};

#[tokio::test]
async fn automatic_rotation_is_switched_on_and_off() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let status = kms.get_key_rotation_status().key_id(&key_id).send().await.unwrap();
    assert!(!status.key_rotation_enabled());
    assert_eq!((status.rotation_period_in_days(), status.next_rotation_date()), (None, None));

    kms.enable_key_rotation().key_id(&key_id).send().await.unwrap();
    let status = kms.get_key_rotation_status().key_id(&key_id).send().await.unwrap();
    assert_eq!((status.key_rotation_enabled(), status.rotation_period_in_days()), (true, Some(365)));
    assert_eq!(status.key_id(), Some(arn(US, &key_id).as_str()));
    kms.enable_key_rotation().key_id(&key_id).rotation_period_in_days(90).send().await.unwrap();
    let status = kms.get_key_rotation_status().key_id(&key_id).send().await.unwrap();
    let next = SystemTime::try_from(*status.next_rotation_date().unwrap()).unwrap();
    let days = next.duration_since(SystemTime::now()).unwrap().as_secs() / 86_400;
    assert_eq!((status.rotation_period_in_days(), days), (Some(90), 89));
    kms.disable_key_rotation().key_id(&key_id).send().await.unwrap();
    let status = kms.get_key_rotation_status().key_id(&key_id).send().await.unwrap();
    assert!(!status.key_rotation_enabled() && status.next_rotation_date().is_none());

    for days in [89, 2561] {
        let answer = kms.enable_key_rotation().key_id(&key_id).rotation_period_in_days(days).send().await;
        refused(answer).is_code("ValidationException");
    }
    refused(kms.enable_key_rotation().key_id(NO_KEY).send().await).is_code("NotFoundException");
    refused(kms.disable_key_rotation().key_id(NO_KEY).send().await).is_code("NotFoundException");
    refused(kms.get_key_rotation_status().key_id(NO_KEY).send().await).is_code("NotFoundException");
}

#[tokio::test]
async fn rotation_on_demand_keeps_old_ciphertext_readable_and_is_listed() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let mut materials = vec![keys::material(&kms, &key_id).await];
    let mut ciphertexts = vec![keys::encrypt(&kms, &key_id, b"0").await];
    let started = SystemTime::now() - Duration::from_secs(1);
    for round in 1..=3 {
        let answer = kms.rotate_key_on_demand().key_id(&key_id).send().await.unwrap();
        assert_eq!(answer.key_id(), Some(arn(US, &key_id).as_str()));
        materials.push(keys::material_changes(&kms, &key_id, materials.last().unwrap()).await);
        ciphertexts.push(keys::encrypt(&kms, &key_id, round.to_string().as_bytes()).await);
    }
    for (number, ciphertext) in ciphertexts.iter().enumerate() {
        let answer = kms.decrypt().ciphertext_blob(meridian_tests::blob(ciphertext)).send().await.unwrap();
        assert_eq!(answer.plaintext().unwrap().as_ref(), number.to_string().as_bytes());
        assert_eq!(answer.key_material_id(), Some(materials[number].as_str()));
    }
    let all = kms.list_key_rotations().key_id(&key_id).include_key_material(IncludeKeyMaterial::AllKeyMaterial);
    let all = all.send().await.unwrap().rotations.unwrap();
    assert_eq!(all.len(), 4);
    let current: Vec<_> =
        all.iter().filter(|entry| entry.key_material_state() == Some(&KeyMaterialState::Current)).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0].key_material_id(), materials.last().map(String::as_str));
    let rotations = kms.list_key_rotations().key_id(&key_id).send().await.unwrap().rotations.unwrap();
    assert_eq!(rotations.len(), 3);
    for entry in &rotations {
        assert_eq!(entry.rotation_type(), Some(&RotationType::OnDemand));
        assert!(SystemTime::try_from(*entry.rotation_date().unwrap()).unwrap() > started);
    }
    let page = kms.list_key_rotations().key_id(&key_id).limit(2).send().await.unwrap();
    assert_eq!((page.rotations().len(), page.truncated()), (2, true));
    let next = kms.list_key_rotations().key_id(&key_id).limit(2).marker(page.next_marker().unwrap());
    assert_eq!(next.send().await.unwrap().rotations().len(), 1);
    refused(kms.list_key_rotations().key_id(&key_id).marker("wrong").send().await).is_code("InvalidMarkerException");
    refused(kms.list_key_rotations().key_id(NO_KEY).send().await).is_code("NotFoundException");
}

#[tokio::test]
async fn a_key_can_be_rotated_on_demand_25_times() {
    let cluster = cluster();
    let kms = cluster.kms(EU);
    let key_id = keys::create(&kms).await;
    for _ in 0..25 {
        keys::rotate(&kms, &key_id).await;
    }
    let text = format!(
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be \
         performed for this key: {}",
        arn(EU, &key_id)
    );
    refused(kms.rotate_key_on_demand().key_id(&key_id).send().await).is("LimitExceededException", &text);
    refused(kms.rotate_key_on_demand().key_id(NO_KEY).send().await)
        .is("NotFoundException", &format!("Key '{}' does not exist", arn(EU, NO_KEY)));
}

#[tokio::test]
async fn only_the_primary_rotates_and_every_member_shows_it() {
    let cluster = cluster();
    let (us, eu) = (cluster.kms(US), cluster.kms(EU));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    refused(eu.enable_key_rotation().key_id(&key_id).send().await).is_code("UnsupportedOperationException");
    refused(eu.disable_key_rotation().key_id(&key_id).send().await).is_code("UnsupportedOperationException");
    refused(eu.rotate_key_on_demand().key_id(&key_id).send().await).is_code("UnsupportedOperationException");
    us.enable_key_rotation().key_id(&key_id).rotation_period_in_days(100).send().await.unwrap();
    meridian_tests::eventually("the replica shows the rotation", || async {
        let status = eu.get_key_rotation_status().key_id(&key_id).send().await.ok()?;
        (status.rotation_period_in_days() == Some(100)).then_some(())
    })
    .await;
    let material = keys::rotate(&us, &key_id).await;
    keys::material_becomes(&eu, &key_id, &material).await;
    let rotations = eu.list_key_rotations().key_id(&key_id).send().await.unwrap().rotations.unwrap();
    assert_eq!(rotations.len(), 1);
    assert_eq!(rotations[0].key_material_id(), Some(material.as_str()));
}
