//! Threads for work that takes long, such as drawing RSA keys: few, so that the data path keeps processors to itself,
//! and with a short queue, so that nobody waits longer than a client does.

use kms_service::{Work, Workers, WorkersBusy};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// How much work may wait for each thread. The longest, an RSA key of 4096 bits, takes a second or a few; SDKs give up
/// after a minute.
const WAITING_PER_THREAD_MAX: usize = 8;

/// The worker threads. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct WorkerThreads {
    queue: SyncSender<Work>,
}

impl WorkerThreads {
    /// Starts a thread for every second processor.
    ///
    /// # Errors
    /// Fails when the system starts no thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get).div_ceil(2);
        let (queue, waiting) = sync_channel(WAITING_PER_THREAD_MAX * threads);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..threads {
            let waiting = Arc::clone(&waiting);
            std::thread::Builder::new().name("worker".into()).spawn(move || work_off(&waiting))?;
        }
        Ok(Self { queue })
    }
}

impl Workers for WorkerThreads {
    fn submit(&self, work: Work) -> Result<(), WorkersBusy> {
        self.queue.try_send(work).map_err(|_full| WorkersBusy)
    }
}

fn work_off(waiting: &Mutex<Receiver<Work>>) {
    loop {
        // The lock is held while waiting, not while working.
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // Whoever waits for a result hears that there is none; the thread goes on.
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            tracing::error!("work of a worker thread panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    const DEADLINE: Duration = Duration::from_secs(30);

    #[test]
    fn work_beyond_the_queue_is_refused_until_some_is_done() {
        let workers = WorkerThreads::start().unwrap();
        let (gate, closed) = channel::<()>();
        let closed = Arc::new(Mutex::new(closed));
        let (done, finished) = channel();
        let mut accepted = 0;
        // No more than the queue and the threads hold, and whatever a thread takes up meanwhile.
        while accepted < 1_000_000 {
            let (closed, done) = (Arc::clone(&closed), done.clone());
            let work = move || {
                let _opened = closed.lock().map(|gate| gate.recv());
                let _received = done.send(());
            };
            if workers.submit(Box::new(work)).is_err() {
                break;
            }
            accepted += 1;
        }
        assert!((WAITING_PER_THREAD_MAX..1_000_000).contains(&accepted), "{accepted}");
        drop(gate);
        for _ in 0..accepted {
            finished.recv_timeout(DEADLINE).unwrap();
        }
        workers.submit(Box::new(|| ())).unwrap();
    }

    #[test]
    fn a_panic_costs_no_thread() {
        let workers = WorkerThreads::start().unwrap();
        let submit = |work: &dyn Fn() -> Work| {
            while workers.submit(work()).is_err() {
                std::thread::yield_now();
            }
        };
        for round in 0..100 {
            submit(&|| Box::new(move || assert!(round > 100, "panics on purpose")));
        }
        let (done, finished) = channel();
        submit(&|| {
            let done = done.clone();
            Box::new(move || done.send(()).unwrap())
        });
        finished.recv_timeout(DEADLINE).unwrap();
    }
}
