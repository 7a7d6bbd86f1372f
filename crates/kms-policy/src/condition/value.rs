//! The values of conditions, read once, and the comparison with what a request brings.

mod date;

use super::operator::Comparison;
use crate::PolicyError;
use crate::arn::ArnPattern;
use crate::pattern::{Pattern, Syntax, Verdict};
use crate::request::{Fact, RequestContext};
use std::cmp::Ordering;
use std::net::IpAddr;

/// A value of a condition, in the form that its operator compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(Pattern),
    Number(Decimal),
    /// Nanoseconds since the Unix epoch.
    Date(i128),
    Boolean(bool),
    Network(IpAddr, u8),
    Arn(ArnPattern),
}

const NANOSECONDS_PER_MILLISECOND: i128 = 1_000_000;

impl Value {
    /// Reads a value as the operator needs it.
    ///
    /// # Errors
    /// [`PolicyError::ConditionValue`], or as [`Pattern::glob`].
    pub(super) fn parse(comparison: Comparison, text: &str, syntax: Syntax) -> Result<Self, PolicyError> {
        use Comparison as C;
        let value = match comparison {
            C::StringEquals | C::StringEqualsIgnoreCase => Some(Self::Text(Pattern::plain(text, syntax)?)),
            // Base64 text has one spelling, so equal bytes are equal texts.
            C::BinaryEquals => is_base64(text).then(|| Self::Text(Pattern::literal(text))),
            C::StringLike => Some(Self::Text(Pattern::glob(text, syntax)?)),
            C::NumericEquals
            | C::NumericLessThan
            | C::NumericLessThanEquals
            | C::NumericGreaterThan
            | C::NumericGreaterThanEquals => Decimal::parse(text).map(Self::Number),
            C::DateEquals | C::DateLessThan | C::DateLessThanEquals | C::DateGreaterThan | C::DateGreaterThanEquals => {
                date::parse(text).map(Self::Date)
            }
            C::Bool | C::Null => boolean(text).map(Self::Boolean),
            C::IpAddress => network(text),
            C::Arn => Some(Self::Arn(ArnPattern::parse_value(text, syntax)?)),
        };
        value.ok_or_else(|| PolicyError::ConditionValue(text.to_owned()))
    }

    /// Compares what a request gives with this value.
    pub(super) fn compare(&self, comparison: Comparison, given: Fact<'_>, context: &RequestContext<'_>) -> Verdict {
        let verdict = match self {
            Self::Text(pattern) => return compare_text(pattern, comparison, given, context),
            Self::Arn(pattern) => match given {
                Fact::Text(text) => return pattern.compare(text, context),
                _ => None,
            },
            Self::Boolean(wanted) => match given {
                Fact::Boolean(given) => Some(given == *wanted),
                Fact::Text(text) => boolean(text).map(|given| given == *wanted),
                _ => None,
            },
            Self::Network(network, prefix) => {
                let address = match given {
                    Fact::Address(address) => Some(address),
                    Fact::Text(text) => text.parse().ok(),
                    _ => None,
                };
                address.map(|address| is_within(address, *network, *prefix))
            }
            Self::Number(wanted) => Decimal::of(given).map(|given| orders(comparison, given.cmp(wanted))),
            Self::Date(wanted) => nanoseconds(given).map(|given| orders(comparison, given.cmp(wanted))),
        };
        verdict.map_or(Verdict::Incomparable, Verdict::from)
    }
}

fn compare_text(pattern: &Pattern, comparison: Comparison, given: Fact<'_>, context: &RequestContext<'_>) -> Verdict {
    let owned;
    let text = match given {
        Fact::Text(text) => text,
        Fact::Boolean(true) => "true",
        Fact::Boolean(false) => "false",
        other => match other.text() {
            Some(text) => {
                owned = text;
                &owned
            }
            None => return Verdict::Incomparable,
        },
    };
    if comparison != Comparison::StringEqualsIgnoreCase {
        return pattern.compare(text, context);
    }
    let folded = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
    match pattern.fill(context) {
        Some(wanted) if wanted.is_ascii() && text.is_ascii() => wanted.eq_ignore_ascii_case(text).into(),
        Some(wanted) => (folded(&wanted) == folded(text)).into(),
        None => Verdict::Unresolved,
    }
}

fn orders(comparison: Comparison, order: Ordering) -> bool {
    use Comparison as C;
    match comparison {
        C::NumericEquals | C::DateEquals => order.is_eq(),
        C::NumericLessThan | C::DateLessThan => order.is_lt(),
        C::NumericLessThanEquals | C::DateLessThanEquals => order.is_le(),
        C::NumericGreaterThan | C::DateGreaterThan => order.is_gt(),
        C::NumericGreaterThanEquals | C::DateGreaterThanEquals => order.is_ge(),
        C::StringEquals
        | C::StringEqualsIgnoreCase
        | C::StringLike
        | C::Bool
        | C::BinaryEquals
        | C::IpAddress
        | C::Arn
        | C::Null => false,
    }
}

/// A decimal number with at most nine digits behind the point, in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decimal(i128);

const BILLION: i128 = 1_000_000_000;

impl Decimal {
    /// Twenty digits before the point at most, so that no number overflows.
    fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.trim().strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.trim()),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let numeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 20 || fraction.len() > 9 || !numeric(whole) || !numeric(fraction) {
            return None;
        }
        let digits = whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', 9 - fraction.len()));
        let billionths = digits.fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        Some(Self(if negative { -billionths } else { billionths }))
    }

    /// A moment counts as seconds since the Unix epoch, as `kms:ValidTo` is documented.
    fn of(given: Fact<'_>) -> Option<Self> {
        match given {
            Fact::Number(number) => Some(Self(i128::from(number) * BILLION)),
            Fact::Moment(moment) => Some(Self(i128::from(moment.millis()) * NANOSECONDS_PER_MILLISECOND)),
            Fact::Text(text) => Self::parse(text),
            Fact::Boolean(_) | Fact::Address(_) | Fact::Excess => None,
        }
    }
}

/// Nanoseconds since the Unix epoch.
fn nanoseconds(given: Fact<'_>) -> Option<i128> {
    match given {
        Fact::Moment(moment) => Some(i128::from(moment.millis()) * NANOSECONDS_PER_MILLISECOND),
        Fact::Number(seconds) => Some(i128::from(seconds) * BILLION),
        Fact::Text(text) => date::parse(text),
        Fact::Boolean(_) | Fact::Address(_) | Fact::Excess => None,
    }
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len().is_multiple_of(4) && text.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}

fn network(text: &str) -> Option<Value> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix: u8 = match prefix {
        None => longest,
        Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
            prefix.parse().ok().filter(|prefix| *prefix <= longest)?
        }
        Some(_) => return None,
    };
    // Callers are seen by their IPv4 address where they have one, so that networks must be written in the same way.
    match (address, address.to_canonical()) {
        (IpAddr::V6(_), canonical @ IpAddr::V4(_)) => Some(Value::Network(canonical, prefix.checked_sub(96)?)),
        _ => Some(Value::Network(address, prefix)),
    }
}

fn is_within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 4),
        IpAddr::V6(address) => (u128::from(address), 6),
    };
    let ((address, family), (network, other)) = (bits(address.to_canonical()), bits(network));
    // A shift by all 128 bits is none at all; a prefix of zero compares nothing.
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    family == other && address & mask == network & mask
}
