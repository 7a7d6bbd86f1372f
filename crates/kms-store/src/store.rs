//! The port: keyspaces, batches and the trait that both stores implement.

use std::collections::BTreeMap;

use crate::StoreError;

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Told once whether everything written before is on stable storage.
pub type DurableCallback = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Rows that belong together. A batch is atomic within one keyspace and never spans two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keyspace {
    /// What the node knows of itself. The store keeps its own row `format` here.
    Node,
    /// Entries, vote and bounds of the Raft log.
    RaftLog,
    /// The folded control state with its last-applied index.
    Control,
    /// The folded regional state.
    Regional,
    /// Snapshots of the control state, received or built.
    Snapshot,
}

impl Keyspace {
    /// Every keyspace, in the order of declaration.
    pub const ALL: [Self; 5] = [Self::Node, Self::RaftLog, Self::Control, Self::Regional, Self::Snapshot];

    /// The persisted name; never changes.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::RaftLog => "raft-log",
            Self::Control => "control",
            Self::Regional => "regional",
            Self::Snapshot => "snapshot",
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// Changes that are applied together or not at all. The last change of a key counts.
#[derive(Clone, Default)]
pub struct WriteBatch {
    pub(crate) changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl WriteBatch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key` to `value`.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.insert(key.into(), Some(value.into()));
    }

    /// Removes `key`; a key that does not exist is no error.
    pub fn remove(&mut self, key: impl Into<Vec<u8>>) {
        self.changes.insert(key.into(), None);
    }

    /// Whether the batch changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many keys the batch changes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }
}

impl std::fmt::Debug for WriteBatch {
    /// Shows the size only: rows hold wrapped material and do not belong in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteBatch").field("keys", &self.changes.len()).finish_non_exhaustive()
    }
}

/// An ordered key-value store with atomic batches and an explicit barrier.
///
/// Keys are at most 1 KiB and values at most 16 MiB. Reads see every write that returned before them. All
/// calls are blocking; reads take microseconds unless sled has to fetch a page from the disk.
pub trait Store: Send + Sync + std::fmt::Debug + 'static {
    /// The value of `key`. Fails if the database cannot be read.
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Rows with `start <= key < end` in key order, at most `limit`; all of them lie between two batches, never
    /// inside one. `end: None` means up to the last row.
    fn range(&self, keyspace: Keyspace, start: &[u8], end: Option<&[u8]>, limit: usize)
    -> Result<Vec<Row>, StoreError>;

    /// The row with the greatest key.
    fn last(&self, keyspace: Keyspace) -> Result<Option<Row>, StoreError>;

    /// Applies the batch atomically. Visible at once; durable only after a barrier that starts later. Waits for a
    /// barrier itself when too much has been written without one. Fails if a key or value is too long or the store
    /// has stopped; then nothing of the batch is visible or the store has stopped.
    fn write(&self, keyspace: Keyspace, batch: WriteBatch) -> Result<(), StoreError>;

    /// Removes every row with `start <= key < end`, in atomic batches of 1,024 rows. A crash in between leaves a
    /// part: the greater keys, or with `end: None` the smaller ones, so that a log cut at either end has no gap.
    fn remove_range(&self, keyspace: Keyspace, start: &[u8], end: Option<&[u8]>) -> Result<(), StoreError>;

    /// Calls back after everything written before this call is on stable storage, or with the reason why nobody
    /// knows. The queue is bounded and waits when full. The callback runs on the committer thread: it must not block
    /// and must not call the store.
    fn on_durable(&self, callback: DurableCallback);

    /// Blocks until everything written before is on stable storage. Fails after 60 seconds, or if a flush failed.
    fn barrier(&self) -> Result<(), StoreError>;
}

/// How many rows [`scan_prefix`] and the stores fetch at a time; bounds memory and the time a keyspace is held.
pub(crate) const PAGE_ROWS: usize = 1024;

/// Every row whose key starts with `prefix`, in key order, fetched page by page while the iterator runs. Rows that
/// change meanwhile may be seen before or after the change. Ends after the first error.
pub fn scan_prefix<'a>(
    store: &'a dyn Store,
    keyspace: Keyspace,
    prefix: &[u8],
) -> impl Iterator<Item = Result<Row, StoreError>> + use<'a> {
    let end = prefix_end(prefix);
    let mut next_start = Some(prefix.to_vec());
    let mut page = Vec::new().into_iter();
    std::iter::from_fn(move || {
        loop {
            if let Some(row) = page.next() {
                return Some(Ok(row));
            }
            let start = next_start.take()?;
            let rows = match store.range(keyspace, &start, end.as_deref(), PAGE_ROWS) {
                Ok(rows) => rows,
                Err(error) => return Some(Err(error)),
            };
            if rows.len() == PAGE_ROWS {
                next_start = rows.last().map(|(key, _)| successor(key));
            }
            page = rows.into_iter();
        }
    })
}

/// The least key greater than `key`.
pub(crate) fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = key.to_vec();
    next.push(0);
    next
}

/// The least key greater than every key that starts with `prefix`; none if there is no such key.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let kept = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix.get(..=kept)?.to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_the_next_key_outside_it() {
        let cases: [(&[u8], Option<&[u8]>); 5] = [
            (b"", None),
            (b"a", Some(b"b")),
            (b"key/", Some(b"key0")),
            (b"a\xff\xff", Some(b"b")),
            (b"\xff\xff", None),
        ];
        for (prefix, expected) in cases {
            assert_eq!(prefix_end(prefix).as_deref(), expected, "{prefix:?}");
        }
    }

    #[test]
    fn the_last_change_of_a_key_counts() {
        let mut batch = WriteBatch::new();
        assert!(batch.is_empty());
        batch.put(*b"k", *b"1");
        batch.remove(*b"k");
        batch.put(*b"k", *b"2");
        assert_eq!(batch.len(), 1);
        assert_eq!(batch.changes.get(b"k".as_slice()), Some(&Some(b"2".to_vec())));
    }
}
