//! One Region's node: builds every part and runs until shutdown.

use crate::config::NodeConfig;
use tokio_util::sync::CancellationToken;

/// Runs a node until `shutdown` is cancelled.
///
/// # Errors
/// Fails when a part cannot start.
pub async fn run(config: NodeConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    tracing::info!(region = %config.region, "node started");
    shutdown.cancelled().await;
    Ok(())
}
