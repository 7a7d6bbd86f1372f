//! Times and days as CloudTrail writes them, in UTC.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use kms_types::Timestamp;
use std::fmt;

/// A day in UTC: the unit of a log file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// The day of an instant.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        Self(civil(time).date())
    }

    /// Reads `YYYY-MM-DD`; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(i, c)| if matches!(i, 4 | 7) { c == b'-' } else { c.is_ascii_digit() });
        if shaped { text.parse().ok().map(Self) } else { None }
    }

    /// Appends `YYYY-MM-DD`.
    pub(crate) fn push_to(self, out: &mut String) {
        push_padded(out, self.0.year().unsigned_abs().into(), 4);
        for part in [self.0.month(), self.0.day()] {
            out.push('-');
            push_padded(out, part.unsigned_abs().into(), 2);
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(10);
        self.push_to(&mut text);
        f.pad(&text)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Appends the form of `eventTime`: `2022-08-10T22:38:27Z`.
pub(crate) fn push_event_time(out: &mut String, time: Timestamp) {
    let civil = civil(time);
    Day(civil.date()).push_to(out);
    let mut mark = 'T';
    for part in [civil.hour(), civil.minute(), civil.second()] {
        out.push(mark);
        push_padded(out, part.unsigned_abs().into(), 2);
        mark = ':';
    }
    out.push('Z');
}

/// The form of times among parameters and elements: `Aug 10, 2022, 10:38:27 PM`.
pub(crate) fn element_time(time: Timestamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let civil = civil(time);
    let month = MONTHS.get(usize::from(civil.month().unsigned_abs()) - 1).copied().unwrap_or_default();
    let (half, hour) = if civil.hour() < 12 { ("AM", civil.hour()) } else { ("PM", civil.hour() - 12) };
    let hour = if hour == 0 { 12 } else { hour };
    let (day, year, minute, second) = (civil.day(), civil.year(), civil.minute(), civil.second());
    format!("{month} {day}, {year}, {hour}:{minute:02}:{second:02} {half}")
}

/// The instant in UTC; one beyond the year 9999 is shown as the last that there is.
fn civil(time: Timestamp) -> DateTime {
    let instant = i64::try_from(time.millis()).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    TimeZone::UTC.to_datetime(instant.unwrap_or(jiff::Timestamp::MAX))
}

fn push_padded(out: &mut String, value: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_u32.pow(place) % 10;
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event_time(millis: u64) -> String {
        let mut out = String::new();
        push_event_time(&mut out, Timestamp::from_millis(millis));
        out
    }

    #[test]
    fn times_have_the_forms_of_cloudtrail() {
        assert_eq!(event_time(1_660_171_107_999), "2022-08-10T22:38:27Z");
        assert_eq!(element_time(Timestamp::from_millis(1_660_171_107_999)), "Aug 10, 2022, 10:38:27 PM");
        assert_eq!(element_time(Timestamp::from_millis(0)), "Jan 1, 1970, 12:00:00 AM");
        assert_eq!(element_time(Timestamp::from_millis(43_200_000)), "Jan 1, 1970, 12:00:00 PM");
        assert_eq!(event_time(u64::MAX), "9999-12-30T22:00:00Z");
    }

    #[test]
    fn days_read_back_and_stand_in_order() {
        let day = Day::of(Timestamp::from_millis(1_660_175_999_999));
        assert_eq!(day.to_string(), "2022-08-10");
        assert_eq!(Day::parse("2022-08-10"), Some(day));
        assert!(day < Day::of(Timestamp::from_millis(1_660_176_000_000)));
        for bad in ["", "2022-8-10", "2022-02-30", "2022-08-10 ", "+022-08-10", "2022/08/10"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }
}
