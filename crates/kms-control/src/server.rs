//! The peer service: every call is checked against the Region in the caller's certificate before anything else.

mod append;
mod snapshots;

use crate::links::MESSAGE_BYTES_MAX;
use crate::node::{Inner, LocalRefusal};
use crate::ports::PeerRegion;
use crate::types::{TypeConfig, Vote};
use crate::wire;
use futures::stream::BoxStream;
use kms_proto::FormatError;
use kms_proto::control_codec::decode_command;
use kms_proto::peer::v1 as pb;
use kms_proto::peer::v1::peer_server::{Peer, PeerServer};
use kms_types::{KeyId, RegionName};
use openraft::errors::{Fatal, RaftError};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::{Request, Response, Status, Streaming};

/// Raft's calls and streams at one time. openraft has a few per peer, so only a misbehaving peer reaches this.
const RAFT_CALLS_MAX: usize = 256;
/// Proposals and reads of other Regions handled at one time; a Region beyond is told to come again.
const CLIENT_CALLS_MAX: usize = 2_048;
/// Snapshots received at one time.
const SNAPSHOTS_MAX: usize = 1;

/// Answers the peers of one node.
pub struct PeerService {
    inner: Arc<Inner>,
    raft_calls: Arc<Semaphore>,
    client_calls: Semaphore,
    snapshots: Semaphore,
}

impl fmt::Debug for PeerService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeerService").field("region", &self.inner.config.region).finish_non_exhaustive()
    }
}

impl PeerService {
    pub(crate) fn server(inner: &Arc<Inner>) -> PeerServer<Self> {
        let service = Self {
            inner: Arc::clone(inner),
            raft_calls: Arc::new(Semaphore::new(RAFT_CALLS_MAX)),
            client_calls: Semaphore::new(CLIENT_CALLS_MAX),
            snapshots: Semaphore::new(SNAPSHOTS_MAX),
        };
        PeerServer::new(service)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// The calling Region and its node's number.
    fn caller<T>(&self, request: &Request<T>) -> Result<(RegionName, u64), Status> {
        let Some(PeerRegion(region)) = request.extensions().get::<PeerRegion>() else {
            return Err(Status::permission_denied("no Region's certificate"));
        };
        match self.inner.config.peers().find(|member| member.region == *region) {
            Some(member) => Ok((region.clone(), member.node_id)),
            None => Err(Status::permission_denied("the Region is no other member of this cluster")),
        }
    }

    /// Raft messages are the sender's own: the vote they carry must name its node.
    fn check_sender<T>(&self, request: &Request<T>, vote: &Vote) -> Result<(), Status> {
        let (_, node_id) = self.caller(request)?;
        speaks_for_itself(node_id, vote)
    }

    fn not_leader(refusal: LocalRefusal) -> Result<pb::NotLeader, Status> {
        match refusal {
            LocalRefusal::NotLeader(leader) => Ok(pb::NotLeader { leader: leader.map(|region| region.to_string()) }),
            LocalRefusal::Stopped => Err(stopped()),
        }
    }
}

#[tonic::async_trait]
impl Peer for PeerService {
    type AppendEntriesStream = BoxStream<'static, Result<pb::AppendEntriesResponse, Status>>;

    async fn append_entries(
        &self,
        request: Request<Streaming<pb::AppendEntriesRequest>>,
    ) -> Result<Response<Self::AppendEntriesStream>, Status> {
        let (_, node_id) = self.caller(&request)?;
        let permit = Arc::clone(&self.raft_calls).try_acquire_owned().map_err(|_none| too_many())?;
        let answers = append::answers(Arc::clone(&self.inner), node_id, request.into_inner(), permit);
        Ok(Response::new(answers))
    }

    async fn vote(&self, request: Request<pb::VoteRequest>) -> Result<Response<pb::VoteResponse>, Status> {
        let vote = wire::vote_from_pb(request.get_ref().vote).map_err(malformed)?;
        self.check_sender(&request, &vote)?;
        let _permit = permit(&self.raft_calls)?;
        let pre_vote = request.get_ref().pre_vote;
        let ballot = wire::vote_request_from_pb(request.into_inner()).map_err(malformed)?;
        // A node that may have forgotten its votes and entries gives none.
        if !self.inner.joining.is_done() {
            return Err(Status::unavailable("this node has a new disk and has not caught up yet"));
        }
        let response =
            if pre_vote { self.inner.raft.pre_vote(ballot).await } else { self.inner.raft.vote(ballot).await };
        Ok(Response::new(wire::vote_response_to_pb(&response.map_err(raft_failed)?)))
    }

    async fn transfer_leader(
        &self,
        request: Request<pb::TransferLeaderRequest>,
    ) -> Result<Response<pb::TransferLeaderResponse>, Status> {
        let vote = wire::vote_from_pb(request.get_ref().from_leader).map_err(malformed)?;
        self.check_sender(&request, &vote)?;
        let _permit = permit(&self.raft_calls)?;
        let transfer = wire::transfer_from_pb(request.into_inner()).map_err(malformed)?;
        let outcome = self.inner.raft.handle_transfer_leader(transfer).await.map_err(|fatal| fatal_status(&fatal))?;
        Ok(Response::new(pb::TransferLeaderResponse { refused: outcome.is_err() }))
    }

    async fn install_snapshot(
        &self,
        request: Request<Streaming<pb::InstallSnapshotRequest>>,
    ) -> Result<Response<pb::InstallSnapshotResponse>, Status> {
        let (region, node_id) = self.caller(&request)?;
        let _permit = permit(&self.snapshots)?;
        let vote = snapshots::receive(&self.inner, &region, node_id, request.into_inner()).await?;
        Ok(Response::new(pb::InstallSnapshotResponse { vote: Some(wire::vote_to_pb(&vote)) }))
    }

    async fn propose(&self, request: Request<pb::ProposeRequest>) -> Result<Response<pb::ProposeResponse>, Status> {
        let (region, _) = self.caller(&request)?;
        let _permit = permit(&self.client_calls)?;
        let bytes = request.into_inner().command;
        let command = decode_command(&bytes).map_err(malformed)?;
        if command.region != region {
            tracing::warn!(%region, claimed = %command.region, "a Region proposed in another one's name");
            return Err(Status::permission_denied("a Region may only propose in its own name"));
        }
        let result = match self.within_deadline(self.inner.propose_here(bytes.into())).await? {
            Ok((outcome, index)) => {
                pb::propose_response::Result::Committed(pb::Committed { outcome: outcome.into(), index })
            }
            Err(refusal) => pb::propose_response::Result::NotLeader(Self::not_leader(refusal)?),
        };
        Ok(Response::new(pb::ProposeResponse { result: Some(result) }))
    }

    async fn read_index(
        &self,
        request: Request<pb::ReadIndexRequest>,
    ) -> Result<Response<pb::ReadIndexResponse>, Status> {
        self.caller(&request)?;
        let _permit = permit(&self.client_calls)?;
        let result = match self.within_deadline(self.inner.read_index_here()).await? {
            Ok(index) => pb::read_index_response::Result::Index(index),
            Err(refusal) => pb::read_index_response::Result::NotLeader(Self::not_leader(refusal)?),
        };
        Ok(Response::new(pb::ReadIndexResponse { result: Some(result) }))
    }

    async fn replica_report(
        &self,
        request: Request<pb::ReplicaReportRequest>,
    ) -> Result<Response<pb::ReplicaReportResponse>, Status> {
        self.caller(&request)?;
        let key_id =
            KeyId::parse(&request.get_ref().key_id).map_err(|invalid| Status::invalid_argument(invalid.to_string()))?;
        let report = self.inner.own_report(&key_id);
        Ok(Response::new(pb::ReplicaReportResponse {
            state: report.state.map(|state| state.as_str().to_owned()),
            material_ids: report.materials.iter().map(ToString::to_string).collect(),
            applied_index: report.applied_index,
            room: report.room.map(|room| pb::KeyRoom { count: room.count, quota: room.quota }),
            access: report.access.map(|access| pb::ReplicaAccess {
                policy: access.policy,
                tags: access.tags,
                aliases: access.aliases.iter().map(ToString::to_string).collect(),
            }),
        }))
    }

    async fn probe(&self, request: Request<pb::ProbeRequest>) -> Result<Response<pb::ProbeResponse>, Status> {
        self.caller(&request)?;
        let status = self.inner.status();
        let pristine = self.inner.log.is_pristine().map_err(|error| Status::unavailable(error.to_string()))?;
        if request.get_ref().founding && pristine {
            self.inner.finish_joining().await;
            if !self.inner.joining.is_done() {
                return Err(stopped());
            }
        }
        Ok(Response::new(pb::ProbeResponse {
            cluster_id: self.inner.config.cluster_id.clone(),
            region: self.inner.config.region.to_string(),
            node_id: self.inner.config.node_id,
            role: status.role.as_str().to_owned(),
            term: status.term,
            leader: status.leader.map(|region| region.to_string()),
            log_length: if pristine { 0 } else { status.last_log.saturating_add(1) },
            applied_index: status.applied,
            pristine,
        }))
    }
}

impl PeerService {
    async fn within_deadline<T>(&self, work: impl Future<Output = T>) -> Result<T, Status> {
        let deadline = self.inner.config.propose_deadline();
        let elapsed = || Status::deadline_exceeded("no majority within the deadline; the outcome is unknown");
        tokio::time::timeout(deadline, work).await.map_err(|_elapsed| elapsed())
    }
}

fn speaks_for_itself(node_id: u64, vote: &Vote) -> Result<(), Status> {
    if vote.leader_id.node_id == node_id {
        return Ok(());
    }
    tracing::warn!(node_id, claimed = vote.leader_id.node_id, "a Region spoke for another one's node");
    Err(Status::permission_denied("a Region may only speak for its own node"))
}

fn permit(calls: &Semaphore) -> Result<SemaphorePermit<'_>, Status> {
    calls.try_acquire().map_err(|_none| too_many())
}

fn too_many() -> Status {
    Status::resource_exhausted("too many calls of peers at one time")
}

fn malformed(error: FormatError) -> Status {
    Status::invalid_argument(error.to_string())
}

fn stopped() -> Status {
    Status::unavailable("the control log of this Region has stopped")
}

fn fatal_status(fatal: &Fatal<TypeConfig>) -> Status {
    tracing::debug!(%fatal, "a peer's call met a stopped control log");
    stopped()
}

fn raft_failed(error: RaftError<TypeConfig>) -> Status {
    match error {
        RaftError::Fatal(fatal) => fatal_status(&fatal),
        RaftError::APIError(never) => match never {},
    }
}
