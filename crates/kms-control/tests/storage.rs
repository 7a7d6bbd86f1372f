//! What the log store and the state machine keep through crashes, and what stops them.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "test helpers may panic")]

use futures::stream;
use kms_control::{ControlError, ControlObserver, LogStore, StateMachine, TypeConfig};
use kms_core::control::{
    ControlBody, ControlChange, ControlCommand, ControlEffect, ControlState, ProposalId, RegionRole, RegisterRegion,
};
use kms_proto::control_codec::encode_command;
use kms_proto::peer::v1 as pb;
use kms_store::{Keyspace, MemoryStore, Store, WriteBatch};
use kms_types::{RegionName, Timestamp};
use openraft::alias::{EntryOf, LogIdOf};
use openraft::impls::leader_id_adv::LeaderId;
use openraft::storage::{RaftLogReader, RaftLogStorage, RaftLogStorageExt, RaftSnapshotBuilder, RaftStateMachine};
use openraft::{EntryPayload, LogId, Vote};
use prost::Message;
use std::sync::{Arc, Mutex};

#[derive(Debug, Default)]
struct Told {
    applied: Mutex<Vec<u64>>,
    state: Mutex<ControlState>,
}

impl ControlObserver for Told {
    fn applied(&self, index: u64, changes: &[ControlChange], _effects: &[ControlEffect]) {
        self.applied.lock().unwrap().push(index);
        let mut state = self.state.lock().unwrap();
        changes.iter().for_each(|change| state.absorb(change));
    }

    fn replaced(&self, _index: u64, state: &ControlState) {
        *self.state.lock().unwrap() = state.clone();
    }
}

fn log_id(index: u64) -> LogIdOf<TypeConfig> {
    LogId::new(LeaderId { term: 1, node_id: 1 }, index)
}

fn blank(index: u64) -> EntryOf<TypeConfig> {
    openraft::Entry { log_id: log_id(index), payload: EntryPayload::Blank }
}

/// An entry that changes the sealing key of `us-east-1`.
fn registers(index: u64) -> EntryOf<TypeConfig> {
    let byte = u8::try_from(index).unwrap();
    let command = ControlCommand {
        proposal_id: ProposalId([byte; 16]),
        region: RegionName::parse("us-east-1").unwrap(),
        at: Timestamp::from_millis(index),
        body: ControlBody::RegisterRegion(RegisterRegion {
            sealing_public_key: vec![byte; 32],
            role: RegionRole::Full,
            signing_public_key: Vec::new(),
        }),
    };
    openraft::Entry { log_id: log_id(index), payload: EntryPayload::Normal(encode_command(&command).into()) }
}

async fn apply(machine: &mut StateMachine, entries: Vec<EntryOf<TypeConfig>>) -> Result<(), std::io::Error> {
    machine.apply(stream::iter(entries.into_iter().map(|entry| Ok((entry, None))))).await
}

fn open(store: &Arc<MemoryStore>) -> (StateMachine, Arc<Told>) {
    let told = Arc::new(Told::default());
    let machine = StateMachine::open(Arc::clone(store) as _, Arc::clone(&told) as _).expect("the state opens");
    (machine, told)
}

fn control_error(error: &std::io::Error) -> &ControlError {
    error.get_ref().and_then(|inner| inner.downcast_ref()).expect("one of ours")
}

#[tokio::test]
async fn what_is_acknowledged_survives_a_power_cut() {
    let store = Arc::new(MemoryStore::new());
    let mut log = LogStore::open(Arc::clone(&store) as _).unwrap();
    let vote = Vote { leader_id: LeaderId { term: 3, node_id: 2 }, committed: false };
    log.save_vote(&vote).await.unwrap();
    log.blocking_append((0..10).map(blank)).await.unwrap();
    let mut after = LogStore::open(Arc::new(store.crash())).unwrap();
    assert_eq!(after.read_vote().await.unwrap(), Some(vote));
    assert_eq!(after.try_get_log_entries(..).await.unwrap(), (0..10).map(blank).collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_is_acknowledged_when_the_barrier_fails() {
    let store = Arc::new(MemoryStore::new());
    let mut log = LogStore::open(Arc::clone(&store) as _).unwrap();
    store.fail_next_barrier();
    assert!(log.blocking_append([blank(0)]).await.is_err(), "the disk did not confirm");
    let vote = Vote { leader_id: LeaderId { term: 1, node_id: 1 }, committed: false };
    let refused = log.save_vote(&vote).await.unwrap_err();
    assert!(matches!(control_error(&refused), ControlError::Storage(_)), "{refused}");
}

#[tokio::test]
async fn a_purge_that_a_crash_interrupted_is_finished() {
    let store = Arc::new(MemoryStore::new());
    let mut log = LogStore::open(Arc::clone(&store) as _).unwrap();
    log.blocking_append((0..10).map(blank)).await.unwrap();
    let mut noted = WriteBatch::new();
    noted.put(*b"raft/purged", pb::LogId { term: 1, node_id: 1, index: 6 }.encode_to_vec());
    store.write(Keyspace::Node, noted).unwrap();
    let mut after = LogStore::open(Arc::clone(&store) as _).unwrap();
    let left = after.try_get_log_entries(..).await.unwrap();
    assert_eq!(left, (7..10).map(blank).collect::<Vec<_>>());
    assert_eq!(after.get_log_state().await.unwrap().last_purged_log_id, Some(log_id(6)));
}

#[tokio::test]
async fn a_hole_in_the_log_is_an_error() {
    let store = Arc::new(MemoryStore::new());
    let mut log = LogStore::open(Arc::clone(&store) as _).unwrap();
    log.blocking_append((0..10).map(blank)).await.unwrap();
    store.remove_range(Keyspace::RaftLog, &4_u64.to_be_bytes(), Some(&5_u64.to_be_bytes())).unwrap();
    let error = log.try_get_log_entries(2..8).await.unwrap_err();
    assert!(matches!(control_error(&error), ControlError::DamagedLog { missing: 4 }), "{error}");
}

#[tokio::test]
async fn messages_to_a_peer_are_bounded_by_bytes() {
    let store = Arc::new(MemoryStore::new());
    let mut log = LogStore::open(store as _).unwrap();
    let large =
        |index| openraft::Entry { log_id: log_id(index), payload: EntryPayload::Normal(vec![0; 400 * 1024].into()) };
    log.blocking_append((0..10).map(large)).await.unwrap();
    assert_eq!(log.limited_get_log_entries(0, 10).await.unwrap().len(), 2);
    let huge = openraft::Entry { log_id: log_id(10), payload: EntryPayload::Normal(vec![0; 3 << 20].into()) };
    log.blocking_append([huge]).await.unwrap();
    assert_eq!(log.limited_get_log_entries(10, 11).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_unknown_command_halts_and_is_not_skipped() {
    let store = Arc::new(MemoryStore::new());
    let (mut machine, told) = open(&store);
    let unknown = openraft::Entry { log_id: log_id(2), payload: EntryPayload::Normal(vec![0xff; 9].into()) };
    let error = apply(&mut machine, vec![blank(0), registers(1), unknown, registers(3)]).await.unwrap_err();
    assert!(matches!(control_error(&error), ControlError::UnknownCommand { index: 2, .. }), "{error}");
    // What came before it counts, what came after it does not; so it is after a restart.
    assert_eq!(*told.applied.lock().unwrap(), [0, 1]);
    let (mut again, told) = open(&store);
    assert_eq!(again.applied_state().await.unwrap().0, Some(log_id(1)));
    assert_eq!(told.state.lock().unwrap().regions().next().unwrap().sealing_public_key, [1; 32]);
}

#[tokio::test]
async fn an_interrupted_snapshot_installation_is_finished_at_the_next_start() {
    let (from, to) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let (mut source, _) = open(&from);
    apply(&mut source, (0..50).map(registers).collect()).await.unwrap();
    let snapshot = source.get_snapshot_builder().await.build_snapshot().await.unwrap();
    // The same snapshot in a store whose state is an older one and half gone, with the note that says so.
    let (mut target, _) = open(&to);
    apply(&mut target, (0..5).map(registers).collect()).await.unwrap();
    for (key, value) in from.range(Keyspace::Snapshot, &[], None, usize::MAX).unwrap() {
        let mut copied = WriteBatch::new();
        copied.put(key, value);
        to.write(Keyspace::Snapshot, copied).unwrap();
    }
    let mut noted = WriteBatch::new();
    noted.put(*b"i", 0_u64.to_be_bytes());
    to.write(Keyspace::Snapshot, noted).unwrap();
    to.remove_range(Keyspace::Control, &[], Some(&[0x11])).unwrap();
    let (mut after, told) = open(&to);
    assert_eq!(after.applied_state().await.unwrap().0, snapshot.meta.last_log_id);
    assert_eq!(told.state.lock().unwrap().regions().next().unwrap().sealing_public_key, [49; 32]);
    assert_eq!(to.get(Keyspace::Snapshot, b"i").unwrap(), None);
}

#[tokio::test]
async fn an_installed_snapshot_equals_the_log_that_it_stands_for() {
    let (from, to) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let (mut source, _) = open(&from);
    apply(&mut source, (0..40).map(registers).collect()).await.unwrap();
    let snapshot = source.get_snapshot_builder().await.build_snapshot().await.unwrap();
    let (mut target, told) = open(&to);
    apply(&mut target, vec![registers(0)]).await.unwrap();
    target.install_snapshot(&snapshot.meta, snapshot.snapshot).await.unwrap();
    let rest: Vec<_> = (40..60).map(registers).collect();
    apply(&mut target, rest.clone()).await.unwrap();
    apply(&mut source, rest).await.unwrap();
    let rows = |store: &MemoryStore| store.range(Keyspace::Control, &[], None, usize::MAX).unwrap();
    assert_eq!(rows(&from), rows(&to));
    let (_, reopened) = open(&to);
    assert_eq!(*told.state.lock().unwrap(), *reopened.state.lock().unwrap());
}

#[tokio::test]
async fn a_damaged_snapshot_leaves_the_state_as_it_was() {
    let (from, to) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
    let (mut source, _) = open(&from);
    apply(&mut source, (0..40).map(registers).collect()).await.unwrap();
    let snapshot = source.get_snapshot_builder().await.build_snapshot().await.unwrap();
    let (key, mut bytes) = from.range(Keyspace::Snapshot, b"c", Some(b"d"), 1).unwrap().remove(0);
    *bytes.last_mut().unwrap() ^= 1;
    let mut damage = WriteBatch::new();
    damage.put(key, bytes);
    from.write(Keyspace::Snapshot, damage).unwrap();
    let (mut target, _) = open(&to);
    apply(&mut target, vec![registers(0)]).await.unwrap();
    let refused = target.install_snapshot(&snapshot.meta, snapshot.snapshot).await.unwrap_err();
    assert!(
        matches!(control_error(&refused), ControlError::DamagedSnapshot(_) | ControlError::UnknownRow { .. }),
        "{refused}"
    );
    assert_eq!(open(&to).0.applied_state().await.unwrap().0, Some(log_id(0)));
}

#[tokio::test]
async fn only_the_newest_snapshot_is_kept() {
    let store = Arc::new(MemoryStore::new());
    let (mut machine, _) = open(&store);
    for round in 0..4 {
        apply(&mut machine, (round * 10..round * 10 + 10).map(registers).collect()).await.unwrap();
        drop(machine.get_snapshot_builder().await.build_snapshot().await.unwrap());
    }
    let manifests = store.range(Keyspace::Snapshot, b"m", Some(b"n"), usize::MAX).unwrap();
    // The last retired one goes with the next snapshot, because somebody may have been reading it.
    assert!(manifests.len() <= 2, "{} snapshots", manifests.len());
    let (mut machine, _) = open(&store);
    assert_eq!(machine.get_current_snapshot().await.unwrap().unwrap().meta.last_log_id, Some(log_id(39)));
    assert_eq!(store.range(Keyspace::Snapshot, b"m", Some(b"n"), usize::MAX).unwrap().len(), 1);
}
