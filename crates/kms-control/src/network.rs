//! Raft's messages to one peer, over the peer service.

mod append;

use crate::config::ControlConfig;
use crate::links::{CallError, Link, Links, within};
use crate::snapshot::StoredSnapshot;
use crate::types::{MemberNode, TypeConfig, Vote};
use crate::wire;
use futures::{Stream, StreamExt};
use kms_proto::FormatError;
use kms_proto::peer::v1 as pb;
use openraft::base::{BoxFuture, BoxStream};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Timeout, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult, TransferLeaderError,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, RPCTypes, RaftNetworkFactory, RaftNetworkV2};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Longest pause between two chunks of a snapshot that the peer takes.
const SNAPSHOT_STALL: Duration = Duration::from_secs(10);
/// Longest time for the peer to install a snapshot that it has received, and more for each chunk.
const SNAPSHOT_INSTALL: Duration = Duration::from_secs(30);
const SNAPSHOT_INSTALL_PER_CHUNK: Duration = Duration::from_millis(500);

/// Makes openraft's clients.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    node_id: u64,
    links: Links,
    call_deadline: Duration,
}

impl Network {
    pub(crate) fn new(config: &ControlConfig, links: Links) -> Self {
        Self { node_id: config.node_id, links, call_deadline: config.call_deadline() }
    }
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = PeerNetwork;

    async fn new_client(&mut self, target: u64, _node: &MemberNode) -> PeerNetwork {
        let link = self.links.get(target).cloned();
        PeerNetwork { node_id: self.node_id, target, link, call_deadline: self.call_deadline }
    }
}

/// Raft's client for one peer.
#[derive(Debug)]
pub(crate) struct PeerNetwork {
    node_id: u64,
    target: u64,
    link: Option<Link>,
    call_deadline: Duration,
}

type RpcResult<T> = Result<T, RPCError<TypeConfig>>;

impl PeerNetwork {
    fn link(&self) -> Result<&Link, Unreachable<TypeConfig>> {
        self.link.as_ref().ok_or_else(|| Unreachable::from_string("the configuration does not name this member"))
    }

    fn failed(&self, action: RPCTypes, error: CallError) -> RPCError<TypeConfig> {
        match error {
            CallError::Deadline(timeout) => {
                RPCError::Timeout(Timeout { action, id: self.node_id, target: self.target, timeout })
            }
            CallError::Unreachable(_) | CallError::Refused(_) => RPCError::Unreachable(Unreachable::new(&error)),
        }
    }

    async fn ask_vote(&self, rpc: VoteRequest<TypeConfig>, pre_vote: bool) -> RpcResult<VoteResponse<TypeConfig>> {
        let mut client = self.link()?.client();
        let answer = within(self.call_deadline, client.vote(wire::vote_request_to_pb(&rpc, pre_vote))).await;
        wire::vote_response_from_pb(answer.map_err(|error| self.failed(RPCTypes::Vote, error))?).map_err(malformed)
    }
}

impl RaftNetworkV2<TypeConfig> for PeerNetwork {
    type SnapshotData = Arc<StoredSnapshot>;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> RpcResult<AppendEntriesResponse<TypeConfig>> {
        let mut answers = self.stream_append(futures::stream::iter([rpc]), option).await?;
        let no_answer = || RPCError::Network(NetworkError::from_string("the peer did not answer"));
        answers.next().await.ok_or_else(no_answer)?.map(AppendEntriesResponse::from)
    }

    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        _option: RPCOption,
    ) -> BoxFuture<'s, RpcResult<BoxStream<'s, RpcResult<StreamAppendResult<TypeConfig>>>>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        // openraft's own limit is one heartbeat, which it enforces for heartbeats itself. Entries may take longer.
        Box::pin(async move {
            let answers = append::stream_append(self.link()?, input, self.call_deadline).await;
            let answers = answers.map_err(|error| self.failed(RPCTypes::AppendEntries, error))?;
            let this = &*self;
            let answers =
                answers.map(move |answer| answer.map_err(|error| this.failed(RPCTypes::AppendEntries, error)));
            Ok(Box::pin(answers) as BoxStream<'s, _>)
        })
    }

    async fn vote(&mut self, rpc: VoteRequest<TypeConfig>, _option: RPCOption) -> RpcResult<VoteResponse<TypeConfig>> {
        self.ask_vote(rpc, false).await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        _option: RPCOption,
    ) -> RpcResult<VoteResponse<TypeConfig>> {
        self.ask_vote(rpc, true).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: openraft::alias::SnapshotOf<TypeConfig, Arc<StoredSnapshot>>,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let link = self.link()?.clone();
        tokio::select! {
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = send_snapshot(link, vote, snapshot.snapshot) => match sent {
                Ok(answer) => {
                    let vote = wire::vote_from_pb(answer.vote).map_err(|error| NetworkError::new(&error))?;
                    Ok(SnapshotResponse::new(vote))
                }
                Err(error) => Err(self.failed(RPCTypes::InstallSnapshot, error).into()),
            },
        }
    }

    async fn transfer_leader(
        &mut self,
        req: TransferLeaderRequest<TypeConfig>,
        _option: RPCOption,
    ) -> RpcResult<TransferLeaderResponse<TypeConfig>> {
        let mut client = self.link()?.client();
        let answer = within(self.call_deadline, client.transfer_leader(wire::transfer_to_pb(&req))).await;
        let answer = answer.map_err(|error| self.failed(RPCTypes::TransferLeader, error))?;
        if answer.refused {
            let vote = *req.from_leader();
            return Ok(Err(TransferLeaderError::VoteChanged { expected: vote, actual: vote }));
        }
        Ok(Ok(()))
    }
}

fn malformed(error: FormatError) -> RPCError<TypeConfig> {
    RPCError::Network(NetworkError::new(&error))
}

/// Streams header and chunks. Gives up when the peer takes no chunk for a while, or does not finish.
async fn send_snapshot(
    link: Link,
    vote: Vote,
    snapshot: Arc<StoredSnapshot>,
) -> Result<pb::InstallSnapshotResponse, CallError> {
    let count = snapshot.manifest.chunk_count;
    let sent = Arc::new(AtomicU32::new(0));
    let header = pb::SnapshotHeader { vote: Some(wire::vote_to_pb(&vote)), manifest: Some(snapshot.manifest.clone()) };
    let first = pb::InstallSnapshotRequest { part: Some(pb::install_snapshot_request::Part::Header(header)) };
    let taken = Arc::clone(&sent);
    let chunks = futures::stream::unfold(0_u32, move |index| {
        let (snapshot, taken) = (Arc::clone(&snapshot), Arc::clone(&taken));
        async move {
            if index >= count {
                return None;
            }
            // The peer notices a stream that ends early by the manifest.
            let chunk = tokio::task::spawn_blocking(move || snapshot.chunk(index)).await.ok()?;
            let chunk = chunk.inspect_err(|error| tracing::error!(%error, "a snapshot cannot be sent")).ok()?;
            taken.store(index.saturating_add(1), Ordering::Relaxed);
            let part = pb::install_snapshot_request::Part::Chunk(chunk.into());
            Some((pb::InstallSnapshotRequest { part: Some(part) }, index.saturating_add(1)))
        }
    });
    let stream = futures::StreamExt::chain(futures::stream::iter([first]), chunks);
    let mut client = link.client();
    let call = client.install_snapshot(stream);
    tokio::pin!(call);
    let mut seen = 0;
    loop {
        let patience = if seen >= count {
            SNAPSHOT_INSTALL + SNAPSHOT_INSTALL_PER_CHUNK.saturating_mul(count)
        } else {
            SNAPSHOT_STALL
        };
        match within(patience, &mut call).await {
            Err(CallError::Deadline(_)) if sent.load(Ordering::Relaxed) > seen => {
                seen = sent.load(Ordering::Relaxed);
            }
            outcome => return outcome,
        }
    }
}
