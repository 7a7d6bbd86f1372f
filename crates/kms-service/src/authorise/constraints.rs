//! Constraints of grants on the encryption context. Keys of pairs are compared without regard to case, values with it, as
//! the API reference says of `GrantConstraints`.

use kms_core::regional::GrantConstraints;
use kms_types::EncryptionContext;
use std::collections::BTreeMap;

type Pairs = BTreeMap<String, String>;

/// Whether the constraints hold for a request with this encryption context. None is an empty one.
pub(super) fn hold(constraints: &GrantConstraints, context: Option<&EncryptionContext>) -> bool {
    let given = || context.into_iter().flat_map(EncryptionContext::iter);
    let equals = constraints.encryption_context_equals.as_ref();
    let subset = constraints.encryption_context_subset.as_ref();
    equals.is_none_or(|wanted| contains(given, wanted) && contained(given(), wanted))
        && subset.is_none_or(|wanted| contains(given, wanted))
}

/// Whether every context that the child admits is one that the parent admits: a grant that was made by right of another
/// one may not permit more ("Granting CreateGrant permission" in the AWS KMS Developer Guide).
pub(super) fn is_as_strict(child: &GrantConstraints, parent: &GrantConstraints) -> bool {
    let (equals, subset) = (child.encryption_context_equals.as_ref(), child.encryption_context_subset.as_ref());
    let same =
        |wanted: &Pairs| equals.is_some_and(|own| contains(|| texts(own), wanted) && contained(texts(own), wanted));
    let more = |wanted: &Pairs| equals.into_iter().chain(subset).any(|own| contains(|| texts(own), wanted));
    parent.encryption_context_equals.as_ref().is_none_or(same)
        && parent.encryption_context_subset.as_ref().is_none_or(more)
        && parent.source_arn.as_ref().is_none_or(|source| child.source_arn.as_ref() == Some(source))
}

fn texts(pairs: &Pairs) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
}

/// Whether all wanted pairs are given.
fn contains<'a, I: Iterator<Item = (&'a str, &'a str)>>(given: impl Fn() -> I, wanted: &Pairs) -> bool {
    texts(wanted).all(|want| given().any(|pair| same_pair(pair, want)))
}

/// Whether all given pairs are wanted.
fn contained<'a>(mut given: impl Iterator<Item = (&'a str, &'a str)>, wanted: &Pairs) -> bool {
    given.all(|pair| texts(wanted).any(|want| same_pair(pair, want)))
}

fn same_pair((key, value): (&str, &str), (other_key, other_value): (&str, &str)) -> bool {
    value == other_value && (key.eq_ignore_ascii_case(other_key) || key.to_lowercase() == other_key.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Option<Pairs> {
        let pair = |pair: &str| pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        Some(text.split(' ').filter_map(pair).collect())
    }

    fn equals(text: &str) -> GrantConstraints {
        GrantConstraints { encryption_context_equals: pairs(text), ..GrantConstraints::default() }
    }

    fn subset(text: &str) -> GrantConstraints {
        GrantConstraints { encryption_context_subset: pairs(text), ..GrantConstraints::default() }
    }

    fn holds(constraints: &GrantConstraints, context: &str) -> bool {
        let context: EncryptionContext = pairs(context).into_iter().flatten().collect();
        hold(constraints, Some(&context))
    }

    #[test]
    fn equals_wants_exactly_these_pairs_and_subset_at_least_these() {
        for (context, equal, included) in [
            ("a=1 b=2", true, true),
            ("A=1 B=2", true, true),
            ("a=1 b=2 c=3", false, true),
            ("a=1", false, false),
            ("a=1 b=3", false, false),
            ("a=1 b=B2", false, false),
            ("", false, false),
            ("a=1 b=2 A=2", false, true),
        ] {
            assert_eq!(holds(&equals("a=1 b=2"), context), equal, "{context}");
            assert_eq!(holds(&subset("a=1 b=2"), context), included, "{context}");
        }
        let both = GrantConstraints { encryption_context_subset: pairs("a=1"), ..equals("a=1 b=2") };
        assert!(holds(&both, "a=1 b=2"));
        assert!(!holds(&both, "a=1"));
    }

    #[test]
    fn no_constraint_holds_always_and_an_empty_one_as_it_says() {
        assert!(holds(&GrantConstraints::default(), "a=1"));
        assert!(hold(&GrantConstraints::default(), None));
        assert!(holds(&subset(""), "a=1"));
        assert!(holds(&equals(""), ""));
        assert!(hold(&equals(""), None));
        assert!(!holds(&equals(""), "a=1"));
        assert!(!hold(&equals("a=1"), None));
    }

    #[test]
    fn a_child_may_add_pairs_or_fix_them_and_not_the_other_way_round() {
        let free = GrantConstraints::default();
        for (child, parent, as_strict) in [
            (&free, &free, true),
            (&equals("a=1"), &free, true),
            (&subset("a=1"), &free, true),
            (&free, &subset("a=1"), false),
            (&subset("a=1"), &subset("a=1"), true),
            (&subset("A=1 b=2"), &subset("a=1"), true),
            (&subset("b=2"), &subset("a=1"), false),
            (&equals("a=1 b=2"), &subset("a=1"), true),
            (&equals("b=2"), &subset("a=1"), false),
            (&equals("a=1"), &equals("A=1"), true),
            (&equals("a=1 b=2"), &equals("a=1"), false),
            (&subset("a=1"), &equals("a=1"), false),
            (&free, &equals("a=1"), false),
        ] {
            assert_eq!(is_as_strict(child, parent), as_strict, "{child:?} {parent:?}");
        }
        let of = |source: &str| GrantConstraints { source_arn: Some(source.to_owned()), ..GrantConstraints::default() };
        assert!(is_as_strict(&of("a"), &of("a")));
        assert!(!is_as_strict(&of("b"), &of("a")));
        assert!(!is_as_strict(&free, &of("a")));
    }
}
