//! What a node knows of itself and of the others, without asking anybody.

use super::{ControlNode, Inner};
use kms_types::{RegionName, Timestamp};
use openraft::async_runtime::WatchReceiver;
use openraft::{Instant as _, ServerState};
use std::fmt;
use std::time::Duration;

/// A node's part in Raft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlRole {
    /// It commits what is proposed.
    Leader,
    /// It follows a leader.
    Follower,
    /// It stands for election.
    Candidate,
    /// It has no vote, or does not know yet that it has.
    Learner,
    /// It has stopped for a fault or a shutdown.
    Stopped,
}

impl ControlRole {
    /// Its name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Candidate => "candidate",
            Self::Learner => "learner",
            Self::Stopped => "stopped",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Leader, Self::Follower, Self::Candidate, Self::Learner, Self::Stopped]
            .into_iter()
            .find(|role| role.as_str() == name)
    }
}

impl fmt::Display for ControlRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A node's view of the control log.
#[derive(Clone, Debug)]
pub struct ControlStatus {
    /// Its part.
    pub role: ControlRole,
    /// Raft term.
    pub term: u64,
    /// Region of the leader that it follows.
    pub leader: Option<RegionName>,
    /// Index of the last entry in its log; zero for none, as for the others below.
    pub last_log: u64,
    /// Index up to which it knows entries to be committed.
    pub committed: u64,
    /// Index up to which it has applied entries.
    pub applied: u64,
    /// Index that its latest snapshot includes.
    pub snapshot: u64,
    /// Milliseconds since a majority last answered this leader; `None` on others.
    pub quorum_ack_ms: Option<u64>,
    /// The other members.
    pub peers: Vec<PeerProbe>,
}

/// The latest word of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerProbe {
    /// Its Region.
    pub region: RegionName,
    /// Its number.
    pub node_id: u64,
    /// Whether it has a vote.
    pub voter: bool,
    /// Whether it answered the latest probe.
    pub reachable: bool,
    /// Its part in Raft when it last answered.
    pub role: Option<ControlRole>,
    /// How long its latest answer took.
    pub round_trip: Option<Duration>,
    /// Index that it had applied when it last answered.
    pub applied: Option<u64>,
    /// When it last answered.
    pub last_seen: Option<Timestamp>,
}

impl ControlNode {
    /// What this node knows now. Needs no leader and asks nobody.
    #[must_use]
    pub fn status(&self) -> ControlStatus {
        self.inner.status()
    }
}

impl Inner {
    pub(crate) fn status(&self) -> ControlStatus {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let role = match (&metrics.running_state, metrics.state) {
            (Err(_), _) | (Ok(()), ServerState::Shutdown) => ControlRole::Stopped,
            (Ok(()), ServerState::Leader) => ControlRole::Leader,
            (Ok(()), ServerState::Follower) => ControlRole::Follower,
            (Ok(()), ServerState::Candidate) => ControlRole::Candidate,
            (Ok(()), ServerState::Learner) => ControlRole::Learner,
        };
        let quorum_ack_ms = metrics
            .last_quorum_acked
            .filter(|_| role == ControlRole::Leader)
            .map(|acked| u64::try_from(acked.elapsed().as_millis()).unwrap_or(u64::MAX));
        let mut peers = self.probes.all();
        for peer in &mut peers {
            let mut voters = metrics.membership_config.voter_ids();
            peer.voter = voters.any(|id| id == peer.node_id);
        }
        ControlStatus {
            role,
            term: metrics.current_term,
            leader: metrics.current_leader.and_then(|id| self.region_of(id)),
            last_log: metrics.last_log_index.unwrap_or_default(),
            committed: metrics.local_committed.as_ref().map_or(0, |id| id.index),
            applied: metrics.last_applied.as_ref().map_or(0, |id| id.index),
            snapshot: metrics.snapshot.as_ref().map_or(0, |id| id.index),
            quorum_ack_ms,
            peers,
        }
    }

    pub(crate) fn region_of(&self, node_id: u64) -> Option<RegionName> {
        self.config.members.iter().find(|member| member.node_id == node_id).map(|member| member.region.clone())
    }
}
