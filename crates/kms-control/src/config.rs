//! Configuration of a node of the control log.

use crate::ControlError;
use kms_core::control::RegionRole;
use kms_types::RegionName;
use std::collections::BTreeSet;
use std::time::Duration;

/// How one node of the control log is set up.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    /// Name of the cluster; a peer or a store of another cluster is refused.
    pub cluster_id: String,
    /// This node's Region.
    pub region: RegionName,
    /// This node's number, never used again by another node or after the loss of its disk without need.
    pub node_id: u64,
    /// All voters, this node among them.
    pub members: Vec<Member>,
    /// Whether this node founds the cluster if nobody has yet. True for exactly one member.
    pub bootstrap: bool,
    /// Milliseconds between heartbeats of the leader; default 150, at least 10. Must be greater than the round trip to
    /// the other Regions with a sync of their disks, because a heartbeat that takes longer counts as unanswered.
    pub heartbeat_ms: u64,
    /// Shortest time in milliseconds from the leader's last word to an election; default 900. See
    /// [`ControlConfig::election_max_ms`].
    pub election_min_ms: u64,
    /// Longest time in milliseconds from the leader's last word to an election; default 1500, at least six heartbeats.
    /// Half of it is the leader's lease: for that long nobody votes against a leader that was heard. Shorter times find
    /// a dead leader sooner and take a slow one for dead more often.
    pub election_max_ms: u64,
    /// Entries of the log between two snapshots; default 10,000, at least 16.
    pub snapshot_log_entries: u64,
    /// Longest time in milliseconds for a proposal to find a leader, be committed and be applied here; default 10,000.
    pub propose_deadline_ms: u64,
}

/// One voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub node_id: u64,
    /// Its Region.
    pub region: RegionName,
    /// Where it listens, for people; the dialer knows how to get there.
    pub address: String,
    /// Whether it may hold keys.
    pub role: RegionRole,
}

impl ControlConfig {
    /// A configuration with default times.
    #[must_use]
    pub fn new(cluster_id: String, region: RegionName, node_id: u64, members: Vec<Member>, bootstrap: bool) -> Self {
        Self {
            cluster_id,
            region,
            node_id,
            members,
            bootstrap,
            heartbeat_ms: 150,
            election_min_ms: 900,
            election_max_ms: 1500,
            snapshot_log_entries: 10_000,
            propose_deadline_ms: 10_000,
        }
    }

    /// # Errors
    /// [`ControlError::Configuration`] with the first contradiction.
    pub(crate) fn check(&self) -> Result<(), ControlError> {
        let ids: BTreeSet<u64> = self.members.iter().map(|member| member.node_id).collect();
        let regions: BTreeSet<&RegionName> = self.members.iter().map(|member| &member.region).collect();
        let own = self.members.iter().find(|member| member.node_id == self.node_id);
        let broken = if self.cluster_id.is_empty() {
            "the cluster has no name"
        } else if ids.len() != self.members.len() {
            "two members have the same node number"
        } else if regions.len() != self.members.len() {
            "two members have the same Region"
        } else if own.is_none_or(|member| member.region != self.region) {
            "this node is not among the members under its Region"
        } else if self.heartbeat_ms < 10 {
            "the heartbeat is shorter than 10 ms"
        } else if self.election_max_ms < self.heartbeat_ms.saturating_mul(6) {
            "the longest election time is shorter than six heartbeats"
        } else if self.election_min_ms >= self.election_max_ms {
            "the shortest election time is not below the longest"
        } else if self.snapshot_log_entries < 16 {
            "fewer than 16 entries between snapshots"
        } else {
            return Ok(());
        };
        Err(ControlError::Configuration(broken))
    }

    /// The other members.
    pub(crate) fn peers(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.node_id != self.node_id)
    }

    /// The leader's lease. openraft waits for the lease and then for a random time before it elects, so half the longest
    /// election time goes to each.
    pub(crate) fn lease_ms(&self) -> u64 {
        self.election_max_ms / 2
    }

    /// The least random time after the lease. It is also openraft's deadline for votes, hence two heartbeats at least.
    pub(crate) fn after_lease_min_ms(&self) -> u64 {
        self.election_min_ms.saturating_sub(self.lease_ms()).max(self.heartbeat_ms * 2).min(self.lease_ms() - 1)
    }

    /// Deadline of one call to a peer that needs no majority.
    pub(crate) fn call_deadline(&self) -> Duration {
        Duration::from_millis(self.lease_ms())
    }

    /// How often each peer is probed.
    pub(crate) fn probe_interval(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms.saturating_mul(2).clamp(50, 2_000))
    }

    pub(crate) fn propose_deadline(&self) -> Duration {
        Duration::from_millis(self.propose_deadline_ms)
    }

    /// The same in openraft's words.
    pub(crate) fn raft(&self) -> Result<openraft::Config, ControlError> {
        let config = openraft::Config {
            cluster_name: self.cluster_id.clone(),
            heartbeat_interval: self.heartbeat_ms,
            election_timeout_min: self.after_lease_min_ms(),
            election_timeout_max: self.lease_ms(),
            // Without it a Region that returns from a partition forces an election on a healthy leader.
            enable_pre_vote: Some(true),
            // A restarted leader asks for votes: its applied state may be older than what it had answered.
            enable_leader_restore: Some(false),
            // A node whose disk was replaced is filled again; `joining` keeps it from voting until then.
            allow_log_reversion: Some(true),
            snapshot_policy: openraft::SnapshotPolicy::LogsSinceLast(self.snapshot_log_entries),
            max_in_snapshot_log_to_keep: (self.snapshot_log_entries / 4).min(1_000),
            purge_batch_size: (self.snapshot_log_entries / 16).min(256),
            // Beyond this a snapshot is the shorter way; must be greater than the entries between snapshots.
            replication_lag_threshold: self.snapshot_log_entries.saturating_mul(2),
            backoff: "50ms 100ms 200ms ...500ms".into(),
            api_channel_size: Some(CHANNEL_SIZE),
            notification_channel_size: Some(CHANNEL_SIZE),
            ..openraft::Config::default()
        };
        config.validate().map_err(|error| ControlError::Raft(error.to_string()))
    }
}

/// Messages that wait for Raft's core task; a peer or a proposer beyond waits.
const CHANNEL_SIZE: u64 = 8_192;
