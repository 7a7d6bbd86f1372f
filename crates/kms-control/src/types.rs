//! The types that openraft is used with. Commands and outcomes travel as bytes of `meridian.state.v1`, so that the log
//! never depends on how this program lays out a struct.

use openraft::impls::leader_id_adv::LeaderId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A control command in its stored encoding.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandBytes(pub(crate) Vec<u8>);

/// A control outcome in its stored encoding; `None` for entries that are no command.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeBytes(pub(crate) Option<Vec<u8>>);

/// What the membership says of a node. Addresses are configuration, so that a move needs no change of membership.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberNode {
    /// The node's Region.
    pub region: String,
}

openraft::declare_raft_types!(
    /// The control log's types.
    pub TypeConfig:
        D = CommandBytes,
        R = OutcomeBytes,
        NodeId = u64,
        Node = MemberNode,
        Term = u64,
        LeaderId = LeaderId<u64, u64>,
);

pub(crate) type LogId = openraft::alias::LogIdOf<TypeConfig>;
pub(crate) type Vote = openraft::alias::VoteOf<TypeConfig>;
pub(crate) type Entry = openraft::alias::EntryOf<TypeConfig>;
pub(crate) type Membership = openraft::Membership<u64, MemberNode>;
pub(crate) type StoredMembership = openraft::alias::StoredMembershipOf<TypeConfig>;
pub(crate) type SnapshotMeta = openraft::alias::SnapshotMetaOf<TypeConfig>;

pub(crate) fn log_id(term: u64, node_id: u64, index: u64) -> LogId {
    LogId::new(LeaderId { term, node_id }, index)
}

impl From<Vec<u8>> for CommandBytes {
    fn from(encoded: Vec<u8>) -> Self {
        Self(encoded)
    }
}

impl fmt::Debug for CommandBytes {
    /// Shows the size only: commands carry sealed boxes and policies, which do not belong in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandBytes({})", self.0.len())
    }
}

impl fmt::Display for CommandBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Debug for OutcomeBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutcomeBytes({})", self.0.as_ref().map_or(0, Vec::len))
    }
}
