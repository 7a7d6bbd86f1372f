//! Whether a caller may do what it asks for. Every decision of the service is made here, by `kms_policy`: an operation says
//! which action it is and what a condition can ask of the request; the key, its policy, its grants and the caller's own
//! policies come from what is published.
//!
//! Every decision is noted on the caller's [`Trail`](crate::Trail), with its reason, for the audit record. The caller
//! learns of a denial what AWS tells it, in `denial.rs`.

mod denial;
mod key_view;

pub(crate) use denial::UNKNOWN_CIPHERTEXT;
pub(crate) use key_view::{KeyView, RemoteKey};

use crate::caller::{Identity, IdentityKind};
use crate::{Caller, KeyEntry, KmsError, KnownRole, Service};
use kms_core::regional::{GrantPrincipal, GrantRecord};
use kms_policy::{
    AccessRequest, Action, CallerPolicies, Decision, Denied, GrantConstraints, GrantTerms, KeyResource, Names, Pairs,
    PolicyDocument, Principal, RequestContext, RetirableGrant, decide_on_account, decide_with_grants,
    may_put_next_policy,
};
use kms_types::{AccountId, EncryptionContext, KeyArn};
use std::sync::Arc;

/// A request whose caller has been authenticated. Handlers take nothing else, so that none can run unauthenticated.
#[derive(Debug)]
pub struct Authenticated<T> {
    /// Who calls.
    pub caller: Caller,
    /// What is asked.
    pub request: T,
}

/// An action that somebody wants to do: what a decision depends on besides the resource. [`Service::access`] makes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access<'a> {
    caller: &'a Caller,
    context: RequestContext<'a>,
    alias_limit: usize,
}

/// What an action is done to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resource<'a> {
    /// A key of this Region.
    Key(&'a KeyEntry),
    /// The key that a ciphertext names.
    Ciphertext(&'a KeyEntry),
    /// A key of another Region, as that Region described it.
    Remote(&'a RemoteKey),
    /// A key that is not in this Region.
    Absent(&'a KeyArn),
    /// A key that is to be made, by its ARN.
    New(&'a str),
    /// An alias of the caller's account.
    Alias(&'a Arc<str>),
    /// No key: account-wide actions such as `kms:ListKeys`.
    Account,
    /// The principal with this ARN.
    Principal(&'a str),
    /// A role, if there is one with this ARN that is enabled.
    Role(&'a str, Option<&'a KnownRole>),
}

impl Service {
    /// An action of a caller in this Region, under the circumstances of its request.
    pub(crate) fn access<'a>(&'a self, caller: &'a Caller, action: Action) -> Access<'a> {
        let context = RequestContext::new(action, caller.identity.principal())
            .time(self.now())
            .requested_region(self.region().as_str())
            .secure_transport(caller.origin.secure_transport);
        let context = with_origin(with_identity(context, &caller.identity), caller);
        Access { caller, context, alias_limit: self.config().quotas.aliases_per_key }
    }
}

fn with_identity<'a>(context: RequestContext<'a>, identity: &'a Identity) -> RequestContext<'a> {
    let mut context = context;
    if !identity.tags.is_empty() {
        context = context.principal_tags(Pairs::of_map(&identity.tags));
    }
    // A principal of the principals file has no unique ID; its ARN stands in the place of one and is none.
    if identity.principal_id != identity.arn {
        context = context.user_id(&identity.principal_id);
    }
    match &identity.kind {
        // No second factor is asked for when a session begins.
        IdentityKind::Session { issued_at, source_identity, .. } => {
            let context = context.token_issue_time(*issued_at).multi_factor_auth_present(false);
            match source_identity {
                Some(source) => context.source_identity(source),
                None => context,
            }
        }
        IdentityKind::Root | IdentityKind::User => context,
    }
}

fn with_origin<'a>(context: RequestContext<'a>, caller: &'a Caller) -> RequestContext<'a> {
    let mut context = context;
    if let Some(address) = caller.origin.source_ip {
        context = context.source_ip(address);
    }
    if let Some(agent) = &caller.origin.user_agent {
        context = context.user_agent(agent);
    }
    context
}

impl<'a> Access<'a> {
    /// Tells more of the request: parameters that conditions can ask for.
    pub(crate) fn with(self, tell: impl FnOnce(RequestContext<'a>) -> RequestContext<'a>) -> Self {
        Self { context: tell(self.context), ..self }
    }

    /// With the encryption context of the request, which may be empty.
    pub(crate) fn with_context(self, context: &'a EncryptionContext) -> Self {
        self.with(|request| request.encryption_context(context))
    }

    /// With the alias that the request names its key by, if it does ("kms:RequestAlias": the name, also for an ARN).
    pub(crate) fn naming(self, key_id: &'a str) -> Self {
        match key_id.rsplit(':').next() {
            Some(name) if name.starts_with(kms_types::AliasName::PREFIX) => {
                self.with(|request| request.request_alias(name))
            }
            Some(_) | None => self,
        }
    }

    /// What is asked for.
    pub(crate) const fn action(&self) -> Action {
        self.context.action()
    }

    /// Who asks.
    pub(crate) const fn caller(&self) -> &'a Caller {
        self.caller
    }

    /// Decides whether the caller may do the action to the resource, and notes the decision.
    ///
    /// # Errors
    /// [`KmsError::AccessDenied`] with AWS's text; a key of another account is not told from a missing one.
    pub(crate) fn authorise(&self, resource: Resource<'_>) -> Result<(), KmsError> {
        self.note(resource);
        self.conclude(resource, &self.decide(resource))
    }

    /// Decides whether the caller may retire a grant on a key, and notes the decision.
    ///
    /// # Errors
    /// As [`Access::authorise`].
    pub(crate) fn authorise_retirement(&self, entry: &KeyEntry, grant: &GrantRecord) -> Result<(), KmsError> {
        let resource = Resource::Key(entry);
        self.note(resource);
        self.conclude(resource, &self.decide_on_retirement(&entry.view(), &retirable(grant)))
    }

    /// Decides, without noting anything.
    pub(crate) fn decide(&self, resource: Resource<'_>) -> Decision {
        match resource {
            Resource::Key(entry) | Resource::Ciphertext(entry) => self.decide_on_key(&entry.view()),
            Resource::Remote(key) => self.decide_on_key(&key.view()),
            Resource::Absent(arn) => self.decide_on_absent(arn),
            Resource::New(arn) | Resource::Principal(arn) => self.decide_on_account(Some(arn)),
            Resource::Alias(arn) => self.decide_on_account(Some(arn)),
            Resource::Account => self.decide_on_account(None),
            Resource::Role(_, None) => Decision::Denied(Denied::NoKeyPolicy),
            Resource::Role(arn, Some(role)) => {
                let context = self.context.resource_tags(Pairs::of_map(&role.entry.tags));
                kms_policy::decide_on_role(&self.request(&context), arn, &role.entry.id.account, &role.trust)
            }
        }
    }

    /// The lockout safety check of a key policy: whether it lets the caller put the next one. The request tells of the key
    /// what is known of it.
    pub(crate) fn may_put_next_policy(&self, policy: &PolicyDocument, key_arn: &str) -> bool {
        may_put_next_policy(policy, key_arn, &self.request(&self.context))
    }

    fn decide_on_key(&self, key: &KeyView<'_>) -> Decision {
        let action = self.context.action();
        if action == Action::RetireGrant {
            return self.decide_on_retirement(key, &no_grant(key.account));
        }
        self.about(key, |context| {
            decide_with_grants(&self.request(context), &key.resource(), |see| {
                let Some(grants) = key.grants.filter(|_| action.grant_operation().is_some()) else { return };
                let mut see = |grant: &GrantRecord| see(grant.grant_id, &terms_of(grant));
                let _stopped = self.grantee_names().try_for_each(|name| grants.walk(&name, &mut see));
            })
        })
    }

    /// Without a grant only those may who could retire every grant that the key's account makes.
    fn decide_on_retirement(&self, key: &KeyView<'_>, grant: &RetirableGrant<'_>) -> Decision {
        self.about(key, |context| kms_policy::decide_on_retirement(&self.request(context), &key.resource(), grant))
    }

    /// What a key that is not here would say: its account's default key policy, and nothing else that is known.
    fn decide_on_absent(&self, arn: &KeyArn) -> Decision {
        let text = kms_policy::default_key_policy(&arn.account);
        let policy = crate::entry::compile(&text);
        let (arn_text, account) = (arn.to_string(), arn.account);
        let resource = KeyResource { arn: &arn_text, account: &account, policy: &policy };
        let request = self.request(&self.context);
        if self.context.action() == Action::RetireGrant {
            return kms_policy::decide_on_retirement(&request, &resource, &no_grant(account));
        }
        decide_with_grants(&request, &resource, |_| {})
    }

    fn decide_on_account(&self, resource: Option<&str>) -> Decision {
        decide_on_account(&self.request(&self.context), resource)
    }

    /// Tells of the key what conditions can ask. Nothing is computed until a policy asks for it.
    fn about(&self, key: &KeyView<'_>, decide: impl FnOnce(&RequestContext<'_>) -> Decision) -> Decision {
        let aliases = |see: &mut dyn FnMut(&str)| key.aliases.iter().for_each(|name| see(name.as_str()));
        let context: RequestContext<'_> = self.context;
        let context = context.key(key.facts).resource_tags(Pairs::of_map(key.tags));
        decide(&context.resource_aliases(Names::new(&aliases), self.alias_limit))
    }

    fn request<'r>(&'r self, context: &'r RequestContext<'r>) -> AccessRequest<'r> {
        let Identity { policies, boundary, session_policy, .. } = &*self.caller.identity;
        let policies =
            CallerPolicies { identity: policies, boundary: boundary.as_ref(), session: session_policy.as_ref() };
        AccessRequest { context, policies }
    }

    /// The ARNs by which a grant can mean this principal: its own, the role's for a session of a role, and the account's.
    fn grantee_names(&self) -> impl Iterator<Item = String> {
        let identity = &self.caller.identity;
        let role = match &identity.kind {
            IdentityKind::Session { role_arn, .. } => Some(role_arn.to_string()),
            IdentityKind::Root | IdentityKind::User => None,
        };
        let account = Some(Principal::account_arn(&identity.account)).filter(|account| **account != *identity.arn);
        std::iter::once(identity.arn.to_string()).chain(role).chain(account)
    }

    /// Notes what a decision is about, as far as it exists.
    fn note(&self, resource: Resource<'_>) {
        match resource {
            Resource::Key(entry) | Resource::Ciphertext(entry) => {
                self.caller.trail.touched(&entry.arn_text, entry.arn.account);
            }
            Resource::Alias(arn) => self.caller.trail.touched(arn, self.caller.account()),
            Resource::Remote(_)
            | Resource::Absent(_)
            | Resource::New(_)
            | Resource::Account
            | Resource::Role(..)
            | Resource::Principal(_) => {}
        }
    }

    fn conclude(&self, resource: Resource<'_>, decision: &Decision) -> Result<(), KmsError> {
        self.caller.trail.decided(decision);
        match decision {
            Decision::Allowed(_) => Ok(()),
            Decision::Denied(denied) => Err(self.denied(resource, denied)),
        }
    }
}

/// The terms of a grant as decisions see them.
fn terms_of(grant: &GrantRecord) -> GrantTerms<'_> {
    let (GrantPrincipal::Arn(grantee) | GrantPrincipal::Service(grantee)) = &grant.grantee;
    GrantTerms { grantee, operations: &grant.operations, constraints: constraints_of(&grant.constraints) }
}

/// Constraints of a grant as decisions see them.
pub(crate) fn constraints_of(constraints: &kms_core::regional::GrantConstraints) -> GrantConstraints<'_> {
    GrantConstraints {
        encryption_context_equals: constraints.encryption_context_equals.as_ref(),
        encryption_context_subset: constraints.encryption_context_subset.as_ref(),
        source_arn: constraints.source_arn.as_deref(),
    }
}

fn retirable(grant: &GrantRecord) -> RetirableGrant<'_> {
    let retiring_principal = match &grant.retiring {
        Some(GrantPrincipal::Arn(arn)) => Some(arn.as_str()),
        // No caller is a service.
        Some(GrantPrincipal::Service(_)) | None => None,
    };
    RetirableGrant {
        id: grant.grant_id,
        terms: terms_of(grant),
        retiring_principal,
        issuing_account: grant.issuing_account,
    }
}

/// Stands for a grant that is not there, made by the key's own account for nobody.
fn no_grant(account: AccountId) -> RetirableGrant<'static> {
    static NOTHING: std::collections::BTreeSet<kms_types::GrantOperation> = std::collections::BTreeSet::new();
    RetirableGrant {
        id: kms_types::GrantId::from_bytes([0; 32]),
        terms: GrantTerms { grantee: "", operations: &NOTHING, constraints: GrantConstraints::default() },
        retiring_principal: None,
        issuing_account: account,
    }
}
