//! The values of conditions, read once, and the comparison with what a request brings.

use super::operator::Comparison;
use crate::arn::ArnPattern;
use crate::context::Context;
use crate::pattern::Pattern;
use std::cmp::Ordering;
use std::net::IpAddr;
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, Time};

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

impl Value {
    /// Reads a value as the operator needs it; nothing when it is none.
    pub(super) fn parse(comparison: Comparison, text: &str, variables: bool) -> Option<Self> {
        use Comparison as C;
        Some(match comparison {
            C::StringEquals | C::StringEqualsIgnoreCase => Self::Text(Pattern::plain(text, variables)),
            // Base64 text has one spelling, so equal bytes are equal texts.
            C::BinaryEquals => Self::Text(Pattern::plain(text, false)),
            C::StringLike => Self::Text(Pattern::glob(text, variables)),
            C::NumericEquals
            | C::NumericLessThan
            | C::NumericLessThanEquals
            | C::NumericGreaterThan
            | C::NumericGreaterThanEquals => Self::Number(Decimal::parse(text)?),
            C::DateEquals | C::DateLessThan | C::DateLessThanEquals | C::DateGreaterThan | C::DateGreaterThanEquals => {
                Self::Date(date(text)?)
            }
            C::Bool | C::Null => Self::Boolean(boolean(text)?),
            C::IpAddress => network(text)?,
            C::Arn => Self::Arn(ArnPattern::parse(text, variables)),
        })
    }

    /// Compares what a request gives with this value. What cannot be compared does not match.
    pub(super) fn compares(&self, comparison: Comparison, given: &str, context: &dyn Context) -> bool {
        match self {
            Self::Text(pattern) if comparison == Comparison::StringEqualsIgnoreCase => {
                pattern.fill(context).is_some_and(|text| text.to_lowercase() == given.to_lowercase())
            }
            Self::Text(pattern) => pattern.matches(given, context),
            Self::Arn(pattern) => pattern.matches(given, context),
            Self::Boolean(wanted) => boolean(given) == Some(*wanted),
            Self::Network(network, prefix) => {
                given.parse().is_ok_and(|address: IpAddr| is_within(address, *network, *prefix))
            }
            Self::Number(wanted) => Decimal::parse(given).is_some_and(|given| orders(comparison, given.cmp(wanted))),
            Self::Date(wanted) => date(given).is_some_and(|given| orders(comparison, given.cmp(wanted))),
        }
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

impl Decimal {
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
        let billionths: i128 = format!("{whole}{fraction:0<9}").parse().ok()?;
        Some(Self(if negative { -billionths } else { billionths }))
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// ISO 8601 as AWS documents it (a date, or a date with a time and an offset), or seconds since the Unix epoch.
fn date(text: &str) -> Option<i128> {
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        return Some(moment.unix_timestamp_nanos());
    }
    if let Some(Decimal(billionths)) = Decimal::parse(text) {
        return Some(billionths);
    }
    let mut parts = text.splitn(3, '-');
    let year: i32 = parts.next()?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let day: u8 = parts.next()?.parse().ok()?;
    let day = Date::from_calendar_date(year, month.try_into().ok()?, day).ok()?;
    Some(day.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp_nanos())
}

fn network(text: &str) -> Option<Value> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => longest,
        Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= longest)?,
    };
    Some(Value::Network(address, prefix))
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
