//! Raft's log on `kms-store`: entries in their own keyspace, vote and bounds among the node's rows.
//!
//! Acknowledged means behind the barrier: `append` reports completion from the committer thread, `save_vote` waits.
//! Calls of the store take microseconds and run where they are; only barriers are awaited.

use crate::ControlError;
use crate::error::storage;
use crate::types::{Entry, LogId, TypeConfig, Vote};
use crate::wire;
use kms_proto::{FormatError, peer::v1 as pb};
use kms_store::{Keyspace, Store, StoreError, WriteBatch};
use openraft::storage::{IOFlushed, RaftLogReader, RaftLogStorage};
use openraft::{LogState, OptionalSend};
use prost::Message;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Rows of [`Keyspace::Node`].
const VOTE: &[u8] = b"raft/vote";
const COMMITTED: &[u8] = b"raft/committed";
const PURGED: &[u8] = b"raft/purged";
const JOINED: &[u8] = b"raft/joined";

/// Entries fetched at a time.
const PAGE_ENTRIES: usize = 256;
/// Most bytes of entries in one message to a peer; a single greater entry goes alone.
const MESSAGE_BYTES: usize = 1024 * 1024;

/// Raft's log. Cloning gives another handle on the same log.
#[derive(Clone, Debug)]
pub struct LogStore {
    store: Arc<dyn Store>,
}

impl LogStore {
    /// Opens the log and finishes a purge that a crash interrupted.
    ///
    /// # Errors
    /// [`ControlError`] when the store fails or its rows cannot be read.
    pub fn open(store: Arc<dyn Store>) -> Result<Self, ControlError> {
        let log = Self { store };
        if let Some(purged) = log.log_id_row(PURGED)? {
            log.remove_up_to(purged.index)?;
        }
        Ok(log)
    }

    /// Whether this node has never voted and never held an entry.
    pub(crate) fn is_pristine(&self) -> Result<bool, ControlError> {
        Ok(self.vote()?.is_none() && self.last()?.is_none())
    }

    /// Whether this node has held everything committed at some time since its disk was new.
    pub(crate) fn has_joined(&self) -> Result<bool, ControlError> {
        Ok(self.store.get(Keyspace::Node, JOINED)?.is_some())
    }

    /// Notes that it has; durable with the next barrier, which is soon enough.
    pub(crate) fn note_joined(&self) -> Result<(), ControlError> {
        self.put_row(JOINED, Vec::new())
    }

    fn put_row(&self, key: &[u8], value: Vec<u8>) -> Result<(), ControlError> {
        let mut batch = WriteBatch::new();
        batch.put(key, value);
        Ok(self.store.write(Keyspace::Node, batch)?)
    }

    fn log_id_row(&self, key: &[u8]) -> Result<Option<LogId>, ControlError> {
        let row = self.store.get(Keyspace::Node, key)?;
        row.map(|bytes| decode::<pb::LogId>(&bytes).map(wire::log_id_from_pb)).transpose()
    }

    fn vote(&self) -> Result<Option<Vote>, ControlError> {
        let Some(bytes) = self.store.get(Keyspace::Node, VOTE)? else { return Ok(None) };
        Ok(Some(wire::vote_from_pb(Some(decode(&bytes)?)).map_err(ControlError::row("vote"))?))
    }

    fn last(&self) -> Result<Option<LogId>, ControlError> {
        match self.store.last(Keyspace::RaftLog)? {
            Some((_, value)) => Ok(Some(decode_entry(&value)?.log_id)),
            None => self.log_id_row(PURGED),
        }
    }

    fn remove_up_to(&self, index: u64) -> Result<(), StoreError> {
        match index.checked_add(1) {
            Some(end) => self.store.remove_range(Keyspace::RaftLog, &0_u64.to_be_bytes(), Some(&end.to_be_bytes())),
            None => Ok(()),
        }
    }

    /// Entries of `start..end` in order, until `bytes_max` is exceeded.
    fn entries(&self, start: u64, end: u64, bytes_max: usize) -> Result<Vec<Entry>, ControlError> {
        let mut entries = Vec::new();
        let mut bytes = 0_usize;
        let mut from = start;
        while from < end {
            let page =
                self.store.range(Keyspace::RaftLog, &from.to_be_bytes(), Some(&end.to_be_bytes()), PAGE_ENTRIES)?;
            let full = page.len() == PAGE_ENTRIES;
            for (_, value) in page {
                bytes = bytes.saturating_add(value.len());
                if bytes > bytes_max && !entries.is_empty() {
                    return Ok(entries);
                }
                let entry = decode_entry(&value)?;
                if !entries.is_empty() && entry.log_id.index != from {
                    return Err(ControlError::DamagedLog { missing: from });
                }
                from = entry.log_id.index.saturating_add(1);
                entries.push(entry);
            }
            if !full {
                break;
            }
        }
        Ok(entries)
    }

    /// Waits, without blocking a thread, until everything written before is on stable storage.
    pub(crate) async fn barrier(&self) -> Result<(), ControlError> {
        let (done, outcome) = oneshot::channel();
        self.store.on_durable(Box::new(move |result| {
            // Nobody listens any more when the node is stopping.
            drop(done.send(result));
        }));
        Ok(outcome.await.unwrap_or(Err(StoreError::Closed))?)
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        let (start, end) = bounds(&range);
        Ok(self.entries(start, end, usize::MAX)?)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.vote()?)
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, io::Error> {
        Ok(self.entries(start, end, MESSAGE_BYTES)?)
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        Ok(LogState { last_purged_log_id: self.log_id_row(PURGED)?, last_log_id: self.last()? })
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        self.put_row(VOTE, wire::vote_to_pb(vote).encode_to_vec())?;
        Ok(self.barrier().await?)
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        let mut batch = WriteBatch::new();
        match committed {
            Some(id) => batch.put(COMMITTED, wire::log_id_to_pb(&id).encode_to_vec()),
            None => batch.remove(COMMITTED),
        }
        // No barrier: an older value only means that the leader has to say again what is committed.
        self.store.write(Keyspace::Node, batch).map_err(storage)
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.log_id_row(COMMITTED)?)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut batch = WriteBatch::new();
        for entry in entries {
            batch.put(entry.log_id.index.to_be_bytes(), wire::entry_to_pb(entry).encode_to_vec());
        }
        self.store.write(Keyspace::RaftLog, batch).map_err(storage)?;
        // Persist, then speak: the answer to the leader, or the leader's own vote for the entry, waits for this.
        self.store.on_durable(Box::new(move |result| callback.io_completed(result.map_err(storage))));
        Ok(())
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> Result<(), io::Error> {
        let start = last_log_id.map_or(0, |id| id.index.saturating_add(1));
        self.store.remove_range(Keyspace::RaftLog, &start.to_be_bytes(), None).map_err(storage)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        // The applied state and the snapshot must be durable before the entries that could rebuild them go.
        self.barrier().await?;
        self.put_row(PURGED, wire::log_id_to_pb(&log_id).encode_to_vec())?;
        self.remove_up_to(log_id.index).map_err(storage)
    }
}

fn bounds(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(last) => last.saturating_add(1),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    (start, end)
}

fn decode_entry(bytes: &[u8]) -> Result<Entry, ControlError> {
    wire::entry_from_pb(decode(bytes)?).map_err(ControlError::row("log entry"))
}

pub(crate) fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, ControlError> {
    let malformed = FormatError { format: "protobuf", problem: "it does not decode" };
    M::decode(bytes).map_err(|_details| ControlError::UnknownRow { what: "row of the control log", source: malformed })
}
