//! Small worlds: a few callers, one key, policies over a few actions, resources and conditions.

use kms_policy::{
    AccessRequest, Action, CallerPolicies, Decision, DocumentKind, GrantConstraints, GrantTerms, KeyResource,
    NamedPolicy, PolicyDocument, Principal, PrincipalKind, RequestContext, decide_on_key,
};
use kms_types::{AccountId, EncryptionContext, GrantId, GrantOperation};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER_KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
}

/// Whom a statement or a grant can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Everybody,
    Account,
    OtherAccount,
    Ada,
    Bob,
    Role,
    Session,
    Eve,
}

pub(crate) const NAMES: [Name; 8] =
    [Name::Everybody, Name::Account, Name::OtherAccount, Name::Ada, Name::Bob, Name::Role, Name::Session, Name::Eve];

impl Name {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Everybody => "*",
            Self::Account => "arn:aws:iam::111122223333:root",
            Self::OtherAccount => "arn:aws:iam::444455556666:root",
            Self::Ada => "arn:aws:iam::111122223333:user/ada",
            Self::Bob => "arn:aws:iam::111122223333:user/bob",
            Self::Role => "arn:aws:iam::111122223333:role/Builder",
            Self::Session => "arn:aws:sts::111122223333:assumed-role/Builder/ci",
            Self::Eve => "arn:aws:iam::444455556666:user/eve",
        }
    }
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    Ada,
    Root,
    Session,
    Eve,
}

impl Caller {
    pub(crate) fn principal(self) -> Principal<'static> {
        let account = |id| AccountId::parse(id).unwrap();
        let (own, other) = (account("111122223333"), account("444455556666"));
        let (name, account, kind) = match self {
            Self::Ada => (Name::Ada, own, PrincipalKind::User),
            Self::Root => (Name::Account, own, PrincipalKind::Root),
            Self::Session => (Name::Session, own, PrincipalKind::Session { role_arn: Name::Role.text() }),
            Self::Eve => (Name::Eve, other, PrincipalKind::User),
        };
        Principal { arn: name.text(), account, kind }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Encrypt,
    Decrypt,
    DescribeKey,
    DisableKey,
}

impl Ask {
    pub(crate) const fn action(self) -> Action {
        match self {
            Self::Encrypt => Action::Encrypt,
            Self::Decrypt => Action::Decrypt,
            Self::DescribeKey => Action::DescribeKey,
            Self::DisableKey => Action::DisableKey,
        }
    }

    pub(crate) const fn operation(self) -> Option<GrantOperation> {
        match self {
            Self::Encrypt => Some(GrantOperation::Encrypt),
            Self::Decrypt => Some(GrantOperation::Decrypt),
            Self::DescribeKey => Some(GrantOperation::DescribeKey),
            Self::DisableKey => None,
        }
    }
}

/// A pattern of actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actions {
    All,
    Encrypt,
    /// `kms:De*`
    De,
    NotDisableKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Any,
    ThisKey,
    OtherKey,
    NotThisKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    None,
    /// The pair `a` is `1`.
    PairIsOne,
    /// The pair `a` is not `1`, or missing.
    PairIsNotOne,
    /// There is an encryption context.
    HasContext,
    Secure,
}

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) effect: Effect,
    pub(crate) is_not_principal: bool,
    pub(crate) names: Vec<Name>,
    pub(crate) actions: Actions,
    pub(crate) resource: Resource,
    pub(crate) condition: Condition,
}

#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) grantee: Name,
    pub(crate) operations: BTreeSet<GrantOperation>,
}

impl Grant {
    /// Whether a grantee stands for the caller in some form.
    pub(crate) fn names(grantee: Name, caller: Caller) -> bool {
        match caller {
            Caller::Ada => matches!(grantee, Name::Ada | Name::Account),
            Caller::Root => grantee == Name::Account,
            Caller::Session => matches!(grantee, Name::Session | Name::Role | Name::Account),
            Caller::Eve => matches!(grantee, Name::Eve | Name::OtherAccount),
        }
    }
}

/// One request and everything that it is judged by.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) caller: Caller,
    pub(crate) ask: Ask,
    /// The value of the pair `a`, if there is one.
    pub(crate) pair: Option<&'static str>,
    pub(crate) is_secure: bool,
    pub(crate) key_policy: Vec<Statement>,
    pub(crate) identity: Vec<Statement>,
    pub(crate) boundary: Option<Vec<Statement>>,
    pub(crate) session: Option<Vec<Statement>>,
    pub(crate) grants: Vec<Grant>,
}

pub(crate) fn statement() -> impl Strategy<Value = Statement> {
    let effect = prop_oneof![3 => Just(Effect::Allow), 1 => Just(Effect::Deny)];
    let names = prop::collection::vec(prop::sample::select(&NAMES[..]), 1..4);
    let actions = prop::sample::select(vec![Actions::All, Actions::Encrypt, Actions::De, Actions::NotDisableKey]);
    let resource = prop_oneof![
        4 => Just(Resource::Any),
        2 => Just(Resource::ThisKey),
        1 => Just(Resource::OtherKey),
        1 => Just(Resource::NotThisKey)
    ];
    let condition = prop_oneof![
        3 => Just(Condition::None),
        1 => Just(Condition::PairIsOne),
        1 => Just(Condition::PairIsNotOne),
        1 => Just(Condition::HasContext),
        1 => Just(Condition::Secure)
    ];
    let negated = prop_oneof![4 => Just(false), 1 => Just(true)];
    (effect, negated, names, actions, resource, condition).prop_map(
        |(effect, is_not_principal, names, actions, resource, condition)| Statement {
            effect,
            is_not_principal,
            names,
            actions,
            resource,
            condition,
        },
    )
}

pub(crate) fn policy() -> impl Strategy<Value = Vec<Statement>> {
    prop::collection::vec(statement(), 1..4)
}

pub(crate) fn grant() -> impl Strategy<Value = Grant> {
    let all = vec![GrantOperation::Encrypt, GrantOperation::Decrypt, GrantOperation::DescribeKey];
    let operations = prop::sample::subsequence(all, 1..3);
    (prop::sample::select(&NAMES[1..]), operations)
        .prop_map(|(grantee, operations)| Grant { grantee, operations: operations.into_iter().collect() })
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let caller = prop::sample::select(vec![Caller::Ada, Caller::Root, Caller::Session, Caller::Eve]);
    let ask = prop::sample::select(vec![Ask::Encrypt, Ask::Decrypt, Ask::DescribeKey, Ask::DisableKey]);
    let pair = prop::sample::select(vec![None, Some("1"), Some("2")]);
    let grants = prop::collection::vec(grant(), 0..3);
    let request = (caller, ask, pair, any::<bool>());
    let policies = (policy(), policy(), prop::option::of(policy()), prop::option::of(policy()), grants);
    (request, policies).prop_map(
        |((caller, ask, pair, is_secure), (key_policy, identity, boundary, session, grants))| World {
            caller,
            ask,
            pair,
            is_secure,
            key_policy,
            identity,
            boundary,
            session,
            grants,
        },
    )
}

impl Statement {
    fn json(&self, kind: DocumentKind) -> Value {
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let mut value = json!({ "Effect": effect });
        if kind == DocumentKind::Key {
            let names: Vec<&str> = self.names.iter().map(|name| name.text()).collect();
            value[if self.is_not_principal { "NotPrincipal" } else { "Principal" }] = json!({ "AWS": names });
        }
        match self.actions {
            Actions::All => value["Action"] = json!("kms:*"),
            Actions::Encrypt => value["Action"] = json!("kms:Encrypt"),
            Actions::De => value["Action"] = json!(["kms:De*"]),
            Actions::NotDisableKey => value["NotAction"] = json!("kms:DisableKey"),
        }
        match self.resource {
            Resource::Any => value["Resource"] = json!("*"),
            Resource::ThisKey => value["Resource"] = json!(KEY),
            Resource::OtherKey => value["Resource"] = json!([OTHER_KEY]),
            Resource::NotThisKey => value["NotResource"] = json!(KEY),
        }
        match self.condition {
            Condition::None => {}
            Condition::PairIsOne => value["Condition"] = json!({"StringEquals": {"kms:EncryptionContext:A": "1"}}),
            Condition::PairIsNotOne => {
                value["Condition"] = json!({"StringNotEquals": {"kms:EncryptionContext:a": "1"}})
            }
            Condition::HasContext => value["Condition"] = json!({"Null": {"kms:EncryptionContextKeys": "false"}}),
            Condition::Secure => value["Condition"] = json!({"Bool": {"aws:SecureTransport": true}}),
        }
        value
    }
}

fn document(statements: &[Statement], kind: DocumentKind) -> PolicyDocument {
    PolicyDocument::parse(&text(statements, kind), kind).unwrap()
}

fn text(statements: &[Statement], kind: DocumentKind) -> String {
    let statements: Vec<Value> = statements.iter().map(|statement| statement.json(kind)).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

impl World {
    pub(crate) fn key_policy_text(&self) -> String {
        text(&self.key_policy, DocumentKind::Key)
    }

    pub(crate) fn decide(&self) -> Decision {
        let named = |name: &str, statements: &[Statement]| NamedPolicy {
            name: name.into(),
            document: Arc::new(document(statements, DocumentKind::Identity)),
        };
        let policy = document(&self.key_policy, DocumentKind::Key);
        let identity = [named("identity", &self.identity)];
        let boundary = self.boundary.as_ref().map(|policy| named("boundary", policy));
        let session = self.session.as_ref().map(|policy| named("session", policy));
        let pairs = self.pair.map(|value| ("a".to_owned(), value.to_owned()));
        let encryption_context: EncryptionContext = pairs.into_iter().collect();
        let context = RequestContext::new(self.ask.action(), self.caller.principal());
        let context = context.secure_transport(self.is_secure).encryption_context(&encryption_context);
        let policies = CallerPolicies { identity: &identity, boundary: boundary.as_ref(), session: session.as_ref() };
        let account = AccountId::parse("111122223333").unwrap();
        let key = KeyResource { arn: KEY, account: &account, policy: &policy };
        let grants = self.grants.iter().map(|grant| {
            let constraints = GrantConstraints::default();
            let terms = GrantTerms { grantee: grant.grantee.text(), operations: &grant.operations, constraints };
            (GrantId::from_bytes([7; 32]), terms)
        });
        decide_on_key(&AccessRequest { context: &context, policies }, &key, grants)
    }
}
