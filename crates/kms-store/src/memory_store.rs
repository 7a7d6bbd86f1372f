//! The in-memory twin of the sled store, for tests of everything above: it remembers what a barrier has covered.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    DurableCallback, Keyspace, Row, Store, StoreError, WriteBatch,
    rows::check_lengths,
    sled_store::{FORMAT_KEY, FORMAT_VERSION},
};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A store in memory with the same contract as [`crate::SledStore`], except that callbacks run on the calling thread.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Clone, Default)]
struct State {
    live: [Rows; Keyspace::ALL.len()],
    durable: [Rows; Keyspace::ALL.len()],
    /// What has been written since the last barrier, in order.
    journal: Vec<(Keyspace, WriteBatch)>,
    barriers: u64,
    fail_next_barrier: bool,
    poisoned: bool,
}

impl MemoryStore {
    /// An empty store, as after the creation of a directory.
    #[must_use]
    pub fn new() -> Self {
        let mut state = State::default();
        let mut batch = WriteBatch::new();
        batch.put(FORMAT_KEY, FORMAT_VERSION.to_be_bytes());
        apply(&mut state.live, Keyspace::Node, &batch);
        apply(&mut state.durable, Keyspace::Node, &batch);
        Self { state: Mutex::new(state) }
    }

    /// What a power cut at this instant would leave: a store with only what a barrier had covered.
    #[must_use]
    pub fn crash(&self) -> Self {
        let durable = self.lock().durable.clone();
        Self { state: Mutex::new(State { live: durable.clone(), durable, ..State::default() }) }
    }

    /// Makes the next barrier fail as a broken device would; the store then stops.
    pub fn fail_next_barrier(&self) {
        self.lock().fail_next_barrier = true;
    }

    /// Barriers carried out so far.
    #[must_use]
    pub fn barriers_total(&self) -> u64 {
        self.lock().barriers
    }

    /// A panic while the lock was held cannot leave a half-applied batch worth more than the panic itself.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().live[keyspace.index()].get(key).cloned())
    }

    fn range(
        &self,
        keyspace: Keyspace,
        start: &[u8],
        end: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let state = self.lock();
        let rows = between(&state.live[keyspace.index()], start, end);
        Ok(rows.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn last(&self, keyspace: Keyspace) -> Result<Option<Row>, StoreError> {
        let state = self.lock();
        Ok(state.live[keyspace.index()].last_key_value().map(|(key, value)| (key.clone(), value.clone())))
    }

    fn write(&self, keyspace: Keyspace, batch: WriteBatch) -> Result<(), StoreError> {
        for (key, value) in &batch.changes {
            check_lengths(key, value.as_deref())?;
        }
        let mut state = self.lock();
        if state.poisoned {
            return Err(StoreError::Poisoned);
        }
        apply(&mut state.live, keyspace, &batch);
        state.journal.push((keyspace, batch));
        Ok(())
    }

    fn remove_range(&self, keyspace: Keyspace, start: &[u8], end: Option<&[u8]>) -> Result<(), StoreError> {
        let mut batch = WriteBatch::new();
        for (key, _) in between(&self.lock().live[keyspace.index()], start, end) {
            batch.remove(key.clone());
        }
        self.write(keyspace, batch)
    }

    fn on_durable(&self, callback: DurableCallback) {
        callback(self.barrier());
    }

    fn barrier(&self) -> Result<(), StoreError> {
        let mut state = self.lock();
        if state.poisoned {
            return Err(StoreError::Poisoned);
        }
        state.barriers += 1;
        if std::mem::take(&mut state.fail_next_barrier) {
            state.poisoned = true;
            return Err(StoreError::io("sync the database file", std::io::ErrorKind::StorageFull.into()));
        }
        for (keyspace, batch) in std::mem::take(&mut state.journal) {
            apply(&mut state.durable, keyspace, &batch);
        }
        Ok(())
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

fn apply(keyspaces: &mut [Rows; Keyspace::ALL.len()], keyspace: Keyspace, batch: &WriteBatch) {
    let rows = &mut keyspaces[keyspace.index()];
    for (key, value) in &batch.changes {
        match value {
            Some(value) => rows.insert(key.clone(), value.clone()),
            None => rows.remove(key),
        };
    }
}

fn between<'a>(
    rows: &'a Rows,
    start: &[u8],
    end: Option<&[u8]>,
) -> impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)> + use<'a> {
    // A map refuses a range that ends before it starts; for the store it is empty.
    let end = end.map(|end| end.max(start).to_vec());
    rows.range::<Vec<u8>, _>((Bound::Included(start.to_vec()), end.map_or(Bound::Unbounded, Bound::Excluded)))
}
