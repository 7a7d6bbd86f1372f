//! Pages: complete, without overlap, the caller's own, and bound to their request.

use super::support::{Cluster, OTHER_ACCOUNT, admin, admin_of};
use kms_service::KmsError;
use kms_service::operations::create_alias::CreateAliasRequest;
use kms_service::operations::list_aliases::ListAliasesRequest;
use kms_service::operations::list_key_policies::ListKeyPoliciesRequest;
use kms_service::operations::list_keys::ListKeysRequest;
use kms_service::operations::list_resource_tags::ListResourceTagsRequest;
use kms_service::operations::tag_resource::TagResourceRequest;
use std::collections::BTreeSet;

const HERE: &str = "us-east-1";

#[tokio::test]
async fn pages_of_keys_are_complete_and_the_callers_own() {
    let cluster = Cluster::new(&[HERE]);
    let mut mine = BTreeSet::new();
    for _ in 0..7 {
        mine.insert(cluster.key(HERE).await);
        cluster.at(HERE).create_key(admin_of(OTHER_ACCOUNT, Default::default())).await.unwrap();
    }
    let (mut seen, mut marker) = (Vec::new(), None);
    loop {
        let request = ListKeysRequest { limit: Some(3), marker };
        let page = cluster.at(HERE).list_keys(admin(request)).await.unwrap();
        assert!(page.keys.len() <= 3);
        seen.extend(page.keys.iter().map(|arn| arn.key_id.to_string()));
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), mine.len());
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), mine);
}

#[tokio::test]
async fn key_that_goes_between_two_pages_hides_no_other() {
    let cluster = Cluster::new(&[HERE]);
    let mut aliases = Vec::new();
    let key_id = cluster.key(HERE).await;
    for name in ["alias/a", "alias/b", "alias/c", "alias/d"] {
        let request = CreateAliasRequest { alias_name: name.into(), target_key_id: key_id.clone() };
        cluster.at(HERE).create_alias(admin(request)).await.unwrap();
    }
    let first = ListAliasesRequest { limit: Some(2), ..Default::default() };
    let page = cluster.at(HERE).list_aliases(admin(first)).await.unwrap();
    aliases.extend(page.aliases.iter().map(|a| a.arn.name.to_string()));
    let gone = kms_service::operations::delete_alias::DeleteAliasRequest { alias_name: "alias/b".into() };
    cluster.at(HERE).delete_alias(admin(gone)).await.unwrap();
    let second = ListAliasesRequest { limit: Some(2), marker: page.next_marker, ..Default::default() };
    let page = cluster.at(HERE).list_aliases(admin(second)).await.unwrap();
    aliases.extend(page.aliases.iter().map(|a| a.arn.name.to_string()));
    assert_eq!(aliases, ["alias/a", "alias/b", "alias/c", "alias/d"]);
    assert_eq!(page.next_marker, None);
}

#[tokio::test]
async fn aliases_of_a_key_come_in_pages_too() {
    let cluster = Cluster::new(&[HERE]);
    let (mine, other) = (cluster.key(HERE).await, cluster.key(HERE).await);
    for (name, key_id) in [("alias/a", &mine), ("alias/b", &other), ("alias/c", &mine), ("alias/d", &other)] {
        let request = CreateAliasRequest { alias_name: name.into(), target_key_id: key_id.clone() };
        cluster.at(HERE).create_alias(admin(request)).await.unwrap();
    }
    let request = ListAliasesRequest { key_id: Some(mine.clone()), limit: Some(1), marker: None };
    let first = cluster.at(HERE).list_aliases(admin(request.clone())).await.unwrap();
    assert_eq!(first.aliases[0].arn.name.as_str(), "alias/a");
    let next = ListAliasesRequest { marker: first.next_marker.clone(), ..request };
    let last = cluster.at(HERE).list_aliases(admin(next.clone())).await.unwrap();
    assert_eq!((last.aliases[0].arn.name.as_str(), &last.next_marker), ("alias/c", &None));
    for key_id in [None, Some(other)] {
        let elsewhere = ListAliasesRequest { key_id, ..next.clone() };
        let error = cluster.at(HERE).list_aliases(admin(elsewhere)).await.unwrap_err();
        assert_eq!(error, KmsError::InvalidMarker);
    }
}

#[tokio::test]
async fn tags_come_in_pages_too() {
    let cluster = Cluster::new(&[HERE]);
    let key_id = cluster.key(HERE).await;
    let tags: Vec<_> = ["Zürich", "a", "b"].map(|key| (key.to_owned(), String::new())).into();
    let request = TagResourceRequest { key_id: key_id.clone(), tags };
    cluster.at(HERE).tag_resource(admin(request)).await.unwrap();
    let (mut seen, mut marker) = (Vec::new(), None);
    for _ in 0..3 {
        let request = ListResourceTagsRequest { key_id: key_id.clone(), limit: Some(1), marker };
        let page = cluster.at(HERE).list_resource_tags(admin(request)).await.unwrap();
        seen.extend(page.tags.into_iter().map(|(key, _)| key));
        marker = page.next_marker;
    }
    assert_eq!((seen, marker), (vec!["Zürich".into(), "a".into(), "b".into()], None));
}

#[tokio::test]
async fn limits_and_markers_out_of_range_are_refused() {
    let cluster = Cluster::new(&[HERE]);
    let (service, key_id) = (cluster.at(HERE), cluster.key(HERE).await);
    let too_large = |error: KmsError, limit: u32, max: u32| {
        let text = format!(
            "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have \
             value less than or equal to {max}"
        );
        assert_eq!(error.to_string(), text);
    };
    let request = ListKeysRequest { limit: Some(1001), marker: None };
    too_large(service.list_keys(admin(request)).await.unwrap_err(), 1001, 1000);
    let request = ListAliasesRequest { limit: Some(101), ..Default::default() };
    too_large(service.list_aliases(admin(request)).await.unwrap_err(), 101, 100);
    let request = ListResourceTagsRequest { key_id: key_id.clone(), limit: Some(51), marker: None };
    too_large(service.list_resource_tags(admin(request)).await.unwrap_err(), 51, 50);
    let request = ListKeyPoliciesRequest { key_id: key_id.clone(), limit: Some(1001), marker: None };
    too_large(service.list_key_policies(admin(request)).await.unwrap_err(), 1001, 1000);

    let marker = Some("nonsense".to_owned());
    let request = ListKeysRequest { limit: None, marker: marker.clone() };
    assert_eq!(service.list_keys(admin(request)).await.unwrap_err(), KmsError::InvalidMarker);
    let request = ListAliasesRequest { marker: marker.clone(), ..Default::default() };
    assert_eq!(service.list_aliases(admin(request)).await.unwrap_err(), KmsError::InvalidMarker);
    let request = ListResourceTagsRequest { key_id, limit: None, marker };
    assert_eq!(service.list_resource_tags(admin(request)).await.unwrap_err(), KmsError::InvalidMarker);
}
