//! Condition operators.

/// What is compared and how; each has a negated form where AWS has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    NumericEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    DateEquals,
    DateLessThan,
    DateLessThanEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    Bool,
    BinaryEquals,
    IpAddress,
    Arn,
    Null,
}

/// `ForAllValues:` and `ForAnyValue:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Any,
}

/// An operator as written: `ForAnyValue:StringNotEqualsIfExists`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) comparison: Comparison,
    pub(super) negated: bool,
    pub(super) if_exists: bool,
    pub(super) quantifier: Option<Quantifier>,
}

impl Operator {
    /// Reads an operator. Case does not count, as in AWS's own examples of both.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (quantifier, rest) = match lower.split_once(':') {
            None => (None, lower.as_str()),
            Some(("forallvalues", rest)) => (Some(Quantifier::All), rest),
            Some(("foranyvalue", rest)) => (Some(Quantifier::Any), rest),
            Some(_) => return None,
        };
        let (rest, if_exists) = match rest.strip_suffix("ifexists") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (comparison, negated) = comparison(rest)?;
        // "Null" asks whether the key exists, so there is nothing to quantify or to make optional.
        if comparison == Comparison::Null && (if_exists || quantifier.is_some()) {
            return None;
        }
        Some(Self { comparison, negated, if_exists, quantifier })
    }
}

fn comparison(name: &str) -> Option<(Comparison, bool)> {
    use Comparison as C;
    Some(match name {
        "stringequals" => (C::StringEquals, false),
        "stringnotequals" => (C::StringEquals, true),
        "stringequalsignorecase" => (C::StringEqualsIgnoreCase, false),
        "stringnotequalsignorecase" => (C::StringEqualsIgnoreCase, true),
        "stringlike" => (C::StringLike, false),
        "stringnotlike" => (C::StringLike, true),
        "numericequals" => (C::NumericEquals, false),
        "numericnotequals" => (C::NumericEquals, true),
        "numericlessthan" => (C::NumericLessThan, false),
        "numericlessthanequals" => (C::NumericLessThanEquals, false),
        "numericgreaterthan" => (C::NumericGreaterThan, false),
        "numericgreaterthanequals" => (C::NumericGreaterThanEquals, false),
        "dateequals" => (C::DateEquals, false),
        "datenotequals" => (C::DateEquals, true),
        "datelessthan" => (C::DateLessThan, false),
        "datelessthanequals" => (C::DateLessThanEquals, false),
        "dategreaterthan" => (C::DateGreaterThan, false),
        "dategreaterthanequals" => (C::DateGreaterThanEquals, false),
        "bool" => (C::Bool, false),
        "binaryequals" => (C::BinaryEquals, false),
        "ipaddress" => (C::IpAddress, false),
        "notipaddress" => (C::IpAddress, true),
        "arnequals" | "arnlike" => (C::Arn, false),
        "arnnotequals" | "arnnotlike" => (C::Arn, true),
        "null" => (C::Null, false),
        _ => return None,
    })
}
