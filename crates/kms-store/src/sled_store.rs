//! The store on disk: sled behind our own barrier.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    Corruption, DurableCallback, Keyspace, Row, Store, StoreError, WriteBatch,
    committer::Committer,
    layout,
    rows::{self, SEGMENT_BYTES, Stored, VALUE_BYTES_MAX, check_lengths},
    store::PAGE_ROWS,
};

/// The row of [`Keyspace::Node`] that tells the format of everything else.
pub(crate) const FORMAT_KEY: &[u8] = b"format";
/// The format that this code writes: big-endian in the row [`FORMAT_KEY`].
pub(crate) const FORMAT_VERSION: u32 = 1;

/// Most that may lie in sled's log unsynced, by the estimate of [`charge`]. sled reuses a segment once its contents
/// have been moved and some further segments written, and takes the move for durable then. A barrier in time makes
/// that true even if the disk writes in another order. With four times as much the power-cut test still passes, with
/// sixteen times as much it finds torn batches, and without a bound a database that does not open.
const UNSYNCED_BYTES_MAX: u64 = SEGMENT_BYTES as u64 / 2;
/// How long the threads of a store that was just closed in this process may keep its file open.
const REOPEN_DEADLINE: Duration = Duration::from_secs(5);

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Memory for sled's page cache in bytes; default 64 MiB. Less makes reads go to the disk more often.
    pub cache_bytes: u64,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { cache_bytes: 64 * 1024 * 1024 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Barrier {
    /// Flush sled's log, then sync the file.
    FlushAndSync,
    /// Flush sled's log only, which a power cut undoes. For the test that shows why the sync is there.
    DangerFlushOnly,
}

/// A store in a directory of its own, on sled.
pub struct SledStore {
    directory: PathBuf,
    /// `None` only while the store is being dropped.
    engine: Option<Engine>,
    committer: Committer,
    unsynced: Arc<AtomicU64>,
    /// Declared last, so that it is released last.
    _lock: File,
}

struct Engine {
    trees: [Tree; Keyspace::ALL.len()],
    db: sled::Db,
}

struct Tree {
    rows: sled::Tree,
    /// The generation of the next value that lies in chunks. The lock keeps a range, or a value and its chunks, from
    /// being read in the middle of a batch.
    next_generation: RwLock<u64>,
}

impl SledStore {
    /// Opens the store in `directory`, creating it (mode 0700) if there is none. Fails if another process has it
    /// open, if it is damaged or of an unknown format, or if the operating system refuses.
    pub fn open(directory: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_behind(directory, &options, Barrier::FlushAndSync)
    }

    /// Opens a store that acknowledges without syncing. A power cut loses acknowledged writes.
    #[doc(hidden)]
    pub fn open_with_danger_no_barrier(directory: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_behind(directory, &options, Barrier::DangerFlushOnly)
    }

    fn open_behind(directory: &Path, options: &StoreOptions, barrier: Barrier) -> Result<Self, StoreError> {
        layout::create_directory(directory)?;
        let lock = layout::lock(directory)?;
        if !layout::is_created(directory)? {
            create(directory, options)?;
        }
        let database = layout::database(directory);
        layout::remove_unfinished_snapshots(&database)?;
        let db = open_sled(&database, options)?;
        let engine = Engine::open(db)?;
        // sled has recovered: torn segments are cleared and a new snapshot has its name, but not all of it is synced.
        layout::sync_tree(&database).map_err(|source| StoreError::io("sync its recovery", source))?;

        let file = File::options()
            .write(true)
            .open(database.join("db"))
            .map_err(|source| StoreError::io("open the database file", source))?;
        let unsynced = Arc::new(AtomicU64::new(0));
        let committer = Committer::start(sync(engine.db.clone(), file, barrier, Arc::clone(&unsynced)))?;
        Ok(Self { directory: directory.to_path_buf(), engine: Some(engine), committer, unsynced, _lock: lock })
    }

    /// The size of the database file in bytes; 0 if it cannot be read.
    #[must_use]
    pub fn approximate_bytes(&self) -> u64 {
        std::fs::metadata(layout::database(&self.directory).join("db")).map_or(0, |metadata| metadata.len())
    }

    /// Barriers carried out since the store was opened: far fewer than waiters when many wait at once.
    #[must_use]
    pub fn barriers_total(&self) -> u64 {
        self.committer.barriers_total()
    }

    fn tree(&self, keyspace: Keyspace) -> Result<&Tree, StoreError> {
        self.engine.as_ref().map(|engine| &engine.trees[keyspace.index()]).ok_or(StoreError::Closed)
    }

    /// Counts what a batch may have added to sled's log, and has it synced before it is too much.
    fn bound_unsynced(&self, charged: u64) -> Result<(), StoreError> {
        let before = self.unsynced.fetch_add(charged, Ordering::Relaxed);
        let after = before.saturating_add(charged);
        if after >= UNSYNCED_BYTES_MAX {
            self.committer.barrier()
        } else {
            if before < UNSYNCED_BYTES_MAX / 2 && after >= UNSYNCED_BYTES_MAX / 2 {
                self.committer.on_durable(Box::new(|_| {}));
            }
            Ok(())
        }
    }
}

impl Store for SledStore {
    fn get(&self, keyspace: Keyspace, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.tree(keyspace)?.get(key)
    }

    fn range(
        &self,
        keyspace: Keyspace,
        start: &[u8],
        end: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.tree(keyspace)?.range(start, end, limit)
    }

    fn last(&self, keyspace: Keyspace) -> Result<Option<Row>, StoreError> {
        self.tree(keyspace)?.last()
    }

    fn write(&self, keyspace: Keyspace, batch: WriteBatch) -> Result<(), StoreError> {
        for (key, value) in &batch.changes {
            check_lengths(key, value.as_deref())?;
        }
        self.committer.check()?;
        if batch.is_empty() {
            return Ok(());
        }
        let tree = self.tree(keyspace)?;
        let charged = charge(&batch);
        let written = catch_unwind(AssertUnwindSafe(|| tree.write(batch)))
            .unwrap_or(Err(StoreError::corrupt(Corruption::Database)));
        if let Err(error) = &written {
            tracing::error!(%error, "a write to the store failed; the store has stopped");
            self.committer.poison();
        }
        written?;
        self.bound_unsynced(charged)
    }

    fn remove_range(&self, keyspace: Keyspace, start: &[u8], end: Option<&[u8]>) -> Result<(), StoreError> {
        loop {
            let keys = self.tree(keyspace)?.keys(start, end)?;
            let complete = keys.len() < PAGE_ROWS;
            let mut batch = WriteBatch::new();
            keys.into_iter().for_each(|key| batch.remove(key));
            self.write(keyspace, batch)?;
            if complete {
                return Ok(());
            }
        }
    }

    fn on_durable(&self, callback: DurableCallback) {
        self.committer.on_durable(callback);
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.committer.barrier()
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        self.committer.stop();
        let engine = self.engine.take();
        // sled flushes and syncs when its last handle goes, and panics if the disk refuses. Whatever had been
        // acknowledged is durable already.
        if catch_unwind(AssertUnwindSafe(|| drop(engine))).is_err() {
            tracing::error!("the store could not be closed in order");
        }
    }
}

impl std::fmt::Debug for SledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledStore").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the keyspaces of an existing database and checks its format.
    fn open(db: sled::Db) -> Result<Self, StoreError> {
        let names = db.tree_names();
        if !Keyspace::ALL.iter().all(|keyspace| names.iter().any(|name| name == keyspace.name().as_bytes())) {
            return Err(StoreError::corrupt(Corruption::Creation));
        }
        let engine = Self::open_trees(db)?;
        let format = engine.trees[Keyspace::Node.index()].get(FORMAT_KEY)?;
        let format = format.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok()).map(u32::from_be_bytes);
        match format {
            Some(FORMAT_VERSION) => Ok(engine),
            Some(found) => Err(StoreError::UnknownFormat { found, supported: FORMAT_VERSION }),
            None => Err(StoreError::corrupt(Corruption::Creation)),
        }
    }

    fn open_trees(db: sled::Db) -> Result<Self, StoreError> {
        let [a, b, c, d, e] = Keyspace::ALL.map(|keyspace| Tree::open(&db, keyspace));
        Ok(Self { trees: [a?, b?, c?, d?, e?], db })
    }
}

impl Tree {
    fn open(db: &sled::Db, keyspace: Keyspace) -> Result<Self, StoreError> {
        let rows = db.open_tree(keyspace.name()).map_err(read_failed)?;
        let greatest = rows.range(rows::ROWS_END..rows::CHUNKS_END).next_back().transpose().map_err(read_failed)?;
        let next_generation = match greatest {
            Some((key, _)) => rows::chunk_generation(&key)?.saturating_add(1),
            None => 1,
        };
        Ok(Self { rows, next_generation: RwLock::new(next_generation) })
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let key = rows::row_key(key);
        let Some(stored) = self.rows.get(&key).map_err(read_failed)? else {
            return Ok(None);
        };
        if let Stored::Inline(value) = rows::parse(&stored)? {
            return Ok(Some(value.to_vec()));
        }
        // Read the row again under the lock: its chunks may have been replaced since.
        let _between_batches = self.next_generation.read().unwrap_or_else(PoisonError::into_inner);
        let stored = self.rows.get(&key).map_err(read_failed)?;
        stored.map(|stored| self.value(&stored)).transpose()
    }

    fn range(&self, start: &[u8], end: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreError> {
        let _between_batches = self.next_generation.read().unwrap_or_else(PoisonError::into_inner);
        self.between(start, end).take(limit).map(|row| self.row(&row.map_err(read_failed)?)).collect()
    }

    fn last(&self) -> Result<Option<Row>, StoreError> {
        let _between_batches = self.next_generation.read().unwrap_or_else(PoisonError::into_inner);
        let last = self.between(b"", None).next_back().transpose().map_err(read_failed)?;
        last.map(|row| self.row(&row)).transpose()
    }

    /// Up to a page of keys to remove, from the end of an open range and from the start of a closed one.
    fn keys(&self, start: &[u8], end: Option<&[u8]>) -> Result<Vec<Vec<u8>>, StoreError> {
        let key = |stored: sled::Result<sled::IVec>| Ok(rows::caller_key(&stored.map_err(read_failed)?)?.to_vec());
        let keys = self.between(start, end).keys();
        match end {
            Some(_) => keys.take(PAGE_ROWS).map(key).collect(),
            None => keys.rev().take(PAGE_ROWS).map(key).collect(),
        }
    }

    fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        let mut next_generation = self.next_generation.write().unwrap_or_else(PoisonError::into_inner);
        let mut changes = sled::Batch::default();
        for (key, value) in batch.changes {
            let key = rows::row_key(&key);
            if let Some(replaced) = self.rows.get(&key).map_err(read_failed)?
                && let Stored::Chunked { generation, length } = rows::parse(&replaced)?
            {
                for index in 0..rows::chunk_count(length)? {
                    changes.remove(rows::chunk_key(generation, index));
                }
            }
            match value {
                None => changes.remove(key),
                Some(value) if value.len() <= rows::CHUNK_BYTES => changes.insert(key, rows::inline(&value)),
                Some(value) => {
                    let generation = *next_generation;
                    *next_generation = generation.saturating_add(1);
                    for (index, chunk) in (0..).zip(value.chunks(rows::CHUNK_BYTES)) {
                        changes.insert(rows::chunk_key(generation, index), chunk);
                    }
                    changes.insert(key, rows::chunked(generation, value.len() as u64));
                }
            }
        }
        self.rows.apply_batch(changes).map_err(|error| StoreError::from_sled("write to the database", error))
    }

    fn between(&self, start: &[u8], end: Option<&[u8]>) -> sled::Iter {
        let start = rows::row_key(start);
        let end = end.map_or_else(|| rows::ROWS_END.to_vec(), rows::row_key);
        // A range that ends before it starts is empty.
        let end = end.max(start.clone());
        self.rows.range(start..end)
    }

    fn row(&self, (key, stored): &(sled::IVec, sled::IVec)) -> Result<Row, StoreError> {
        Ok((rows::caller_key(key)?.to_vec(), self.value(stored)?))
    }

    /// The value of a row, put together from its chunks. The caller holds the lock.
    fn value(&self, stored: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (generation, length) = match rows::parse(stored)? {
            Stored::Inline(value) => return Ok(value.to_vec()),
            Stored::Chunked { generation, length } => (generation, length),
        };
        let incomplete = StoreError::corrupt(Corruption::Row);
        let length = usize::try_from(length).or(Err(incomplete.clone()))?;
        if length > VALUE_BYTES_MAX {
            return Err(incomplete);
        }
        let mut value = Vec::with_capacity(length);
        for index in 0..rows::chunk_count(length as u64)? {
            let chunk = self.rows.get(rows::chunk_key(generation, index)).map_err(read_failed)?;
            value.extend_from_slice(&chunk.ok_or_else(|| incomplete.clone())?);
        }
        if value.len() == length { Ok(value) } else { Err(incomplete) }
    }
}

/// The barrier itself, as the committer thread runs it.
fn sync(
    db: sled::Db,
    file: File,
    barrier: Barrier,
    unsynced: Arc<AtomicU64>,
) -> impl FnMut() -> Result<(), StoreError> + Send + 'static {
    move || {
        // Before the flush: what is written from now on may miss it.
        unsynced.store(0, Ordering::Relaxed);
        db.flush().map_err(|error| StoreError::from_sled("flush the database", error))?;
        match barrier {
            // On Linux sled only calls sync_file_range, which neither flushes the disk's cache nor writes the size
            // of a file that has grown.
            Barrier::FlushAndSync => {
                file.sync_data().map_err(|source| StoreError::io("sync the database file", source))
            }
            Barrier::DangerFlushOnly => Ok(()),
        }
    }
}

/// An estimate of what a batch adds to sled's log. An item is written once by itself, and with each tenth change of
/// its page again together with the page; measured, the log grows by 4 to 6 times the bytes of small rows.
fn charge(batch: &WriteBatch) -> u64 {
    let bytes = |(key, value): (&Vec<u8>, &Option<Vec<u8>>)| key.len() + value.as_ref().map_or(0, Vec::len);
    batch.changes.iter().map(|change| 1024 + 8 * bytes(change) as u64).sum()
}

/// Creates the database under a temporary name: keyspaces and format row, synced, then named.
fn create(directory: &Path, options: &StoreOptions) -> Result<(), StoreError> {
    let db = open_sled(&layout::database_in_creation(directory), options)?;
    let engine = Engine::open_trees(db)?;
    let mut batch = WriteBatch::new();
    batch.put(FORMAT_KEY, FORMAT_VERSION.to_be_bytes());
    engine.trees[Keyspace::Node.index()].write(batch)?;
    engine.db.flush().map_err(|error| StoreError::from_sled("flush the database", error))?;
    drop(engine);
    layout::finish_creation(directory)
}

fn open_sled(database: &Path, options: &StoreOptions) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(database)
        .cache_capacity(options.cache_bytes)
        .segment_size(SEGMENT_BYTES)
        // The committer decides when to flush.
        .flush_every_ms(None);
    let started = Instant::now();
    loop {
        // sled asserts much of what it reads; a failed assertion is damage, not a reason to take the process down.
        let opened =
            catch_unwind(AssertUnwindSafe(|| config.open())).or(Err(StoreError::corrupt(Corruption::Database)))?;
        match opened {
            // Ours is the only process here, by our own lock: sled's is held by threads that are just ending.
            Err(sled::Error::Io(error))
                if error.kind() == std::io::ErrorKind::Other && started.elapsed() < REOPEN_DEADLINE =>
            {
                thread::sleep(Duration::from_millis(10));
            }
            opened => return opened.map_err(|error| StoreError::from_sled("open the database", error)),
        }
    }
}

fn read_failed(error: sled::Error) -> StoreError {
    StoreError::from_sled("read from the database", error)
}
