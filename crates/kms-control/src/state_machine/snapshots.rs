//! Building a snapshot from a view of the state, while the state goes on changing.

use super::{Current, Shared};
use crate::ControlError;
use crate::snapshot::{CHUNK_BYTES, Shelf, StoredSnapshot, encode_row, preamble};
use crate::types::{SnapshotMeta, TypeConfig};
use kms_proto::control_codec::change_to_row;
use openraft::Snapshot;
use openraft::storage::RaftSnapshotBuilder;
use std::io;
use std::sync::Arc;

/// Writes one view of the state as a snapshot.
#[derive(Debug)]
pub struct SnapshotBuilder {
    view: Current,
    shared: Arc<Shared>,
    shelf: Arc<Shelf>,
}

impl SnapshotBuilder {
    pub(super) fn new(shared: Arc<Shared>, shelf: Arc<Shelf>) -> Self {
        let view = shared.lock().clone();
        Self { view, shared, shelf }
    }
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = Arc<StoredSnapshot>;

    async fn build_snapshot(
        &mut self,
    ) -> Result<openraft::alias::SnapshotOf<TypeConfig, Arc<StoredSnapshot>>, io::Error> {
        let (view, shelf) = (std::mem::take(&mut self.view), Arc::clone(&self.shelf));
        let built = tokio::task::spawn_blocking(move || build(view, &shelf)).await;
        let snapshot = built
            .unwrap_or_else(|_panicked| Err(ControlError::Raft("building a snapshot panicked".into())))
            .map_err(|error| self.shared.halt(error))?;
        Ok(Snapshot { meta: snapshot.meta.clone(), snapshot })
    }
}

fn build(view: Current, shelf: &Arc<Shelf>) -> Result<Arc<StoredSnapshot>, ControlError> {
    let broken = |(key_id, problem)| ControlError::Invariant { key_id, problem };
    view.state.check_invariants().map_err(broken)?;
    let mut writer = shelf.writer();
    let mut bytes = preamble().to_vec();
    let mut row_count = 0_u64;
    for change in view.state.rows() {
        let row = change_to_row(&change);
        let value = row.value.ok_or(ControlError::DamagedSnapshot("a row of the state has no value"))?;
        encode_row(&row.key, &value, &mut bytes)?;
        row_count = row_count.saturating_add(1);
        if bytes.len() >= CHUNK_BYTES {
            writer.push(&bytes)?;
            bytes.clear();
        }
    }
    writer.push(&bytes)?;
    let meta = SnapshotMeta { last_log_id: view.last, last_membership: view.membership };
    let snapshot = writer.finish(meta, row_count)?;
    shelf.adopt(Arc::clone(&snapshot))?;
    Ok(snapshot)
}
