//! The time and the randomness of this machine: the only place that asks the operating system for either.

use kms_crypto::{Entropy, EntropyError};
use kms_service::Clock;
use kms_types::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The system clock, made never to go backwards within a process: what was due stays due when the machine's clock is
/// set back.
#[derive(Debug, Default)]
pub(crate) struct SystemClock {
    latest_ms: AtomicU64,
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
        Timestamp::from_millis(self.latest_ms.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

/// The kernel's random generator.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(dest).map_err(|_unavailable| EntropyError)
    }
}
