//! `ReplicateKey` and `UpdatePrimaryRegion`, and what the members of a set share.

use super::{NO_KEY, arn, cluster};
use aws_sdk_kms::types::{KeyState, MultiRegionConfiguration, MultiRegionKeyType, Tag};
use meridian_tests::{AP, EU, Kms, US, eventually, keys, refused};

async fn configuration(kms: &Kms, key_id: &str) -> MultiRegionConfiguration {
    let described = kms.describe_key().key_id(key_id).send().await.unwrap().key_metadata.unwrap();
    described.multi_region_configuration.unwrap()
}

/// Waits until a Region shows this primary and these replicas.
async fn shows(kms: &Kms, key_id: &str, primary: &str, replicas: &[&str]) {
    eventually(&format!("{primary} is shown as primary, {replicas:?} as replicas"), || async {
        let config = configuration(kms, key_id).await;
        let mut shown: Vec<&str> = config.replica_keys().iter().filter_map(|key| key.region()).collect();
        shown.sort_unstable();
        (config.primary_key().unwrap().region() == Some(primary) && shown == replicas).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_replica_shares_what_aws_shares_and_nothing_else() {
    let cluster = cluster();
    let (us, eu) = (cluster.kms(US), cluster.kms(EU));
    let tag = |value: &str| Tag::builder().tag_key("in").tag_value(value).build().unwrap();
    let created = us.create_key().multi_region(true).description("the primary").tags(tag("us")).send().await.unwrap();
    let key_id = created.key_metadata.unwrap().key_id;
    let ciphertext = keys::encrypt(&us, &key_id, b"before the replica").await;
    let answer = us.replicate_key().key_id(&key_id).replica_region(EU).send().await.unwrap();
    let metadata = answer.replica_key_metadata().unwrap();
    assert_eq!((metadata.enabled(), metadata.key_state()), (false, Some(&KeyState::Creating)));
    assert_eq!((metadata.key_id(), metadata.arn()), (key_id.as_str(), Some(arn(EU, &key_id).as_str())));
    assert_eq!(metadata.description(), Some(""));
    assert_eq!(metadata.current_key_material_id(), None);
    let config = metadata.multi_region_configuration().unwrap();
    assert_eq!(config.multi_region_key_type(), Some(&MultiRegionKeyType::Replica));
    assert_eq!(config.primary_key().unwrap().region(), Some(US));
    assert_eq!(config.replica_keys()[0].arn(), Some(arn(EU, &key_id).as_str()));
    assert!(answer.replica_policy().unwrap().contains("111122223333:root"));
    assert!(answer.replica_tags().is_empty());

    keys::state_becomes(&eu, &key_id, &KeyState::Enabled).await;
    let replica = eu.describe_key().key_id(&key_id).send().await.unwrap().key_metadata.unwrap();
    assert_eq!(replica.current_key_material_id().unwrap(), keys::material(&us, &key_id).await);
    assert_eq!((replica.description(), replica.multi_region()), (Some(""), Some(true)));
    assert!(eu.list_resource_tags().key_id(&key_id).send().await.unwrap().tags().is_empty());
    assert_eq!(keys::decrypt(&eu, &ciphertext).await, b"before the replica");
    shows(&us, &key_id, US, &[EU]).await;
    shows(&eu, &key_id, US, &[EU]).await;
    // States are each Region's own.
    eu.disable_key().key_id(&key_id).send().await.unwrap();
    assert_eq!(keys::decrypt(&us, &ciphertext).await, b"before the replica");
}

#[tokio::test]
async fn a_replica_gets_the_description_and_tags_of_the_request() {
    let cluster = cluster();
    let (us, ap) = (cluster.kms(US), cluster.kms(AP));
    let key_id = keys::create_primary(&us).await;
    let tag = Tag::builder().tag_key("in").tag_value("ap").build().unwrap();
    let request = us.replicate_key().key_id(&key_id).replica_region(AP).description("the replica").tags(tag.clone());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.replica_tags(), std::slice::from_ref(&tag));
    keys::state_becomes(&ap, &key_id, &KeyState::Enabled).await;
    let described = ap.describe_key().key_id(&key_id).send().await.unwrap().key_metadata.unwrap();
    assert_eq!(described.description(), Some("the replica"));
    assert_eq!(ap.list_resource_tags().key_id(&key_id).send().await.unwrap().tags(), [tag]);
}

#[tokio::test]
async fn wrong_replications_are_refused() {
    let cluster = cluster();
    let (us, eu) = (cluster.kms(US), cluster.kms(EU));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    let replicate =
        |kms: &Kms, key_id: &str, region: &str| kms.replicate_key().key_id(key_id).replica_region(region).send();
    refused(replicate(&us, &key_id, EU).await).is_code("AlreadyExistsException");
    refused(replicate(&eu, &key_id, AP).await)
        .is("UnsupportedOperationException", &format!("{} is not a multi-region primary key.", arn(EU, &key_id)));
    let single = keys::create(&us).await;
    refused(replicate(&us, &single, EU).await).is_code("UnsupportedOperationException");
    assert_eq!(refused(replicate(&us, &key_id, US).await).status, 400);
    assert_eq!(refused(replicate(&us, &key_id, "sa-east-1").await).status, 400);
    refused(replicate(&us, &key_id, "nowhere").await).is_code("ValidationException");
    refused(replicate(&us, NO_KEY, EU).await).is_code("NotFoundException");
    us.disable_key().key_id(&key_id).send().await.unwrap();
    refused(replicate(&us, &key_id, AP).await).is_code("DisabledException");
}

#[tokio::test]
async fn the_primary_moves_to_a_replica_and_back() {
    let cluster = cluster();
    let (us, eu, ap) = (cluster.kms(US), cluster.kms(EU), cluster.kms(AP));
    let key_id = keys::create_primary(&us).await;
    keys::replicate(&us, &eu, &key_id).await;
    keys::replicate(&us, &ap, &key_id).await;
    let ciphertext = keys::encrypt(&us, &key_id, b"x").await;
    let move_to = |kms: &Kms, region: &str| kms.update_primary_region().key_id(&key_id).primary_region(region).send();
    move_to(&us, EU).await.unwrap();
    for kms in [&us, &eu, &ap] {
        shows(kms, &key_id, EU, &[AP, US]).await;
        assert_eq!(keys::decrypt(kms, &ciphertext).await, b"x");
    }
    // Rotation is the new primary's now.
    refused(us.rotate_key_on_demand().key_id(&key_id).send().await).is_code("UnsupportedOperationException");
    let material = keys::rotate(&eu, &key_id).await;
    keys::material_becomes(&us, &key_id, &material).await;
    // And only the present primary gives its role away.
    refused(move_to(&us, AP).await).is_code("UnsupportedOperationException");
    move_to(&eu, US).await.unwrap();
    shows(&us, &key_id, US, &[AP, EU]).await;
}

#[tokio::test]
async fn wrong_moves_of_the_primary_are_refused() {
    let cluster = cluster();
    let (us, eu) = (cluster.kms(US), cluster.kms(EU));
    let key_id = keys::create_primary(&us).await;
    let move_to = |key_id: &str, region: &str| us.update_primary_region().key_id(key_id).primary_region(region).send();
    refused(move_to(&key_id, EU).await).is_code("NotFoundException");
    assert_eq!(refused(move_to(&key_id, US).await).status, 400);
    let single = keys::create(&us).await;
    refused(move_to(&single, EU).await).is_code("UnsupportedOperationException");
    refused(move_to(NO_KEY, EU).await).is_code("NotFoundException");
    keys::replicate(&us, &eu, &key_id).await;
    us.disable_key().key_id(&key_id).send().await.unwrap();
    refused(move_to(&key_id, EU).await).is_code("DisabledException");
}
