//! Instants as SigV4 writes them: `YYYYMMDDTHHMMSSZ`, always UTC.

use kms_types::Timestamp;
use std::fmt;

/// An instant in ISO 8601 basic form, to the second.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct AmzDate {
    text: [u8; 16],
    at: Timestamp,
}

const SECONDS_PER_DAY: u64 = 86_400;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl AmzDate {
    /// Reads `YYYYMMDDTHHMMSSZ` of the years 1970 to 9999.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let text: [u8; 16] = value.as_bytes().try_into().ok()?;
        if text[8] != b'T' || text[15] != b'Z' {
            return None;
        }
        let date = (number(&text[0..4])?, number(&text[4..6])?, number(&text[6..8])?);
        let time = (number(&text[9..11])?, number(&text[11..13])?, number(&text[13..15])?);
        Some(Self { text, at: instant(date, time)? })
    }

    /// Reads the preferred date form of HTTP, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
    pub(crate) fn parse_http(value: &str) -> Option<Self> {
        let (_, rest) = value.split_once(", ")?;
        let bytes = rest.as_bytes();
        if bytes.len() != 24 || !rest.ends_with(" GMT") {
            return None;
        }
        let month = MONTHS.iter().position(|m| m.as_bytes() == &bytes[3..6])?;
        let date = (number(&bytes[7..11])?, u64::try_from(month).ok()? + 1, number(&bytes[0..2])?);
        let time = (number(&bytes[12..14])?, number(&bytes[15..17])?, number(&bytes[18..20])?);
        Some(Self::at(instant(date, time)?))
    }

    /// The instant, cut to the second.
    pub(crate) fn at(at: Timestamp) -> Self {
        let seconds = at.millis() / 1000;
        let (year, month, day) = civil(seconds / SECONDS_PER_DAY);
        let second = seconds % SECONDS_PER_DAY;
        let mut text = *b"00000000T000000Z";
        write_digits(&mut text[0..4], year);
        write_digits(&mut text[4..6], month);
        write_digits(&mut text[6..8], day);
        write_digits(&mut text[9..11], second / 3600);
        write_digits(&mut text[11..13], second / 60 % 60);
        write_digits(&mut text[13..15], second % 60);
        Self { text, at: Timestamp::from_millis(seconds * 1000) }
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        self.at
    }

    /// Days since the Unix epoch.
    pub(crate) fn day(&self) -> u64 {
        self.at.millis() / 1000 / SECONDS_PER_DAY
    }

    /// `YYYYMMDD`.
    pub(crate) fn date(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    /// The extended form, `YYYY-MM-DDTHH:MM:SSZ`.
    pub(crate) fn extended(&self) -> String {
        let part = |range: std::ops::Range<usize>| self.as_str().get(range).unwrap_or_default();
        format!("{}-{}-{}T{}:{}:{}Z", part(0..4), part(4..6), part(6..8), part(9..11), part(11..13), part(13..15))
    }

    pub(crate) fn as_str(&self) -> &str {
        // Both constructors leave ASCII only.
        str::from_utf8(&self.text).unwrap_or_default()
    }
}

impl fmt::Display for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + u64::from(d - b'0')))
}

fn write_digits(out: &mut [u8], mut number: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789"[usize::try_from(number % 10).unwrap_or_default()];
        number /= 10;
    }
}

fn instant((year, month, day): (u64, u64, u64), (hour, minute, second): (u64, u64, u64)) -> Option<Timestamp> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    let real = (1970..=9999).contains(&year) && (1..=days_in_month).contains(&day);
    if !real || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days((year, month, day)) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    Some(Timestamp::from_millis(seconds * 1000))
}

/// Days from 0000-03-01, the start of the 400-year cycle in which leap days come last, to 1970-01-01.
const EPOCH_DAYS: u64 = 719_468;
const DAYS_PER_ERA: u64 = 146_097;

/// Days since the Unix epoch of a date of the Gregorian calendar, counting years from March.
fn days((year, month, day): (u64, u64, u64)) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let year_of_era = year % 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    year / 400 * DAYS_PER_ERA + day_of_era - EPOCH_DAYS
}

/// The reverse of [`days`].
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(EPOCH_DAYS);
    let day_of_era = days % DAYS_PER_ERA;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = days / DAYS_PER_ERA * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_same_instant() {
        let basic = AmzDate::parse("20150830T123600Z").unwrap();
        assert_eq!(basic.timestamp().millis(), 1_440_938_160_000);
        assert_eq!(AmzDate::parse_http("Sun, 30 Aug 2015 12:36:00 GMT"), Some(basic));
        assert_eq!(AmzDate::at(basic.timestamp()), basic);
        assert_eq!(basic.date(), "20150830");
    }

    #[test]
    fn every_day_of_a_leap_cycle_reads_back() {
        for day in 0..DAYS_PER_ERA {
            let date = AmzDate::at(Timestamp::from_millis(day * SECONDS_PER_DAY * 1000));
            assert_eq!(AmzDate::parse(date.as_str()), Some(date));
            assert_eq!(date.day(), day);
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for bad in ["", "20150830", "20150830T123600", "20150229T000000Z", "20150830T240000Z", "19690101T000000Z"] {
            assert_eq!(AmzDate::parse(bad), None, "{bad}");
        }
        for bad in ["", "Sun, ", "Sun, 30 Agu 2015 12:36:00 GMT", "Sun, 30 Aug 2015 12:36:00 CET"] {
            assert_eq!(AmzDate::parse_http(bad), None, "{bad}");
        }
    }
}
