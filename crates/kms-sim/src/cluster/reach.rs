//! What a run got to, so that a test can tell that the claims were not checked on an idle cluster.

use super::Cluster;
use kms_core::LogPosition;
use kms_core::control::{ControlBody, ControlCommand, ControlOutcome, ControlState};
use kms_types::{KeyId, RegionName};
use std::collections::{BTreeMap, BTreeSet};

impl Cluster {
    /// How often each notable thing happened in the log.
    #[must_use]
    pub fn reached(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        let mut left: BTreeSet<(KeyId, RegionName)> = BTreeSet::new();
        let mut state = ControlState::default();
        for command in &self.log {
            let outcome = state.apply(LogPosition::default(), command).outcome;
            if let Some(name) = notable(command, &outcome, &state, &mut left) {
                *counts.entry(name).or_default() += 1;
            }
        }
        counts
    }
}

/// `left` remembers the replicas that are gone.
fn notable(
    command: &ControlCommand,
    outcome: &ControlOutcome,
    state: &ControlState,
    left: &mut BTreeSet<(KeyId, RegionName)>,
) -> Option<&'static str> {
    if *outcome != ControlOutcome::Done {
        return Some("refused");
    }
    Some(match &command.body {
        ControlBody::AddReplica(b) if left.contains(&(b.key_id, b.replica.clone())) => "replica added again",
        ControlBody::AddReplica(_) => "replica added",
        ControlBody::RemoveReplica { key_id, .. } => {
            left.insert((*key_id, command.region.clone()));
            "replica removed"
        }
        ControlBody::DeleteKeySet { .. } => "key deleted",
        ControlBody::ActivateMaterial(b) if state.key_set(&b.key_id).is_some_and(|set| set.is_external()) => {
            "imported material activated"
        }
        ControlBody::ActivateMaterial(b) if b.without.is_empty() => "material activated",
        ControlBody::ActivateMaterial(_) => "material activated without others",
        ControlBody::UpdatePrimary(_) => "primary moved",
        ControlBody::OfferImportedMaterial(_) => "material offered",
        ControlBody::ReportImport(b) if b.present => "material imported",
        ControlBody::ReportImport(_) => "imported material deleted",
        ControlBody::WithdrawImportedMaterial { .. } => "material withdrawn",
        _ => return None,
    })
}
