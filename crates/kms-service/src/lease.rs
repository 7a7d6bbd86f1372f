//! How long a Region goes by what it knows of the directory of principals without hearing from a majority.
//!
//! Whoever is disabled while a Region is cut off stays honoured there until the lease is over, and no longer. Elapsed time
//! is the longer of what the monotonic clock and the time of day say: the first stops while a machine sleeps, the second
//! can be set back, and neither may lengthen a lease.

use crate::Clock;
use arc_swap::ArcSwapOption;
use kms_types::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An instant on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    monotonic: Instant,
    wall: Timestamp,
}

/// When this Region last knew everything that was committed, and how long that counts.
#[derive(Debug)]
pub struct Lease {
    length: Duration,
    clock: Arc<dyn Clock>,
    confirmed: ArcSwapOption<Moment>,
}

impl Lease {
    /// A lease that has yet to be confirmed for the first time.
    #[must_use]
    pub fn new(length: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { length, clock, confirmed: ArcSwapOption::empty() }
    }

    /// How long a confirmation counts.
    #[must_use]
    pub fn length(&self) -> Duration {
        self.length
    }

    /// Now. To be taken before the control log is asked: what is committed later is not confirmed.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment { monotonic: Instant::now(), wall: self.clock.now() }
    }

    /// This Region had applied everything that was committed at that moment.
    pub fn confirm(&self, at: Moment) {
        self.confirmed.store(Some(Arc::new(at)));
    }

    /// How long ago that was; `None` before the first time since the start.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        let confirmed = **self.confirmed.load().as_ref()?;
        let now = self.moment();
        let elapsed = now.monotonic.saturating_duration_since(confirmed.monotonic);
        Some(elapsed.max(now.wall.since(confirmed.wall)))
    }

    /// Whether principals of the directory are honoured.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.age().is_some_and(|age| age <= self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Debug, Default)]
    struct Wall(AtomicU64);

    impl Clock for Wall {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn nothing_is_honoured_before_the_first_confirmation_and_after_the_lease() {
        let wall = Arc::new(Wall::default());
        let lease = Lease::new(Duration::from_secs(3_600), Arc::clone(&wall) as Arc<dyn Clock>);
        assert!(!lease.holds());
        lease.confirm(lease.moment());
        assert!(lease.holds());
        wall.0.store(3_600_000, Ordering::Relaxed);
        assert!(lease.holds());
        wall.0.store(3_700_001, Ordering::Relaxed);
        assert!(!lease.holds());
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_lengthen_a_lease() {
        let wall = Arc::new(Wall(AtomicU64::new(10_000)));
        let lease = Lease::new(Duration::ZERO, Arc::clone(&wall) as Arc<dyn Clock>);
        let before = lease.moment();
        wall.0.store(0, Ordering::Relaxed);
        lease.confirm(before);
        while before.monotonic == Instant::now() {
            std::hint::spin_loop();
        }
        assert!(!lease.holds());
    }
}
