//! Receiving a snapshot: chunks go to the store as they come, and the state changes only once all of it is there.

use super::{fatal_status, malformed};
use crate::ControlError;
use crate::node::Inner;
use crate::snapshot::{CHUNK_BYTES, SnapshotWriter, StoredSnapshot, check_version};
use crate::types::Vote;
use crate::wire;
use kms_proto::peer::v1 as pb;
use kms_proto::peer::v1::install_snapshot_request::Part;
use kms_types::RegionName;
use openraft::Snapshot;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Status, Streaming};

/// Longest wait for the next part.
const PART_DEADLINE: Duration = Duration::from_secs(10);

/// Receives and installs a snapshot of the leader on node `node_id`. Answers this node's vote.
pub(super) async fn receive(
    inner: &Inner,
    region: &RegionName,
    node_id: u64,
    mut parts: Streaming<pb::InstallSnapshotRequest>,
) -> Result<Vote, Status> {
    let Some(Part::Header(header)) = next_part(&mut parts).await? else {
        return Err(Status::invalid_argument("a snapshot starts with its header"));
    };
    let vote = wire::vote_from_pb(header.vote).map_err(malformed)?;
    if vote.leader_id.node_id != node_id {
        return Err(Status::permission_denied("a Region may only speak for its own node"));
    }
    let manifest = header.manifest.ok_or_else(|| Status::invalid_argument("a snapshot has a manifest"))?;
    check_version(&manifest).map_err(|error| Status::failed_precondition(error.to_string()))?;
    let meta = wire::snapshot_meta(&manifest).map_err(malformed)?;
    // openraft takes a snapshot beyond its leader's term for corruption and would stop this node.
    if meta.last_log_id.is_none_or(|last| last.leader_id > vote.leader_id) {
        return Err(Status::invalid_argument("a leader has no snapshot of a later term"));
    }
    tracing::info!(leader = %region, bytes = manifest.total_bytes, rows = manifest.row_count, "receiving a snapshot");
    let writer = receive_chunks(inner, &manifest, &mut parts).await?;
    let snapshot = blocking(move || writer.finish_received(manifest)).await?;
    let response = inner
        .raft
        .install_full_snapshot(vote, Snapshot { meta, snapshot: Arc::clone(&snapshot) })
        .await
        .map_err(|fatal| fatal_status(&fatal))?;
    discard_unless_current(inner, snapshot).await;
    Ok(response.vote)
}

async fn receive_chunks(
    inner: &Inner,
    manifest: &pb::SnapshotManifest,
    parts: &mut Streaming<pb::InstallSnapshotRequest>,
) -> Result<SnapshotWriter, Status> {
    let mut writer = inner.shelf.writer();
    let mut received = 0_u64;
    while let Some(part) = next_part(parts).await? {
        let Part::Chunk(chunk) = part else {
            return Err(Status::invalid_argument("a snapshot has one header"));
        };
        received = received.saturating_add(chunk.len() as u64);
        if chunk.len() > CHUNK_BYTES || received > manifest.total_bytes {
            return Err(Status::invalid_argument("more bytes than the manifest says"));
        }
        writer = blocking(move || {
            let mut writer = writer;
            writer.push(&chunk)?;
            Ok(writer)
        })
        .await?;
    }
    Ok(writer)
}

async fn next_part(parts: &mut Streaming<pb::InstallSnapshotRequest>) -> Result<Option<Part>, Status> {
    let message = tokio::time::timeout(PART_DEADLINE, parts.message()).await;
    let message =
        message.map_err(|_elapsed| Status::deadline_exceeded("the next part of the snapshot did not come"))??;
    match message {
        Some(message) => match message.part {
            Some(part) => Ok(Some(part)),
            None => Err(Status::invalid_argument("a part of a snapshot is empty")),
        },
        None => Ok(None),
    }
}

/// A snapshot that openraft did not want (a later one is here, or the leader was deposed) leaves nothing behind.
async fn discard_unless_current(inner: &Inner, snapshot: Arc<StoredSnapshot>) {
    let shelf = Arc::clone(&inner.shelf);
    if let Err(status) = blocking(move || shelf.discard_unless_current(&snapshot)).await {
        tracing::warn!(%status, "a snapshot that is not needed stays until the next start");
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ControlError> + Send + 'static,
) -> Result<T, Status> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Status::aborted(error.to_string())),
        Err(_panicked) => Err(Status::internal("a task of the store failed")),
    }
}
