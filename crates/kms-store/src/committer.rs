//! The committer: one thread that turns the waiters of a moment into one barrier (group commit).
//!
//! Persist, then speak: a callback runs only after the sync that covers everything written before it was queued.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SendError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{Corruption, DurableCallback, StoreError};

/// Waiters that may queue while a sync runs. A caller beyond waits in `on_durable`, which slows it to the disk's pace.
const WAITERS_MAX: usize = 4096;
/// A disk that takes longer for one barrier is as good as gone.
const BARRIER_DEADLINE: Duration = Duration::from_secs(60);

/// Owns the committer thread; dropping it finishes the queued waiters first.
#[derive(Debug)]
pub(crate) struct Committer {
    queue: Option<SyncSender<DurableCallback>>,
    thread: Option<JoinHandle<()>>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    poisoned: AtomicBool,
    barriers: AtomicU64,
}

impl Committer {
    /// Starts the thread. `sync` makes everything written so far durable. Fails if no thread can be had.
    pub(crate) fn start(sync: impl FnMut() -> Result<(), StoreError> + Send + 'static) -> Result<Self, StoreError> {
        let (queue, waiters) = sync_channel(WAITERS_MAX);
        let state = Arc::new(State::default());
        let thread = thread::Builder::new()
            .name("store-committer".into())
            .spawn({
                let state = Arc::clone(&state);
                move || run(&waiters, sync, &state)
            })
            .map_err(|source| StoreError::io("start its committer thread", source))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), state })
    }

    /// Queues a waiter for the next barrier; waits while the queue is full.
    pub(crate) fn on_durable(&self, callback: DurableCallback) {
        let Some(queue) = &self.queue else {
            return callback(Err(StoreError::Closed));
        };
        if let Err(SendError(callback)) = queue.send(callback) {
            callback(Err(StoreError::Poisoned));
        }
    }

    /// Blocks until the next barrier is through. Fails after 60 seconds.
    pub(crate) fn barrier(&self) -> Result<(), StoreError> {
        let (done, outcome) = sync_channel(1);
        self.on_durable(Box::new(move |result| {
            // Nobody listens any more if the deadline has passed.
            drop(done.send(result));
        }));
        outcome
            .recv_timeout(BARRIER_DEADLINE)
            .unwrap_or(Err(StoreError::BarrierTimeout { seconds: BARRIER_DEADLINE.as_secs() }))
    }

    /// Stops the store: every later barrier fails.
    pub(crate) fn poison(&self) {
        self.state.poisoned.store(true, Ordering::SeqCst);
    }

    /// Fails if the store has stopped.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.state.poisoned.load(Ordering::SeqCst) { Err(StoreError::Poisoned) } else { Ok(()) }
    }

    /// Barriers carried out since the store was opened.
    pub(crate) fn barriers_total(&self) -> u64 {
        self.state.barriers.load(Ordering::Relaxed)
    }

    /// Finishes the queued waiters and ends the thread.
    pub(crate) fn stop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // The last owner may be a callback, which runs on the committer thread itself.
            if thread.thread().id() != thread::current().id() && thread.join().is_err() {
                tracing::error!("the committer thread of the store panicked");
            }
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(waiters: &Receiver<DurableCallback>, mut sync: impl FnMut() -> Result<(), StoreError>, state: &State) {
    while let Ok(first) = waiters.recv() {
        let group: Vec<DurableCallback> = std::iter::once(first).chain(waiters.try_iter().take(WAITERS_MAX)).collect();
        let outcome = if state.poisoned.load(Ordering::SeqCst) {
            Err(StoreError::Poisoned)
        } else {
            // sled panics on some I/O errors; a dead committer would leave its waiters without an answer.
            catch_unwind(AssertUnwindSafe(&mut sync)).unwrap_or(Err(StoreError::corrupt(Corruption::Database)))
        };
        state.barriers.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = &outcome
            && !state.poisoned.swap(true, Ordering::SeqCst)
        {
            tracing::error!(%error, "a barrier of the store failed; the store has stopped");
        }
        for callback in group {
            if catch_unwind(AssertUnwindSafe(|| callback(outcome.clone()))).is_err() {
                state.poisoned.store(true, Ordering::SeqCst);
                tracing::error!("a callback of the store panicked; the store has stopped");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io, sync::mpsc};

    use super::*;

    fn device_error() -> StoreError {
        StoreError::io("sync the database file", io::Error::from_raw_os_error(5))
    }

    #[test]
    fn a_failed_sync_reaches_its_waiters_and_stops_the_store() {
        let mut outcomes = vec![Ok(()), Err(device_error()), Ok(())].into_iter();
        let committer = Committer::start(move || outcomes.next().unwrap()).unwrap();
        committer.barrier().unwrap();
        committer.check().unwrap();
        assert!(matches!(committer.barrier(), Err(StoreError::Io { .. })));
        assert!(matches!(committer.check(), Err(StoreError::Poisoned)));
        assert!(matches!(committer.barrier(), Err(StoreError::Poisoned)), "a later success must not clear it");
    }

    #[test]
    fn a_panicking_sync_answers_its_waiters() {
        let committer = Committer::start(|| panic!("as sled does")).unwrap();
        assert!(matches!(committer.barrier(), Err(StoreError::Corrupt { .. })));
        assert!(matches!(committer.barrier(), Err(StoreError::Poisoned)));
    }

    #[test]
    fn waiters_that_gather_during_a_sync_share_the_next_one() {
        let (entered, sync_entered) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let committer = Committer::start(move || {
            entered.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        })
        .unwrap();
        let (done, answers) = mpsc::channel();
        let queue = |name: u32| {
            let done = done.clone();
            committer.on_durable(Box::new(move |outcome| done.send((name, outcome.is_ok())).unwrap()));
        };
        queue(0);
        sync_entered.recv().unwrap();
        (1..=100).for_each(queue);
        release.send(()).unwrap();
        release.send(()).unwrap();
        let order: Vec<_> = answers.iter().take(101).collect();
        assert_eq!(order, (0..=100).map(|name| (name, true)).collect::<Vec<_>>());
        assert_eq!(committer.barriers_total(), 2);
    }

    #[test]
    fn stopping_answers_everyone_who_waits() {
        let (done, answers) = mpsc::channel();
        let mut committer = Committer::start(|| Ok(())).unwrap();
        for _ in 0..10 {
            let done = done.clone();
            committer.on_durable(Box::new(move |outcome| done.send(outcome.is_ok()).unwrap()));
        }
        committer.stop();
        assert_eq!(answers.try_iter().filter(|ok| *ok).count(), 10);
        assert!(matches!(committer.barrier(), Err(StoreError::Closed)));
    }
}
