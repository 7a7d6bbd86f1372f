//! The residency guard: creation, replication, later tags, and a Region that is told to take in what it must not.

use super::support::{ACCOUNT, Cluster, admin, nobody, region};
use kms_core::control::{AddReplica, ControlBody, InitialProperties, PutResidencyRules, ResidencyRule};
use kms_service::KmsError;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::replicate_key::ReplicateKeyRequest;
use kms_service::operations::tag_resource::TagResourceRequest;
use kms_types::{AccountId, KeyId};
use std::collections::{BTreeMap, BTreeSet};

const A: &str = "us-east-1";
const B: &str = "eu-west-1";

fn rule(name: &str, allow: &[&str]) -> ResidencyRule {
    ResidencyRule {
        name: name.to_owned(),
        accounts: BTreeSet::new(),
        tag: None,
        keys: BTreeSet::new(),
        allow: allow.iter().map(|name| region(name)).collect(),
    }
}

fn tagged(allow: &[&str]) -> ResidencyRule {
    ResidencyRule { tag: Some(("data".to_owned(), "home".to_owned())), ..rule("home-data", allow) }
}

fn home() -> Vec<(String, String)> {
    vec![("data".to_owned(), "home".to_owned())]
}

fn put(cluster: &Cluster, rules: Vec<ResidencyRule>) {
    let version = cluster.at(A).directory().read(|_, control| control.residency().map_or(0, |rules| rules.version));
    let body = PutResidencyRules { expected_version: version, rules, accepted: BTreeSet::new() };
    assert!(cluster.propose(A, ControlBody::PutResidencyRules(body)));
}

fn denied(result: Result<impl std::fmt::Debug, KmsError>, rule: &str) {
    let KmsError::AccessDenied(text) = result.unwrap_err() else { unreachable!("another error") };
    assert!(text.ends_with(&format!("explicit deny in the residency rule {rule}")), "{text}");
}

#[tokio::test]
async fn a_key_is_not_created_where_a_rule_forbids_it() {
    let cluster = Cluster::new(&[A, B]);
    let owner = ResidencyRule { accounts: BTreeSet::from([AccountId::parse(ACCOUNT).unwrap()]), ..rule("eu", &[B]) };
    put(&cluster, vec![owner]);
    for multi_region in [false, true] {
        let request = CreateKeyRequest { multi_region, ..Default::default() };
        denied(cluster.at(A).create_key(admin(request.clone())).await, "eu");
        assert_eq!(cluster.at(B).create_key(admin(request.clone())).await.map(|_| ()), Ok(()));
        // Who may not create keys does not learn of the rule.
        let KmsError::AccessDenied(text) = cluster.at(A).create_key(nobody(request)).await.unwrap_err() else {
            unreachable!("another error")
        };
        assert!(!text.contains("residency"), "{text}");
    }
}

#[tokio::test]
async fn a_replica_is_refused_for_the_tags_of_either_key() {
    let cluster = Cluster::new(&[A, B]);
    put(&cluster, vec![tagged(&[A])]);
    let plain = cluster.multi_region_key(A).await;
    let request = ReplicateKeyRequest {
        key_id: plain.clone(),
        replica_region: region(B),
        policy: None,
        bypass_policy_lockout_safety_check: None,
        description: None,
        tags: home(),
    };
    denied(cluster.at(A).replicate_key(admin(request)).await, "home-data");
    let request = CreateKeyRequest { multi_region: true, tags: home(), ..Default::default() };
    let secret = cluster.create(A, request).await.arn.key_id.to_string();
    cluster.settle().await;
    // The request names no tag; the primary has it.
    denied(cluster.replicate(A, &secret, B).await, "home-data");
    assert_eq!(cluster.replicate(A, &plain, B).await.map(|_| ()), Ok(()));
}

#[tokio::test]
async fn a_tag_that_forbids_a_holder_is_refused_wherever_it_is_put() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.key_in(&[A, B]).await;
    let single = cluster.key(B).await;
    put(&cluster, vec![tagged(&[A])]);
    let tag = |key_id: &str| TagResourceRequest { key_id: key_id.to_owned(), tags: home() };
    for at in [A, B] {
        denied(cluster.at(at).tag_resource(admin(tag(&key_id))).await, "home-data");
    }
    denied(cluster.at(B).tag_resource(admin(tag(&single))).await, "home-data");
    let elsewhere = cluster.key(A).await;
    assert_eq!(cluster.at(A).tag_resource(admin(tag(&elsewhere))).await, Ok(()));
}

#[tokio::test]
async fn a_region_opens_no_box_that_the_rules_forbid_here() {
    let cluster = Cluster::new(&[A, B]);
    let key_id = cluster.multi_region_key(A).await;
    let parsed = KeyId::parse(&key_id).unwrap();
    // A replica without the tag is committed, and then the rules come: apply cannot know the tag of a resource that is
    // being created other than by the command, so this one arrives with it, and before the rules.
    let set = cluster.at(A).directory().read(|_, control| control.key_set(&parsed).cloned().unwrap());
    let public = cluster.keyring(B).sealing_public_key();
    let material_id = set.materials[0].material_id;
    let material = cluster.keyring(A).material(&parsed, &material_id).unwrap();
    let sealed = cluster.keyring(A).seal(&parsed, &material, &region(B), public.as_bytes()).unwrap();
    let initial = InitialProperties { tags: home().into_iter().collect(), ..InitialProperties::default() };
    let body = AddReplica {
        key_id: parsed,
        expected_epoch: 1,
        replica: region(B),
        boxes: BTreeMap::from([(material_id, sealed)]),
        initial,
        primary_tags: BTreeMap::new(),
    };
    assert!(cluster.propose(A, ControlBody::AddReplica(body)));
    // What the log lets nobody do: rules that an existing key violates, straight into the published state.
    cluster.publish_rules(B, vec![tagged(&[A])]);
    cluster.at(B).synchronise(&parsed).await.unwrap();
    let here = cluster.at(B).directory();
    assert_eq!(here.refused_residency(), [(parsed, "home-data".to_owned())]);
    assert!(here.key(&parsed).is_none(), "the Region created the resource");
    // Without the rule the Region goes on by itself.
    cluster.publish_rules(B, Vec::new());
    cluster.settle().await;
    assert!(here.refused_residency().is_empty());
    assert!(here.key(&parsed).is_some());
}
