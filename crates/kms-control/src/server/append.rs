//! Answering a leader's stream of entries and heartbeats.

use super::{fatal_status, malformed, speaks_for_itself};
use crate::node::Inner;
use crate::types::TypeConfig;
use crate::wire;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use kms_proto::peer::v1 as pb;
use openraft::raft::AppendEntriesRequest;
use std::sync::{Arc, OnceLock};
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Status, Streaming};

type Answers = BoxStream<'static, Result<pb::AppendEntriesResponse, Status>>;

/// One answer per request, in order. A request that may not be made, or cannot be read, ends the stream with the reason
/// after the answers to those before it. The node on the other end is `node_id`.
pub(super) fn answers(
    inner: Arc<Inner>,
    node_id: u64,
    requests: Streaming<pb::AppendEntriesRequest>,
    permit: OwnedSemaphorePermit,
) -> Answers {
    let refusal = Arc::new(OnceLock::new());
    let input = accepted(Arc::clone(&inner), node_id, requests, Arc::clone(&refusal));
    let answers = inner.raft.stream_append(input).map(move |answer| {
        let _held_while_streaming = &permit;
        answer.map(wire::appended_to_pb).map_err(|fatal| fatal_status(&fatal))
    });
    let end = futures::stream::once(async move { refusal.get().cloned() });
    Box::pin(answers.chain(end.filter_map(|refusal| std::future::ready(refusal.map(Err)))))
}

/// The requests up to the first that is refused.
fn accepted(
    inner: Arc<Inner>,
    node_id: u64,
    requests: Streaming<pb::AppendEntriesRequest>,
    refusal: Arc<OnceLock<Status>>,
) -> impl Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + 'static {
    futures::stream::unfold((inner, requests, refusal), move |(inner, mut requests, refusal)| async move {
        let request = match requests.message().await {
            Ok(request) => request?,
            Err(status) => {
                tracing::debug!(%status, "a leader's stream broke");
                return None;
            }
        };
        match check(&inner, node_id, request) {
            Ok(request) => Some((request, (inner, requests, refusal))),
            Err(status) => {
                // Nobody else sets it.
                drop(refusal.set(status));
                None
            }
        }
    })
}

fn check(
    inner: &Inner,
    node_id: u64,
    request: pb::AppendEntriesRequest,
) -> Result<AppendEntriesRequest<TypeConfig>, Status> {
    let request = wire::append_from_pb(request).map_err(malformed)?;
    speaks_for_itself(node_id, &request.vote)?;
    // Only what a leader committed in its own term proves that it knows everything committed before.
    if !inner.joining.is_done()
        && let Some(committed) = request.leader_commit.filter(|id| id.leader_id == request.vote.leader_id)
    {
        inner.joining.target.send_if_modified(|target| target.replace(committed.index).is_none());
    }
    Ok(request)
}
