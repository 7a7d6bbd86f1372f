//! Claims on wildcards and policy variables.

use super::*;
use crate::request::Facts;
use crate::test_requests::{SYNTAX, with_request};
use proptest::prelude::*;

fn compares(pattern: &str, text: &str) -> Verdict {
    let facts = Facts::default().with("sts:RoleSessionName", ["ci"]).with("s3:prefix", ["*"]);
    let facts = facts.with("ec2:many", ["a", "b"]);
    let pattern = Pattern::glob(pattern, SYNTAX).unwrap();
    with_request(&facts, |context| pattern.compare(text, context))
}

#[test]
fn wildcards_match_whole_texts() {
    let cases = [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("a*c", "abbbc", true),
        ("a*c", "abbbcd", false),
        ("a*a", "a", false),
        ("*a*b*", "xxaxxbxx", true),
        ("*a*b", "ab ab", true),
        ("a?c", "aéc", true),
        ("a?c", "ac", false),
        ("?", "", false),
        ("*?", "", false),
        ("*?a?*", "xay", true),
        ("*a?", "aab", true),
        ("key/*", "key/", true),
        ("**", "anything", true),
        ("a**b", "ab", true),
        ("*aab*", "aaab", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(compares(pattern, text), expected.into(), "{pattern} {text}");
    }
    with_request(&Facts::default(), |context| {
        let plain = Pattern::plain("a*", SYNTAX).unwrap();
        assert_eq!(plain.compare("ab", context), Verdict::Differs);
        assert_eq!(plain.compare("a*", context), Verdict::Matches);
    });
}

#[test]
fn variables_are_filled_in_as_literals() {
    let cases = [
        ("user/${aws:username}", "user/ada", Verdict::Matches),
        ("user/${AWS:UserName}/*", "user/ada/x", Verdict::Matches),
        ("user/${aws:username}", "user/bob", Verdict::Differs),
        ("${sts:RoleSessionName}", "ci", Verdict::Matches),
        ("${aws:SourceIdentity}", "", Verdict::Unresolved),
        ("${aws:SourceIdentity, 'all'}", "all", Verdict::Matches),
        ("${aws:SourceIdentity,'a, b'}", "a, b", Verdict::Matches),
        ("${ec2:many}", "a", Verdict::Unresolved),
        ("${s3:prefix}", "anything", Verdict::Differs),
        ("${s3:prefix}", "*", Verdict::Matches),
        ("${*}${?}${$}", "*?$", Verdict::Matches),
        ("$open", "$open", Verdict::Matches),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(compares(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn what_is_no_variable_is_refused() {
    for text in [
        "${open",
        "${}",
        "${ }",
        "${username}",
        "${aws:nothing}",
        "${kms:KeySpecs}",
        "${aws:TagKeys}",
        "${kms:EncryptionContextKeys}",
        "${aws:username, ada}",
        "${aws:username, 'a}b'}",
    ] {
        assert_eq!(Pattern::glob(text, SYNTAX), Err(PolicyError::Variable(text.to_owned())), "{text}");
    }
    let older = Syntax { variables: false, ..SYNTAX };
    assert_eq!(Pattern::glob("${aws:username}", older), Err(PolicyError::VariableVersion));
    let of_a_key = Syntax { identity_keys: false, ..SYNTAX };
    Pattern::glob("${aws:ResourceTag/team}", SYNTAX).unwrap();
    Pattern::glob("${aws:ResourceTag/team}", of_a_key).unwrap_err();
}

#[test]
fn long_texts_are_compared_only_as_they_are() {
    let long = "a".repeat(TEXT_BYTES_MAX + 1);
    assert_eq!(compares("a*b", &long), Verdict::Incomparable);
    assert_eq!(compares("*", &long), Verdict::Matches);
    assert_eq!(compares(&long, &long), Verdict::Matches);
}

/// The meaning of a pattern, spelled out.
fn naive(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|from| naive(rest, &text[from..])),
        ['?', rest @ ..] => !text.is_empty() && naive(rest, &text[1..]),
        [symbol, rest @ ..] => text.first() == Some(symbol) && naive(rest, &text[1..]),
    }
}

proptest! {
    #[test]
    fn matching_agrees_with_its_definition(pattern in "[ab*?é]{0,8}", text in "[abé]{0,10}") {
        let expected = naive(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>());
        prop_assert_eq!(compares(&pattern, &text), expected.into());
    }

    #[test]
    fn any_text_is_cut_or_refused(text in ".{0,60}") {
        drop(Pattern::glob(&text, SYNTAX));
    }
}
