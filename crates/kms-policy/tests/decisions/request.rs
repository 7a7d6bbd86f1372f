//! From a case of the table to a decision of the crate.

use crate::scenario::{Case, Change, Grant, Key, Scenario, Table, With, blanket, compile, named};
use kms_policy::{
    AccessRequest, Action, CallerPolicies, Decision, DocumentKind, Facts, GrantConstraints, GrantTerms, KeyFacts,
    KeyResource, MultiRegionKeyType, NamedPolicy, Names, Pairs, PolicyDocument, Principal, PrincipalKind,
    RequestContext, RetirableGrant, decide_on_account, decide_on_key, decide_on_retirement, decide_on_role,
};
use kms_types::{
    AccountId, EncryptionAlgorithm, EncryptionContext, ExpirationModel, GrantOperation, KeyAgreementAlgorithm, KeySpec,
    KeyUsage, MacAlgorithm, MessageType, Origin, SigningAlgorithm, Timestamp, WrappingAlgorithm, WrappingKeySpec,
    limits,
};
use std::collections::{BTreeMap, BTreeSet};

/// The account in an ARN.
fn account(arn: &str) -> AccountId {
    AccountId::parse(arn.split(':').nth(4).unwrap()).unwrap()
}

fn seconds(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

/// The parts of a grant that its terms borrow.
struct Terms<'a> {
    grant: &'a Grant,
    operations: BTreeSet<GrantOperation>,
}

impl<'a> Terms<'a> {
    fn of(grant: &'a Grant) -> Self {
        let operations = grant.operations.iter().map(|name| GrantOperation::parse(name).unwrap()).collect();
        Self { grant, operations }
    }

    fn terms(&self) -> GrantTerms<'_> {
        let constraints = GrantConstraints {
            encryption_context_equals: self.grant.equals.as_ref(),
            encryption_context_subset: self.grant.subset.as_ref(),
            source_arn: self.grant.source_arn.as_deref(),
        };
        GrantTerms { grantee: &self.grant.grantee, operations: &self.operations, constraints }
    }
}

/// Decides a case, with its policies changed.
pub(crate) fn decide(table: &Table, scenario: &Scenario, case: &Case, change: Change) -> Decision {
    let person = &table.principals[&case.who];
    let kind = match &person.role {
        Some(role_arn) => PrincipalKind::Session { role_arn },
        None if person.arn.ends_with(":root") => PrincipalKind::Root,
        None => PrincipalKind::User,
    };
    let principal = Principal { arn: &person.arn, account: account(&person.arn), kind };
    let action = Action::kms(&case.does).or_else(|| Action::parse(&case.does)).unwrap();

    let nothing = BTreeMap::new();
    let owned = scenario.identity.get(&case.who).unwrap_or(&nothing);
    let compiled =
        |value: &serde_json::Value| compile(value, DocumentKind::Identity, change, Change::DenyInIdentityPolicy);
    let mut identity: Vec<NamedPolicy> =
        owned.iter().map(|(name, value)| named(name, compiled(value).unwrap())).collect();
    if change == Change::DenyInIdentityPolicy {
        identity.push(named("Added", blanket("Deny", true)));
    }
    // A scenario's own boundary or session policy stays; another in its place need not be narrower.
    let narrower = |given: &BTreeMap<String, serde_json::Value>, for_all, for_nothing| match given.get(&case.who) {
        Some(value) => compiled(value).map(|document| named("Set", document)),
        None if change == for_all => Some(named("Added", blanket("Allow", true))),
        None if change == for_nothing => Some(named("Added", blanket("Allow", false))),
        None => None,
    };
    let boundary = narrower(&scenario.boundary, Change::BoundaryForAll, Change::BoundaryForNothing);
    let session = narrower(&scenario.session, Change::SessionForAll, Change::SessionForNothing);
    let policies = CallerPolicies { identity: &identity, boundary: boundary.as_ref(), session: session.as_ref() };

    let key = scenario.key.as_ref().map(|name| &table.keys[name]);
    let like = case.with.like_key.as_ref().map(|name| &table.keys[name]);
    with_context(RequestContext::new(action, principal), &case.with, key.or(like), |context| {
        let tags = |see: &mut dyn FnMut(&str, &str)| person.tags.iter().for_each(|(tag, value)| see(tag, value));
        let mut context = context.principal_tags(Pairs::new(&tags));
        if let Some(id) = &person.user_id {
            context = context.user_id(id);
        }
        let request = AccessRequest { context: &context, policies };
        let Some(key) = key else { return decide_elsewhere(&request, scenario, case, change) };
        decide_about(&request, scenario, case, key, change)
    })
}

fn decide_about(request: &AccessRequest<'_>, scenario: &Scenario, case: &Case, key: &Key, change: Change) -> Decision {
    let policy = compile(&scenario.key_policy, DocumentKind::Key, change, Change::DenyInKeyPolicy);
    let policy = policy.unwrap_or_else(|| panic!("{} has no key policy", scenario.scenario));
    let owner = account(&key.arn);
    let resource = KeyResource { arn: &key.arn, account: &owner, policy: &policy };
    let terms: Vec<_> =
        scenario.grants.iter().map(|(name, grant)| (scenario.grant_id(name), Terms::of(grant))).collect();
    if let Some(name) = &case.grant {
        let grant = &scenario.grants[name];
        let terms = Terms::of(grant);
        let issuer = grant.issuer.as_ref().map_or(owner, |id| AccountId::parse(id).unwrap());
        let retirable = RetirableGrant {
            id: scenario.grant_id(name),
            terms: terms.terms(),
            retiring_principal: grant.retiring.as_deref(),
            issuing_account: issuer,
        };
        return decide_on_retirement(request, &resource, &retirable);
    }
    decide_on_key(request, &resource, terms.iter().map(|(id, terms)| (*id, terms.terms())))
}

fn decide_elsewhere(request: &AccessRequest<'_>, scenario: &Scenario, case: &Case, change: Change) -> Decision {
    let trust: Option<PolicyDocument> = compile(&scenario.trust, DocumentKind::Trust, change, Change::DenyInKeyPolicy);
    match (&trust, &case.on) {
        (Some(trust), Some(role)) => decide_on_role(request, role, &account(role), trust),
        (_, on) => decide_on_account(request, on.as_deref()),
    }
}

fn key_facts(key: &Key) -> KeyFacts {
    KeyFacts {
        account: account(&key.arn),
        spec: KeySpec::parse(&key.spec).unwrap(),
        usage: KeyUsage::parse(&key.usage).unwrap(),
        origin: Origin::parse(key.origin.as_deref().unwrap_or("AWS_KMS")).unwrap(),
        multi_region: key.multi_region.as_deref().map(|kind| match kind {
            "PRIMARY" => MultiRegionKeyType::Primary,
            "REPLICA" => MultiRegionKeyType::Replica,
            other => panic!("{other}"),
        }),
    }
}

/// Tells one fact if the case has it.
fn tell<'a, V>(
    context: RequestContext<'a>,
    value: Option<V>,
    set: impl FnOnce(RequestContext<'a>, V) -> RequestContext<'a>,
) -> RequestContext<'a> {
    match value {
        Some(value) => set(context, value),
        None => context,
    }
}

/// Reads a word of the domain.
fn word<V, E: std::fmt::Debug>(value: Option<&String>, parse: impl FnOnce(&str) -> Result<V, E>) -> Option<V> {
    value.map(|value| parse(value).unwrap())
}

fn with_circumstances<'a>(context: RequestContext<'a>, with: &'a With) -> RequestContext<'a> {
    use RequestContext as C;
    let context = tell(context, with.mfa, C::multi_factor_auth_present);
    let context = tell(context, with.mfa_age, C::multi_factor_auth_age);
    let context = tell(context, with.region.as_deref(), C::requested_region);
    let context = tell(context, with.secure_transport, C::secure_transport);
    let context = tell(context, with.source_account.as_deref(), C::source_account);
    let context = tell(context, with.source_arn.as_deref(), C::source_arn);
    let context = tell(context, with.source_ip.as_ref().map(|ip| ip.parse().unwrap()), C::source_ip);
    let context = tell(context, with.time.map(seconds), C::time);
    let context = tell(context, with.token_issue_time.map(seconds), C::token_issue_time);
    tell(context, with.user_agent.as_deref(), C::user_agent)
}

fn with_parameters<'a>(context: RequestContext<'a>, with: &'a With) -> RequestContext<'a> {
    use RequestContext as C;
    let context = tell(context, with.bypass, C::bypass_policy_lockout_safety_check);
    let context = tell(context, with.grant_is_for_aws_resource, C::grant_is_for_aws_resource);
    let context = tell(context, with.pending_window_in_days, C::pending_window_in_days);
    let context = tell(context, with.policy_name.as_deref(), C::policy_name);
    let context = tell(context, with.primary_region.as_deref(), C::primary_region);
    let context = tell(context, with.replica_region.as_deref(), C::replica_region);
    let context = tell(context, with.request_alias.as_deref(), C::request_alias);
    let context = tell(context, with.rotation_period_in_days, C::rotation_period_in_days);
    let context = tell(context, with.same_key, C::re_encrypt_on_same_key);
    let context = tell(context, with.valid_to.map(seconds), C::valid_to);
    tell(context, with.via_service.as_deref(), C::via_service)
}

fn with_words<'a>(context: RequestContext<'a>, with: &'a With) -> RequestContext<'a> {
    use RequestContext as C;
    let context = tell(context, word(with.data_key_pair_spec.as_ref(), KeySpec::parse), C::data_key_pair_spec);
    let algorithm = word(with.encryption_algorithm.as_ref(), EncryptionAlgorithm::parse);
    let context = tell(context, algorithm, C::encryption_algorithm);
    let context = tell(context, word(with.expiration_model.as_ref(), ExpirationModel::parse), C::expiration_model);
    let algorithm = word(with.key_agreement_algorithm.as_ref(), KeyAgreementAlgorithm::parse);
    let context = tell(context, algorithm, C::key_agreement_algorithm);
    let context = tell(context, word(with.mac_algorithm.as_ref(), MacAlgorithm::parse), C::mac_algorithm);
    let context = tell(context, word(with.message_type.as_ref(), MessageType::parse), C::message_type);
    let context = tell(context, word(with.signing_algorithm.as_ref(), SigningAlgorithm::parse), C::signing_algorithm);
    let algorithm = word(with.wrapping_algorithm.as_ref(), WrappingAlgorithm::parse);
    let context = tell(context, algorithm, C::wrapping_algorithm);
    tell(context, word(with.wrapping_key_spec.as_ref(), WrappingKeySpec::parse), C::wrapping_key_spec)
}

fn with_context<T>(
    context: RequestContext<'_>,
    with: &With,
    key: Option<&Key>,
    look: impl FnOnce(RequestContext<'_>) -> T,
) -> T {
    let mut context = with_words(with_parameters(with_circumstances(context, with), with), with);
    let aliases = |see: &mut dyn FnMut(&str)| key.iter().flat_map(|key| &key.aliases).for_each(|name| see(name));
    let of_key = |see: &mut dyn FnMut(&str, &str)| {
        key.iter().flat_map(|key| &key.tags).for_each(|(tag, value)| see(tag, value));
    };
    if let Some(key) = key {
        context = context.key(key_facts(key)).resource_tags(Pairs::new(&of_key));
        context = context.resource_aliases(Names::new(&aliases), limits::ALIASES_PER_KEY_MAX);
    }
    let tag_keys = |see: &mut dyn FnMut(&str)| with.tag_keys.iter().flatten().for_each(|key| see(key));
    let tags = |see: &mut dyn FnMut(&str, &str)| with.tags.iter().flatten().for_each(|(tag, value)| see(tag, value));
    if with.tag_keys.is_some() {
        context = context.tag_keys(Names::new(&tag_keys));
    }
    if with.tags.is_some() {
        context = context.request_tags(Pairs::new(&tags));
    }
    let long =
        with.encryption_context_of_length.iter().flatten().map(|(key, length)| (key.clone(), "x".repeat(*length)));
    let pairs = with.encryption_context.clone().unwrap_or_default();
    let encryption_context: EncryptionContext = pairs.into_iter().chain(long).collect();
    if with.encryption_context.is_some() || with.encryption_context_of_length.is_some() {
        context = context.encryption_context(&encryption_context);
    }
    let other = with.other.iter().fold(Facts::default(), |facts, (key, values)| facts.with(key, values.clone()));
    let context = context.other(&other);
    match &with.new_grant {
        None => look(context),
        Some(grant) => {
            let terms = Terms::of(grant);
            let terms = terms.terms();
            let context = context.new_grant(&terms);
            match &grant.retiring {
                Some(retiring) => look(context.retiring_principal(retiring)),
                None => look(context),
            }
        }
    }
}
