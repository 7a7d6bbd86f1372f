//! What must hold of every policy and every request. A failing case prints its input; proptest prints the seed, and keeps
//! it in `proptest-regressions`.
#![expect(clippy::unwrap_used, reason = "a step that fails is the result of the test")]

mod documents;
mod model;
mod world;

use kms_policy::{DocumentKind, PolicyDocument};
use proptest::prelude::*;
use world::{Effect, Grant, Statement, World};

fn deny_something() -> impl Strategy<Value = Statement> {
    world::statement().prop_map(|statement| Statement { effect: Effect::Deny, ..statement })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn decisions_agree_with_the_rules_as_they_are_written(world in world::world()) {
        let decided = world.decide();
        prop_assert_eq!(decided.is_allowed(), model::allows(&world), "{}\n{}", decided, world.key_policy_text());
    }

    #[test]
    fn a_deny_never_allows_more(world in world::world(), deny in deny_something(), place in 0_usize..4) {
        let before = world.decide().is_allowed();
        for changed in [
            World { key_policy: with(&world.key_policy, &deny), ..world.clone() },
            World { identity: with(&world.identity, &deny), ..world.clone() },
            World { boundary: world.boundary.as_ref().map(|policy| with(policy, &deny)), ..world.clone() },
            World { session: world.session.as_ref().map(|policy| with(policy, &deny)), ..world.clone() },
        ].into_iter().skip(place).take(1) {
            prop_assert!(before || !changed.decide().is_allowed());
        }
    }

    #[test]
    fn an_allow_never_denies_more(world in world::world(), allow in world::statement(), to_key_policy: bool) {
        let allow = Statement { effect: Effect::Allow, ..allow };
        let changed = match to_key_policy {
            true => World { key_policy: with(&world.key_policy, &allow), ..world.clone() },
            false => World { identity: with(&world.identity, &allow), ..world.clone() },
        };
        // What the role or everybody is allowed is narrowed, what the very caller is allowed is not: more is never less.
        prop_assert!(!world.decide().is_allowed() || changed.decide().is_allowed());
    }

    #[test]
    fn order_is_irrelevant(world in world::world()) {
        let reversed = |statements: &Vec<Statement>| statements.iter().rev().cloned().collect::<Vec<_>>();
        let changed = World {
            key_policy: reversed(&world.key_policy),
            identity: reversed(&world.identity),
            boundary: world.boundary.as_ref().map(reversed),
            session: world.session.as_ref().map(reversed),
            grants: world.grants.iter().rev().cloned().collect(),
            ..world.clone()
        };
        prop_assert_eq!(world.decide().is_allowed(), changed.decide().is_allowed());
    }

    #[test]
    fn a_boundary_and_a_session_policy_never_widen(world in world::world(), policy in world::policy()) {
        let free = World { boundary: None, session: None, ..world.clone() };
        let before = free.decide().is_allowed();
        let bounded = World { boundary: Some(policy.clone()), ..free.clone() };
        prop_assert!(before || !bounded.decide().is_allowed());
        let narrowed = World { session: Some(policy), ..free };
        prop_assert!(before || !narrowed.decide().is_allowed());
    }

    #[test]
    fn a_grant_allows_nothing_but_its_operations(world in world::world(), grant in world::grant()) {
        let free = World { grants: Vec::new(), ..world.clone() };
        let granted = World { grants: vec![grant.clone()], ..world };
        if granted.decide().is_allowed() && !free.decide().is_allowed() {
            prop_assert!(grant.operations.contains(&granted.ask.operation().unwrap()), "{:?}", grant);
            prop_assert!(Grant::names(grant.grantee, granted.caller), "{:?}", grant);
        }
    }

    #[test]
    fn a_document_of_any_shape_is_refused_or_decided(document in documents::any_document()) {
        documents::parse_and_decide(&document);
    }

    #[test]
    fn a_mutated_document_is_refused_or_decided(text in documents::mutated()) {
        documents::parse_and_decide(&text);
    }

    #[test]
    fn any_text_is_refused_or_read(text in ".{0,200}") {
        for kind in [DocumentKind::Key, DocumentKind::Identity, DocumentKind::Trust] {
            drop(PolicyDocument::parse(&text, kind));
        }
    }
}

fn with(statements: &[Statement], more: &Statement) -> Vec<Statement> {
    statements.iter().chain([more]).cloned().collect()
}
