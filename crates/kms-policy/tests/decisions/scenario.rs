//! The table as it is written: principals and keys with names, and groups of scenarios with their cases.

use kms_policy::{Allowed, Decision, Denied, DocumentKind, NamedPolicy, PolicyDocument, PolicySource, StatementRef};
use kms_types::GrantId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) format: String,
    pub(crate) about: Vec<String>,
    pub(crate) principals: BTreeMap<String, Person>,
    pub(crate) keys: BTreeMap<String, Key>,
    pub(crate) groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    pub(crate) arn: String,
    pub(crate) role: Option<String>,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) user_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) arn: String,
    pub(crate) spec: String,
    pub(crate) usage: String,
    pub(crate) origin: Option<String>,
    pub(crate) multi_region: Option<String>,
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) group: String,
    /// Where the rule is documented.
    pub(crate) rule: String,
    pub(crate) scenarios: Vec<Scenario>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) scenario: String,
    /// Absent when the actions are not about a key.
    pub(crate) key: Option<String>,
    /// Statements, or `"default"`, or a whole document.
    #[serde(default)]
    pub(crate) key_policy: Value,
    /// By principal and name.
    #[serde(default)]
    pub(crate) identity: BTreeMap<String, BTreeMap<String, Value>>,
    #[serde(default)]
    pub(crate) boundary: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) session: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) grants: BTreeMap<String, Grant>,
    /// The trust policy of a role that somebody wants to assume.
    #[serde(default)]
    pub(crate) trust: Value,
    pub(crate) cases: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grant {
    pub(crate) grantee: String,
    pub(crate) operations: Vec<String>,
    pub(crate) equals: Option<BTreeMap<String, String>>,
    pub(crate) subset: Option<BTreeMap<String, String>>,
    pub(crate) source_arn: Option<String>,
    pub(crate) retiring: Option<String>,
    pub(crate) issuer: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) who: String,
    #[serde(rename = "do")]
    pub(crate) does: String,
    /// The ARN of what is not a key.
    pub(crate) on: Option<String>,
    /// The grant to retire.
    pub(crate) grant: Option<String>,
    #[serde(default)]
    pub(crate) with: Box<With>,
    /// What allows it.
    pub(crate) allowed: Option<String>,
    /// What denies it.
    pub(crate) denied: Option<String>,
}

/// What a request brings.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct With {
    pub(crate) bypass: Option<bool>,
    pub(crate) data_key_pair_spec: Option<String>,
    pub(crate) encryption_algorithm: Option<String>,
    pub(crate) encryption_context: Option<BTreeMap<String, String>>,
    /// Pairs with a value of so many characters.
    pub(crate) encryption_context_of_length: Option<BTreeMap<String, usize>>,
    pub(crate) expiration_model: Option<String>,
    pub(crate) grant_is_for_aws_resource: Option<bool>,
    pub(crate) key_agreement_algorithm: Option<String>,
    pub(crate) mac_algorithm: Option<String>,
    pub(crate) message_type: Option<String>,
    pub(crate) mfa: Option<bool>,
    pub(crate) mfa_age: Option<u64>,
    pub(crate) new_grant: Option<Grant>,
    pub(crate) other: BTreeMap<String, Vec<String>>,
    pub(crate) pending_window_in_days: Option<u32>,
    pub(crate) policy_name: Option<String>,
    pub(crate) primary_region: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) replica_region: Option<String>,
    pub(crate) request_alias: Option<String>,
    pub(crate) rotation_period_in_days: Option<u32>,
    pub(crate) same_key: Option<bool>,
    pub(crate) secure_transport: Option<bool>,
    pub(crate) signing_algorithm: Option<String>,
    pub(crate) source_account: Option<String>,
    pub(crate) source_arn: Option<String>,
    pub(crate) source_ip: Option<String>,
    pub(crate) tag_keys: Option<Vec<String>>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    /// Seconds since the Unix epoch, as are the other times.
    pub(crate) time: Option<u64>,
    pub(crate) token_issue_time: Option<u64>,
    pub(crate) user_agent: Option<String>,
    pub(crate) valid_to: Option<u64>,
    pub(crate) via_service: Option<String>,
    pub(crate) wrapping_algorithm: Option<String>,
    pub(crate) wrapping_key_spec: Option<String>,
    /// The properties of the key that CreateKey is to make, by the name of a key of the table.
    pub(crate) like_key: Option<String>,
}

/// A change to the policies of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    ReverseStatements,
    DenyInKeyPolicy,
    DenyInIdentityPolicy,
    BoundaryForAll,
    BoundaryForNothing,
    SessionForAll,
    SessionForNothing,
}

impl Case {
    pub(crate) fn expected(&self) -> String {
        match (&self.allowed, &self.denied) {
            (Some(by), None) => format!("allowed: {by}"),
            (None, Some(by)) => format!("denied: {by}"),
            _ => "one of allowed and denied".to_owned(),
        }
    }
}

impl Scenario {
    pub(crate) fn grant_id(&self, name: &str) -> GrantId {
        let place = self.grants.keys().position(|known| known == name).unwrap();
        GrantId::from_bytes([u8::try_from(place).unwrap(); 32])
    }

    fn grant_name(&self, id: GrantId) -> &str {
        self.grants.keys().find(|name| self.grant_id(name) == id).unwrap()
    }

    /// A decision in the words of the table.
    pub(crate) fn verdict(&self, decision: &Decision) -> String {
        let and = |identity: &Option<StatementRef>| match identity {
            Some(statement) => format!(" + {}", place(statement)),
            None => String::new(),
        };
        match decision {
            Decision::Allowed(Allowed::KeyPolicy(statement)) => format!("allowed: {}", place(statement)),
            Decision::Allowed(Allowed::KeyAndIdentity(statement, identity)) => {
                format!("allowed: {}{}", place(statement), and(identity))
            }
            Decision::Allowed(Allowed::Grant(id, identity)) => {
                format!("allowed: grant {}{}", self.grant_name(*id), and(identity))
            }
            Decision::Allowed(Allowed::Identity(Some(statement))) => format!("allowed: {}", place(statement)),
            Decision::Allowed(Allowed::Identity(None)) => "allowed: root".to_owned(),
            Decision::Denied(Denied::Explicit(statement)) => format!("denied: {}", place(statement)),
            Decision::Denied(Denied::NoIdentityPolicy) => "denied: no identity policy".to_owned(),
            Decision::Denied(Denied::NoKeyPolicy) => "denied: no key policy".to_owned(),
            Decision::Denied(Denied::Boundary) => "denied: boundary".to_owned(),
            Decision::Denied(Denied::SessionPolicy) => "denied: session policy".to_owned(),
            Decision::Denied(Denied::CrossAccount) => "denied: across accounts".to_owned(),
            Decision::Denied(Denied::Misplaced) => "denied: misplaced".to_owned(),
        }
    }
}

fn place(statement: &StatementRef) -> String {
    let index = statement.index;
    match &statement.source {
        PolicySource::Key => format!("key {index}"),
        PolicySource::Trust => format!("trust {index}"),
        PolicySource::Identity(name) => format!("identity {name} {index}"),
        PolicySource::Boundary(_) => format!("boundary {index}"),
        PolicySource::Session(_) => format!("session {index}"),
    }
}

/// Compiles statements, a whole document, or nothing, which is a policy that says nothing.
pub(crate) fn compile(value: &Value, kind: DocumentKind, change: Change, deny: Change) -> Option<PolicyDocument> {
    let mut document = match value {
        Value::Null => return None,
        Value::String(name) if name == "default" => {
            let text = kms_policy::default_key_policy(&kms_types::AccountId::parse("111122223333").unwrap());
            serde_json::from_str(&text).unwrap()
        }
        Value::Array(_) => json!({"Version": "2012-10-17", "Statement": value}),
        document => document.clone(),
    };
    let statements = document["Statement"].as_array_mut().unwrap();
    match change {
        Change::ReverseStatements => statements.reverse(),
        change if change == deny => statements.push(everything("Deny", kind)),
        _ => {}
    }
    let text = document.to_string();
    Some(PolicyDocument::parse(&text, kind).unwrap_or_else(|error| panic!("{error}: {text}")))
}

fn everything(effect: &str, kind: DocumentKind) -> Value {
    match kind {
        DocumentKind::Key => json!({"Effect": effect, "Principal": "*", "Action": "*", "Resource": "*"}),
        DocumentKind::Identity => json!({"Effect": effect, "Action": "*", "Resource": "*"}),
        DocumentKind::Trust => json!({"Effect": effect, "Principal": "*", "Action": "*"}),
    }
}

pub(crate) fn named(name: &str, document: PolicyDocument) -> NamedPolicy {
    NamedPolicy { name: name.into(), document: Arc::new(document) }
}

/// An identity policy of one statement that allows or denies everything, or allows an action that nobody asks for.
pub(crate) fn blanket(effect: &str, is_everything: bool) -> PolicyDocument {
    let statement = match is_everything {
        true => everything(effect, DocumentKind::Identity),
        false => json!({"Effect": effect, "Action": "s3:GetObject", "Resource": "*"}),
    };
    let text = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    PolicyDocument::parse(&text, DocumentKind::Identity).unwrap()
}
