//! The audit log as the service's callers see it: whether a request can be recorded, and that its record is durable before
//! anybody is answered.

use crate::{Identity, IdentityKind, Notes, PortFuture, RequestId};
use kms_attestation::Platform;
use kms_audit::{AuditError, Elements, Member, Priority, Record, RoleIdentity, Statement, UserIdentity, Uuid};
use kms_policy::{Allowed, Decision, Denied, PolicySource, StatementRef};
use std::fmt;

/// Where records go. Nobody is answered before [`AuditSink::record`] has said that the record is on stable storage.
pub trait AuditSink: Send + Sync + fmt::Debug {
    /// Whether a record would be taken now: asked before the work, so that nothing is done that could not be recorded.
    ///
    /// # Errors
    /// [`AuditError`] says why not.
    fn check(&self, priority: Priority) -> Result<(), AuditError>;

    /// Hands a record over and waits, with a deadline, until it is on stable storage. The record is handed over by the call
    /// itself: whoever drops the future only stops waiting.
    fn record(&self, record: Record, priority: Priority) -> PortFuture<'_, Result<(), AuditError>>;
}

/// The ID of a request as records have it.
#[must_use]
pub fn audit_uuid(id: RequestId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

impl Identity {
    /// The principal as records name it.
    #[must_use]
    pub fn in_audit(&self) -> kms_audit::Identity<'_> {
        let access_key_id = self.access_key_id.as_deref();
        match &self.kind {
            IdentityKind::Root => kms_audit::Identity::Root { account: self.account, access_key_id },
            IdentityKind::User => kms_audit::Identity::User(UserIdentity {
                arn: &self.arn,
                principal_id: &self.principal_id,
                account: self.account,
                access_key_id,
                user_name: last_part(&self.arn),
            }),
            IdentityKind::Session { role_arn, issued_at } => kms_audit::Identity::AssumedRole(RoleIdentity {
                arn: &self.arn,
                principal_id: &self.principal_id,
                account: self.account,
                access_key_id,
                role_arn,
                role_id: self.principal_id.split(':').next().unwrap_or_default(),
                role_name: last_part(role_arn),
                session_created_at: *issued_at,
            }),
        }
    }
}

impl Notes {
    /// `additionalEventData`: what a verified attestation document says of the recipient, as CloudTrail shows it.
    #[must_use]
    pub fn additional(&self) -> Elements<'static> {
        let Some(attestation) = &self.attestation else { return Elements::new() };
        let module_id = attestation.module_id().to_owned();
        let recipient = Elements::new().text(Member::ATTESTATION_DOCUMENT_MODULE_ID, module_id);
        let shown = match attestation.platform() {
            Platform::Enclave => Member::ENCLAVE_REGISTERS,
            Platform::NitroTpm => Member::NITRO_TPM_REGISTERS,
        };
        let shown = shown.into_iter().filter_map(|(number, member)| Some((member, attestation.register(number)?)));
        let recipient = shown.fold(recipient, |recipient, (member, content)| recipient.text(member, content));
        Elements::new().object(Member::RECIPIENT, recipient)
    }
}

fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// A decision in the form of records, which borrow from it.
#[derive(Debug)]
pub struct AuditDecision<'a> {
    allowed: bool,
    rule: &'static str,
    grant_id: Option<String>,
    statements: Vec<Statement<'a>>,
}

impl<'a> AuditDecision<'a> {
    /// The statements and the rule of a decision.
    #[must_use]
    pub fn of(decision: &'a Decision) -> Self {
        let (rule, grant, statements) = match decision {
            Decision::Allowed(Allowed::KeyPolicy(on_key)) => ("KeyPolicy", None, [Some(on_key), None]),
            Decision::Allowed(Allowed::KeyAndIdentity(on_key, identity)) => {
                ("KeyPolicyAndIdentityPolicy", None, [Some(on_key), identity.as_ref()])
            }
            Decision::Allowed(Allowed::Grant(grant, identity)) => {
                ("Grant", Some(grant.to_string()), [identity.as_ref(), None])
            }
            Decision::Allowed(Allowed::Identity(identity)) => ("IdentityPolicy", None, [identity.as_ref(), None]),
            Decision::Denied(denied) => {
                let (rule, statement) = denial(denied);
                (rule, None, [statement, None])
            }
        };
        Self {
            allowed: decision.is_allowed(),
            rule,
            grant_id: grant,
            statements: statements.into_iter().flatten().map(in_audit).collect(),
        }
    }

    /// The decision for a record.
    #[must_use]
    pub fn view(&self) -> kms_audit::Decision<'_> {
        kms_audit::Decision {
            allowed: self.allowed,
            rule: self.rule,
            grant_id: self.grant_id.as_deref(),
            statements: &self.statements,
        }
    }
}

const fn denial(denied: &Denied) -> (&'static str, Option<&StatementRef>) {
    match denied {
        Denied::Explicit(statement) => ("ExplicitDeny", Some(statement)),
        Denied::NoIdentityPolicy => ("NoIdentityPolicy", None),
        Denied::NoKeyPolicy => ("NoKeyPolicy", None),
        Denied::Boundary => ("PermissionBoundary", None),
        Denied::SessionPolicy => ("SessionPolicy", None),
        Denied::CrossAccount => ("CrossAccount", None),
        Denied::Misplaced => ("Misplaced", None),
    }
}

fn in_audit(statement: &StatementRef) -> Statement<'_> {
    let (policy_type, policy_name) = match &statement.source {
        PolicySource::Key => ("Key", None),
        PolicySource::Trust => ("Trust", None),
        PolicySource::Identity(name) => ("Identity", Some(name.as_ref())),
        PolicySource::Boundary(name) => ("Boundary", Some(name.as_ref())),
        PolicySource::Session(name) => ("Session", Some(name.as_ref())),
    };
    let index = u64::try_from(statement.index).unwrap_or(u64::MAX);
    Statement { policy_type, policy_name, index, sid: statement.sid.as_deref() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_types::AccountId;
    use std::sync::Arc;

    #[test]
    fn a_decision_names_its_rule_and_its_statements() {
        let statement = |source, index| StatementRef { source, index, sid: Some("Sid".into()) };
        let key = statement(PolicySource::Key, 1);
        let identity = statement(PolicySource::Identity(Arc::from("Administrators")), 0);
        let decision = Decision::Allowed(Allowed::KeyAndIdentity(key.clone(), Some(identity)));
        let noted = AuditDecision::of(&decision);
        assert_eq!((noted.view().allowed, noted.view().rule), (true, "KeyPolicyAndIdentityPolicy"));
        let places: Vec<_> =
            noted.view().statements.iter().map(|s| (s.policy_type, s.policy_name, s.index, s.sid)).collect();
        let expected = [("Key", None, 1, Some("Sid")), ("Identity", Some("Administrators"), 0, Some("Sid"))];
        assert_eq!(places, expected);
        let denied = Decision::Denied(Denied::Explicit(key));
        let noted = AuditDecision::of(&denied);
        assert_eq!(
            (noted.view().allowed, noted.view().rule, noted.view().statements.len()),
            (false, "ExplicitDeny", 1)
        );
    }

    #[test]
    fn a_user_is_named_by_the_last_part_of_the_arn() {
        let account = AccountId::parse("111122223333").unwrap();
        let user = Identity::bootstrap("arn:aws:iam::111122223333:user/team/alice", account, false, Some("AKID"));
        let kms_audit::Identity::User(user) = user.in_audit() else { panic!("not a user") };
        assert_eq!((user.user_name, user.access_key_id), ("alice", Some("AKID")));
    }
}
