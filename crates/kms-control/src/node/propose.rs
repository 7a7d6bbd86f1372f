//! Proposing and the read barrier from any Region: here if this node leads, else at the leader.
//!
//! A proposal is repeated under the same identity until its outcome is known or the deadline has passed, over as many
//! elections as happen; the state machine remembers the outcome of what it has already applied.

use super::{ControlNode, Inner, LocalRefusal};
use crate::links::CallError;
use futures::future::BoxFuture;
use kms_core::control::{ControlBody, ControlCommand, ControlOutcome, ProposalId};
use kms_proto::control_codec::{decode_outcome, encode_command};
use kms_proto::peer::v1 as pb;
use kms_service::{ControlLog, ControlLogError, KeyRoom, PeerError, Peers, PortFuture, ReplicaAccess, ReplicaReport};
use kms_types::{AliasName, KeyId, KeyMaterialId, KeyState, RegionName};
use openraft::async_runtime::WatchReceiver;
use std::time::Duration;
use tokio::time::Instant;

/// Pause before a leader is asked again that could not answer.
const RETRY_PAUSE: Duration = Duration::from_millis(25);

/// Where the leader is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Leader {
    Here,
    At(RegionName),
}

/// How one attempt ended without an answer.
enum Miss {
    /// Try again, perhaps at the Region named.
    Retry(Option<RegionName>),
    Stopped,
}

impl ControlLog for ControlNode {
    fn propose(&self, body: ControlBody) -> PortFuture<'_, Result<ControlOutcome, ControlLogError>> {
        Box::pin(self.inner.propose(body))
    }

    fn read_barrier(&self, deadline: Duration) -> PortFuture<'_, Result<u64, ControlLogError>> {
        Box::pin(self.inner.read_barrier(deadline))
    }
}

impl Peers for ControlNode {
    fn replica_report<'a>(
        &'a self,
        region: &'a RegionName,
        key_id: &'a KeyId,
        deadline: Duration,
    ) -> PortFuture<'a, Result<ReplicaReport, PeerError>> {
        Box::pin(self.inner.replica_report(region, key_id, deadline))
    }
}

impl Inner {
    async fn propose(&self, body: ControlBody) -> Result<ControlOutcome, ControlLogError> {
        let until = Instant::now() + self.config.propose_deadline();
        let Ok(permit) = tokio::time::timeout_at(until, self.permits.acquire()).await else {
            return Err(ControlLogError::NoMajority { sent: false });
        };
        let _permit = permit.map_err(|_closed| ControlLogError::Stopped)?;
        let proposal_id = (self.ports.draw_proposal_id)();
        let at = self.ports.clock.now();
        let command = encode_command(&ControlCommand { proposal_id, region: self.config.region.clone(), at, body });
        let mut sent = false;
        let committed = self.with_leader(until, |leader| {
            // An earlier attempt may have succeeded after all.
            if sent && let Some(outcome) = self.shared.state().recent().find(&proposal_id) {
                let known = Ok((outcome.clone(), 0));
                return Box::pin(async { known });
            }
            sent = true;
            Box::pin(self.propose_at(leader, command.clone()))
        });
        let committed = committed.await;
        match committed {
            Ok((outcome, index)) => {
                // The outcome is certain; what follows is that this Region sees its own change.
                self.applied_at_least(index, until).await.map_err(|stopped| match stopped {
                    ControlLogError::NoMajority { .. } => ControlLogError::NoMajority { sent: true },
                    ControlLogError::Stopped => ControlLogError::Stopped,
                })?;
                Ok(outcome)
            }
            Err(error) => self.last_look(proposal_id, error, sent),
        }
    }

    /// After the deadline: the outcome if it is known by now.
    fn last_look(
        &self,
        proposal_id: ProposalId,
        error: ControlLogError,
        sent: bool,
    ) -> Result<ControlOutcome, ControlLogError> {
        match (self.shared.state().recent().find(&proposal_id), error) {
            (Some(outcome), _) => Ok(outcome.clone()),
            (None, ControlLogError::NoMajority { .. }) => Err(ControlLogError::NoMajority { sent }),
            (None, ControlLogError::Stopped) => Err(ControlLogError::Stopped),
        }
    }

    async fn read_barrier(&self, deadline: Duration) -> Result<u64, ControlLogError> {
        let until = Instant::now() + deadline;
        let index = self.with_leader(until, |leader| Box::pin(self.read_index_at(leader))).await?;
        self.applied_at_least(index, until).await?;
        Ok(index)
    }

    /// Attempts something at whoever leads until it succeeds or `until` has passed. An attempt is given up as soon as
    /// another leader is known.
    async fn with_leader<'a, T>(
        &'a self,
        until: Instant,
        mut attempt: impl FnMut(Leader) -> BoxFuture<'a, Result<T, Miss>>,
    ) -> Result<T, ControlLogError> {
        let no_majority = ControlLogError::NoMajority { sent: false };
        let mut hint = None;
        loop {
            let known = tokio::time::timeout_at(until, self.leader(hint.take()));
            let leader = known.await.map_err(|_elapsed| no_majority.clone())??;
            let outcome = tokio::select! {
                outcome = attempt(leader.clone()) => outcome,
                () = self.leader_is_another(&leader) => Err(Miss::Retry(None)),
                () = tokio::time::sleep_until(until) => return Err(no_majority),
                () = self.stop.cancelled() => return Err(ControlLogError::Stopped),
            };
            match outcome {
                Ok(value) => return Ok(value),
                Err(Miss::Stopped) => return Err(ControlLogError::Stopped),
                Err(Miss::Retry(other)) => {
                    hint = other.filter(|region| leader != Leader::At(region.clone()));
                    if hint.is_none() {
                        tokio::time::sleep(RETRY_PAUSE).await;
                    }
                }
            }
        }
    }

    /// The leader: the hinted one, else the one this node follows, as soon as there is one.
    async fn leader(&self, hint: Option<RegionName>) -> Result<Leader, ControlLogError> {
        if let Some(region) = hint
            && self.links.by_region(&region).is_some()
        {
            return Ok(Leader::At(region));
        }
        let mut metrics = self.raft.metrics();
        loop {
            let (running, leader) = {
                let now = metrics.borrow_watched();
                (now.running_state.is_ok(), now.current_leader)
            };
            if !running || self.stop.is_cancelled() {
                return Err(ControlLogError::Stopped);
            }
            if let Some(leader) = leader.and_then(|id| self.place_of(id)) {
                return Ok(leader);
            }
            if metrics.changed().await.is_err() {
                return Err(ControlLogError::Stopped);
            }
        }
    }

    fn place_of(&self, node_id: u64) -> Option<Leader> {
        if node_id == self.config.node_id { Some(Leader::Here) } else { self.region_of(node_id).map(Leader::At) }
    }

    /// Returns when this node follows a leader other than `asked`. While it knows none, the one asked may still answer.
    async fn leader_is_another(&self, asked: &Leader) {
        let mut metrics = self.raft.metrics();
        let first = metrics.borrow_watched().current_leader;
        loop {
            let now = metrics.borrow_watched().current_leader;
            // A hint may be ahead of what this node knows, so only a change counts.
            if now != first && now.and_then(|id| self.place_of(id)).is_some_and(|place| place != *asked) {
                return;
            }
            if metrics.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    async fn propose_at(&self, leader: Leader, command: Vec<u8>) -> Result<(ControlOutcome, u64), Miss> {
        let (outcome, index) = match leader {
            Leader::Here => self.propose_here(command).await.map_err(Miss::from)?,
            Leader::At(region) => {
                let link = self.links.by_region(&region).ok_or(Miss::Retry(None))?;
                let answer = link.propose(command, self.config.propose_deadline()).await?;
                match answer.result {
                    Some(pb::propose_response::Result::Committed(done)) => (done.outcome.into(), done.index),
                    Some(pb::propose_response::Result::NotLeader(other)) => return Err(Miss::hint(other)),
                    None => return Err(Miss::Retry(None)),
                }
            }
        };
        let outcome = decode_outcome(&outcome).map_err(|error| {
            tracing::error!(%error, "the leader's outcome cannot be read by this version");
            Miss::Retry(None)
        })?;
        Ok((outcome, index))
    }

    async fn read_index_at(&self, leader: Leader) -> Result<u64, Miss> {
        match leader {
            Leader::Here => self.read_index_here().await.map_err(Miss::from),
            Leader::At(region) => {
                let link = self.links.by_region(&region).ok_or(Miss::Retry(None))?;
                match link.read_index(self.config.call_deadline() * 2).await?.result {
                    Some(pb::read_index_response::Result::Index(index)) => Ok(index),
                    Some(pb::read_index_response::Result::NotLeader(other)) => Err(Miss::hint(other)),
                    None => Err(Miss::Retry(None)),
                }
            }
        }
    }

    async fn applied_at_least(&self, index: u64, until: Instant) -> Result<(), ControlLogError> {
        let mut applied = self.shared.applied_index();
        tokio::select! {
            reached = applied.wait_for(|applied| index == 0 || *applied >= Some(index)) => {
                reached.map(drop).map_err(|_gone| ControlLogError::Stopped)
            }
            () = tokio::time::sleep_until(until) => Err(ControlLogError::NoMajority { sent: false }),
            () = self.stop.cancelled() => Err(ControlLogError::Stopped),
        }
    }

    async fn replica_report(
        &self,
        region: &RegionName,
        key_id: &KeyId,
        deadline: Duration,
    ) -> Result<ReplicaReport, PeerError> {
        if *region == self.config.region {
            return Ok(self.own_report(key_id));
        }
        let link = self.links.by_region(region).ok_or_else(|| PeerError::Unknown(region.clone()))?;
        let unreachable = || PeerError::Unreachable(region.clone());
        let answer = link.replica_report(key_id, deadline).await.map_err(|error| {
            tracing::debug!(%region, %error, "no replica report");
            unreachable()
        })?;
        report_from_pb(answer).ok_or_else(unreachable)
    }
}

impl Inner {
    /// What this Region says of its replica, with the index up to which it has applied the log. The index is taken
    /// first, so that the report is at least as new as it.
    pub(crate) fn own_report(&self, key_id: &KeyId) -> ReplicaReport {
        let applied_index = self.shared.applied_index().borrow().unwrap_or_default();
        ReplicaReport { applied_index, ..self.ports.local.report(key_id) }
    }
}

const KEY_STATES: [KeyState; 8] = [
    KeyState::Creating,
    KeyState::Enabled,
    KeyState::Disabled,
    KeyState::PendingDeletion,
    KeyState::PendingImport,
    KeyState::PendingReplicaDeletion,
    KeyState::Unavailable,
    KeyState::Updating,
];

/// `None` for words that this version does not know: nothing may be concluded from such a report.
fn report_from_pb(answer: pb::ReplicaReportResponse) -> Option<ReplicaReport> {
    let state = match answer.state {
        Some(name) => Some(KEY_STATES.into_iter().find(|state| state.as_str() == name)?),
        None => None,
    };
    let materials = answer.material_ids.iter().map(|id| KeyMaterialId::parse(id).ok()).collect::<Option<Vec<_>>>()?;
    let room = answer.room.map(|room| KeyRoom { count: room.count, quota: room.quota });
    let access = match answer.access {
        Some(access) => Some(access_from_pb(access)?),
        None => None,
    };
    Some(ReplicaReport { state, materials, applied_index: answer.applied_index, room, access })
}

/// `None` for an alias that cannot be one: a condition on aliases must not be decided without it.
fn access_from_pb(access: pb::ReplicaAccess) -> Option<ReplicaAccess> {
    let aliases = access.aliases.iter().map(|name| AliasName::parse(name).ok()).collect::<Option<Vec<_>>>()?;
    Some(ReplicaAccess { policy: access.policy, tags: access.tags, aliases })
}

impl Miss {
    fn hint(other: pb::NotLeader) -> Self {
        Self::Retry(other.leader.and_then(|region| RegionName::parse(&region).ok()))
    }
}

impl From<LocalRefusal> for Miss {
    fn from(refusal: LocalRefusal) -> Self {
        match refusal {
            LocalRefusal::NotLeader(other) => Self::Retry(other),
            LocalRefusal::Stopped => Self::Stopped,
        }
    }
}

impl From<CallError> for Miss {
    fn from(error: CallError) -> Self {
        tracing::debug!(%error, "the leader gave no answer");
        Self::Retry(None)
    }
}
