//! Asking every peer now and then who and how far it is.

use super::Inner;
use super::status::{ControlRole, PeerProbe};
use crate::config::ControlConfig;
use crate::links::Link;
use kms_proto::peer::v1 as pb;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::{Instant, MissedTickBehavior};

/// The latest word of every peer.
#[derive(Debug)]
pub(super) struct ProbeBoard {
    peers: Mutex<BTreeMap<u64, PeerProbe>>,
}

impl ProbeBoard {
    pub(super) fn new(config: &ControlConfig) -> Self {
        let unknown = |member: &crate::Member| PeerProbe {
            region: member.region.clone(),
            node_id: member.node_id,
            voter: true,
            reachable: false,
            role: None,
            round_trip: None,
            applied: None,
            last_seen: None,
        };
        Self { peers: Mutex::new(config.peers().map(|member| (member.node_id, unknown(member))).collect()) }
    }

    pub(super) fn all(&self) -> Vec<PeerProbe> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn update(&self, node_id: u64, change: impl FnOnce(&mut PeerProbe)) {
        if let Some(peer) = self.peers.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&node_id) {
            change(peer);
        }
    }
}

pub(super) async fn probe_for_ever(inner: Arc<Inner>, link: Link) {
    let deadline = inner.config.call_deadline();
    let mut ticks = tokio::time::interval(inner.config.probe_interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_reachable = None;
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        let answer = link.probe(false, deadline).await;
        let round_trip = asked.elapsed();
        let problem = match &answer {
            Ok(answer) if is_genuine(&inner, &link, answer) => None,
            Ok(_) => Some("it answers for another cluster or node".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        let now = inner.ports.clock.now();
        inner.probes.update(link.member.node_id, |peer| {
            peer.reachable = problem.is_none();
            if let (None, Ok(answer)) = (&problem, &answer) {
                peer.role = ControlRole::parse(&answer.role);
                peer.round_trip = Some(round_trip);
                peer.applied = Some(answer.applied_index);
                peer.last_seen = Some(now);
            }
        });
        if was_reachable != Some(problem.is_none()) {
            was_reachable = Some(problem.is_none());
            match problem {
                None => tracing::info!(region = %link.member.region, "peer reachable"),
                Some(problem) => tracing::warn!(region = %link.member.region, problem, "peer unreachable"),
            }
        }
    }
}

fn is_genuine(inner: &Inner, link: &Link, answer: &pb::ProbeResponse) -> bool {
    answer.cluster_id == inner.config.cluster_id
        && answer.node_id == link.member.node_id
        && answer.region == link.member.region.as_str()
}
