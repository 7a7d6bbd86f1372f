//! Instants and the length of a day.

use std::time::Duration;

/// Milliseconds since the Unix epoch. Always handed in; nothing below the binary reads a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Wraps milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// The instant `duration` later, or the largest one there is.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long `earlier` is before this instant; zero if it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// How long a "day" lasts in waiting periods and rotation periods: 24 hours, shorter in a development cluster so that
/// a year can be practised in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayLength(Duration);

impl DayLength {
    /// Shortest day, so that schedulers are never asked to run in a busy loop.
    pub const MIN: Duration = Duration::from_millis(10);

    /// A day of the given length, at least [`DayLength::MIN`].
    #[must_use]
    pub fn new(length: Duration) -> Self {
        Self(length.max(Self::MIN))
    }

    /// The given number of days.
    #[must_use]
    pub fn days(self, count: u32) -> Duration {
        self.0.saturating_mul(count)
    }

    /// A real-world duration, scaled as the day is.
    #[must_use]
    pub fn scale(self, real: Duration) -> Duration {
        let share = real.as_secs_f64() / Self::default().0.as_secs_f64();
        self.0.mul_f64(share)
    }
}

impl Default for DayLength {
    fn default() -> Self {
        Self(Duration::from_secs(86_400))
    }
}
