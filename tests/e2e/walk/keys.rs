//! `CreateKey`, `DescribeKey`, `ListKeys`, `UpdateKeyDescription`, and how a key is named.

use super::{NO_KEY, arn, cluster};
use aws_sdk_kms::types::{
    EncryptionAlgorithmSpec, KeyManagerType, KeySpec, KeyState, KeyUsageType, MultiRegionKeyType, OriginType, Tag,
};
use meridian_tests::{EU, US, keys, refused};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_created_key_has_the_metadata_that_aws_gives_it() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let created = kms.create_key().description("orders").send().await.unwrap().key_metadata.unwrap();
    let key_id = created.key_id().to_owned();
    assert_eq!(created.arn(), Some(arn(US, &key_id).as_str()));
    assert_eq!(created.aws_account_id(), Some("111122223333"));
    assert_eq!((created.enabled(), created.key_state()), (true, Some(&KeyState::Enabled)));
    assert_eq!(created.description(), Some("orders"));
    assert_eq!(created.key_usage(), Some(&KeyUsageType::EncryptDecrypt));
    assert_eq!(created.key_spec(), Some(&KeySpec::SymmetricDefault));
    assert_eq!(created.origin(), Some(&OriginType::AwsKms));
    assert_eq!(created.key_manager(), Some(&KeyManagerType::Customer));
    assert_eq!(created.encryption_algorithms(), [EncryptionAlgorithmSpec::SymmetricDefault]);
    assert_eq!((created.multi_region(), created.multi_region_configuration()), (Some(false), None));
    assert!(created.deletion_date().is_none() && created.creation_date().is_some());
    let material = created.current_key_material_id().unwrap();
    assert!(material.len() == 64 && material.bytes().all(|c| c.is_ascii_hexdigit()), "{material}");
    assert!(key_id.len() == 36 && !key_id.starts_with("mrk-"), "{key_id}");
    let described = kms.describe_key().key_id(&key_id).send().await.unwrap().key_metadata.unwrap();
    assert_eq!(described, created);
}

#[tokio::test]
async fn a_multi_region_key_starts_as_a_primary_without_replicas() {
    let cluster = cluster();
    let created = cluster.kms(EU).create_key().multi_region(true).send().await.unwrap().key_metadata.unwrap();
    assert!(created.key_id().starts_with("mrk-") && created.key_id().len() == 36, "{}", created.key_id());
    let config = created.multi_region_configuration().unwrap();
    assert_eq!(config.multi_region_key_type(), Some(&MultiRegionKeyType::Primary));
    let primary = config.primary_key().unwrap();
    assert_eq!((primary.region(), primary.arn()), (Some(EU), created.arn()));
    assert!(config.replica_keys().is_empty());
}

#[tokio::test]
async fn wrong_parameters_of_create_key_are_refused() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let answer = kms.create_key().key_spec(KeySpec::Rsa2048).send().await;
    refused(answer).is(
        "ValidationException",
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
    );
    let answer = kms.create_key().key_usage(KeyUsageType::SignVerify).send().await;
    refused(answer).is("ValidationException", "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT");
    let answer = kms.create_key().key_usage(KeyUsageType::from("RANDOM")).send().await;
    let refusal = refused(answer);
    refusal.is_code("ValidationException");
    let start = "1 validation error detected: Value 'RANDOM' at 'keyUsage' failed to satisfy constraint: Member must \
                 satisfy enum value set: [";
    assert!(refusal.message.starts_with(start), "{}", refusal.message);
    let answer = kms.create_key().description("d".repeat(8193)).send().await;
    refused(answer).is_code("ValidationException");
    let answer = kms.create_key().policy("{").send().await;
    refused(answer).is_code("MalformedPolicyDocumentException");
    let long_key = Tag::builder().tag_key("k".repeat(129)).tag_value("v").build().unwrap();
    let answer = kms.create_key().tags(long_key).send().await;
    assert!(refused(answer).message.contains("at 'tags.1.member.tagKey' failed to satisfy constraint"));
}

#[tokio::test]
async fn a_key_is_found_by_id_and_arn_in_its_own_region_only() {
    let cluster = cluster();
    let (us, eu) = (cluster.kms(US), cluster.kms(EU));
    let key_id = keys::create(&us).await;
    let described = us.describe_key().key_id(arn(US, &key_id)).send().await.unwrap();
    assert_eq!(described.key_metadata.unwrap().key_id, key_id);

    let unknown = |region| format!("Key '{}' does not exist", arn(region, &key_id));
    refused(eu.describe_key().key_id(&key_id).send().await).is("NotFoundException", &unknown(EU));
    let foreign = eu.describe_key().key_id(arn(US, &key_id)).send().await;
    refused(foreign).is("NotFoundException", &format!("Invalid arn {US}"));
    let nothing = us.describe_key().key_id(NO_KEY).send().await;
    refused(nothing).is("NotFoundException", &format!("Key '{}' does not exist", arn(US, NO_KEY)));
    refused(us.describe_key().key_id("nonsense").send().await).is("NotFoundException", "Invalid keyId 'nonsense'");
    let without_hyphens = key_id.replace('-', "");
    let answer = us.describe_key().key_id(&without_hyphens).send().await;
    refused(answer).is("NotFoundException", &format!("Invalid keyId '{without_hyphens}'"));
    refused(us.describe_key().key_id("arn:aws:kms:us-east-1").send().await).is_code("InvalidArnException");
    let alias = us.enable_key().key_id("alias/orders").send().await;
    refused(alias).is("InvalidArnException", "Key Aliases are not supported for this operation.");
}

#[tokio::test]
async fn every_key_is_listed_once_page_by_page() {
    let cluster = cluster();
    let kms = cluster.direct(EU);
    let mut created = BTreeSet::new();
    for _ in 0..7 {
        created.insert(keys::create(&kms).await);
    }
    let (mut seen, mut marker, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = kms.list_keys().limit(3).set_marker(marker).send().await.unwrap();
        assert!(page.keys().len() <= 3);
        for entry in page.keys() {
            let key_id = entry.key_id().unwrap().to_owned();
            assert_eq!(entry.key_arn(), Some(arn(EU, &key_id).as_str()));
            seen.push(key_id);
        }
        pages += 1;
        assert_eq!(page.truncated(), page.next_marker().is_some());
        marker = page.next_marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    let once: BTreeSet<String> = seen.iter().cloned().collect();
    assert_eq!(once.len(), seen.len(), "a key was listed twice");
    assert!(created.is_subset(&once) && pages >= 3, "{pages} pages");

    let wrong = kms.list_keys().marker("no such marker").send().await;
    refused(wrong).is_code("InvalidMarkerException");
    for limit in [0, 1001] {
        refused(kms.list_keys().limit(limit).send().await).is_code("ValidationException");
    }
}

#[tokio::test]
async fn a_description_is_replaced() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    kms.update_key_description().key_id(&key_id).description("second").send().await.unwrap();
    let described = kms.describe_key().key_id(&key_id).send().await.unwrap().key_metadata.unwrap();
    assert_eq!(described.description(), Some("second"));
    let answer = kms.update_key_description().key_id(NO_KEY).description("x").send().await;
    refused(answer).is_code("NotFoundException");
    let answer = kms.update_key_description().key_id(&key_id).description("d".repeat(8193)).send().await;
    refused(answer).is_code("ValidationException");
}
