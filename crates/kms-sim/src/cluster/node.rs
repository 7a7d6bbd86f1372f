//! One Region's node: two states in memory, the same states as rows on a disk, and writes that have not reached it yet.

use crate::rows::{self, Rows};
use kms_core::LogPosition;
use kms_core::control::{ControlCommand, ControlState};
use kms_core::regional::{
    RegionalBody, RegionalChange, RegionalCommand, RegionalOutcome, RegionalRefusal, RegionalState,
};
use kms_proto::control_codec::Row;
use kms_proto::{control_codec, regional_codec};
use kms_types::{RegionName, Timestamp};

/// A Region's node.
#[derive(Debug)]
pub struct Node {
    pub(super) region: RegionName,
    pub(super) control: ControlState,
    pub(super) regional: RegionalState,
    /// How many entries of the log the control state includes.
    pub(super) applied: usize,
    /// Cut off from every other Region and from the log.
    pub(super) cut: bool,
    pub(super) disk: Disk,
    /// Atomic batches that are not flushed yet, oldest first.
    pending: Vec<Batch>,
}

/// What survives a crash.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    control: Rows,
    pub(super) regional: Rows,
    applied: usize,
}

#[derive(Debug)]
enum Batch {
    Control { rows: Vec<Row>, applied: usize },
    Snapshot { rows: Rows, applied: usize },
    Regional(Vec<Row>),
}

impl Node {
    pub(super) fn new(region: RegionName) -> Self {
        Self {
            region,
            control: ControlState::default(),
            regional: RegionalState::default(),
            applied: 0,
            cut: false,
            disk: Disk::default(),
            pending: Vec::new(),
        }
    }

    pub(super) fn apply_control(&mut self, command: &ControlCommand) {
        let bytes = control_codec::encode_command(command);
        let command = control_codec::decode_command(&bytes).unwrap();
        let changes = self.control.apply(LogPosition::default(), &command).changes;
        self.applied += 1;
        let rows = changes.iter().map(control_codec::change_to_row).collect();
        self.pending.push(Batch::Control { rows, applied: self.applied });
    }

    pub(super) fn install_snapshot(&mut self, state: &ControlState, applied: usize) {
        let rows = rows::of_control(state);
        self.control = rows::load_control(&rows);
        self.applied = applied;
        self.pending.push(Batch::Snapshot { rows, applied });
    }

    pub(super) fn apply_regional(&mut self, at: Timestamp, body: RegionalBody) -> Result<(), RegionalRefusal> {
        let applied = self.regional.apply(&RegionalCommand { at, body });
        let rows = applied.changes.iter().map(regional_codec::change_to_row).collect();
        self.pending.push(Batch::Regional(rows));
        match applied.outcome {
            RegionalOutcome::Done | RegionalOutcome::GrantExists(_) => Ok(()),
            RegionalOutcome::Refused(refusal) => Err(refusal),
        }
    }

    pub(super) fn flush(&mut self) {
        for batch in self.pending.drain(..) {
            match batch {
                Batch::Control { rows, applied } => {
                    rows.into_iter().for_each(|row| rows::write(&mut self.disk.control, row));
                    self.disk.applied = applied;
                }
                Batch::Snapshot { rows, applied } => {
                    self.disk.control = rows;
                    self.disk.applied = applied;
                }
                Batch::Regional(rows) => rows.into_iter().for_each(|row| rows::write(&mut self.disk.regional, row)),
            }
        }
    }

    /// Loses all memory and all but the oldest `flushed` batches, and starts again from the disk.
    pub(super) fn crash(&mut self, flushed: usize) {
        self.pending.truncate(flushed);
        self.flush();
        self.control = rows::load_control(&self.disk.control);
        self.regional = rows::load_regional(&self.disk.regional);
        self.applied = self.disk.applied;
    }

    /// The versions whose wrapped bytes are among the rows, flushed or not.
    pub(super) fn wrapped(&self) -> Rows {
        let mut all = self.disk.regional.clone();
        for batch in &self.pending {
            if let Batch::Regional(changed) = batch {
                for row in changed {
                    rows::write(&mut all, row.clone());
                }
            }
        }
        all.retain(|key, _| key.first() == Some(&regional_codec::MATERIAL_PREFIX));
        all
    }

    /// The wrapped material that the key records speak of.
    pub(super) fn recorded(&self) -> Vec<Vec<u8>> {
        let mut keys: Vec<_> = self
            .regional
            .rows()
            .filter_map(|change| match change {
                RegionalChange::PutKey(record) => Some(record),
                _ => None,
            })
            .flat_map(|r| {
                let present = r.materials.iter().filter(|m| m.is_present());
                present.map(|m| regional_codec::material_key(&r.key_id, &m.material_id)).collect::<Vec<_>>()
            })
            .collect();
        keys.sort();
        keys
    }
}
