//! When keys were last used: saved every few seconds and at the end.

use anyhow::Context as _;
use kms_service::{Clock, Service};
use kms_store::{Keyspace, Store, WriteBatch};
use kms_types::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two savings: what a crash can lose.
const SAVE_INTERVAL: Duration = Duration::from_secs(5);
/// Longest saving at the end of the node.
const SAVE_TIMEOUT: Duration = Duration::from_secs(2);
/// Row with the time from which on this Region has noted uses. Below every row kind of the regional codec.
const TRACKED_SINCE_KEY: &[u8] = &[0x02];

/// Saves the uses of keys until shutdown.
pub(super) async fn run(service: Arc<Service>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(SAVE_INTERVAL) => save(&service).await,
        }
    }
}

/// Saves what was noted since the last time. What cannot be saved is tried again the next time.
pub(super) async fn save(service: &Service) {
    match tokio::time::timeout(SAVE_TIMEOUT, service.save_last_uses()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the last uses of keys could not be saved"),
        Err(_elapsed) => tracing::warn!("the last uses of keys could not be saved in time"),
    }
}

/// From when on this Region has noted uses of keys: its first start with a version that does.
///
/// # Errors
/// Fails when the store does, or the row is damaged.
pub(super) fn tracked_since(store: &dyn Store, clock: &dyn Clock) -> anyhow::Result<Timestamp> {
    if let Some(row) = store.get(Keyspace::Regional, TRACKED_SINCE_KEY)? {
        let bytes = row.as_slice().try_into().context("the time since when uses are tracked is damaged")?;
        return Ok(Timestamp::from_millis(u64::from_be_bytes(bytes)));
    }
    let now = clock.now();
    let mut batch = WriteBatch::new();
    batch.put(TRACKED_SINCE_KEY, now.millis().to_be_bytes());
    store.write(Keyspace::Regional, batch)?;
    store.barrier()?;
    Ok(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_store::MemoryStore;

    #[derive(Debug)]
    struct At(u64);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0)
        }
    }

    #[test]
    fn the_first_start_counts() {
        let store = MemoryStore::default();
        for now in [7, 8, 1] {
            assert_eq!(tracked_since(&store, &At(now)).unwrap(), Timestamp::from_millis(7));
        }
    }
}
