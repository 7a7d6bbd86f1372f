//! openraft's own contract for storage, on both stores.
#![expect(clippy::expect_used, reason = "a test helper may panic")]

use kms_control::{ControlObserver, LogStore, StateMachine, TypeConfig};
use kms_core::control::{ControlChange, ControlEffect, ControlState};
use kms_store::{MemoryStore, SledStore, Store, StoreOptions};
use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use std::sync::Arc;

#[derive(Debug)]
struct Silent;

impl ControlObserver for Silent {
    fn applied(&self, _index: u64, _changes: &[ControlChange], _effects: &[ControlEffect]) {}
    fn replaced(&self, _index: u64, _state: &ControlState) {}
}

fn open(store: Arc<dyn Store>) -> (LogStore, StateMachine) {
    let log = LogStore::open(Arc::clone(&store)).expect("an empty log opens");
    let machine = StateMachine::open(store, Arc::new(Silent)).expect("an empty state opens");
    (log, machine)
}

struct OnSled;

impl StoreBuilder<TypeConfig, LogStore, StateMachine, tempfile::TempDir> for OnSled {
    async fn build(&self) -> Result<(tempfile::TempDir, LogStore, StateMachine), StorageError<TypeConfig>> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let store = SledStore::open(directory.path(), StoreOptions::default()).expect("a new store");
        let (log, machine) = open(Arc::new(store));
        Ok((directory, log, machine))
    }
}

struct InMemory;

impl StoreBuilder<TypeConfig, LogStore, StateMachine, ()> for InMemory {
    async fn build(&self) -> Result<((), LogStore, StateMachine), StorageError<TypeConfig>> {
        let (log, machine) = open(Arc::new(MemoryStore::new()));
        Ok(((), log, machine))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sled_store_keeps_openrafts_contract() {
    Suite::test_all(OnSled).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_store_keeps_openrafts_contract() {
    Suite::test_all(InMemory).await.unwrap();
}
