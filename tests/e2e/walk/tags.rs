//! `TagResource`, `UntagResource`, `ListResourceTags`.

use super::{NO_KEY, cluster};
use aws_sdk_kms::types::Tag;
use meridian_tests::{US, keys, refused};
use std::collections::BTreeMap;

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().tag_key(key).tag_value(value).build().unwrap()
}

async fn tags(kms: &meridian_tests::Kms, key_id: &str) -> BTreeMap<String, String> {
    let (mut seen, mut marker) = (BTreeMap::new(), None);
    loop {
        let page = kms.list_resource_tags().key_id(key_id).limit(2).set_marker(marker).send().await.unwrap();
        assert!(page.tags().len() <= 2);
        for tag in page.tags() {
            assert_eq!(seen.insert(tag.tag_key().to_owned(), tag.tag_value().to_owned()), None, "listed twice");
        }
        assert_eq!(page.truncated(), page.next_marker().is_some());
        marker = page.next_marker().map(str::to_owned);
        if marker.is_none() {
            return seen;
        }
    }
}

#[tokio::test]
async fn tags_are_added_overwritten_and_removed() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let created = kms.create_key().tags(tag("team", "orders")).tags(tag("stage", "test")).send().await.unwrap();
    let key_id = created.key_metadata.unwrap().key_id;
    kms.tag_resource().key_id(&key_id).tags(tag("stage", "live")).tags(tag("empty", "")).send().await.unwrap();
    let expected = [("empty", ""), ("stage", "live"), ("team", "orders")];
    let expected: BTreeMap<String, String> = expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    assert_eq!(tags(&kms, &key_id).await, expected);
    // A key that is not there is removed all the same.
    kms.untag_resource().key_id(&key_id).tag_keys("stage").tag_keys("never-there").send().await.unwrap();
    assert_eq!(tags(&kms, &key_id).await.into_keys().collect::<Vec<_>>(), ["empty", "team"]);
}

#[tokio::test]
async fn wrong_tags_are_refused() {
    let cluster = cluster();
    let kms = cluster.kms(US);
    let key_id = keys::create(&kms).await;
    let put = |tags: Vec<Tag>| kms.tag_resource().key_id(&key_id).set_tags(Some(tags)).send();
    let value = "v".repeat(257);
    let refusal = refused(put(vec![tag("k", &value)]).await);
    refusal.is(
        "ValidationException",
        &format!(
            "1 validation error detected: Value '{value}' at 'tags.1.member.tagValue' failed to satisfy constraint: \
             Member must have length less than or equal to 256"
        ),
    );
    refused(put(vec![tag("aws:mine", "v")]).await).is_code("TagException");
    refused(put(vec![tag("k", "1"), tag("k", "2")]).await).is_code("TagException");
    let many: Vec<Tag> = (0..51).map(|number| tag(&format!("k{number}"), "v")).collect();
    let refusal = refused(put(many).await);
    assert!(["LimitExceededException", "TagException"].contains(&refusal.code.as_str()), "{refusal:?}");
    assert!(tags(&kms, &key_id).await.is_empty(), "a refused change changed something");
    let answer = kms.tag_resource().key_id(NO_KEY).tags(tag("k", "v")).send().await;
    refused(answer).is_code("NotFoundException");
    refused(kms.list_resource_tags().key_id(NO_KEY).send().await).is_code("NotFoundException");
    refused(kms.list_resource_tags().key_id(&key_id).limit(51).send().await).is_code("ValidationException");
}
