//! Three Regions with the real core and the real codec, a shared log, and everything that can go wrong between them:
//! lag, lost, late and repeated proposals, crashes that lose what was not flushed, cut links, snapshots.
//!
//! Cryptography and the network are pretended. The clock moves one millisecond per event, so that no two commands carry
//! the same time, and by days when an event says so.

mod check;
mod client;
mod grants;
mod imports;
mod node;
mod reach;
mod work;

pub use node::Node;

use crate::cast;
use grants::Granted;
use imports::Import;
use kms_core::LogPosition;
use kms_core::control::{ControlBody, ControlCommand, ControlState, ProposalId, RegionRole, RegisterRegion};
use kms_types::{DayLength, KeyId, RegionName, Timestamp};
use proptest::option;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a proposal may be on its way. Real proposals have deadlines, and the log never goes back.
const PROPOSAL_DEADLINE: Duration = Duration::from_millis(5_000);
const DAY: Duration = Duration::from_millis(1_000);

/// The simulated cluster.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
    log: Vec<ControlCommand>,
    /// The state after the whole log.
    latest: ControlState,
    /// The state before each entry and after the last.
    history: Vec<ControlState>,
    in_flight: Vec<ControlCommand>,
    now: Timestamp,
    number: u64,
    /// Deletions that were cancelled, acknowledged, and not asked for again.
    kept: BTreeMap<(RegionName, KeyId), Timestamp>,
    /// Imports that clients made and did not take back, with their ends.
    imported: BTreeMap<Import, Option<Timestamp>>,
    /// Grants that clients created and did not revoke.
    granted: BTreeSet<Granted>,
}

/// What happens next. Indexes are taken modulo whatever there is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is described where it is carried out")]
pub enum Event {
    Client { node: Option<usize>, request: Request, key: usize },
    Commit { proposal: usize },
    CommitButNotTell { proposal: usize },
    Lose { proposal: usize },
    Deliver { node: usize, entries: usize },
    InstallSnapshot { node: usize, from: usize },
    Synchronise { node: usize, key: usize },
    Work { node: usize },
    CommitAll,
    Due { node: usize },
    Flush { node: usize },
    Crash { node: usize, flushed: usize },
    Cut { node: usize },
    Join { node: usize },
    Wait { days: u32 },
}

/// What a client asks.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the variants are the API's operation names")]
pub enum Request {
    CreateKey,
    CreateExternalKey,
    ReplicateKey { to: usize },
    ScheduleKeyDeletion,
    CancelKeyDeletion,
    EnableKey,
    DisableKey,
    RotateKeyOnDemand,
    EnableKeyRotation,
    ActivateWithoutOthers,
    Promote { to: usize },
    OfferNewMaterial,
    ImportKnownMaterial { days: Option<u32> },
    DeleteImportedKeyMaterial { staged: bool },
    CreateGrant,
    RevokeGrant,
}

/// Random events, in proportions that let keys live and die.
pub fn event() -> impl Strategy<Value = Event> {
    let node = 0..cast::HOLDING_REGIONS;
    let small = 0..8_usize;
    prop_oneof![
        36 => (option::weighted(0.15, node.clone()), request(), small.clone())
            .prop_map(|(node, request, key)| Event::Client { node, request, key }),
        5 => small.clone().prop_map(|proposal| Event::Commit { proposal }),
        2 => small.clone().prop_map(|proposal| Event::CommitButNotTell { proposal }),
        1 => small.clone().prop_map(|proposal| Event::Lose { proposal }),
        6 => (node.clone(), 1..6_usize).prop_map(|(node, entries)| Event::Deliver { node, entries }),
        1 => (node.clone(), node.clone()).prop_map(|(node, from)| Event::InstallSnapshot { node, from }),
        10 => (node.clone(), small).prop_map(|(node, key)| Event::Synchronise { node, key }),
        24 => node.clone().prop_map(|node| Event::Work { node }),
        12 => Just(Event::CommitAll),
        4 => node.clone().prop_map(|node| Event::Due { node }),
        2 => node.clone().prop_map(|node| Event::Flush { node }),
        2 => (node.clone(), 0..4_usize).prop_map(|(node, flushed)| Event::Crash { node, flushed }),
        1 => node.clone().prop_map(|node| Event::Cut { node }),
        6 => node.prop_map(|node| Event::Join { node }),
        6 => (1..9_u32).prop_map(|days| Event::Wait { days }),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    // Counted from the primary.
    let to = 0..cast::HOLDING_REGIONS - 1;
    prop_oneof![
        2 => Just(Request::CreateKey),
        2 => Just(Request::CreateExternalKey),
        8 => to.clone().prop_map(|to| Request::ReplicateKey { to }),
        4 => Just(Request::ScheduleKeyDeletion),
        1 => Just(Request::CancelKeyDeletion),
        6 => Just(Request::EnableKey),
        1 => Just(Request::DisableKey),
        10 => Just(Request::RotateKeyOnDemand),
        1 => Just(Request::EnableKeyRotation),
        6 => Just(Request::ActivateWithoutOthers),
        4 => to.prop_map(|to| Request::Promote { to }),
        4 => Just(Request::OfferNewMaterial),
        16 => option::weighted(0.1, 1..6_u32).prop_map(|days| Request::ImportKnownMaterial { days }),
        3 => any::<bool>().prop_map(|staged| Request::DeleteImportedKeyMaterial { staged }),
        2 => Just(Request::CreateGrant),
        1 => Just(Request::RevokeGrant),
    ]
}

impl Default for Cluster {
    fn default() -> Self {
        let nodes = (0..cast::HOLDING_REGIONS).map(|n| Node::new(cast::region(n))).collect();
        let mut cluster = Self {
            nodes,
            log: Vec::new(),
            latest: ControlState::default(),
            history: vec![ControlState::default()],
            in_flight: Vec::new(),
            now: Timestamp::from_millis(1_000_000),
            number: 0,
            kept: BTreeMap::new(),
            imported: BTreeMap::new(),
            granted: BTreeSet::new(),
        };
        for node in 0..cast::HOLDING_REGIONS {
            let body =
                RegisterRegion { sealing_public_key: vec![1], role: RegionRole::Full, signing_public_key: Vec::new() };
            cluster.propose(node, ControlBody::RegisterRegion(body));
            cluster.commit(0);
        }
        cluster
    }
}

impl Cluster {
    /// Lets one event happen.
    pub fn happen(&mut self, event: &Event) {
        self.now = self.now.plus(Duration::from_millis(1));
        self.in_flight.retain(|command| self.now.since(command.at) < PROPOSAL_DEADLINE);
        match *event {
            Event::Client { node, request, key } => self.request(node, request, key),
            Event::Work { node } => {
                self.deliver(node, usize::MAX);
                for key in 0..self.keys_of(node).len() {
                    self.synchronise(node, key);
                }
                self.do_what_is_due(node);
            }
            Event::CommitAll => {
                while !self.in_flight.is_empty() {
                    self.commit(0);
                }
            }
            Event::Commit { proposal } => {
                if let Some(proposal) = pick(proposal, self.in_flight.len()) {
                    self.commit(proposal);
                }
            }
            Event::CommitButNotTell { proposal } => {
                // The proposer asks again with the same proposal ID.
                if let Some(proposal) = pick(proposal, self.in_flight.len()) {
                    let again = self.in_flight[proposal].clone();
                    self.commit(proposal);
                    self.in_flight.push(again);
                }
            }
            Event::Lose { proposal } => {
                if let Some(proposal) = pick(proposal, self.in_flight.len()) {
                    self.in_flight.remove(proposal);
                }
            }
            Event::Deliver { node, entries } => self.deliver(node, entries),
            Event::InstallSnapshot { node, from } => {
                let state = self.nodes[from].control.clone();
                let applied = self.nodes[from].applied;
                if applied > self.nodes[node].applied && !self.nodes[node].cut {
                    self.nodes[node].install_snapshot(&state, applied);
                }
            }
            Event::Synchronise { node, key } => drop(self.synchronise(node, key)),
            Event::Due { node } => drop(self.do_what_is_due(node)),
            Event::Flush { node } => self.nodes[node].flush(),
            Event::Crash { node, flushed } => self.nodes[node].crash(flushed),
            Event::Cut { node } => self.nodes[node].cut = true,
            Event::Join { node } => self.nodes[node].cut = false,
            Event::Wait { days } => self.now = self.now.plus(DayLength::new(DAY).days(days)),
        }
    }

    /// Sends a proposal off. Speaking comes after flushing: what it rests on must not be forgotten.
    fn propose(&mut self, node: usize, body: ControlBody) {
        self.number += 1;
        let node = &mut self.nodes[node];
        node.flush();
        let proposal_id = ProposalId(u128::from(self.number).to_be_bytes());
        if !node.cut {
            self.in_flight.push(ControlCommand { proposal_id, region: node.region.clone(), at: self.now, body });
        }
    }

    fn commit(&mut self, proposal: usize) {
        let command = self.in_flight.remove(proposal);
        let _kept_as_state = self.latest.apply(LogPosition::default(), &command);
        self.log.push(command);
        self.history.push(self.latest.clone());
    }

    fn deliver(&mut self, node: usize, entries: usize) {
        let node = &mut self.nodes[node];
        if !node.cut {
            for command in self.log.iter().skip(node.applied).take(entries) {
                node.apply_control(command);
            }
        }
    }
}

fn pick(wish: usize, len: usize) -> Option<usize> {
    wish.checked_rem(len)
}
