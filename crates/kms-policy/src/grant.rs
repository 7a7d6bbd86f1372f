//! What a grant permits (AWS KMS Developer Guide, "Grants in AWS KMS").

use crate::action::Action;
use crate::condition_key::{NamedKey, equals_lowercase, lowercase};
use crate::principal::{Named, Principal};
use crate::request::{Fact, RequestContext};
use kms_types::{EncryptionContext, GrantOperation};
use std::collections::{BTreeMap, BTreeSet};

/// The terms of a grant on one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantTerms<'a> {
    /// Who may use the key: the ARN of a user, role, session or account root, or the name of a service, which no caller has.
    pub grantee: &'a str,
    /// What it permits.
    pub operations: &'a BTreeSet<GrantOperation>,
    /// When it permits it.
    pub constraints: GrantConstraints<'a>,
}

/// The constraints of a grant; all of them must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrantConstraints<'a> {
    /// The encryption context has exactly these pairs.
    pub encryption_context_equals: Option<&'a BTreeMap<String, String>>,
    /// The encryption context has at least these pairs.
    pub encryption_context_subset: Option<&'a BTreeMap<String, String>>,
    /// The request is made on behalf of this resource.
    pub source_arn: Option<&'a str>,
}

impl<'a> GrantTerms<'a> {
    /// How the grant lets the caller do what it asks for, if it does. CreateGrant needs
    /// [`RequestContext::new_grant`], which must be no wider than this one.
    pub(crate) fn covers(&self, context: &RequestContext<'_>) -> Option<Named> {
        let operation = context.action().grant_operation()?;
        if !self.operations.contains(&operation) {
            return None;
        }
        let holds = match context.action() {
            Action::RetireGrant => true,
            Action::DescribeKey => self.constraints.admit_source(context),
            // What the new grant will admit stands in the place of an encryption context.
            Action::CreateGrant => {
                let is_no_wider = context.grant_to_make().is_some_and(|child| child.is_no_wider_than(self));
                is_no_wider && self.constraints.admit_source(context)
            }
            _ => self.constraints.admit_source(context) && self.constraints.admit_context(context),
        };
        if holds { self.named(context.principal()) } else { None }
    }

    /// How the grant names a principal as its grantee.
    pub(crate) fn named(&self, principal: &Principal<'_>) -> Option<Named> {
        principal.named_by(self.grantee)
    }

    /// Whether this grant permits nothing that `parent` does not: no other operation, and under constraints that are the same
    /// or stricter (AWS KMS Developer Guide, "Granting CreateGrant permission").
    #[must_use]
    pub fn is_no_wider_than(&self, parent: &GrantTerms<'_>) -> bool {
        let (own, theirs) = (&self.constraints, &parent.constraints);
        let equals = theirs.encryption_context_equals.is_none_or(|wanted| {
            own.encryption_context_equals.is_some_and(|equals| are_equal(&list(equals), &list(wanted)))
        });
        let subset = theirs.encryption_context_subset.is_none_or(|wanted| {
            let own = [own.encryption_context_equals, own.encryption_context_subset];
            own.into_iter().flatten().any(|pairs| contains(&list(pairs), &list(wanted)))
        });
        let source = theirs.source_arn.is_none_or(|wanted| own.source_arn == Some(wanted));
        self.operations.is_subset(parent.operations) && equals && subset && source
    }

    /// The condition keys of the CreateGrant that makes this grant. Those with several values are told elsewhere.
    pub(crate) fn fact(&self, key: NamedKey) -> Option<Fact<'a>> {
        let is_service = !self.grantee.starts_with("arn:");
        match key {
            NamedKey::GranteePrincipal => (!is_service).then_some(Fact::Text(self.grantee)),
            NamedKey::GranteeServicePrincipal => is_service.then_some(Fact::Text(self.grantee)),
            NamedKey::GrantConstraintSourceArn => self.constraints.source_arn.map(Fact::Text),
            _ => None,
        }
    }
}

impl<'a> GrantConstraints<'a> {
    /// The values of `kms:GrantConstraintType`.
    pub(crate) fn types(&self) -> impl Iterator<Item = &'static str> {
        let equals = self.encryption_context_equals.map(|_| "EncryptionContextEquals");
        equals.into_iter().chain(self.encryption_context_subset.map(|_| "EncryptionContextSubset"))
    }

    /// The pairs that the constraints want.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let maps = self.encryption_context_equals.into_iter().chain(self.encryption_context_subset);
        maps.flatten().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Never without `aws:SourceArn`; compared as it is, without wildcards (not documented).
    fn admit_source(&self, context: &RequestContext<'_>) -> bool {
        self.source_arn.is_none_or(|wanted| context.arn_of_source() == Some(wanted))
    }

    fn admit_context(&self, context: &RequestContext<'_>) -> bool {
        if self.encryption_context_equals.is_none() && self.encryption_context_subset.is_none() {
            return true;
        }
        // An operation that has no encryption context cannot meet a constraint on it.
        let Some(given) = context.context_of_encryption().map(pairs_of) else { return false };
        self.encryption_context_equals.is_none_or(|wanted| are_equal(&given, &list(wanted)))
            && self.encryption_context_subset.is_none_or(|wanted| contains(&given, &list(wanted)))
    }
}

fn list(pairs: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn pairs_of(context: &EncryptionContext) -> Vec<(&str, &str)> {
    context.iter().collect()
}

/// Keys are compared without regard to case, values as they are.
fn is_same(one: (&str, &str), other: (&str, &str)) -> bool {
    one.1 == other.1 && equals_lowercase(one.0, &lowercase(other.0))
}

/// Whether both have the same pairs, in any order.
fn are_equal(given: &[(&str, &str)], wanted: &[(&str, &str)]) -> bool {
    given.len() == wanted.len()
        && wanted.iter().all(|pair| given.iter().any(|one| is_same(*one, *pair)))
        && given.iter().all(|pair| wanted.iter().any(|one| is_same(*one, *pair)))
}

/// Whether `given` has every wanted pair. A second key that differs from a wanted one by case only must not bring another
/// value: it would leave open which of the two counts.
fn contains(given: &[(&str, &str)], wanted: &[(&str, &str)]) -> bool {
    wanted.iter().all(|pair| {
        let lower = lowercase(pair.0);
        let mut of_key = given.iter().filter(|one| equals_lowercase(one.0, &lower)).peekable();
        of_key.peek().is_some()
            && of_key.all(|one| wanted.iter().any(|other| is_same(*one, *other)))
            && given.iter().any(|one| is_same(*one, *pair))
    })
}

#[cfg(test)]
mod tests;
