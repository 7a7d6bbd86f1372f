//! Claims on what a grant covers, and on child grants.

use super::*;
use crate::principal::PrincipalKind;
use crate::test_requests::{ada, builder};
use kms_types::GrantOperation as G;

type Map = BTreeMap<String, String>;
type Given<'a> = &'a [(&'a str, &'a str)];

fn map(pairs: &[(&str, &str)]) -> Map {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
    map(pairs).into_iter().collect()
}

fn terms<'a>(operations: &'a BTreeSet<G>, constraints: GrantConstraints<'a>) -> GrantTerms<'a> {
    GrantTerms { grantee: ada().arn, operations, constraints }
}

fn equals(pairs: &Map) -> GrantConstraints<'_> {
    GrantConstraints { encryption_context_equals: Some(pairs), ..GrantConstraints::default() }
}

fn subset(pairs: &Map) -> GrantConstraints<'_> {
    GrantConstraints { encryption_context_subset: Some(pairs), ..GrantConstraints::default() }
}

#[test]
fn grantee_is_the_caller_its_role_or_its_account() {
    let operations = BTreeSet::from([G::Decrypt]);
    let account = ada().account;
    let root = Principal { arn: "arn:aws:iam::111122223333:root", account, kind: PrincipalKind::Root };
    let cases = [
        ("arn:aws:iam::111122223333:user/ada", ada(), Some(Named::Exactly)),
        ("arn:aws:iam::111122223333:user/bob", ada(), None),
        ("arn:aws:iam::111122223333:user/Ada", ada(), None),
        ("arn:aws:iam::111122223333:root", ada(), Some(Named::Account)),
        ("111122223333", ada(), Some(Named::Account)),
        ("arn:aws:iam::111122223333:root", root, Some(Named::Exactly)),
        ("arn:aws:iam::444455556666:root", ada(), None),
        ("arn:aws:iam::111122223333:role/Builder", builder(), Some(Named::Broadly)),
        ("arn:aws:sts::111122223333:assumed-role/Builder/ci", builder(), Some(Named::Exactly)),
        ("arn:aws:sts::111122223333:assumed-role/Builder/other", builder(), None),
        ("s3.amazonaws.com", ada(), None),
        ("*", ada(), None),
    ];
    for (grantee, principal, expected) in cases {
        let grant = GrantTerms { grantee, ..terms(&operations, GrantConstraints::default()) };
        let request = RequestContext::new(Action::Decrypt, principal);
        assert_eq!(grant.covers(&request), expected, "{grantee} {principal:?}");
        assert_eq!(grant.covers(&RequestContext::new(Action::Encrypt, principal)), None, "{grantee}");
        assert_eq!(grant.covers(&RequestContext::new(Action::DisableKey, principal)), None, "{grantee}");
    }
}

#[test]
fn context_constraints_compare_keys_without_case_and_values_with_it() {
    let operations = BTreeSet::from([G::Decrypt]);
    let wanted = map(&[("Department", "IT")]);
    let cases: [(Given<'_>, bool, bool); 9] = [
        (&[("Department", "IT")], true, true),
        (&[("department", "IT")], true, true),
        (&[("Department", "it")], false, false),
        (&[("Department", "IT"), ("Purpose", "Test")], false, true),
        (&[], false, false),
        (&[("Purpose", "Test")], false, false),
        // Which of the two counts would be open.
        (&[("Department", "IT"), ("department", "HR")], false, false),
        (&[("Department", "HR"), ("department", "IT")], false, false),
        (&[("Department", "IT"), ("department", "IT")], false, true),
    ];
    for (pairs, is_equal, is_subset) in cases {
        let given = context(pairs);
        let request = RequestContext::new(Action::Decrypt, ada()).encryption_context(&given);
        assert_eq!(terms(&operations, equals(&wanted)).covers(&request).is_some(), is_equal, "{pairs:?}");
        assert_eq!(terms(&operations, subset(&wanted)).covers(&request).is_some(), is_subset, "{pairs:?}");
    }
    let both = GrantConstraints { encryption_context_subset: Some(&wanted), ..equals(&wanted) };
    let given = context(&[("Department", "IT")]);
    let request = RequestContext::new(Action::Decrypt, ada());
    assert!(terms(&operations, both).covers(&request.encryption_context(&given)).is_some());
    assert_eq!(terms(&operations, subset(&wanted)).covers(&request), None, "no context at all");
    let nothing = Map::new();
    assert_eq!(terms(&operations, equals(&nothing)).covers(&request), None, "an operation without a context");
    assert!(terms(&operations, equals(&nothing)).covers(&request.encryption_context(&context(&[]))).is_some());
}

#[test]
fn describe_and_retire_are_exempt_from_context_constraints_and_retire_from_the_source() {
    let operations = BTreeSet::from(G::ALL);
    let wanted = map(&[("a", "b")]);
    let arn = "arn:aws:s3:::bucket";
    for action in Action::all().filter(|action| action.grant_operation().is_some() && *action != Action::CreateGrant) {
        let request = RequestContext::new(action, ada());
        let covers =
            |constraints, request: &RequestContext<'_>| terms(&operations, constraints).covers(request).is_some();
        let is_exempt = matches!(action, Action::DescribeKey | Action::RetireGrant);
        assert_eq!(covers(equals(&wanted), &request), is_exempt, "{action}");
        assert_eq!(covers(subset(&wanted), &request), is_exempt, "{action}");
        let sourced = GrantConstraints { source_arn: Some(arn), ..GrantConstraints::default() };
        assert_eq!(covers(sourced, &request), action == Action::RetireGrant, "{action} without a source");
        assert!(covers(sourced, &request.source_arn(arn)), "{action}");
        let other = request.source_arn("arn:aws:s3:::other");
        assert_eq!(covers(sourced, &other), action == Action::RetireGrant, "{action} for another source");
    }
}

#[test]
fn a_grant_is_made_by_a_grant_only_if_it_is_no_wider() {
    let operations = BTreeSet::from([G::CreateGrant, G::Decrypt, G::GenerateDataKey]);
    let wanted = map(&[("Department", "IT")]);
    let parent = terms(&operations, subset(&wanted));
    let request = RequestContext::new(Action::CreateGrant, ada());
    assert_eq!(parent.covers(&request), None, "no grant to make");
    let fewer = BTreeSet::from([G::CreateGrant, G::Decrypt]);
    let child = GrantTerms { grantee: "arn:aws:iam::444455556666:user/eve", ..terms(&fewer, equals(&wanted)) };
    assert!(parent.covers(&request.new_grant(&child)).is_some());
    let wider = terms(&fewer, GrantConstraints::default());
    assert_eq!(parent.covers(&request.new_grant(&wider)), None);
}

#[test]
fn a_child_keeps_the_operations_and_constraints_of_its_parent() {
    let (all, some) = (BTreeSet::from([G::CreateGrant, G::Decrypt]), BTreeSet::from([G::Decrypt]));
    let more = BTreeSet::from([G::Decrypt, G::Encrypt]);
    let (one, other_case, two) = (map(&[("a", "1")]), map(&[("A", "1")]), map(&[("a", "1"), ("b", "2")]));
    let other = map(&[("a", "2")]);
    let free = GrantConstraints::default();
    let sourced = |arn| GrantConstraints { source_arn: Some(arn), ..free };
    let cases = [
        (terms(&some, free), terms(&all, free), true),
        (terms(&all, free), terms(&all, free), true),
        (terms(&more, free), terms(&all, free), false),
        (terms(&some, equals(&one)), terms(&all, free), true),
        (terms(&some, subset(&one)), terms(&all, free), true),
        (terms(&some, free), terms(&all, subset(&one)), false),
        (terms(&some, subset(&one)), terms(&all, subset(&one)), true),
        (terms(&some, subset(&other_case)), terms(&all, subset(&one)), true),
        (terms(&some, subset(&other)), terms(&all, subset(&one)), false),
        (terms(&some, subset(&two)), terms(&all, subset(&one)), true),
        (terms(&some, subset(&one)), terms(&all, subset(&two)), false),
        (terms(&some, equals(&one)), terms(&all, subset(&one)), true),
        (terms(&some, equals(&two)), terms(&all, subset(&one)), true),
        (terms(&some, equals(&one)), terms(&all, subset(&two)), false),
        (terms(&some, free), terms(&all, equals(&one)), false),
        (terms(&some, subset(&one)), terms(&all, equals(&one)), false),
        (terms(&some, equals(&one)), terms(&all, equals(&one)), true),
        (terms(&some, equals(&other_case)), terms(&all, equals(&one)), true),
        (terms(&some, equals(&two)), terms(&all, equals(&one)), false),
        (terms(&some, sourced("arn:aws:s3:::a")), terms(&all, free), true),
        (terms(&some, free), terms(&all, sourced("arn:aws:s3:::a")), false),
        (terms(&some, sourced("arn:aws:s3:::a")), terms(&all, sourced("arn:aws:s3:::a")), true),
        (terms(&some, sourced("arn:aws:s3:::b")), terms(&all, sourced("arn:aws:s3:::a")), false),
    ];
    for (child, parent, expected) in cases {
        assert_eq!(child.is_no_wider_than(&parent), expected, "{child:?} {parent:?}");
    }
}
