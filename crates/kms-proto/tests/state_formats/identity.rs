//! Samples and random values of the directory of principals.

mod roles;

use kms_core::control::identity::{
    AccessKeyEntry, CreatePrincipal, IdentityBody, IdentityChange, PrincipalChange, PrincipalEntry, RecipientBox,
    RecipientBoxes,
};
use kms_core::control::{ControlBody, ControlChange, SealedBox};
use kms_types::{AccessKeyId, AccountId, IamName, IamPath, PrincipalId, RegionName, Timestamp};
use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn bodies() -> Vec<(&'static str, ControlBody)> {
    let id = access_key("AKIAIOSFODNN7EXAMPLE");
    let user = CreatePrincipal {
        id: alice(),
        unique_id: "AIDAIOSFODNN7EXAMPLE".to_owned(),
        path: IamPath::default(),
        certificate: Some("spiffe://cluster/principal/alice".to_owned()),
        tags: BTreeMap::from([("team".to_owned(), "orders".to_owned())]),
    };
    let change = |change| IdentityBody::ChangePrincipal { id: alice(), change };
    let name = IamName::parse("use-keys").unwrap();
    let bodies = vec![
        ("create-user", IdentityBody::CreatePrincipal(Box::new(user))),
        ("disable-principal", change(PrincipalChange::Enabled(false))),
        ("put-policy", change(PrincipalChange::PutPolicy(name.clone(), document()))),
        ("delete-policy", change(PrincipalChange::DeletePolicy(name))),
        ("put-boundary", change(PrincipalChange::Boundary(Some(document())))),
        ("delete-boundary", change(PrincipalChange::Boundary(None))),
        ("delete-principal", IdentityBody::DeletePrincipal { id: alice() }),
        ("create-access-key", IdentityBody::CreateAccessKey { id: id.clone(), user: alice(), boxes: boxes() }),
        ("disable-access-key", IdentityBody::EnableAccessKey { id: id.clone(), enabled: false }),
        ("delete-access-key", IdentityBody::DeleteAccessKey { id: id.clone() }),
        ("reseal-access-key", IdentityBody::ResealAccessKey { id, boxes: boxes() }),
    ];
    bodies.into_iter().chain(roles::bodies()).map(|(name, body)| (name, ControlBody::Identity(body))).collect()
}

pub(crate) fn rows() -> Vec<(&'static str, ControlChange)> {
    let user = PrincipalEntry {
        id: alice(),
        unique_id: "AIDAIOSFODNN7EXAMPLE".to_owned(),
        path: IamPath::default(),
        created_at: at(1),
        enabled: true,
        certificate: Some("spiffe://cluster/principal/alice".to_owned()),
        policies: BTreeMap::from([(IamName::parse("use-keys").unwrap(), document())]),
        boundary: Some(document()),
        tags: BTreeMap::from([("team".to_owned(), "orders".to_owned())]),
    };
    let key = AccessKeyEntry {
        id: access_key("AKIAIOSFODNN7EXAMPLE"),
        user: alice(),
        created_at: at(2),
        enabled: true,
        boxes: boxes(),
    };
    let rows = vec![
        ("user", IdentityChange::PutPrincipal(Arc::new(user))),
        ("access-key", IdentityChange::PutAccessKey(Arc::new(key))),
    ];
    rows.into_iter().chain(roles::rows()).map(|(name, row)| (name, ControlChange::Identity(row))).collect()
}

fn alice() -> PrincipalId {
    let account = AccountId::parse("111122223333").unwrap();
    PrincipalId { account, name: IamName::parse("alice").unwrap() }
}

fn document() -> String {
    r#"{"Statement":[]}"#.to_owned()
}

fn access_key(id: &str) -> AccessKeyId {
    AccessKeyId::parse(id).unwrap()
}

fn boxes() -> RecipientBoxes {
    let virginia = RegionName::parse("us-east-1").unwrap();
    let ireland = RegionName::parse("eu-west-1").unwrap();
    let one = |n: u8| RecipientBox {
        registered_at: at(n.into()),
        sealed: SealedBox { source: virginia.clone(), bytes: vec![n; 4] },
    };
    BTreeMap::from([(virginia.clone(), one(1)), (ireland, one(2))])
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

pub(crate) fn body() -> impl Strategy<Value = ControlBody> {
    let create = (principal_id(), path(), option::of(".{0,12}"), tags()).prop_map(|(id, path, certificate, tags)| {
        let unique_id = "AIDA".to_owned();
        let body = CreatePrincipal { id, unique_id, path, certificate, tags };
        IdentityBody::CreatePrincipal(Box::new(body))
    });
    let change = (principal_id(), any_change()).prop_map(|(id, change)| IdentityBody::ChangePrincipal { id, change });
    let reseal = (key_id(), any_boxes()).prop_map(|(id, boxes)| IdentityBody::ResealAccessKey { id, boxes });
    let body = prop_oneof![
        create,
        change,
        principal_id().prop_map(|id| IdentityBody::DeletePrincipal { id }),
        (key_id(), principal_id(), any_boxes()).prop_map(|(id, user, boxes)| IdentityBody::CreateAccessKey {
            id,
            user,
            boxes
        }),
        (key_id(), any::<bool>()).prop_map(|(id, enabled)| IdentityBody::EnableAccessKey { id, enabled }),
        key_id().prop_map(|id| IdentityBody::DeleteAccessKey { id }),
        reseal,
        roles::body(),
    ];
    body.prop_map(ControlBody::Identity)
}

pub(crate) fn row() -> impl Strategy<Value = ControlChange> {
    let who = (principal_id(), path(), any_time(), any::<bool>(), option::of(".{0,12}"));
    let what = (btree_map(name(), ".{0,12}", 0..3), option::of(".{0,12}"), tags());
    let principal =
        (who, what).prop_map(|((id, path, created_at, enabled, certificate), (policies, boundary, tags))| {
            let unique_id = "AIDA".to_owned();
            #[rustfmt::skip]
            let entry = PrincipalEntry {
                id, unique_id, path, created_at, enabled, certificate, policies, boundary, tags,
            };
            IdentityChange::PutPrincipal(Arc::new(entry))
        });
    let key = (key_id(), principal_id(), any_time(), any::<bool>(), any_boxes()).prop_map(
        |(id, user, created_at, enabled, boxes)| {
            IdentityChange::PutAccessKey(Arc::new(AccessKeyEntry { id, user, created_at, enabled, boxes }))
        },
    );
    prop_oneof![principal, key, roles::row()].prop_map(ControlChange::Identity)
}

fn any_change() -> impl Strategy<Value = PrincipalChange> {
    prop_oneof![
        any::<bool>().prop_map(PrincipalChange::Enabled),
        (name(), ".{0,12}").prop_map(|(name, document)| PrincipalChange::PutPolicy(name, document)),
        name().prop_map(PrincipalChange::DeletePolicy),
        option::of(".{0,12}").prop_map(PrincipalChange::Boundary),
    ]
}

fn principal_id() -> impl Strategy<Value = PrincipalId> {
    ("[0-9]{12}", "[A-Za-z0-9+=,.@_-]{1,12}").prop_map(|(account, name)| PrincipalId {
        account: AccountId::parse(&account).unwrap(),
        name: IamName::parse_principal(&name).unwrap(),
    })
}

fn name() -> impl Strategy<Value = IamName> {
    "[A-Za-z0-9+=,.@_-]{1,12}".prop_map(|name| IamName::parse(&name).unwrap())
}

fn path() -> impl Strategy<Value = IamPath> {
    "/([a-z]{1,4}/){0,2}".prop_map(|path| IamPath::parse(&path).unwrap())
}

fn key_id() -> impl Strategy<Value = AccessKeyId> {
    "AKIA[A-Z2-7]{16}".prop_map(|id| access_key(&id))
}

fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(".{0,4}", ".{0,4}", 0..3)
}

fn any_boxes() -> impl Strategy<Value = RecipientBoxes> {
    let one = (any_time(), any_region(), proptest::collection::vec(any::<u8>(), 0..12));
    let one = one
        .prop_map(|(registered_at, source, bytes)| RecipientBox { registered_at, sealed: SealedBox { source, bytes } });
    btree_map(any_region(), one, 0..4)
}

fn any_region() -> impl Strategy<Value = RegionName> {
    "[a-z]{2}-[a-z]{3,6}-[1-9]".prop_map(|name| RegionName::parse(&name).unwrap())
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_millis)
}
