//! The state from its rows, and its rows from a snapshot.

use super::{APPLIED, Current, FIRST_STATE_KEY, MEMBERSHIP, put_position};
use crate::ControlError;
use crate::log_store::decode;
use crate::snapshot::{Shelf, StoredSnapshot};
use crate::types::StoredMembership;
use crate::wire;
use kms_core::control::ControlState;
use kms_proto::control_codec::row_to_change;
use kms_proto::peer::v1 as pb;
use kms_store::{Keyspace, Store, WriteBatch, scan_prefix};
use std::sync::Arc;

/// Rows that are written with one batch while a snapshot is installed.
const BATCH_ROWS: usize = 512;

/// Reads the whole persisted state.
pub(super) fn load(store: &dyn Store) -> Result<Current, ControlError> {
    let mut state = ControlState::default();
    for row in scan_prefix(store, Keyspace::Control, &[]) {
        let (key, value) = row?;
        if key.first().is_some_and(|first| *first >= FIRST_STATE_KEY) {
            state.absorb(&row_to_change(&key, &value).map_err(ControlError::row("row of the control state"))?);
        }
    }
    let last = store.get(Keyspace::Control, APPLIED)?.map(|bytes| decode::<pb::LogId>(&bytes)).transpose()?;
    let membership = match store.get(Keyspace::Control, MEMBERSHIP)? {
        Some(bytes) => wire::stored_membership_from_pb(decode(&bytes)?).map_err(ControlError::row("membership"))?,
        None => StoredMembership::default(),
    };
    Ok(Current { state: Arc::new(state), last: last.map(wire::log_id_from_pb), membership })
}

/// Replaces the persisted state with a snapshot's. A crash in between is finished by the next start, which finds the
/// note. The snapshot is read and checked whole before anything is removed.
pub(super) fn replace_rows(
    store: &dyn Store,
    shelf: &Shelf,
    snapshot: &Arc<StoredSnapshot>,
) -> Result<(), ControlError> {
    check(snapshot)?;
    shelf.adopt(Arc::clone(snapshot))?;
    shelf.note_installing(Some(snapshot))?;
    store.remove_range(Keyspace::Control, &[], None)?;
    let mut batch = WriteBatch::new();
    snapshot.for_each_row(|key, value| {
        batch.put(key, value);
        if batch.len() >= BATCH_ROWS {
            store.write(Keyspace::Control, std::mem::take(&mut batch))?;
        }
        Ok(())
    })?;
    let position = Current {
        state: Arc::default(),
        last: snapshot.meta.last_log_id,
        membership: snapshot.meta.last_membership.clone(),
    };
    put_position(&mut batch, &position);
    store.write(Keyspace::Control, batch)?;
    store.barrier()?;
    shelf.note_installing(None)
}

fn check(snapshot: &StoredSnapshot) -> Result<(), ControlError> {
    let mut state = ControlState::default();
    snapshot.for_each_row(|key, value| {
        if key.first().is_none_or(|first| *first < FIRST_STATE_KEY) {
            return Err(ControlError::DamagedSnapshot("it holds a row that is not the state's"));
        }
        state.absorb(&row_to_change(key, value).map_err(ControlError::row("row of a snapshot"))?);
        Ok(())
    })?;
    state.check_invariants().map_err(|(key_id, problem)| ControlError::Invariant { key_id, problem })
}
