//! Claims on conditions: operators, missing keys, quantifiers, malformed blocks.

use super::*;
use crate::request::Facts;
use crate::test_requests::{SYNTAX, with_request};

fn holds_for(effect: Effect, operator: &str, key: &str, values: &str, facts: &Facts) -> bool {
    let block = format!(r#"{{"{operator}":{{"{key}":{values}}}}}"#);
    let conditions = Condition::parse_block(&Json::parse(&block).unwrap(), SYNTAX).unwrap();
    with_request(facts, |context| conditions.iter().all(|condition| condition.holds(effect, context)))
}

fn holds(operator: &str, key: &str, values: &str, facts: &Facts) -> bool {
    holds_for(Effect::Allow, operator, key, values, facts)
}

#[test]
fn operators_compare_as_documented() {
    let cases = [
        ("StringEquals", r#""a""#, "a", true),
        ("StringEquals", r#"["b","a"]"#, "a", true),
        ("StringEquals", r#""A""#, "a", false),
        ("StringEquals", r#""a*""#, "ab", false),
        ("StringNotEquals", r#"["b","c"]"#, "a", true),
        ("StringNotEquals", r#"["b","a"]"#, "a", false),
        ("StringEqualsIgnoreCase", r#""ÄB""#, "äb", true),
        ("StringNotEqualsIgnoreCase", r#""AB""#, "ab", false),
        ("StringLike", r#""a*""#, "abc", true),
        ("StringNotLike", r#""a*""#, "abc", false),
        ("stringlike", r#""a?""#, "ab", true),
        ("NumericEquals", r#""7""#, "7.0", true),
        ("NumericEquals", "7", "7", true),
        ("NumericNotEquals", "7", "8", true),
        ("NumericLessThan", "7.5", "7.49", true),
        ("NumericLessThanEquals", "7", "7", true),
        ("NumericGreaterThan", "-1", "0", true),
        ("NumericGreaterThanEquals", "8", "7", false),
        ("NumericEquals", "7", "seven", false),
        ("NumericNotEquals", "7", "seven", false),
        ("NumericLessThan", "7", "-0.5", true),
        ("DateEquals", r#""2026-11-22""#, "2026-11-22T00:00:00Z", true),
        ("DateLessThan", r#""2026-11-22T12:00:00+01:00""#, "2026-11-22T10:59:59Z", true),
        ("DateGreaterThan", r#""1700000000""#, "2026-01-01", true),
        ("DateNotEquals", r#""2026-11-22""#, "2026-11-23", true),
        ("Bool", r#""TRUE""#, "true", true),
        ("Bool", "false", "true", false),
        ("BinaryEquals", r#""QUJD""#, "QUJD", true),
        ("IpAddress", r#""10.0.0.0/8""#, "10.255.1.2", true),
        ("IpAddress", r#""10.0.0.0/8""#, "11.0.0.1", false),
        ("IpAddress", r#""10.1.2.3""#, "10.1.2.3", true),
        ("IpAddress", r#""2001:db8::/32""#, "2001:db8::1", true),
        ("IpAddress", r#""0.0.0.0/0""#, "::1", false),
        ("IpAddress", r#""10.0.0.0/8""#, "::ffff:10.0.0.1", true),
        ("IpAddress", r#""::ffff:10.0.0.0/104""#, "10.9.9.9", true),
        ("IpAddress", r#""0.0.0.0/0""#, "10.9.9.9", true),
        ("NotIpAddress", r#""10.0.0.0/8""#, "nowhere", false),
        ("NotIpAddress", r#""10.0.0.0/8""#, "11.0.0.1", true),
        ("ArnLike", r#""arn:aws:iam::*:user/a*""#, "arn:aws:iam::111122223333:user/ada", true),
        ("ArnEquals", r#""arn:aws:iam::*:user/a*""#, "arn:aws:iam::111122223333:user/bob", false),
        ("ArnNotLike", r#""arn:aws:iam::*:user/a*""#, "arn:aws:iam::111122223333:user/bob", true),
        ("Null", r#""false""#, "x", true),
        ("Null", "true", "x", false),
    ];
    for (operator, values, given, expected) in cases {
        let context = Facts::default().with("ec2:given", [given]);
        assert_eq!(holds(operator, "EC2:Given", values, &context), expected, "{operator} {values} {given}");
    }
}

#[test]
fn a_missing_key_fails_positive_operators_and_passes_negated_and_optional_ones() {
    let nothing = Facts::default();
    for operator in ["StringEquals", "StringLike", "NumericLessThan", "Bool", "IpAddress", "ArnLike", "DateEquals"] {
        let value = match operator {
            "IpAddress" => r#""10.0.0.0/8""#,
            "Bool" => "true",
            "DateEquals" => r#""2026-11-22""#,
            "ArnLike" => r#""arn:aws:iam::*:user/ada""#,
            _ => r#""7""#,
        };
        assert!(!holds(operator, "ec2:none", value, &nothing), "{operator}");
        assert!(holds(&format!("{operator}IfExists"), "ec2:none", value, &nothing), "{operator}");
    }
    assert!(holds("StringNotEquals", "ec2:none", r#""a""#, &nothing));
    assert!(holds("NotIpAddress", "ec2:none", r#""10.0.0.0/8""#, &nothing));
    assert!(holds("Null", "ec2:none", "true", &nothing));
}

#[test]
fn quantifiers_judge_all_or_any_of_the_values() {
    let context = Facts::default().with("ec2:keys", ["a", "b"]).with("ec2:empty", Vec::<String>::new());
    let cases = [
        ("ForAllValues:StringEquals", "ec2:keys", r#"["a","b","c"]"#, true),
        ("ForAllValues:StringEquals", "ec2:keys", r#"["a"]"#, false),
        ("ForAllValues:StringEquals", "ec2:none", r#"["a"]"#, true),
        ("ForAllValues:StringEquals", "ec2:empty", r#"["a"]"#, true),
        ("ForAnyValue:StringEquals", "ec2:keys", r#"["b","x"]"#, true),
        ("ForAnyValue:StringEquals", "ec2:keys", r#"["x"]"#, false),
        ("ForAnyValue:StringEquals", "ec2:none", r#"["a"]"#, false),
        ("ForAnyValue:StringEquals", "ec2:empty", r#"["a"]"#, false),
        ("ForAnyValue:StringNotEquals", "ec2:keys", r#"["a"]"#, true),
        ("ForAllValues:StringNotEquals", "ec2:keys", r#"["a"]"#, false),
        ("ForAnyValue:StringEqualsIfExists", "ec2:none", r#"["a"]"#, true),
        ("ForAllValues:StringEqualsIfExists", "ec2:none", r#"["a"]"#, true),
        ("ForAnyValue:StringNotEquals", "ec2:none", r#"["a"]"#, false),
    ];
    for (operator, key, values, expected) in cases {
        assert_eq!(holds(operator, key, values, &context), expected, "{operator} {key} {values}");
    }
}

#[test]
fn without_a_quantifier_several_values_are_judged_in_the_callers_disfavour() {
    let several = Facts::default().with("ec2:keys", ["a", "b"]);
    let cases = [
        ("StringEquals", r#"["b"]"#, false, true),
        ("StringEquals", r#"["b","a"]"#, true, true),
        ("StringEquals", r#"["c"]"#, false, false),
        ("StringNotEquals", r#"["b"]"#, false, true),
        ("StringNotEquals", r#"["c"]"#, true, true),
    ];
    for (operator, values, allow, deny) in cases {
        assert_eq!(holds_for(Effect::Allow, operator, "ec2:keys", values, &several), allow, "{operator} {values}");
        assert_eq!(holds_for(Effect::Deny, operator, "ec2:keys", values, &several), deny, "{operator} {values}");
    }
}

#[test]
fn what_cannot_be_compared_never_helps_the_caller() {
    let long = "a".repeat(9_000);
    let many: Vec<String> = (0..1_500).map(|number| number.to_string()).collect();
    let facts = Facts::default().with("ec2:text", ["x"]).with("ec2:long", [long]).with("ec2:many", many);
    let facts = facts.with("ec2:arn", ["arn:aws:iam::111122223333:user/ada"]);
    let cases = [
        ("NumericEquals", "ec2:text", "7"),
        ("NumericNotEquals", "ec2:text", "7"),
        ("NumericLessThan", "ec2:text", "7"),
        ("DateGreaterThan", "ec2:text", r#""2026-11-22""#),
        ("Bool", "ec2:text", "true"),
        ("IpAddress", "ec2:text", r#""0.0.0.0/0""#),
        ("NotIpAddress", "ec2:text", r#""10.0.0.0/8""#),
        ("StringLike", "ec2:long", r#""a*b""#),
        ("StringNotLike", "ec2:long", r#""a*b""#),
        ("StringNotEquals", "ec2:text", r#""${aws:SourceIdentity}""#),
        ("ArnNotEquals", "ec2:arn", r#""arn:aws:iam::111122223333:user/${aws:SourceIdentity}""#),
        ("ForAllValues:StringLike", "ec2:many", r#""*""#),
    ];
    for (operator, key, values) in cases {
        assert!(!holds_for(Effect::Allow, operator, key, values, &facts), "{operator} {key}");
        assert!(holds_for(Effect::Deny, operator, key, values, &facts), "{operator} {key}");
    }
}

#[test]
fn a_variable_without_a_value_equals_nothing() {
    let facts = Facts::default().with("ec2:text", ["x"]);
    for effect in [Effect::Allow, Effect::Deny] {
        for operator in ["StringEquals", "StringEqualsIgnoreCase", "StringLike"] {
            assert!(!holds_for(effect, operator, "ec2:text", r#""${aws:SourceIdentity}""#, &facts), "{operator}");
            assert!(holds_for(effect, operator, "ec2:text", r#"["${aws:SourceIdentity}","x"]"#, &facts), "{operator}");
        }
    }
}

#[test]
fn null_asks_whether_there_is_a_value() {
    let facts = Facts::default().with("ec2:there", ["x"]).with("ec2:empty", Vec::<String>::new());
    for (key, is_missing) in [("ec2:there", false), ("ec2:empty", true), ("ec2:none", true)] {
        assert_eq!(holds("Null", key, "true", &facts), is_missing, "{key}");
        assert_eq!(holds("Null", key, r#""false""#, &facts), !is_missing, "{key}");
        assert!(holds("Null", key, "[true, false]", &facts), "{key}");
    }
}

#[test]
fn malformed_conditions_are_refused() {
    let element = PolicyError::InvalidElement("Condition");
    let cases = [
        (r#""x""#, element.clone()),
        ("[]", element.clone()),
        (r#"{"StringEquals":"x"}"#, element.clone()),
        (r#"{"StringEquals":{}}"#, element.clone()),
        (r#"{"StringEquals":{"ec2:x":{"y":"z"}}}"#, element.clone()),
        (r#"{"StringEquals":{"ec2:x":null}}"#, element.clone()),
        (r#"{"StringEquals":{"ec2:x":[]}}"#, element.clone()),
        (r#"{"StringEquals":{"ec2:x":[["y"]]}}"#, element),
        (r#"{"StringEquals":{"":"x"}}"#, PolicyError::NoVendor),
        (r#"{"StringEquals":{"x":"x"}}"#, PolicyError::NoVendor),
        (r#"{"StringEquals":{"kms:x":"x"}}"#, PolicyError::ConditionKey("kms:x".into())),
        (r#"{"StringEquals":{"aws:x":"x"}}"#, PolicyError::ConditionKey("aws:x".into())),
        (r#"{"NullIfExists":{"ec2:x":"true"}}"#, PolicyError::ConditionOperator("NullIfExists".into())),
        (r#"{"BoolNot":{"ec2:x":"true"}}"#, PolicyError::ConditionOperator("BoolNot".into())),
        (r#"{"Some:StringEquals":{"ec2:x":"y"}}"#, PolicyError::ConditionOperator("Some:StringEquals".into())),
        (r#"{"Bool":{"ec2:x":"maybe"}}"#, PolicyError::ConditionValue("maybe".into())),
        (r#"{"Bool":{"ec2:x":"${aws:username}"}}"#, PolicyError::ConditionValue("${aws:username}".into())),
        (r#"{"Null":{"ec2:x":"yes"}}"#, PolicyError::ConditionValue("yes".into())),
        (r#"{"DateEquals":{"ec2:x":"tomorrow"}}"#, PolicyError::ConditionValue("tomorrow".into())),
        (r#"{"NumericEquals":{"ec2:x":"1e400"}}"#, PolicyError::ConditionValue("1e400".into())),
        (r#"{"IpAddress":{"ec2:x":"10.0.0.0/x"}}"#, PolicyError::ConditionValue("10.0.0.0/x".into())),
        (r#"{"IpAddress":{"ec2:x":"10.0.0.0/+8"}}"#, PolicyError::ConditionValue("10.0.0.0/+8".into())),
        (r#"{"IpAddress":{"ec2:x":"10.0.0.*"}}"#, PolicyError::ConditionValue("10.0.0.*".into())),
        (r#"{"BinaryEquals":{"ec2:x":"not base64"}}"#, PolicyError::ConditionValue("not base64".into())),
        (r#"{"ArnLike":{"ec2:x":"arn:aws:iam::*"}}"#, PolicyError::ConditionValue("arn:aws:iam::*".into())),
        (r#"{"StringLike":{"ec2:x":"${open"}}"#, PolicyError::Variable("${open".into())),
    ];
    for (block, expected) in cases {
        assert_eq!(Condition::parse_block(&Json::parse(block).unwrap(), SYNTAX), Err(expected), "{block}");
    }
    assert_eq!(Condition::parse_block(&Json::Object(Vec::new()), SYNTAX), Ok(Vec::new()));
}
