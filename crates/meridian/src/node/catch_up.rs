//! Catching up with the control log after a start, before the Region counts as ready.
//!
//! A Region that was away still has the shared properties of its last moment: a load balancer that sends it requests too
//! early gets old answers. It does not wait for ever: cryptography is local, and with no majority there is nothing to
//! catch up with.

use kms_control::ControlNode;
use kms_service::ControlLog as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Longest wait for one answer of the leader.
const ATTEMPT: Duration = Duration::from_secs(1);

/// Whether the start-up's look at the control log is over.
#[derive(Debug, Default)]
pub(crate) struct CaughtUp(AtomicBool);

impl CaughtUp {
    pub(crate) fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Waits until everything that was committed when the node started is applied here, or `patience` is over.
    pub(crate) async fn run(&self, control: &ControlNode, patience: Duration, shutdown: &CancellationToken) {
        let started = Instant::now();
        loop {
            let left = patience.saturating_sub(started.elapsed());
            if left.is_zero() {
                tracing::warn!("no majority of Regions within reach: shared properties may be out of date");
                break;
            }
            let asked = Instant::now();
            let answered = tokio::select! {
                () = shutdown.cancelled() => return,
                answered = control.read_barrier(left.min(ATTEMPT)) => answered,
            };
            match answered {
                Ok(index) => {
                    tracing::info!(index, "caught up with the control log");
                    break;
                }
                Err(error) => tracing::debug!(%error, "not caught up yet"),
            }
            // An attempt that failed at once is not repeated at once.
            tokio::time::sleep(Duration::from_millis(20).saturating_sub(asked.elapsed())).await;
        }
        self.0.store(true, Ordering::Release);
    }
}
