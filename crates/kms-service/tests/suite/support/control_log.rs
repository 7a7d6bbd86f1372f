//! One control log for all Regions of a test, with links that a test can cut.

use super::sources::TestClock;
use kms_core::LogPosition;
use kms_core::control::{ControlBody, ControlCommand, ControlOutcome, ControlState, ProposalId};
use kms_service::{
    Clock, ControlLog, ControlLogError, Directory, KeyRoom, PeerError, Peers, PortFuture, ReplicaReport,
};
use kms_types::{KeyId, RegionName};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How a Region is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// Takes in every command at once.
    Up,
    /// Is within reach, but takes commands in only when it asks for them.
    Lagging,
    /// Neither hears nor is heard.
    Away,
}

/// The log and how far each Region has applied it.
#[derive(Debug)]
pub(crate) struct SharedLog {
    clock: Arc<TestClock>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    commands: Vec<ControlCommand>,
    places: BTreeMap<RegionName, Place>,
}

#[derive(Debug)]
struct Place {
    link: Link,
    applied: usize,
    state: ControlState,
    directory: Arc<Directory>,
    keys_per_account: usize,
}

impl Place {
    fn room(&self, key_id: &KeyId) -> Option<KeyRoom> {
        let account = self.state.key_set(key_id)?.account;
        let count = self.directory.read(|regional, _| regional.key_count_of(&account));
        Some(KeyRoom { count: u64::try_from(count).unwrap(), quota: u64::try_from(self.keys_per_account).unwrap() })
    }

    /// Applies what is new, publishes it, and answers the last outcome.
    fn catch_up(&mut self, commands: &[ControlCommand]) -> Option<ControlOutcome> {
        let mut last = None;
        for command in &commands[self.applied..] {
            self.applied += 1;
            let index = u64::try_from(self.applied).unwrap();
            let applied = self.state.apply(LogPosition { term: 1, index }, command);
            self.state.check_invariants().unwrap();
            self.directory.absorb_control(&applied.changes);
            last = Some(applied.outcome);
        }
        last
    }
}

impl SharedLog {
    pub(crate) fn new(clock: Arc<TestClock>) -> Self {
        Self { clock, inner: Mutex::default() }
    }

    pub(crate) fn join(&self, directory: Arc<Directory>, keys_per_account: usize) {
        let region = directory.region().clone();
        let state = ControlState::default();
        let place = Place { link: Link::Up, applied: 0, state, directory, keys_per_account };
        self.inner.lock().unwrap().places.insert(region, place);
    }

    pub(crate) fn set_link(&self, region: &RegionName, link: Link) {
        let mut inner = self.inner.lock().unwrap();
        let Inner { commands, places } = &mut *inner;
        let place = places.get_mut(region).unwrap();
        place.link = link;
        if link == Link::Up {
            place.catch_up(commands);
        }
    }

    pub(crate) fn link(&self, region: &RegionName) -> Link {
        self.inner.lock().unwrap().places[region].link
    }

    pub(crate) fn len(&self) -> usize {
        self.inner.lock().unwrap().commands.len()
    }

    /// The commands, for tests of what is in the log and what is not.
    pub(crate) fn commands(&self) -> Vec<ControlCommand> {
        self.inner.lock().unwrap().commands.clone()
    }

    pub(crate) fn propose(&self, region: &RegionName, body: ControlBody) -> Result<ControlOutcome, ControlLogError> {
        let mut inner = self.inner.lock().unwrap();
        inner.check_majority(region)?;
        let number = u128::try_from(inner.commands.len()).unwrap();
        inner.commands.push(ControlCommand {
            proposal_id: ProposalId(number.to_be_bytes()),
            region: region.clone(),
            at: self.clock.now(),
            body,
        });
        let Inner { commands, places } = &mut *inner;
        let outcome = places.get_mut(region).unwrap().catch_up(commands).unwrap();
        for place in places.values_mut().filter(|place| place.link == Link::Up) {
            place.catch_up(commands);
        }
        Ok(outcome)
    }

    fn read_barrier(&self, region: &RegionName) -> Result<u64, ControlLogError> {
        let mut inner = self.inner.lock().unwrap();
        inner.check_majority(region)?;
        let Inner { commands, places } = &mut *inner;
        let place = places.get_mut(region).unwrap();
        place.catch_up(commands);
        Ok(u64::try_from(place.applied).unwrap())
    }
}

impl Inner {
    fn check_majority(&self, region: &RegionName) -> Result<(), ControlLogError> {
        let present = self.places.values().filter(|place| place.link != Link::Away).count();
        if self.places[region].link == Link::Away || 2 * present <= self.places.len() {
            return Err(ControlLogError::NoMajority { sent: false });
        }
        Ok(())
    }
}

/// The shared log and the other Regions, as one Region reaches them.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) region: RegionName,
    pub(crate) log: Arc<SharedLog>,
}

impl ControlLog for Seat {
    fn propose(&self, body: ControlBody) -> PortFuture<'_, Result<ControlOutcome, ControlLogError>> {
        Box::pin(async move { self.log.propose(&self.region, body) })
    }

    fn read_barrier(&self, _: Duration) -> PortFuture<'_, Result<u64, ControlLogError>> {
        Box::pin(async move { self.log.read_barrier(&self.region) })
    }
}

impl Peers for Seat {
    fn replica_report<'a>(
        &'a self,
        region: &'a RegionName,
        key_id: &'a KeyId,
        _: Duration,
    ) -> PortFuture<'a, Result<ReplicaReport, PeerError>> {
        Box::pin(async move {
            let inner = self.log.inner.lock().unwrap();
            let place = inner.places.get(region).ok_or_else(|| PeerError::Unknown(region.clone()))?;
            let cut = place.link == Link::Away || inner.places[&self.region].link == Link::Away;
            if cut && *region != self.region {
                return Err(PeerError::Unreachable(region.clone()));
            }
            let entry = place.directory.key(key_id);
            Ok(ReplicaReport {
                state: entry.as_ref().map(|entry| entry.state()),
                materials: entry
                    .iter()
                    .flat_map(|e| e.record.materials.iter().filter(|m| m.is_present()).map(|m| m.material_id))
                    .collect(),
                applied_index: u64::try_from(place.applied).unwrap(),
                room: place.room(key_id),
                access: entry.map(|entry| entry.replica_access()),
            })
        })
    }
}
