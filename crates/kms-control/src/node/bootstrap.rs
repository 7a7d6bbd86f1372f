//! Founding a cluster once, and letting a node with an empty disk take part only when that is safe.
//!
//! A cluster that exists has committed its membership on a majority. The bootstrap node therefore founds one only after
//! so many other members have said that they never held anything that no majority could be among the rest. With three
//! members both others have to answer; there is no deadline after which it would found without them.
//!
//! A node whose disk is new may have been a voter before and may have forgotten what it had acknowledged. It neither
//! stands for election nor votes until either the founder has told it that the cluster is new, or it has applied
//! everything that was committed when a leader spoke to it.

use super::Inner;
use crate::types::MemberNode;
use futures::future::join_all;
use kms_proto::peer::v1 as pb;
use openraft::errors::{InitializeError, RaftError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Pause between two rounds of asking the others.
const ROUND_PAUSE: Duration = Duration::from_millis(50);

pub(super) async fn found_cluster(inner: Arc<Inner>) {
    if !inner.config.bootstrap || !matches!(inner.log.is_pristine(), Ok(true)) {
        return;
    }
    let needed = answers_needed(inner.config.members.len());
    loop {
        let answers = ask_all(&inner, false).await;
        if answers.iter().any(|answer| !answer.pristine) {
            tracing::info!("the cluster exists already; this node joins it with an empty log");
            return;
        }
        // The second round lets the others vote for the founder; without it nobody could.
        if answers.len() >= needed && ask_all(&inner, true).await.iter().filter(|a| a.pristine).count() >= needed {
            return initialise(&inner).await;
        }
        tracing::debug!(answered = answers.len(), needed, "waiting for the other members to found the cluster");
        tokio::time::sleep(ROUND_PAUSE).await;
    }
}

/// How many of the other members must be empty, so that a majority of all members cannot be hidden among the rest.
fn answers_needed(members: usize) -> usize {
    let majority = members / 2 + 1;
    // A majority without this node has `majority - 1` others at least; one of those must be among the answers.
    if members == 1 { 0 } else { members + 1 - majority }
}

async fn ask_all(inner: &Inner, founding: bool) -> Vec<pb::ProbeResponse> {
    let deadline = inner.config.call_deadline();
    let asked = inner.links.iter().map(|link| async move {
        let answer = link.probe(founding, deadline).await.ok()?;
        let genuine = answer.cluster_id == inner.config.cluster_id && answer.node_id == link.member.node_id;
        genuine.then_some(answer)
    });
    join_all(asked).await.into_iter().flatten().collect()
}

async fn initialise(inner: &Inner) {
    let members: BTreeMap<u64, MemberNode> = inner
        .config
        .members
        .iter()
        .map(|member| (member.node_id, MemberNode { region: member.region.to_string() }))
        .collect();
    inner.finish_joining().await;
    match inner.raft.initialize(members).await {
        Ok(()) => tracing::info!("founded the cluster"),
        Err(RaftError::APIError(InitializeError::NotAllowed(_))) => {
            tracing::info!("another member has founded the cluster");
        }
        Err(RaftError::APIError(error @ InitializeError::NotInMembers(_))) => {
            tracing::error!(%error, "the cluster cannot be founded");
        }
        Err(RaftError::Fatal(fatal)) => {
            tracing::error!(error = %inner.stop_reason(&fatal), "the cluster cannot be founded");
        }
    }
}

/// Waits until everything that was committed when a leader first spoke is applied here.
pub(super) async fn join(inner: Arc<Inner>) {
    if inner.joining.is_done() {
        return;
    }
    let mut target = inner.joining.target.subscribe();
    // Fails only when the node is gone.
    let Ok(index) = target.wait_for(Option::is_some).await.map(|index| *index) else { return };
    let mut applied = inner.shared.applied_index();
    if applied.wait_for(|applied| *applied >= index).await.is_ok() {
        inner.finish_joining().await;
    }
}

impl Inner {
    /// Lets this node take part in elections from now on, also after a restart.
    pub(crate) async fn finish_joining(&self) {
        if self.joining.is_done() {
            return;
        }
        let noted = match self.log.note_joined() {
            Ok(()) => self.log.barrier().await,
            Err(error) => Err(error),
        };
        match noted {
            Ok(()) => {
                self.joining.done.store(true, Ordering::Release);
                self.raft.runtime_config().elect(true);
                tracing::info!("this node takes part in elections");
            }
            Err(error) => tracing::error!(%error, "this node cannot take part in elections"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_majority_can_hide_behind_the_members_that_did_not_answer() {
        for members in 2..=9 {
            let silent_others = members - 1 - answers_needed(members);
            // With itself forgetful, the silent ones and this node together must stay below a majority.
            assert!(silent_others + 1 < members / 2 + 1, "{members} members");
        }
        assert_eq!([1, 2, 3, 4, 5].map(answers_needed), [0, 1, 2, 2, 3]);
    }
}
