//! Claims about roles and session token keys in Regions that share a control log.

use crate::support::{ACCOUNT, Cluster};
use kms_core::control::{ControlBody, RegionRole, RegisterRegion};
use kms_service::{Identities, IdentityError, NewRole};
use kms_types::{AccountId, IamName, IamPath, RoleId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const US: &str = "us-east-1";
const EU: &str = "eu-west-1";
const TRUST: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#;

fn operator() -> RoleId {
    RoleId { account: AccountId::parse(ACCOUNT).unwrap(), name: IamName::parse("operator").unwrap() }
}

fn new_role() -> NewRole {
    NewRole {
        id: operator(),
        path: IamPath::default(),
        trust: TRUST.to_owned(),
        max_session_seconds: None,
        tags: BTreeMap::new(),
    }
}

/// What requests of a Region see of the directory now.
fn take_in(cluster: &Cluster, at: &str, identities: &Identities) {
    let state = cluster.at(at).directory().read(|_, control| control.identities().clone());
    identities.rebuild(&state, cluster.keyring(at));
}

/// The epochs that a Region opens.
fn opened(cluster: &Cluster, at: &str) -> Vec<u64> {
    let identities = cluster.identities();
    take_in(cluster, at, &identities);
    identities.session_keys().keys().copied().collect()
}

#[tokio::test]
async fn the_first_role_brings_a_key_and_a_day_later_one_region_alone_draws_the_next() {
    let cluster = Cluster::new(&[US, EU]);
    assert_eq!(cluster.at(US).renew_session_key().await, Ok(None), "nobody needs a key yet");
    let role = cluster.at(US).create_role(new_role()).await.unwrap();
    assert_eq!(role.max_session_seconds, 3_600);
    for at in [US, EU] {
        assert_eq!(opened(&cluster, at), [1], "{at}");
        assert_eq!(cluster.at(at).renew_session_key().await, Ok(None), "{at}: the key is young");
    }
    cluster.advance(Duration::from_secs(24 * 3_600 + 1));
    let (first, second) = tokio::join!(cluster.at(EU).renew_session_key(), cluster.at(US).renew_session_key());
    let mut drawn = [first.unwrap(), second.unwrap()];
    drawn.sort_unstable();
    assert_eq!(drawn, [None, Some(2)]);
    for at in [US, EU] {
        assert_eq!(opened(&cluster, at), [1, 2], "{at}");
    }
}

#[tokio::test]
async fn ending_sessions_leaves_no_key_that_opens_an_older_token() {
    let cluster = Cluster::new(&[US, EU]);
    cluster.at(US).create_role(new_role()).await.unwrap();
    assert_eq!(cluster.at(EU).rotate_session_key(false).await, Ok(2));
    assert_eq!(cluster.at(US).rotate_session_key(true).await, Ok(3));
    for at in [US, EU] {
        assert_eq!(opened(&cluster, at), [3], "{at}");
    }
}

#[tokio::test]
async fn a_region_with_a_new_sealing_key_gets_every_session_token_key() {
    let cluster = Cluster::new(&[US, EU]);
    let register = |key: Vec<u8>| {
        let (role, signing_public_key) = (RegionRole::Full, Vec::new());
        let body = RegisterRegion { sealing_public_key: key, role, signing_public_key };
        assert!(cluster.propose(EU, ControlBody::RegisterRegion(body)));
    };
    // What is sealed meanwhile is sealed to a key that the Region has not.
    register(cluster.keyring(US).sealing_public_key().as_bytes().to_vec());
    cluster.at(US).create_role(new_role()).await.unwrap();
    cluster.at(US).rotate_session_key(false).await.unwrap();
    assert_eq!((opened(&cluster, US), opened(&cluster, EU)), (vec![1, 2], vec![]));
    cluster.advance(Duration::from_secs(1));
    register(cluster.keyring(EU).sealing_public_key().as_bytes().to_vec());
    assert_eq!(cluster.at(EU).reseal_secrets().await.unwrap(), 0, "it cannot open them itself");
    assert_eq!(cluster.at(US).reseal_secrets().await.unwrap(), 2);
    assert_eq!(opened(&cluster, EU), [1, 2]);
    assert_eq!(cluster.at(US).reseal_secrets().await.unwrap(), 0, "nothing is left to do");
}

#[tokio::test]
async fn requests_see_a_role_in_every_region_and_take_over_what_did_not_change() {
    let cluster = Cluster::new(&[US, EU]);
    let role = cluster.at(US).create_role(new_role()).await.unwrap();
    let seen = cluster.identities();
    take_in(&cluster, EU, &seen);
    let known = seen.role(&format!("arn:aws:iam::{ACCOUNT}:role/operator")).unwrap();
    assert_eq!(known.entry, role);
    let keys = seen.session_keys();
    cluster.at(EU).rotate_session_key(false).await.unwrap();
    take_in(&cluster, EU, &seen);
    assert!(Arc::ptr_eq(&seen.role_by_unique_id(&role.unique_id).unwrap(), &known));
    assert!(Arc::ptr_eq(&seen.session_keys()[&1], &keys[&1]), "an opened key is not opened again");
    cluster.at(US).delete_role(operator()).await.unwrap();
    take_in(&cluster, EU, &seen);
    assert!(seen.role_by_unique_id(&role.unique_id).is_none());
    assert_eq!(cluster.at(EU).role(&operator()), Err(IdentityError::NotFound(format!("the {}", operator()))));
}

#[tokio::test]
async fn a_trust_policy_is_read_before_it_is_proposed() {
    let cluster = Cluster::new(&[US]);
    let without_principal = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    for trust in ["", "{}", without_principal] {
        let refused = cluster.at(US).create_role(NewRole { trust: trust.to_owned(), ..new_role() }).await;
        assert!(matches!(refused, Err(IdentityError::Policy(_))), "{trust}: {refused:?}");
    }
    let refused = cluster.at(US).create_role(NewRole { max_session_seconds: Some(43_201), ..new_role() }).await;
    assert!(matches!(refused, Err(IdentityError::Invalid(_))), "{refused:?}");
    assert_eq!(cluster.at(US).directory().read(|_, control| control.identities().roles().count()), 0);
}
