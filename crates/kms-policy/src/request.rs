//! What a request brings to a decision: who asks, from where, about which key, with which parameters.
//!
//! Nothing is computed until a policy asks for it: the parts are borrowed, lists are closures, and without conditions a
//! decision looks at none of them.

mod circumstances;
mod facts;
mod key_facts;
mod parameters;

pub(crate) use facts::Fact;
pub use facts::{Facts, Names, Pairs};
pub use key_facts::{KeyFacts, MultiRegionKeyType};

use crate::action::Action;
use crate::condition_key::{ConditionKey, NamedKey, equals_lowercase};
use crate::grant::GrantTerms;
use crate::principal::Principal;
use circumstances::Circumstances;
use kms_types::EncryptionContext;
use parameters::Parameters;

/// Most values of one condition key that are compared. AWS KMS takes no request in which a policy would see more; a caller
/// must not buy time with them.
pub(crate) const VALUES_MAX: usize = 1_000;

/// The condition keys of one request, and who makes it.
///
/// A setter tells a fact; what is not told is absent, and so are keys that the action does not have (AWS KMS Developer
/// Guide, "AWS KMS condition keys"). Where a request may leave a parameter out, tell the value that then holds, unless the
/// setter says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    action: Action,
    principal: Principal<'a>,
    circumstances: Circumstances<'a>,
    key: Option<KeyFacts>,
    resource_tags: Option<Pairs<'a>>,
    resource_aliases: Option<(Names<'a>, usize)>,
    parameters: Parameters<'a>,
    encryption_context: Option<&'a EncryptionContext>,
    new_grant: Option<&'a GrantTerms<'a>>,
    recipient_attestation: Option<Pairs<'a>>,
    other: Option<&'a Facts>,
}

impl<'a> RequestContext<'a> {
    /// A request of which nothing else is known.
    #[must_use]
    pub fn new(action: Action, principal: Principal<'a>) -> Self {
        Self {
            action,
            principal,
            circumstances: Circumstances::default(),
            key: None,
            resource_tags: None,
            resource_aliases: None,
            parameters: Parameters::default(),
            encryption_context: None,
            new_grant: None,
            recipient_attestation: None,
            other: None,
        }
    }

    /// The action that is asked for.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Who asks.
    #[must_use]
    pub const fn principal(&self) -> &Principal<'a> {
        &self.principal
    }

    /// With `kms:EncryptionContext:…` and `kms:EncryptionContextKeys`, and what the constraints of grants look at. Tell the
    /// empty context too where an operation could have had one.
    #[must_use]
    pub const fn encryption_context(mut self, context: &'a EncryptionContext) -> Self {
        self.encryption_context = Some(context);
        self
    }

    /// With the grant that CreateGrant is to make (for any other action it means nothing): `kms:GranteePrincipal` or
    /// `kms:GranteeServicePrincipal`, `kms:GrantOperations`, `kms:GrantConstraintType`, `kms:GrantConstraintSourceArn`, and the pairs of its constraints as
    /// the encryption context.
    #[must_use]
    pub const fn new_grant(mut self, terms: &'a GrantTerms<'a>) -> Self {
        self.new_grant = Some(terms);
        self
    }

    /// With `kms:RecipientAttestation:…`: measurements by the end of the key's name, such as `ImageSha384` and `PCR0`, as
    /// lower-case hexadecimal. Tell those of a verified attestation document and no others.
    #[must_use]
    pub const fn recipient_attestation(mut self, measurements: Pairs<'a>) -> Self {
        self.recipient_attestation = Some(measurements);
        self
    }

    /// With condition keys that have no setter here, such as `sts:ExternalId`. A key that has one is answered by it alone.
    #[must_use]
    pub const fn other(mut self, facts: &'a Facts) -> Self {
        self.other = Some(facts);
        self
    }

    /// The grant that is to be made.
    pub(crate) const fn grant_to_make(&self) -> Option<&'a GrantTerms<'a>> {
        self.new_grant
    }

    /// The encryption context of the request.
    pub(crate) const fn context_of_encryption(&self) -> Option<&'a EncryptionContext> {
        self.encryption_context
    }

    /// Shows every value of a condition key, and returns whether the request has the key. A key may be there with no
    /// value.
    pub(crate) fn visit(&self, key: &ConditionKey, see: &mut dyn FnMut(Fact<'_>)) -> bool {
        if !key.scope().includes(self.action) {
            return false;
        }
        let told = match key {
            ConditionKey::Named(named) => self.visit_named(*named, see),
            ConditionKey::EncryptionContext(name) => {
                let mut found = false;
                self.visit_pairs(|pair| match pair {
                    Some((key, value)) if equals_lowercase(key, name) => {
                        found = true;
                        see(Fact::Text(value));
                    }
                    Some(_) => {}
                    None => {
                        found = true;
                        see(Fact::Excess);
                    }
                });
                found
            }
            ConditionKey::PrincipalTag(tag) => visit_tag(self.circumstances.principal_tags, tag, see),
            ConditionKey::RequestTag(tag) => visit_tag(self.parameters.tags, tag, see),
            ConditionKey::ResourceTag(tag) => visit_tag(self.resource_tags, tag, see),
            ConditionKey::RecipientAttestation(name) => visit_tag(self.recipient_attestation, name, see),
            ConditionKey::Elsewhere(_) => false,
        };
        told || self.other.is_some_and(|facts| facts.visit(key, see))
    }

    /// The value of a condition key as a policy variable; nothing unless it has exactly one.
    pub(crate) fn text(&self, key: &ConditionKey) -> Option<String> {
        let (mut value, mut count) = (None, 0);
        self.visit(key, &mut |fact| {
            count += 1;
            value = fact.text();
        });
        value.filter(|_| count == 1)
    }

    fn visit_named(&self, key: NamedKey, see: &mut dyn FnMut(Fact<'_>)) -> bool {
        match key {
            NamedKey::EncryptionContextKeys => {
                let mut found = false;
                self.visit_pairs(|pair| {
                    found = true;
                    see(pair.map_or(Fact::Excess, |(key, _)| Fact::Text(key)));
                });
                found
            }
            NamedKey::GrantOperations => self.new_grant.is_some_and(|terms| {
                terms.operations.iter().for_each(|operation| see(Fact::Text(operation.as_str())));
                true
            }),
            NamedKey::GrantConstraintType => self.new_grant.is_some_and(|terms| {
                terms.constraints.types().for_each(|name| see(Fact::Text(name)));
                terms.constraints.types().next().is_some()
            }),
            NamedKey::ResourceAliases => self.visit_aliases(see),
            NamedKey::TagKeys => self.parameters.visit_tag_keys(see),
            single => match self.single(single) {
                Some(fact) => {
                    see(fact);
                    true
                }
                None => false,
            },
        }
    }

    fn single(&self, key: NamedKey) -> Option<Fact<'_>> {
        let of_key = || self.key.as_ref().and_then(|facts| facts.fact(key));
        let of_grant = || self.new_grant.and_then(|terms| terms.fact(key));
        let circumstances = &self.circumstances;
        circumstances.fact(key, &self.principal).or_else(of_key).or_else(of_grant).or_else(|| self.parameters.fact(key))
    }

    /// The pairs of the encryption context; `None` in the place of a pair says that there are too many.
    fn visit_pairs(&self, mut see: impl FnMut(Option<(&str, &str)>)) {
        // CreateGrant has no context of its own: its constraints say which contexts the grant will admit.
        if self.action == Action::CreateGrant {
            self.new_grant.iter().flat_map(|terms| terms.constraints.pairs()).for_each(|pair| see(Some(pair)));
            return;
        }
        for (count, pair) in self.encryption_context.iter().flat_map(|context| context.iter()).enumerate() {
            if count == VALUES_MAX {
                see(None);
                return;
            }
            see(Some(pair));
        }
    }

    fn visit_aliases(&self, see: &mut dyn FnMut(Fact<'_>)) -> bool {
        let Some((aliases, limit)) = self.resource_aliases else { return false };
        let mut count = 0;
        aliases.walk(&mut |_| count += 1);
        if count > limit {
            // Such a key is out of reach for whoever depends on its aliases, whatever they are ("kms:ResourceAliases").
            see(Fact::Excess);
        } else {
            aliases.walk(&mut |name| see(Fact::Text(name)));
        }
        count > 0
    }
}

/// Shows the values of a tag or of a measurement. Tag keys that differ by case only are told apart by AWS KMS, but not by conditions.
fn visit_tag(tags: Option<Pairs<'_>>, wanted: &str, see: &mut dyn FnMut(Fact<'_>)) -> bool {
    let mut found = false;
    if let Some(tags) = tags {
        tags.walk(&mut |key, value| {
            if equals_lowercase(key, wanted) {
                found = true;
                see(Fact::Text(value));
            }
        });
    }
    found
}

#[cfg(test)]
mod tests;
