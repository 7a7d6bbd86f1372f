//! Tags: replaced by key, removed without complaint, bounded.

use super::support::{Cluster, admin};
use kms_service::KmsError;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::list_resource_tags::ListResourceTagsRequest;
use kms_service::operations::tag_resource::TagResourceRequest;
use kms_service::operations::untag_resource::UntagResourceRequest;

const HERE: &str = "us-east-1";

fn pairs(tags: &[(&str, &str)]) -> Vec<(String, String)> {
    tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn numbered(numbers: std::ops::Range<u32>) -> Vec<(String, String)> {
    numbers.map(|n| (format!("key-{n:02}"), String::new())).collect()
}

async fn tag(cluster: &Cluster, key_id: &str, tags: Vec<(String, String)>) -> Result<(), KmsError> {
    cluster.at(HERE).tag_resource(admin(TagResourceRequest { key_id: key_id.into(), tags })).await
}

async fn tags_of(cluster: &Cluster, key_id: &str) -> Vec<(String, String)> {
    let request = ListResourceTagsRequest { key_id: key_id.into(), limit: None, marker: None };
    cluster.at(HERE).list_resource_tags(admin(request)).await.unwrap().tags
}

#[tokio::test]
async fn tags_are_added_replaced_and_removed() {
    let cluster = Cluster::new(&[HERE]);
    let request = CreateKeyRequest { tags: pairs(&[("team", "a"), ("env", "prod")]), ..Default::default() };
    let key_id = cluster.create(HERE, request).await.arn.key_id.to_string();
    tag(&cluster, &key_id, pairs(&[("team", "b"), ("Team", "c")])).await.unwrap();
    assert_eq!(tags_of(&cluster, &key_id).await, pairs(&[("Team", "c"), ("env", "prod"), ("team", "b")]));
    let tag_keys = vec!["team".to_owned(), "nonesuch".to_owned()];
    let request = UntagResourceRequest { key_id: key_id.clone(), tag_keys };
    cluster.at(HERE).untag_resource(admin(request)).await.unwrap();
    assert_eq!(tags_of(&cluster, &key_id).await, pairs(&[("Team", "c"), ("env", "prod")]));
}

#[tokio::test]
async fn wrong_tags_have_their_own_errors() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let duplicate = pairs(&[("a", "1"), ("a", "2")]);
    assert_eq!(tag(&cluster, &key_id, duplicate).await, Err(KmsError::Tag("Duplicate tag keys")));
    for reserved in ["aws:x", "AWS:x", "aWs:"] {
        let error = Err(KmsError::Tag("Tags beginning with aws: are reserved"));
        assert_eq!(tag(&cluster, &key_id, pairs(&[(reserved, "1")])).await, error);
    }
    assert_eq!(tag(&cluster, &key_id, numbered(0..51)).await, Err(KmsError::Tag("Too many tags")));
    assert_eq!(tags_of(&cluster, &key_id).await, Vec::new());
}

#[tokio::test]
async fn key_has_at_most_fifty_tags_in_all() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    tag(&cluster, &key_id, numbered(0..50)).await.unwrap();
    assert_eq!(tag(&cluster, &key_id, numbered(50..51)).await, Err(KmsError::Tag("Too many tags")));
    tag(&cluster, &key_id, numbered(49..50)).await.unwrap();
    assert_eq!(tags_of(&cluster, &key_id).await, numbered(0..50));
}
