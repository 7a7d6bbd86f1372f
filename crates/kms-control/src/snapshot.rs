//! Snapshots of the control state, in chunks in their own keyspace.
//!
//! A snapshot exists once its manifest is written, after all of its chunks; whatever lies there without a manifest is
//! the rest of an interrupted one and is removed when the node starts. Only the newest is kept, and an older one for as
//! long as it is being sent.

mod stream;

use crate::ControlError;
use crate::log_store::decode;
use crate::types::SnapshotMeta;
use crate::wire;
use kms_proto::peer::v1 as pb;
use kms_store::{Keyspace, Store, WriteBatch, scan_prefix};
use prost::Message;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use stream::{RowReader, encode_row, preamble};

/// The format that this program writes and reads.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// Length of all chunks but the last.
pub(crate) const CHUNK_BYTES: usize = 1024 * 1024;

/// First byte of a manifest's key; the snapshot's number follows.
const MANIFEST: u8 = b'm';
/// First byte of a chunk's key; the snapshot's number and the chunk's follow.
const CHUNK: u8 = b'c';
/// The number of the snapshot that is replacing the state; a crash in between is finished at the next start.
const INSTALLING: &[u8] = b"i";

/// A complete snapshot in the store.
#[derive(Debug)]
pub struct StoredSnapshot {
    number: u64,
    store: Arc<dyn Store>,
    pub(crate) manifest: pb::SnapshotManifest,
    pub(crate) meta: SnapshotMeta,
}

impl StoredSnapshot {
    /// One chunk's bytes.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails or the chunk is not there.
    pub(crate) fn chunk(&self, index: u32) -> Result<Vec<u8>, ControlError> {
        let chunk = self.store.get(Keyspace::Snapshot, &chunk_key(self.number, index))?;
        chunk.ok_or(ControlError::DamagedSnapshot("a chunk is missing"))
    }

    /// Reads every row, and checks the checksum before it returns.
    ///
    /// # Errors
    /// [`ControlError`] when the store or `row` fails, or the bytes are not those of the manifest. `row` may have been
    /// called by then.
    pub(crate) fn for_each_row(
        &self,
        mut row: impl FnMut(&[u8], &[u8]) -> Result<(), ControlError>,
    ) -> Result<(), ControlError> {
        let mut reader = RowReader::new();
        let mut sha256 = Sha256::new();
        let mut rows = 0_u64;
        for index in 0..self.manifest.chunk_count {
            let chunk = self.chunk(index)?;
            sha256.update(&chunk);
            reader.push(&chunk);
            while let Some((key, value)) = reader.next_row()? {
                rows = rows.saturating_add(1);
                row(&key, &value)?;
            }
        }
        if !reader.is_empty() || rows != self.manifest.row_count {
            return Err(ControlError::DamagedSnapshot("its rows do not add up"));
        }
        if sha256.finalize()[..] != self.manifest.sha256[..] {
            return Err(ControlError::DamagedSnapshot("its checksum is wrong"));
        }
        Ok(())
    }
}

/// The snapshots of this node.
#[derive(Debug)]
pub(crate) struct Shelf {
    store: Arc<dyn Store>,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    current: Option<Arc<StoredSnapshot>>,
    retired: Vec<Arc<StoredSnapshot>>,
    next_number: u64,
}

impl Shelf {
    /// Finds the newest complete snapshot and clears everything else away.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails or a manifest cannot be read.
    pub(crate) fn open(store: Arc<dyn Store>) -> Result<Self, ControlError> {
        let mut found: Vec<StoredSnapshot> = Vec::new();
        for row in scan_prefix(&*store, Keyspace::Snapshot, &[MANIFEST]) {
            let (key, value) = row?;
            let number = key.get(1..).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
            let number = number.ok_or(ControlError::DamagedSnapshot("a manifest has no number"))?;
            let manifest: pb::SnapshotManifest = decode(&value)?;
            check_version(&manifest)?;
            let meta = wire::snapshot_meta(&manifest).map_err(ControlError::row("manifest"))?;
            found.push(StoredSnapshot { number, store: Arc::clone(&store), manifest, meta });
        }
        let next_number = found.iter().map(|snapshot| snapshot.number.saturating_add(1)).max().unwrap_or_default();
        found.sort_by_key(|snapshot| (snapshot.meta.last_log_id, snapshot.number));
        let current = found.pop();
        for old in found {
            remove(&*store, old.number)?;
        }
        // Chunks without a manifest, before and after the one that is kept.
        let (low, high) = match &current {
            Some(kept) => (chunk_key(kept.number, 0), chunk_key(kept.number.saturating_add(1), 0)),
            None => (vec![CHUNK], vec![CHUNK]),
        };
        store.remove_range(Keyspace::Snapshot, &[CHUNK], Some(&low))?;
        store.remove_range(Keyspace::Snapshot, &high, Some(&[CHUNK + 1]))?;
        let kept = Kept { current: current.map(Arc::new), retired: Vec::new(), next_number };
        Ok(Self { store, kept: Mutex::new(kept) })
    }

    /// The newest complete snapshot.
    pub(crate) fn current(&self) -> Option<Arc<StoredSnapshot>> {
        self.lock().current.clone()
    }

    /// Starts a new snapshot. Blocking calls follow: use it on a thread for such.
    pub(crate) fn writer(self: &Arc<Self>) -> SnapshotWriter {
        let mut kept = self.lock();
        let number = kept.next_number;
        kept.next_number = number.saturating_add(1);
        SnapshotWriter {
            shelf: Arc::clone(self),
            number,
            buffer: Vec::new(),
            chunks: 0,
            total_bytes: 0,
            sha256: Sha256::new(),
            finished: false,
        }
    }

    /// Makes a snapshot the current one, unless a newer one is, and removes those that nobody reads.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails.
    pub(crate) fn adopt(&self, snapshot: Arc<StoredSnapshot>) -> Result<(), ControlError> {
        let mut kept = self.lock();
        let newer = kept.current.as_ref().is_none_or(|old| old.meta.last_log_id <= snapshot.meta.last_log_id);
        let same = kept.current.as_ref().is_some_and(|old| old.number == snapshot.number);
        if same {
            return Ok(());
        }
        let retired = if newer { kept.current.replace(snapshot) } else { Some(snapshot) };
        kept.retired.extend(retired);
        let (gone, still_read) =
            std::mem::take(&mut kept.retired).into_iter().partition(|old| Arc::strong_count(old) == 1);
        kept.retired = still_read;
        drop(kept);
        let gone: Vec<Arc<StoredSnapshot>> = gone;
        gone.iter().try_for_each(|old| remove(&*self.store, old.number))
    }

    /// Removes a received snapshot that was not installed.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails.
    pub(crate) fn discard_unless_current(&self, snapshot: &StoredSnapshot) -> Result<(), ControlError> {
        let kept = self.lock();
        let known = kept.current.iter().chain(&kept.retired).any(|kept| kept.number == snapshot.number);
        drop(kept);
        if known { Ok(()) } else { remove(&*self.store, snapshot.number) }
    }

    /// Notes durably that the state is being replaced with a snapshot, or with `None` that this is done.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails.
    pub(crate) fn note_installing(&self, snapshot: Option<&StoredSnapshot>) -> Result<(), ControlError> {
        let mut batch = WriteBatch::new();
        match snapshot {
            Some(snapshot) => batch.put(INSTALLING, snapshot.number.to_be_bytes()),
            None => batch.remove(INSTALLING),
        }
        self.store.write(Keyspace::Snapshot, batch)?;
        Ok(self.store.barrier()?)
    }

    /// The snapshot that was replacing the state when the node went down.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails or the snapshot is not there any more.
    pub(crate) fn interrupted_install(&self) -> Result<Option<Arc<StoredSnapshot>>, ControlError> {
        let Some(number) = self.store.get(Keyspace::Snapshot, INSTALLING)? else { return Ok(None) };
        match self.current() {
            Some(current) if current.number.to_be_bytes()[..] == number[..] => Ok(Some(current)),
            Some(_) | None => Err(ControlError::DamagedSnapshot("the one being installed is missing")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a snapshot's bytes into the store. Dropping it unfinished removes them.
#[derive(Debug)]
pub(crate) struct SnapshotWriter {
    shelf: Arc<Shelf>,
    number: u64,
    buffer: Vec<u8>,
    chunks: u32,
    total_bytes: u64,
    sha256: Sha256,
    finished: bool,
}

impl SnapshotWriter {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails or the snapshot is too long for its format.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), ControlError> {
        self.sha256.update(bytes);
        self.total_bytes = self.total_bytes.saturating_add(bytes.len() as u64);
        self.buffer.extend_from_slice(bytes);
        while self.buffer.len() >= CHUNK_BYTES {
            let rest = self.buffer.split_off(CHUNK_BYTES);
            let chunk = std::mem::replace(&mut self.buffer, rest);
            self.write_chunk(chunk)?;
        }
        Ok(())
    }

    /// Ends a snapshot that was built here: writes its manifest, and waits until all of it is durable.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails.
    pub(crate) fn finish(mut self, meta: SnapshotMeta, row_count: u64) -> Result<Arc<StoredSnapshot>, ControlError> {
        self.flush()?;
        let manifest = pb::SnapshotManifest {
            format_version: FORMAT_VERSION,
            last_log_id: meta.last_log_id.as_ref().map(wire::log_id_to_pb),
            last_membership: Some(wire::stored_membership_to_pb(&meta.last_membership)),
            total_bytes: self.total_bytes,
            row_count,
            chunk_count: self.chunks,
            sha256: self.sha256.clone().finalize().to_vec().into(),
        };
        self.seal(manifest, meta)
    }

    /// Ends a snapshot that was received: its bytes must be those that `manifest` describes.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails or the bytes differ; then nothing of it stays.
    pub(crate) fn finish_received(
        mut self,
        manifest: pb::SnapshotManifest,
    ) -> Result<Arc<StoredSnapshot>, ControlError> {
        self.flush()?;
        check_version(&manifest)?;
        let meta = wire::snapshot_meta(&manifest).map_err(ControlError::row("manifest"))?;
        if self.total_bytes != manifest.total_bytes || self.chunks != manifest.chunk_count {
            return Err(ControlError::DamagedSnapshot("it was not received whole"));
        }
        if self.sha256.clone().finalize()[..] != manifest.sha256[..] {
            return Err(ControlError::DamagedSnapshot("its checksum is wrong"));
        }
        self.seal(manifest, meta)
    }

    fn flush(&mut self) -> Result<(), ControlError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.buffer);
        self.write_chunk(chunk)
    }

    fn write_chunk(&mut self, chunk: Vec<u8>) -> Result<(), ControlError> {
        let mut batch = WriteBatch::new();
        batch.put(chunk_key(self.number, self.chunks), chunk);
        self.shelf.store.write(Keyspace::Snapshot, batch)?;
        self.chunks = self.chunks.checked_add(1).ok_or(ControlError::DamagedSnapshot("it is too long"))?;
        Ok(())
    }

    fn seal(mut self, manifest: pb::SnapshotManifest, meta: SnapshotMeta) -> Result<Arc<StoredSnapshot>, ControlError> {
        let mut batch = WriteBatch::new();
        batch.put(manifest_key(self.number), manifest.encode_to_vec());
        self.shelf.store.write(Keyspace::Snapshot, batch)?;
        self.shelf.store.barrier()?;
        self.finished = true;
        let store = Arc::clone(&self.shelf.store);
        Ok(Arc::new(StoredSnapshot { number: self.number, store, manifest, meta }))
    }
}

impl Drop for SnapshotWriter {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = remove(&*self.shelf.store, self.number)
        {
            tracing::warn!(%error, "an unfinished snapshot stays until the next start");
        }
    }
}

fn remove(store: &dyn Store, number: u64) -> Result<(), ControlError> {
    let mut batch = WriteBatch::new();
    batch.remove(manifest_key(number));
    store.write(Keyspace::Snapshot, batch)?;
    let (start, end) = (chunk_key(number, 0), chunk_key(number.saturating_add(1), 0));
    Ok(store.remove_range(Keyspace::Snapshot, &start, Some(&end))?)
}

/// # Errors
/// [`ControlError::DamagedSnapshot`] for a format that this program does not read.
pub(crate) fn check_version(manifest: &pb::SnapshotManifest) -> Result<(), ControlError> {
    if manifest.format_version == FORMAT_VERSION {
        Ok(())
    } else {
        Err(ControlError::DamagedSnapshot("its format is of another version"))
    }
}

fn manifest_key(number: u64) -> Vec<u8> {
    [&[MANIFEST][..], &number.to_be_bytes()].concat()
}

fn chunk_key(number: u64, index: u32) -> Vec<u8> {
    [&[CHUNK][..], &number.to_be_bytes(), &index.to_be_bytes()].concat()
}
