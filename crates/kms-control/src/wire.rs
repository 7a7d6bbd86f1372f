//! Between openraft's types and the messages of `meridian.peer.v1`. A message with a missing part is refused.

use crate::types::{
    CommandBytes, Entry, LogId, MemberNode, Membership, SnapshotMeta, StoredMembership, TypeConfig, Vote,
};
use bytes::Bytes;
use kms_proto::FormatError;
use kms_proto::peer::v1 as pb;
use openraft::EntryPayload;
use openraft::impls::leader_id_adv::LeaderId;
use openraft::raft::{
    AppendEntriesRequest, StreamAppendError, StreamAppendResult, TransferLeaderRequest, VoteRequest, VoteResponse,
};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn log_id_to_pb(id: &LogId) -> pb::LogId {
    pb::LogId { term: id.leader_id.term, node_id: id.leader_id.node_id, index: id.index }
}

pub(crate) fn log_id_from_pb(id: pb::LogId) -> LogId {
    crate::types::log_id(id.term, id.node_id, id.index)
}

pub(crate) fn vote_to_pb(vote: &Vote) -> pb::Vote {
    pb::Vote { term: vote.leader_id.term, node_id: vote.leader_id.node_id, committed: vote.committed }
}

pub(crate) fn vote_from_pb(vote: Option<pb::Vote>) -> Result<Vote, FormatError> {
    let vote = vote.ok_or(missing("vote"))?;
    Ok(Vote { leader_id: LeaderId { term: vote.term, node_id: vote.node_id }, committed: vote.committed })
}

pub(crate) fn membership_to_pb(membership: &Membership) -> pb::Membership {
    let voters = |set: &BTreeSet<u64>| pb::VoterSet { node_ids: set.iter().copied().collect() };
    let node = |(id, node): (&u64, &MemberNode)| pb::Node { node_id: *id, region: node.region.clone() };
    pb::Membership {
        configs: membership.get_joint_config().iter().map(voters).collect(),
        nodes: membership.nodes().map(node).collect(),
    }
}

pub(crate) fn membership_from_pb(membership: pb::Membership) -> Result<Membership, FormatError> {
    let configs: Vec<BTreeSet<u64>> =
        membership.configs.into_iter().map(|set| set.node_ids.into_iter().collect()).collect();
    let nodes: BTreeMap<u64, MemberNode> =
        membership.nodes.into_iter().map(|node| (node.node_id, MemberNode { region: node.region })).collect();
    if configs.is_empty() && nodes.is_empty() {
        return Ok(Membership::default());
    }
    Membership::new(configs, nodes).map_err(|_invalid| malformed("membership without voters or their nodes"))
}

pub(crate) fn stored_membership_to_pb(stored: &StoredMembership) -> pb::StoredMembership {
    pb::StoredMembership {
        log_id: stored.log_id().as_ref().map(log_id_to_pb),
        membership: Some(membership_to_pb(stored.membership())),
    }
}

pub(crate) fn stored_membership_from_pb(stored: pb::StoredMembership) -> Result<StoredMembership, FormatError> {
    let membership = membership_from_pb(stored.membership.unwrap_or_default())?;
    Ok(StoredMembership::new(stored.log_id.map(log_id_from_pb), membership))
}

pub(crate) fn entry_to_pb(entry: Entry) -> pb::Entry {
    let payload = match entry.payload {
        EntryPayload::Blank => pb::entry::Payload::Blank(pb::Blank {}),
        EntryPayload::Normal(command) => pb::entry::Payload::Command(Bytes::from(command.0)),
        EntryPayload::Membership(membership) => pb::entry::Payload::Membership(membership_to_pb(&membership)),
    };
    pb::Entry { log_id: Some(log_id_to_pb(&entry.log_id)), payload: Some(payload) }
}

pub(crate) fn entry_from_pb(entry: pb::Entry) -> Result<Entry, FormatError> {
    let log_id = log_id_from_pb(entry.log_id.ok_or(missing("log_id of an entry"))?);
    let payload = match entry.payload.ok_or(missing("payload of an entry, or one of a later version"))? {
        pb::entry::Payload::Blank(pb::Blank {}) => EntryPayload::Blank,
        pb::entry::Payload::Command(command) => EntryPayload::Normal(CommandBytes(command.into())),
        pb::entry::Payload::Membership(membership) => EntryPayload::Membership(membership_from_pb(membership)?),
    };
    Ok(Entry { log_id, payload })
}

pub(crate) fn append_to_pb(request: AppendEntriesRequest<TypeConfig>) -> pb::AppendEntriesRequest {
    pb::AppendEntriesRequest {
        vote: Some(vote_to_pb(&request.vote)),
        prev_log_id: request.prev_log_id.as_ref().map(log_id_to_pb),
        entries: request.entries.into_iter().map(entry_to_pb).collect(),
        leader_commit: request.leader_commit.as_ref().map(log_id_to_pb),
    }
}

pub(crate) fn append_from_pb(
    request: pb::AppendEntriesRequest,
) -> Result<AppendEntriesRequest<TypeConfig>, FormatError> {
    let prev_log_id = request.prev_log_id.map(log_id_from_pb);
    let entries = request.entries.into_iter().map(entry_from_pb).collect::<Result<Vec<_>, _>>()?;
    let mut next = prev_log_id.as_ref().map_or(0, |id| id.index.saturating_add(1));
    for entry in &entries {
        if entry.log_id.index != next {
            return Err(malformed("entries do not follow each other"));
        }
        next = next.saturating_add(1);
    }
    Ok(AppendEntriesRequest {
        vote: vote_from_pb(request.vote)?,
        prev_log_id,
        entries,
        leader_commit: request.leader_commit.map(log_id_from_pb),
    })
}

pub(crate) fn appended_to_pb(result: StreamAppendResult<TypeConfig>) -> pb::AppendEntriesResponse {
    use pb::append_entries_response::Result as Outcome;
    let result = match result {
        Ok(last) => Outcome::Success(pb::Appended { last: last.as_ref().map(log_id_to_pb) }),
        Err(StreamAppendError::Conflict(missing)) => Outcome::Conflict(log_id_to_pb(&missing)),
        Err(StreamAppendError::HigherVote(vote)) => Outcome::HigherVote(vote_to_pb(&vote)),
    };
    pb::AppendEntriesResponse { result: Some(result) }
}

pub(crate) fn appended_from_pb(
    response: pb::AppendEntriesResponse,
) -> Result<StreamAppendResult<TypeConfig>, FormatError> {
    use pb::append_entries_response::Result as Outcome;
    Ok(match response.result.ok_or(missing("result of appending entries"))? {
        Outcome::Success(appended) => Ok(appended.last.map(log_id_from_pb)),
        Outcome::Conflict(missing) => Err(StreamAppendError::Conflict(log_id_from_pb(missing))),
        Outcome::HigherVote(vote) => Err(StreamAppendError::HigherVote(vote_from_pb(Some(vote))?)),
    })
}

pub(crate) fn vote_request_to_pb(request: &VoteRequest<TypeConfig>, pre_vote: bool) -> pb::VoteRequest {
    pb::VoteRequest {
        vote: Some(vote_to_pb(&request.vote)),
        last_log_id: request.last_log_id.as_ref().map(log_id_to_pb),
        leadership_transfer: request.leadership_transfer,
        pre_vote,
    }
}

pub(crate) fn vote_request_from_pb(request: pb::VoteRequest) -> Result<VoteRequest<TypeConfig>, FormatError> {
    let mut converted = VoteRequest::new(vote_from_pb(request.vote)?, request.last_log_id.map(log_id_from_pb));
    converted.leadership_transfer = request.leadership_transfer;
    Ok(converted)
}

pub(crate) fn vote_response_to_pb(response: &VoteResponse<TypeConfig>) -> pb::VoteResponse {
    pb::VoteResponse {
        vote: Some(vote_to_pb(&response.vote)),
        granted: response.vote_granted,
        last_log_id: response.last_log_id.as_ref().map(log_id_to_pb),
    }
}

pub(crate) fn vote_response_from_pb(response: pb::VoteResponse) -> Result<VoteResponse<TypeConfig>, FormatError> {
    let last_log_id = response.last_log_id.map(log_id_from_pb);
    Ok(VoteResponse::new(vote_from_pb(response.vote)?, last_log_id, response.granted))
}

pub(crate) fn transfer_to_pb(request: &TransferLeaderRequest<TypeConfig>) -> pb::TransferLeaderRequest {
    pb::TransferLeaderRequest {
        from_leader: Some(vote_to_pb(request.from_leader())),
        to_node_id: *request.to_node_id(),
        last_log_id: request.last_log_id().map(log_id_to_pb),
    }
}

pub(crate) fn transfer_from_pb(
    request: pb::TransferLeaderRequest,
) -> Result<TransferLeaderRequest<TypeConfig>, FormatError> {
    let from_leader = vote_from_pb(request.from_leader)?;
    Ok(TransferLeaderRequest::new(from_leader, request.to_node_id, request.last_log_id.map(log_id_from_pb)))
}

/// The part of a manifest that openraft knows.
pub(crate) fn snapshot_meta(manifest: &pb::SnapshotManifest) -> Result<SnapshotMeta, FormatError> {
    let membership = stored_membership_from_pb(manifest.last_membership.clone().unwrap_or_default())?;
    Ok(SnapshotMeta { last_log_id: manifest.last_log_id.map(log_id_from_pb), last_membership: membership })
}

fn missing(problem: &'static str) -> FormatError {
    malformed(problem)
}

const fn malformed(problem: &'static str) -> FormatError {
    FormatError { format: "peer message", problem }
}
