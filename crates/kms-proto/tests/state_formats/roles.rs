//! Samples and random values of roles and session token keys.

use super::{alice, any_boxes, any_change, any_time, at, boxes, document, name, path, principal_id, tags};
use kms_core::control::identity::{
    CreateRole, IdentityBody, IdentityChange, PrincipalChange, RoleChange, RoleEntry, SessionKeyEntry,
};
use kms_types::{IamName, IamPath, PrincipalId, RoleId};
use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn bodies() -> Vec<(&'static str, IdentityBody)> {
    let role = CreateRole {
        id: operator(),
        unique_id: "AROAIOSFODNN7EXAMPLE".to_owned(),
        path: IamPath::parse("/team/").unwrap(),
        trust: document(),
        max_session_seconds: 7_200,
        tags: BTreeMap::from([("team".to_owned(), "orders".to_owned())]),
    };
    let change = |change| IdentityBody::ChangeRole { id: operator(), change };
    let common = |common| change(RoleChange::Principal(common));
    let policy = IamName::parse("use-keys").unwrap();
    let create = |end_sessions| IdentityBody::CreateSessionKey { epoch: 3, boxes: boxes(), end_sessions };
    vec![
        ("create-role", IdentityBody::CreateRole(Box::new(role))),
        ("disable-role", common(PrincipalChange::Enabled(false))),
        ("put-role-policy", common(PrincipalChange::PutPolicy(policy.clone(), document()))),
        ("delete-role-policy", common(PrincipalChange::DeletePolicy(policy))),
        ("put-role-boundary", common(PrincipalChange::Boundary(Some(document())))),
        ("delete-role-boundary", common(PrincipalChange::Boundary(None))),
        ("put-role-trust", change(RoleChange::Trust(document()))),
        ("set-role-max-session", change(RoleChange::MaxSessionSeconds(43_200))),
        ("delete-role", IdentityBody::DeleteRole { id: operator() }),
        ("create-session-key", create(false)),
        ("create-session-key-end-sessions", create(true)),
        ("reseal-session-key", IdentityBody::ResealSessionKey { epoch: 3, boxes: boxes() }),
    ]
}

pub(super) fn rows() -> Vec<(&'static str, IdentityChange)> {
    let role = RoleEntry {
        id: operator(),
        unique_id: "AROAIOSFODNN7EXAMPLE".to_owned(),
        path: IamPath::parse("/team/").unwrap(),
        created_at: at(3),
        enabled: true,
        trust: document(),
        max_session_seconds: 7_200,
        policies: BTreeMap::from([(IamName::parse("use-keys").unwrap(), document())]),
        boundary: Some(document()),
        tags: BTreeMap::from([("team".to_owned(), "orders".to_owned())]),
    };
    let key = SessionKeyEntry { epoch: 3, created_at: at(4), boxes: boxes() };
    vec![
        ("role", IdentityChange::PutRole(Arc::new(role))),
        ("session-key", IdentityChange::PutSessionKey(Arc::new(key))),
    ]
}

fn operator() -> RoleId {
    RoleId { account: alice().account, name: IamName::parse("operator").unwrap() }
}

pub(super) fn body() -> impl Strategy<Value = IdentityBody> {
    let create = (role_id(), path(), ".{0,12}", any::<u32>(), tags()).prop_map(
        |(id, path, trust, max_session_seconds, tags)| {
            let unique_id = "AROA".to_owned();
            IdentityBody::CreateRole(Box::new(CreateRole { id, unique_id, path, trust, max_session_seconds, tags }))
        },
    );
    let change = prop_oneof![
        any_change().prop_map(RoleChange::Principal),
        ".{0,12}".prop_map(RoleChange::Trust),
        any::<u32>().prop_map(RoleChange::MaxSessionSeconds),
    ];
    prop_oneof![
        create,
        (role_id(), change).prop_map(|(id, change)| IdentityBody::ChangeRole { id, change }),
        role_id().prop_map(|id| IdentityBody::DeleteRole { id }),
        (any::<u64>(), any_boxes(), any::<bool>())
            .prop_map(|(epoch, boxes, end_sessions)| IdentityBody::CreateSessionKey { epoch, boxes, end_sessions }),
        (any::<u64>(), any_boxes()).prop_map(|(epoch, boxes)| IdentityBody::ResealSessionKey { epoch, boxes }),
    ]
}

pub(super) fn row() -> impl Strategy<Value = IdentityChange> {
    let who = (role_id(), path(), any_time(), any::<bool>(), ".{0,12}", any::<u32>());
    let what = (btree_map(name(), ".{0,12}", 0..3), option::of(".{0,12}"), tags());
    let role = (who, what).prop_map(|(who, (policies, boundary, tags))| {
        let (id, path, created_at, enabled, trust, max_session_seconds) = who;
        let unique_id = "AROA".to_owned();
        #[rustfmt::skip]
        let entry = RoleEntry {
            id, unique_id, path, created_at, enabled, trust, max_session_seconds, policies, boundary, tags,
        };
        IdentityChange::PutRole(Arc::new(entry))
    });
    let key = (any::<u64>(), any_time(), any_boxes()).prop_map(|(epoch, created_at, boxes)| {
        IdentityChange::PutSessionKey(Arc::new(SessionKeyEntry { epoch, created_at, boxes }))
    });
    prop_oneof![role, key]
}

fn role_id() -> impl Strategy<Value = RoleId> {
    principal_id().prop_map(|PrincipalId { account, name }| RoleId { account, name })
}
