//! Dates of conditions: ISO 8601 in the forms of W3C's note on it, as AWS documents them, or seconds since the Unix epoch.

use super::Decimal;
use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, Time};

/// Reads `2026-11`, `2026-11-22`, `2026-11-22T09:00Z`, `2026-11-22T09:00:00.5+01:00`, or seconds since the Unix epoch, which
/// is also what a year alone is taken for. Returns nanoseconds since the Unix epoch.
pub(super) fn parse(text: &str) -> Option<i128> {
    if let Some(Decimal(billionths)) = Decimal::parse(text) {
        return Some(billionths);
    }
    let Some((date, time)) = text.split_once('T') else {
        return Some(day(text)?.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp_nanos());
    };
    // Seconds may be left out; RFC 3339 wants them.
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at_checked(zone)?;
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    let moment = OffsetDateTime::parse(&format!("{date}T{clock}{seconds}{zone}"), &Rfc3339).ok()?;
    Some(moment.unix_timestamp_nanos())
}

fn day(text: &str) -> Option<Date> {
    let mut parts = text.split('-').map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part));
    let (year, month) = (parts.next()??, parts.next()??);
    let day = match parts.next() {
        None => "01",
        Some(day) => day?,
    };
    if parts.next().is_some() || (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_moment_are_equal() {
        let moment = parse("2026-11-22T00:00:00Z");
        assert_eq!(moment, Some(1_795_305_600_000_000_000));
        for text in
            ["2026-11-22", "2026-11-22T00:00Z", "2026-11-22T01:00:00.0+01:00", "2026-11-21T19:00-05:00", "1795305600"]
        {
            assert_eq!(parse(text), moment, "{text}");
        }
        assert_eq!(parse("2026-11"), parse("2026-11-01"));
        assert_eq!(parse("1795305600.5"), parse("2026-11-22T00:00:00.5Z"));
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "tomorrow",
            "2026-13-01",
            "2026-02-30",
            "+2026-11-22",
            "2026-11-22T",
            "2026-11-22T09:00",
            "2026-11-22 09:00:00Z",
            "26-11-22",
            "2026-11-22-01",
            "2026-1-2",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
