//! The store of the node, with an eye on what it answers: whoever meets trouble first, it is noted.

use super::store_trouble::StoreTrouble;
use kms_store::{DurableCallback, Keyspace, Row, Store, StoreError, WriteBatch};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub(crate) struct WatchedStore<S> {
    store: S,
    trouble: Arc<StoreTrouble>,
}

impl<S: Store> WatchedStore<S> {
    pub(crate) const fn new(store: S, trouble: Arc<StoreTrouble>) -> Self {
        Self { store, trouble }
    }

    fn noted<T>(&self, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        answer.inspect_err(|error| self.trouble.note(error))
    }
}

impl<S: Store> Store for WatchedStore<S> {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.noted(self.store.get(keyspace, key))
    }

    fn range(
        &self,
        keyspace: Keyspace,
        start: &[u8],
        end: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.noted(self.store.range(keyspace, start, end, limit))
    }

    fn last(&self, keyspace: Keyspace) -> Result<Option<Row>, StoreError> {
        self.noted(self.store.last(keyspace))
    }

    fn write(&self, keyspace: Keyspace, batch: WriteBatch) -> Result<(), StoreError> {
        self.noted(self.store.write(keyspace, batch))
    }

    fn remove_range(&self, keyspace: Keyspace, start: &[u8], end: Option<&[u8]>) -> Result<(), StoreError> {
        self.noted(self.store.remove_range(keyspace, start, end))
    }

    fn on_durable(&self, callback: DurableCallback) {
        let trouble = Arc::clone(&self.trouble);
        self.store.on_durable(Box::new(move |durable| {
            if let Err(error) = &durable {
                trouble.note(error);
            }
            callback(durable);
        }));
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.noted(self.store.barrier())
    }
}
