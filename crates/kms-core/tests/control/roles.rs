//! Claims about roles.

use super::Log;
use super::directory::name;
use kms_core::control::Refusal;
use kms_core::control::identity::{CreatePrincipal, CreateRole, IdentityBody, PrincipalChange, RoleChange};
use kms_types::{IamName, IamPath, PrincipalId, RoleId};
use std::collections::BTreeMap;

fn id(who: &str) -> RoleId {
    let PrincipalId { account, name } = name(who);
    RoleId { account, name }
}

fn role(who: &str) -> CreateRole {
    CreateRole {
        id: id(who),
        unique_id: format!("AROA{who}"),
        path: IamPath::default(),
        trust: "{}".to_owned(),
        max_session_seconds: 3_600,
        tags: BTreeMap::new(),
    }
}

fn create(role: CreateRole) -> IdentityBody {
    IdentityBody::CreateRole(Box::new(role))
}

fn change(who: &str, change: RoleChange) -> IdentityBody {
    IdentityBody::ChangeRole { id: id(who), change }
}

fn policy(n: u32, text: &str) -> RoleChange {
    let name = IamName::parse(&format!("p{n}")).unwrap();
    RoleChange::Principal(PrincipalChange::PutPolicy(name, text.to_owned()))
}

#[test]
fn a_role_and_a_user_may_have_the_same_name() {
    let mut log = Log::with_key(false);
    log.changes(create(role("ops")));
    let user = CreatePrincipal {
        id: name("ops"),
        unique_id: "AIDAIOSFODNN7EXAMPLE".to_owned(),
        path: IamPath::default(),
        certificate: None,
        tags: BTreeMap::new(),
    };
    log.changes(IdentityBody::CreatePrincipal(Box::new(user)));
    log.declines(create(CreateRole { unique_id: "AROAother".to_owned(), ..role("ops") }), Refusal::PrincipalExists);
    log.changes(IdentityBody::DeletePrincipal { id: name("ops") });
    assert!(log.state.identities().role(&id("ops")).is_some());
    log.changes(IdentityBody::DeleteRole { id: id("ops") });
    log.declines(IdentityBody::DeleteRole { id: id("ops") }, Refusal::PrincipalNotFound);
}

#[test]
fn no_two_roles_have_the_same_unique_id() {
    let mut log = Log::with_key(false);
    log.changes(create(role("one")));
    log.declines(create(CreateRole { unique_id: "AROAone".to_owned(), ..role("two") }), Refusal::PrincipalExists);
    log.declines(create(CreateRole { unique_id: String::new(), ..role("two") }), Refusal::Malformed);
}

#[test]
fn the_longest_session_is_between_one_and_twelve_hours() {
    let mut log = Log::with_key(false);
    for seconds in [0, 3_599, 43_201] {
        log.declines(create(CreateRole { max_session_seconds: seconds, ..role("ops") }), Refusal::Malformed);
    }
    log.changes(create(role("ops")));
    log.declines(change("ops", RoleChange::MaxSessionSeconds(43_201)), Refusal::Malformed);
    log.changes(change("ops", RoleChange::MaxSessionSeconds(43_200)));
    assert_eq!(log.state.identities().role(&id("ops")).unwrap().max_session_seconds, 43_200);
    log.declines(change("dev", RoleChange::MaxSessionSeconds(3_600)), Refusal::PrincipalNotFound);
}

#[test]
fn a_role_has_policies_and_a_boundary_as_users_have() {
    let mut log = Log::with_key(false);
    log.changes(create(role("ops")));
    for n in 0..10 {
        log.changes(change("ops", policy(n, "{}")));
    }
    log.declines(change("ops", policy(10, "{}")), Refusal::IdentityLimit);
    let boundary = |text: Option<&str>| RoleChange::Principal(PrincipalChange::Boundary(text.map(str::to_owned)));
    log.declines(change("ops", boundary(None)), Refusal::PolicyNotFound);
    log.changes(change("ops", boundary(Some("{ }"))));
    log.changes(change("ops", RoleChange::Principal(PrincipalChange::Enabled(false))));
    let changed = log.state.identities().role(&id("ops")).unwrap();
    assert_eq!((changed.policies.len(), changed.boundary.as_deref(), changed.enabled), (10, Some("{ }"), false));
}

#[test]
fn a_role_always_has_a_trust_policy() {
    let mut log = Log::with_key(false);
    log.declines(create(CreateRole { trust: String::new(), ..role("ops") }), Refusal::IdentityLimit);
    log.changes(create(role("ops")));
    log.declines(change("ops", RoleChange::Trust(String::new())), Refusal::IdentityLimit);
    log.declines(change("ops", RoleChange::Trust("x".repeat(40_000))), Refusal::IdentityLimit);
    log.changes(change("ops", RoleChange::Trust("{ }".to_owned())));
    assert_eq!(log.state.identities().role(&id("ops")).unwrap().trust, "{ }");
}

#[test]
fn an_account_has_a_thousand_roles() {
    let mut log = Log::with_key(false);
    for n in 0..1_000 {
        log.changes(create(role(&format!("role-{n}"))));
    }
    log.declines(create(role("one-more")), Refusal::IdentityLimit);
    log.changes(IdentityBody::DeleteRole { id: id("role-7") });
    log.changes(create(role("one-more")));
}
