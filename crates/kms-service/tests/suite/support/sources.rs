//! Time, randomness and worker threads.

use kms_crypto::{Entropy, EntropyError};
use kms_service::{Clock, Work, Workers, WorkersBusy};
use kms_types::Timestamp;
use shake::{ExtendableOutput, Shake128, Shake128Reader, Update, XofReader};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// A clock that moves when told to.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(1_700_000_000_000))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// SHAKE-128 of a label: as good as random, and the same in every run.
pub(crate) struct Stream(Mutex<Shake128Reader>);

impl Stream {
    pub(crate) fn new(label: &str) -> Self {
        let mut hash = Shake128::default();
        hash.update(label.as_bytes());
        Self(Mutex::new(hash.finalize_xof()))
    }
}

impl Entropy for Stream {
    fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
        self.0.lock().unwrap().read(dest);
        Ok(())
    }
}

/// A source that has run dry.
pub(crate) struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

/// Does the work at once, on the thread that asks for it.
#[derive(Debug, Default)]
pub(crate) struct TestWorkers(AtomicBool);

impl TestWorkers {
    pub(crate) fn set_busy(&self, busy: bool) {
        self.0.store(busy, Ordering::SeqCst);
    }
}

impl Workers for TestWorkers {
    fn submit(&self, work: Work) -> Result<(), WorkersBusy> {
        if self.0.load(Ordering::SeqCst) {
            return Err(WorkersBusy);
        }
        work();
        Ok(())
    }
}
