//! Principals with policies of their own.

use kms_policy::{Decision, DocumentKind, NamedPolicy, PolicyDocument};
use kms_service::{Authenticated, Caller, Identity, RequestId};
use kms_types::AccountId;
use std::sync::Arc;

/// A principal that is being described.
#[derive(Clone)]
pub(crate) struct Person {
    identity: Identity,
    caller: fn(&mut Caller),
}

impl Person {
    /// A user, session or root user with this ARN, who has no policy.
    pub(crate) fn new(arn: &str) -> Self {
        let account = AccountId::parse(arn.split(':').nth(4).unwrap()).unwrap();
        Self { identity: Identity::bootstrap(arn, account, false, None), caller: |_| {} }
    }

    /// With one more identity policy of these statements.
    pub(crate) fn with(mut self, statements: &str) -> Self {
        let name = format!("policy-{}", self.identity.policies.len());
        self.identity.policies.push(named(&name, statements));
        self
    }

    /// With a permission boundary.
    pub(crate) fn bounded_by(mut self, statements: &str) -> Self {
        self.identity.boundary = Some(named("boundary", statements));
        self
    }

    /// With a session policy.
    pub(crate) fn in_session_with(mut self, statements: &str) -> Self {
        self.identity.session_policy = Some(named("session", statements));
        self
    }

    pub(crate) fn tagged(mut self, key: &str, value: &str) -> Self {
        self.identity.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With something else about its requests.
    pub(crate) fn calling(mut self, change: fn(&mut Caller)) -> Self {
        self.caller = change;
        self
    }

    pub(crate) fn identity(&self) -> Arc<Identity> {
        Arc::new(self.identity.clone())
    }

    /// A request of this principal.
    pub(crate) fn asks<T>(&self, request: T) -> Authenticated<T> {
        let mut caller = Caller::new(self.identity(), RequestId::from_random([7; 16]));
        (self.caller)(&mut caller);
        Authenticated { caller, request }
    }
}

fn named(name: &str, statements: &str) -> NamedPolicy {
    let text = document(statements);
    NamedPolicy { name: name.into(), document: Arc::new(PolicyDocument::parse(&text, DocumentKind::Identity).unwrap()) }
}

/// A policy of these statements.
pub(crate) fn document(statements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

/// The decision that counts for the audit record of a request, in words.
pub(crate) fn noted(caller: &Caller) -> String {
    caller.trail.notes().decision.as_ref().map(Decision::to_string).unwrap_or_default()
}
