//! States to stored bytes and back, through the real codec.

use kms_core::control::{ControlChange, ControlState};
use kms_core::regional::{RegionalChange, RegionalState};
use kms_proto::control_codec::Row;
use kms_proto::{control_codec, regional_codec};
use std::collections::BTreeMap;

/// Rows by key, as a store keeps them.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Writes one encoded change.
pub fn write(rows: &mut Rows, row: Row) {
    match row.value {
        Some(value) => drop(rows.insert(row.key, value)),
        None => drop(rows.remove(&row.key)),
    }
}

/// Every row of a control state, encoded.
#[must_use]
pub fn of_control(state: &ControlState) -> Rows {
    encode(state.rows().map(|change| control_codec::change_to_row(&change)))
}

/// Every row of a regional state but wrapped material, encoded.
#[must_use]
pub fn of_regional(state: &RegionalState) -> Rows {
    encode(state.rows().map(|change| regional_codec::change_to_row(&change)))
}

fn encode(rows: impl Iterator<Item = Row>) -> Rows {
    rows.map(|row| (row.key, row.value.unwrap())).collect()
}

/// Reads a control state back.
#[must_use]
pub fn load_control(rows: &Rows) -> ControlState {
    let mut state = ControlState::default();
    for (key, value) in rows {
        let change: ControlChange = control_codec::row_to_change(key, value).unwrap();
        state.absorb(&change);
    }
    state
}

/// Reads a regional state back.
#[must_use]
pub fn load_regional(rows: &Rows) -> RegionalState {
    let mut state = RegionalState::default();
    for (key, value) in rows {
        let change: RegionalChange = regional_codec::row_to_change(key, value).unwrap();
        state.absorb(&change);
    }
    state
}
