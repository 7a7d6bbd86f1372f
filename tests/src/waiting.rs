//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// Longest wait of [`eventually`]: far more than anything takes on a machine that is busy with other tests.
const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until the condition gives a value.
///
/// # Panics
/// With `what` when it does not within a minute.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, condition: impl FnMut() -> F) -> T {
    eventually_within(DEADLINE, what, condition).await
}

/// Looks until the condition gives a value or the time is over.
///
/// # Panics
/// With `what` when the time is over.
pub async fn eventually_within<T, F: Future<Output = Option<T>>>(
    deadline: Duration,
    what: &str,
    mut condition: impl FnMut() -> F,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(started.elapsed() < deadline, "not within {deadline:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}
