//! Who may do what, and what decides: the answer that a request would get, with its reason. For operators; a caller learns
//! less (`authorise/denial.rs`).
//!
//! The answer follows from what this Region has published, the identity, and the time. Nothing is done, nothing is noted.

use crate::authorise::{Access, Resource};
use crate::{Caller, Identity, KmsError, Origin, RequestId, Service};
use kms_policy::{Action, Allowed, Decision, Denied, Facts, PolicySource, StatementRef};
use kms_types::{AliasArn, EncryptionContext, GrantId, KeyRef};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is asked.
#[derive(Clone, Debug)]
pub struct AccessQuestion {
    /// Who would ask.
    pub identity: Arc<Identity>,
    /// The action, as in `kms:Decrypt`.
    pub action: String,
    /// Key ID, key ARN, alias name or alias ARN; `None` for actions that are about no key.
    pub key_id: Option<String>,
    /// The encryption context of the request.
    pub encryption_context: EncryptionContext,
    /// Further condition keys with their values.
    pub facts: BTreeMap<String, String>,
}

/// What would be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessExplanation {
    /// Each decision with the resource that it is about; all of them must allow.
    pub decisions: Vec<ExplainedDecision>,
    /// What the explanation does not cover.
    pub notes: Vec<String>,
}

/// One decision in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedDecision {
    /// ARN of the key or alias, or `*`.
    pub resource: String,
    /// The decision.
    pub decision: Decision,
    /// The rule that applied.
    pub rule: &'static str,
    /// What would have to be there; empty when allowed, or denied by a statement.
    pub missing: String,
}

impl AccessExplanation {
    /// Whether the request would be allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.decisions.iter().all(|explained| explained.decision.is_allowed())
    }
}

impl ExplainedDecision {
    /// The statements that decided.
    pub fn statements(&self) -> impl Iterator<Item = &StatementRef> {
        let (first, second) = match &self.decision {
            Decision::Allowed(Allowed::KeyPolicy(statement)) | Decision::Denied(Denied::Explicit(statement)) => {
                (Some(statement), None)
            }
            Decision::Allowed(Allowed::KeyAndIdentity(statement, identity)) => (Some(statement), identity.as_ref()),
            Decision::Allowed(Allowed::Grant(_, identity) | Allowed::Identity(identity)) => (None, identity.as_ref()),
            Decision::Denied(_) => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// The grant that allows.
    #[must_use]
    pub const fn grant(&self) -> Option<GrantId> {
        match &self.decision {
            Decision::Allowed(Allowed::Grant(id, _)) => Some(*id),
            Decision::Allowed(_) | Decision::Denied(_) => None,
        }
    }
}

impl Service {
    /// Decides as for a request of this Region, and says why.
    ///
    /// # Errors
    /// A validation error for an unknown action, or one without the key that it needs; [`KmsError::InvalidKeyId`] and its
    /// kin when no such key is known.
    pub fn explain_access(&self, question: &AccessQuestion) -> Result<AccessExplanation, KmsError> {
        let action = Action::parse(&question.action)
            .ok_or_else(|| KmsError::service(format!("{} is not an action of this service.", question.action)))?;
        let (caller, others) = caller_of(question);
        let access =
            self.access(&caller, action).with(|r| r.encryption_context(&question.encryption_context).other(&others));
        let mut decisions = Vec::new();
        let mut notes = notes_on(action);
        if !action.is_on_key() {
            decisions.push(explained(&access, "*".to_owned(), access.decide(Resource::Account)));
            return Ok(AccessExplanation { decisions, notes });
        }
        let named = question.key_id.as_deref();
        let named = named.ok_or_else(|| KmsError::service(format!("{action} needs a key.")))?;
        let found = self.find_for_operator(named)?;
        if let Some(alias) = self.alias_of(named, &caller, action) {
            decisions.push(explained(&access, alias.to_string(), access.decide(Resource::Alias(&alias))));
        }
        let access = access.naming(named);
        let decision = match self.directory().key(&found.key_id) {
            Some(entry) => access.decide(Resource::Key(&entry)),
            None => {
                notes.push(format!("Region {} does not hold the key; ask a Region that does.", self.region()));
                access.decide(Resource::Absent(&found.arn))
            }
        };
        decisions.push(explained(&access, found.arn.to_string(), decision));
        Ok(AccessExplanation { decisions, notes })
    }

    /// The alias that an action on aliases is about, if the key is named by one.
    fn alias_of(&self, named: &str, caller: &Caller, action: Action) -> Option<Arc<str>> {
        if !matches!(action, Action::CreateAlias | Action::UpdateAlias | Action::DeleteAlias) {
            return None;
        }
        let arn = match KeyRef::parse(named).ok()? {
            KeyRef::Alias(name) => AliasArn { region: self.region().clone(), account: caller.account(), name },
            KeyRef::AliasArn(arn) => arn,
            KeyRef::Id(_) | KeyRef::Arn(_) => return None,
        };
        Some(arn.to_string().into())
    }
}

/// The request that is supposed: over TLS and from nowhere in particular, unless the question says otherwise.
fn caller_of(question: &AccessQuestion) -> (Caller, Facts) {
    let mut origin = Origin { secure_transport: true, ..Origin::default() };
    let mut others = Facts::default();
    for (key, value) in &question.facts {
        match key.to_ascii_lowercase().as_str() {
            "aws:sourceip" => origin.source_ip = value.parse().ok(),
            "aws:securetransport" => origin.secure_transport = value != "false",
            "aws:useragent" => origin.user_agent = Some(value.as_str().into()),
            _ => others = others.with(key, [value.as_str()]),
        }
    }
    // The request has no ID of its own, because it is never made.
    let caller = Caller::new(Arc::clone(&question.identity), RequestId::from_random([0; 16]));
    (Caller { origin, ..caller }, others)
}

fn explained(access: &Access<'_>, resource: String, decision: Decision) -> ExplainedDecision {
    let missing = match &decision {
        Decision::Allowed(_) => String::new(),
        Decision::Denied(denied) => missing(access, &resource, denied),
    };
    ExplainedDecision { resource, rule: rule(&decision), missing, decision }
}

/// The rule in words, a sentence for every outcome.
const fn rule(decision: &Decision) -> &'static str {
    match decision {
        Decision::Allowed(Allowed::KeyPolicy(_)) => "The key policy allows it to the principal itself.",
        Decision::Allowed(Allowed::KeyAndIdentity(_, Some(_))) => {
            "The key policy lets the principal's account decide, and an identity policy allows it."
        }
        Decision::Allowed(Allowed::KeyAndIdentity(_, None)) => {
            "The key policy lets the account decide, and its root user needs no identity policy."
        }
        Decision::Allowed(Allowed::Grant(_, None)) => "A grant on the key allows it.",
        Decision::Allowed(Allowed::Grant(_, Some(_))) => "A grant on the key and an identity policy allow it.",
        Decision::Allowed(Allowed::Identity(Some(_))) => "An identity policy allows it; no key policy has a say.",
        Decision::Allowed(Allowed::Identity(None)) => {
            "The root user needs no identity policy; no key policy has a say."
        }
        Decision::Denied(Denied::Explicit(_)) => "A statement denies it, and nothing that allows it counts then.",
        Decision::Denied(Denied::NoIdentityPolicy) => {
            "Identity policies have to allow it, for this account and resource, and none does."
        }
        Decision::Denied(Denied::NoKeyPolicy) => "Neither the key policy nor a grant lets the principal in.",
        Decision::Denied(Denied::Boundary) => "The permission boundary of the principal does not allow it.",
        Decision::Denied(Denied::SessionPolicy) => "The policy of the session does not allow it.",
        Decision::Denied(Denied::CrossAccount) => "The action is not offered to other accounts, whatever policies say.",
        Decision::Denied(Denied::Misplaced) => "The action is not authorised on a resource of this kind.",
    }
}

fn missing(access: &Access<'_>, resource: &str, denied: &Denied) -> String {
    let (caller, action) = (access.caller(), access.action());
    let who = caller.arn();
    match denied {
        Denied::Explicit(_) | Denied::CrossAccount | Denied::Misplaced => String::new(),
        Denied::NoIdentityPolicy => {
            format!(
                "an identity policy of {who} that allows {action} on {resource} under the conditions of the request"
            )
        }
        Denied::NoKeyPolicy => format!(
            "a statement of the key policy of {resource} that allows {action} to {who}, or to account {} together with \
             an identity policy; or a grant to {who}",
            caller.account()
        ),
        Denied::Boundary => format!("a statement of the permission boundary of {who} that allows {action}"),
        Denied::SessionPolicy => format!("a statement of the session policy of {who} that allows {action}"),
    }
}

/// Actions whose requests are decided in more than one place.
fn notes_on(action: Action) -> Vec<String> {
    let note = match action {
        Action::ReplicateKey => "ReplicateKey also needs kms:CreateKey in the replica's Region, by identity policies.",
        Action::UpdatePrimaryRegion => "UpdatePrimaryRegion is decided on both keys; ask the other Region too.",
        Action::ReEncryptFrom | Action::ReEncryptTo => {
            "ReEncrypt needs ReEncryptFrom on one key and ReEncryptTo on the other."
        }
        Action::CreateAlias | Action::UpdateAlias | Action::DeleteAlias => {
            "An action on an alias is decided on the alias and on its key; name the key by the alias to see both."
        }
        Action::CreateGrant => {
            "A grant that permits CreateGrant covers only grants that are no wider, which are not known here."
        }
        Action::RetireGrant => {
            "RetireGrant is decided for one grant; shown is who may retire every grant of the account."
        }
        Action::CreateKey => "A multi-Region key also needs iam:CreateServiceLinkedRole, and tags kms:TagResource.",
        _ => return Vec::new(),
    };
    vec![note.to_owned()]
}

/// Where a statement stands, in words, and the name of its policy.
#[must_use]
pub fn source_words(source: &PolicySource) -> (&'static str, &str) {
    match source {
        PolicySource::Key => ("key policy", ""),
        PolicySource::Trust => ("trust policy", ""),
        PolicySource::Identity(name) => ("identity policy", name),
        PolicySource::Boundary(name) => ("permission boundary", name),
        PolicySource::Session(name) => ("session policy", name),
    }
}
