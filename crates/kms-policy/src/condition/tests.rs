use super::*;
use crate::context::Facts;

fn holds(operator: &str, key: &str, values: &str, context: &Facts) -> bool {
    let block = format!(r#"{{"{operator}":{{"{key}":{values}}}}}"#);
    let block = Json::parse(&block).unwrap();
    let conditions = Condition::parse_block(&block, true).unwrap();
    conditions.iter().all(|condition| condition.holds(context))
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
        ("NotIpAddress", r#""10.0.0.0/8""#, "11.0.0.1", true),
        ("ArnLike", r#""arn:aws:iam::*:user/a*""#, "arn:aws:iam::111122223333:user/ada", true),
        ("ArnEquals", r#""arn:aws:iam::*:user/a*""#, "arn:aws:iam::111122223333:user/bob", false),
        ("ArnNotLike", r#""arn:aws:iam::*:user/a*""#, "arn:aws:iam::111122223333:user/bob", true),
        ("Null", r#""false""#, "x", true),
        ("Null", "true", "x", false),
    ];
    for (operator, values, given, expected) in cases {
        let context = Facts::default().with("aws:given", [given]);
        assert_eq!(holds(operator, "AWS:Given", values, &context), expected, "{operator} {values} {given}");
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
            _ => r#""7""#,
        };
        assert!(!holds(operator, "aws:none", value, &nothing), "{operator}");
        assert!(holds(&format!("{operator}IfExists"), "aws:none", value, &nothing), "{operator}");
    }
    assert!(holds("StringNotEquals", "aws:none", r#""a""#, &nothing));
    assert!(holds("NotIpAddress", "aws:none", r#""10.0.0.0/8""#, &nothing));
    assert!(holds("Null", "aws:none", "true", &nothing));
    assert!(!holds("StringEquals", "aws:none", "[]", &nothing));
}

#[test]
fn quantifiers_judge_all_or_any_of_the_values() {
    let context = Facts::default().with("kms:keys", ["a", "b"]).with("kms:empty", Vec::<String>::new());
    let cases = [
        ("ForAllValues:StringEquals", "kms:keys", r#"["a","b","c"]"#, true),
        ("ForAllValues:StringEquals", "kms:keys", r#"["a"]"#, false),
        ("ForAllValues:StringEquals", "kms:none", r#"["a"]"#, true),
        ("ForAllValues:StringEquals", "kms:empty", r#"["a"]"#, true),
        ("ForAnyValue:StringEquals", "kms:keys", r#"["b","x"]"#, true),
        ("ForAnyValue:StringEquals", "kms:keys", r#"["x"]"#, false),
        ("ForAnyValue:StringEquals", "kms:none", r#"["a"]"#, false),
        ("ForAnyValue:StringEquals", "kms:empty", r#"["a"]"#, false),
        ("ForAnyValue:StringNotEquals", "kms:keys", r#"["a"]"#, true),
        ("ForAllValues:StringNotEquals", "kms:keys", r#"["a"]"#, false),
        ("ForAnyValue:StringEqualsIfExists", "kms:none", r#"["a"]"#, true),
        ("StringEquals", "kms:keys", r#"["b"]"#, true),
        ("StringNotEquals", "kms:keys", r#"["b"]"#, false),
    ];
    for (operator, key, values, expected) in cases {
        assert_eq!(holds(operator, key, values, &context), expected, "{operator} {key} {values}");
    }
}

#[test]
fn malformed_conditions_are_refused() {
    for block in [
        r#""x""#,
        r#"{"StringEquals":"x"}"#,
        r#"{"StringEquals":{"":"x"}}"#,
        r#"{"StringEquals":{"aws:x":{"y":"z"}}}"#,
        r#"{"StringEquals":{"aws:x":null}}"#,
        r#"{"NullIfExists":{"aws:x":"true"}}"#,
        r#"{"Sometimes:StringEquals":{"aws:x":"y"}}"#,
        r#"{"Bool":{"aws:x":"maybe"}}"#,
        r#"{"DateEquals":{"aws:x":"tomorrow"}}"#,
        r#"{"NumericEquals":{"aws:x":"1e400"}}"#,
        r#"{"IpAddress":{"aws:x":"10.0.0.0/x"}}"#,
    ] {
        assert!(Condition::parse_block(&Json::parse(block).unwrap(), true).is_err(), "{block}");
    }
}
