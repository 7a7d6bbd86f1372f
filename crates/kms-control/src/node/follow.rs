//! What this node does itself when it leads, and telling people who leads.

use super::Inner;
use crate::types::{CommandBytes, TypeConfig};
use kms_types::RegionName;
use openraft::LinearizerOption;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, ForwardToLeader, LinearizableReadError, RaftError};
use std::sync::Arc;
use std::time::Duration;

/// Why this node did not do what only a leader can.
#[derive(Clone, Debug)]
pub(crate) enum LocalRefusal {
    /// It does not lead, or lost its majority; the Region that it follows, if any. The command may have been handed on.
    NotLeader(Option<RegionName>),
    /// It has stopped.
    Stopped,
}

impl Inner {
    /// Commits and applies a command if this node leads: the encoded outcome and its index.
    pub(crate) async fn propose_here(&self, command: Vec<u8>) -> Result<(Vec<u8>, u64), LocalRefusal> {
        match self.raft.client_write(CommandBytes(command)).await {
            Ok(response) => {
                let outcome = response.data.0.ok_or(LocalRefusal::Stopped)?;
                Ok((outcome, response.log_id.index))
            }
            Err(RaftError::APIError(
                ClientWriteError::ForwardToLeader(forward) | ClientWriteError::LogEntryDiscarded(forward),
            )) => Err(self.not_leader(&forward)),
            Err(RaftError::APIError(
                ClientWriteError::ChangeMembershipError(_) | ClientWriteError::PreconditionFailed(_),
            )) => Err(LocalRefusal::NotLeader(None)),
            Err(RaftError::Fatal(_)) => Err(LocalRefusal::Stopped),
        }
    }

    /// The index that a linearisable read needs, if this node leads and a majority confirms it within the lease.
    pub(crate) async fn read_index_here(&self) -> Result<u64, LocalRefusal> {
        let option = LinearizerOption::new(Some(Duration::ZERO), true).with_wait_timeout(self.config.call_deadline());
        match self.raft.get_read_linearizer(option).await {
            Ok(linearizer) => Ok(linearizer.read_log_id().index()),
            Err(RaftError::APIError(LinearizableReadError::ForwardToLeader(forward))) => Err(self.not_leader(&forward)),
            Err(RaftError::APIError(LinearizableReadError::QuorumNotEnough(_))) => Err(LocalRefusal::NotLeader(None)),
            Err(RaftError::Fatal(_)) => Err(LocalRefusal::Stopped),
        }
    }

    fn not_leader(&self, forward: &ForwardToLeader<TypeConfig>) -> LocalRefusal {
        LocalRefusal::NotLeader(forward.leader_id.and_then(|id| self.region_of(id)))
    }
}

/// Says in the log who leads, and when this node stops for a fault.
pub(super) async fn report_changes(inner: Arc<Inner>) {
    let mut metrics = inner.raft.metrics();
    let mut known = None;
    loop {
        let (running, leader, term) = {
            let now = metrics.borrow_watched();
            (now.running_state.clone(), now.current_leader, now.current_term)
        };
        if let Err(fatal) = running {
            let reason = inner.stop_reason(&fatal);
            tracing::error!(error = &reason as &dyn std::error::Error, "the control log has stopped");
            return;
        }
        if known != Some((leader, term)) {
            known = Some((leader, term));
            match leader.and_then(|id| inner.region_of(id)) {
                Some(region) => tracing::info!(leader = %region, term, "control log follows a leader"),
                None => tracing::info!(term, "control log has no leader"),
            }
        }
        if metrics.changed().await.is_err() {
            return;
        }
    }
}
