//! Folding one control command into the state. The checks here decide; whatever a proposer checked before is courtesy.

mod identity;
mod import;
mod residency;

use super::{
    ActivateMaterial, Activation, AddReplica, Applied, ControlBody, ControlChange, ControlCommand, ControlEffect,
    ControlOutcome, ControlState, CreateKeySet, FORMER_SIGNING_KEYS_MAX, Holder, HolderStatus, JOURNAL_MAX,
    JournalEntry, KeySet, Mark, MaterialVersion, RecentProposals, Refusal, RegionEntry, RegionRole, RegisterRegion,
    SetRotation, SharedChange, StageMaterial, UpdatePrimary,
};
use crate::LogPosition;
use kms_types::{KeyId, KeySpec, Origin, RegionName, RotationType, Timestamp, limits};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest encoded public signing key, in bytes; that of ML-DSA-87 fits.
const SIGNING_KEY_BYTES_MAX: usize = 4 * 1024;

type Step = Result<(Vec<ControlChange>, Vec<ControlEffect>), Refusal>;

impl ControlState {
    /// Applies one committed command. Total and deterministic; a refusal leaves everything but the memory of recent
    /// outcomes as it was.
    pub fn apply(&mut self, position: LogPosition, command: &ControlCommand) -> Applied {
        if let Some(outcome) = self.recent.find(&command.proposal_id) {
            return Applied { outcome: outcome.clone(), changes: Vec::new(), effects: Vec::new() };
        }
        let (outcome, mut changes, effects) = match self.decide(command) {
            Ok((changes, effects)) => (ControlOutcome::Done, changes, effects),
            Err(refusal) => (ControlOutcome::Refused(refusal), Vec::new(), Vec::new()),
        };
        let histories = self.histories_after(&changes, Mark { index: position.index, at: command.at });
        changes.extend(histories);
        if outcome == ControlOutcome::Done {
            changes.extend(self.journal_changes(position.index, command));
        }
        let sequence = self.recent.next_sequence();
        changes.push(ControlChange::PutRecent {
            slot: RecentProposals::slot(sequence),
            sequence,
            id: command.proposal_id,
            outcome: outcome.clone(),
        });
        for change in &changes {
            self.absorb(change);
        }
        Applied { outcome, changes, effects }
    }

    /// Notes a change, in the place of the oldest one when there are as many as are kept.
    fn journal_changes(&self, index: u64, command: &ControlCommand) -> Vec<ControlChange> {
        let Some(change) = SharedChange::of(&command.body) else { return Vec::new() };
        let full = self.journal.len() >= JOURNAL_MAX;
        let oldest = self.journal.keys().next().filter(|_| full).copied();
        let entry = JournalEntry { index, region: command.region.clone(), change };
        let dropped = oldest.map(ControlChange::DeleteJournal);
        dropped.into_iter().chain([ControlChange::PutJournal(Arc::new(entry))]).collect()
    }

    fn decide(&self, command: &ControlCommand) -> Step {
        let (region, at) = (&command.region, command.at);
        match &command.body {
            ControlBody::RegisterRegion(body) => self.register_region(region, at, body),
            ControlBody::CreateKeySet(body) => self.create_key_set(region, at, body),
            ControlBody::AddReplica(body) => self.add_replica(region, at, body),
            ControlBody::ReplicaReady { key_id, added_at } => self.replica_ready(region, key_id, *added_at),
            ControlBody::RemoveReplica { key_id, added_at } => self.remove_replica(region, key_id, *added_at),
            ControlBody::DeleteKeySet { key_id } => self.delete_key_set(region, key_id),
            ControlBody::StageMaterial(body) => self.stage_material(region, at, body),
            ControlBody::ActivateMaterial(body) => self.activate_material(region, at, body),
            ControlBody::SetRotation(body) => self.set_rotation(region, body),
            ControlBody::UpdatePrimary(body) => self.update_primary(body),
            ControlBody::OfferImportedMaterial(body) => self.offer_imported_material(region, at, body),
            ControlBody::ReportImport(body) => self.report_import(region, body),
            ControlBody::Identity(body) => self.change_identity(region, at, body),
            ControlBody::WithdrawImportedMaterial { key_id, expected_epoch, material_id } => {
                self.withdraw_imported_material(region, key_id, *expected_epoch, material_id)
            }
            ControlBody::PutResidencyRules(body) => self.put_residency_rules(region, at, body),
            ControlBody::SignCheckpoint(body) => self.sign_checkpoint(region, body),
            ControlBody::CountersignCheckpoint(body) => self.countersign_checkpoint(region, body),
        }
    }

    fn register_region(&self, region: &RegionName, at: Timestamp, body: &RegisterRegion) -> Step {
        let old = self.regions.get(region);
        let (signing_public_key, former_signing_keys) = signing_keys(old.map(AsRef::as_ref), body);
        if let Some(old) = old {
            if old.role != body.role {
                return Err(Refusal::RoleMismatch);
            }
            if old.sealing_public_key == body.sealing_public_key && old.signing_public_key == signing_public_key {
                return Ok((Vec::new(), Vec::new()));
            }
        }
        let too_long = body.signing_public_key.len() > SIGNING_KEY_BYTES_MAX;
        if too_long || (body.role == RegionRole::Witness) != body.sealing_public_key.is_empty() {
            return Err(Refusal::Malformed);
        }
        let entry = RegionEntry {
            region: region.clone(),
            sealing_public_key: body.sealing_public_key.clone(),
            role: body.role,
            registered_at: at,
            signing_public_key,
            former_signing_keys,
        };
        Ok((vec![ControlChange::PutRegion(Arc::new(entry))], Vec::new()))
    }

    fn create_key_set(&self, region: &RegionName, at: Timestamp, body: &CreateKeySet) -> Step {
        self.check_holds_keys(region)?;
        if !body.key_id.is_multi_region() || body.first.is_some() == (body.origin == Origin::External) {
            return Err(Refusal::Malformed);
        }
        if self.key_sets.contains_key(&body.key_id) {
            return Err(Refusal::KeyExists);
        }
        self.check_residency(&body.account, &body.key_id, &[&body.initial.tags], region)?;
        let first = body.first.iter().map(|(material_id, sealed)| MaterialVersion {
            material_id: *material_id,
            created_at: at,
            rotation_type: None,
            boxes: BTreeMap::from([(region.clone(), sealed.clone())]),
            activation: Some(Activation { at, without: Default::default(), by: None }),
            description: String::new(),
            imported_by: Default::default(),
        });
        let holder = Holder { added_at: at, status: HolderStatus::Creating(body.initial.clone()) };
        put(KeySet {
            key_id: body.key_id,
            account: body.account,
            spec: body.spec,
            usage: body.usage,
            origin: body.origin,
            created_at: at,
            primary: region.clone(),
            epoch: 1,
            holders: BTreeMap::from([(region.clone(), holder)]),
            rotation: None,
            on_demand_rotations: 0,
            materials: first.collect(),
        })
    }

    fn add_replica(&self, region: &RegionName, at: Timestamp, body: &AddReplica) -> Step {
        let mut set = self.set_as_primary(region, &body.key_id, body.expected_epoch)?;
        self.check_holds_keys(&body.replica)?;
        if set.is_held_by(&body.replica) {
            return Err(Refusal::ReplicaExists);
        }
        let tags = [&body.initial.tags, &body.primary_tags];
        self.check_residency(&set.account, &set.key_id, &tags, &body.replica)?;
        let sealed_versions = if set.is_external() { &mut [] } else { set.materials.as_mut_slice() };
        if body.boxes.len() != sealed_versions.len() {
            return Err(Refusal::BoxesMismatch);
        }
        for material in sealed_versions {
            let sealed = body.boxes.get(&material.material_id).ok_or(Refusal::BoxesMismatch)?;
            material.boxes.insert(body.replica.clone(), sealed.clone());
        }
        let holder = Holder { added_at: at, status: HolderStatus::Creating(body.initial.clone()) };
        set.holders.insert(body.replica.clone(), holder);
        put(set)
    }

    fn replica_ready(&self, region: &RegionName, key_id: &KeyId, added_at: Timestamp) -> Step {
        let mut set = self.set(key_id)?;
        let holder = set.holders.get_mut(region).filter(|h| h.added_at == added_at).ok_or(Refusal::NoReplica)?;
        holder.status = HolderStatus::Ready;
        put(set)
    }

    /// A proposer that does not know what became of its proposal makes another one, and that one may arrive after the
    /// Region was added again; then it means an earlier life of the replica.
    fn remove_replica(&self, region: &RegionName, key_id: &KeyId, added_at: Timestamp) -> Step {
        let mut set = self.set(key_id)?;
        if set.primary == *region {
            return Err(Refusal::AlreadyPrimary);
        }
        let removed = set.holders.remove(region).ok_or(Refusal::NoReplica)?;
        if removed.added_at != added_at {
            return Err(Refusal::NoReplica);
        }
        for material in &mut set.materials {
            material.boxes.remove(region);
            material.imported_by.remove(region);
        }
        put(set)
    }

    fn delete_key_set(&self, region: &RegionName, key_id: &KeyId) -> Step {
        let set = self.set(key_id)?;
        if set.primary != *region {
            return Err(Refusal::NotPrimary { primary: set.primary });
        }
        if set.replicas().next().is_some() {
            return Err(Refusal::ReplicasRemain);
        }
        Ok((vec![ControlChange::DeleteKeySet(*key_id)], vec![ControlEffect::Reconcile(*key_id)]))
    }

    fn stage_material(&self, region: &RegionName, at: Timestamp, body: &StageMaterial) -> Step {
        let mut set = self.set_as_primary(region, &body.key_id, body.expected_epoch)?;
        check_rotatable(&set)?;
        if set.staged().is_some() {
            return Err(Refusal::RotationInProgress);
        }
        let due = set.rotation.is_some_and(|schedule| schedule.next_at <= at);
        if body.rotation_type == RotationType::Automatic && !due {
            return Err(Refusal::NotDue);
        }
        if !body.boxes.keys().eq(set.holders.keys()) || set.material(&body.material_id).is_some() {
            return Err(Refusal::BoxesMismatch);
        }
        if body.rotation_type == RotationType::OnDemand {
            count_on_demand(&mut set, body.on_demand_limit)?;
        }
        if let (Some(schedule), Some(next_at)) = (&mut set.rotation, body.next_rotation_at) {
            schedule.next_at = next_at;
        }
        set.materials.push(MaterialVersion {
            material_id: body.material_id,
            created_at: at,
            rotation_type: Some(body.rotation_type),
            boxes: body.boxes.clone(),
            activation: None,
            description: String::new(),
            imported_by: Default::default(),
        });
        put(set)
    }

    fn activate_material(&self, region: &RegionName, at: Timestamp, body: &ActivateMaterial) -> Step {
        let mut set = self.set_as_primary(region, &body.key_id, body.expected_epoch)?;
        if body.without.contains(region) {
            return Err(Refusal::Malformed);
        }
        if !body.without.iter().all(|r| set.is_held_by(r)) {
            return Err(Refusal::NoReplica);
        }
        let staged = set.staged().filter(|m| m.material_id == body.material_id).ok_or(Refusal::NotStaged)?;
        if set.is_external() {
            if !set.lacking_import(staged).all(|r| body.without.contains(r)) {
                return Err(Refusal::ImportMissing);
            }
            count_on_demand(&mut set, body.on_demand_limit)?;
        }
        if let Some(last) = set.materials.last_mut() {
            last.activation = Some(Activation { at, without: body.without.clone(), by: Some(region.clone()) });
        }
        put(set)
    }

    fn set_rotation(&self, region: &RegionName, body: &SetRotation) -> Step {
        let mut set = self.set_as_primary(region, &body.key_id, body.expected_epoch)?;
        check_rotatable(&set)?;
        if body.schedule.is_some_and(|s| !limits::ROTATION_PERIOD_DAYS.contains(&s.period_days)) {
            return Err(Refusal::Malformed);
        }
        set.rotation = body.schedule;
        put(set)
    }

    fn update_primary(&self, body: &UpdatePrimary) -> Step {
        let mut set = self.set(&body.key_id)?;
        if set.epoch != body.expected_epoch {
            return Err(Refusal::WrongEpoch { current: set.epoch });
        }
        if set.primary != body.from {
            return Err(Refusal::NotPrimary { primary: set.primary });
        }
        if set.primary == body.to {
            return Err(Refusal::AlreadyPrimary);
        }
        match set.holders.get(&body.to) {
            Some(holder) if holder.status == HolderStatus::Ready => {}
            _ => return Err(Refusal::NoReplica),
        }
        set.epoch = set.epoch.saturating_add(1);
        set.primary = body.to.clone();
        let moved = ControlEffect::PrimaryMoved {
            key_id: set.key_id,
            from: body.from.clone(),
            to: body.to.clone(),
            epoch: set.epoch,
        };
        let (changes, mut effects) = put(set)?;
        effects.push(moved);
        Ok((changes, effects))
    }

    fn set(&self, key_id: &KeyId) -> Result<KeySet, Refusal> {
        self.key_sets.get(key_id).map(|set| KeySet::clone(set)).ok_or(Refusal::KeyNotFound)
    }

    fn set_as_primary(&self, region: &RegionName, key_id: &KeyId, epoch: u64) -> Result<KeySet, Refusal> {
        let set = self.set(key_id)?;
        if set.primary != *region {
            return Err(Refusal::NotPrimary { primary: set.primary });
        }
        if set.epoch != epoch {
            return Err(Refusal::WrongEpoch { current: set.epoch });
        }
        Ok(set)
    }

    fn check_holds_keys(&self, region: &RegionName) -> Result<(), Refusal> {
        match self.regions.get(region) {
            Some(entry) if entry.role == RegionRole::Full => Ok(()),
            _ => Err(Refusal::RegionUnknown),
        }
    }
}

/// The signing key of a Region's line after a registration, and those before it.
fn signing_keys(old: Option<&RegionEntry>, body: &RegisterRegion) -> (Vec<u8>, Vec<Vec<u8>>) {
    let Some(old) = old else { return (body.signing_public_key.clone(), Vec::new()) };
    let mut former = old.former_signing_keys.clone();
    if body.signing_public_key.is_empty() || body.signing_public_key == old.signing_public_key {
        return (old.signing_public_key.clone(), former);
    }
    if !old.signing_public_key.is_empty() {
        former.push(old.signing_public_key.clone());
        let surplus = former.len().saturating_sub(FORMER_SIGNING_KEYS_MAX);
        former.drain(..surplus);
    }
    (body.signing_public_key.clone(), former)
}

fn check_rotatable(set: &KeySet) -> Result<(), Refusal> {
    if set.spec == KeySpec::SymmetricDefault && set.origin == Origin::AwsKms {
        Ok(())
    } else {
        Err(Refusal::NotRotatable)
    }
}

fn count_on_demand(set: &mut KeySet, limit: u32) -> Result<(), Refusal> {
    if set.on_demand_rotations >= limit {
        return Err(Refusal::RotationLimit);
    }
    set.on_demand_rotations = set.on_demand_rotations.saturating_add(1);
    Ok(())
}

fn put(set: KeySet) -> Step {
    let key_id = set.key_id;
    Ok((vec![ControlChange::PutKeySet(Arc::new(set))], vec![ControlEffect::Reconcile(key_id)]))
}
