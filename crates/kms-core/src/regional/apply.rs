//! Folding one regional command into the state.

use super::{
    AliasRecord, CreateKey, CreateReplica, InstallMaterial, KeyRecord, Lifecycle, LocalMaterial, RegionalApplied,
    RegionalBody, RegionalChange, RegionalCommand, RegionalOutcome, RegionalRefusal, RegionalState, RotateMaterial,
    ScheduleDeletion,
};
use crate::{KeyOperation, RotationSchedule, StateFault, state_matrix};
use kms_types::{AccountId, AliasName, KeyId, KeySpec, Origin, RotationType, Timestamp, limits};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Step = Result<Vec<RegionalChange>, RegionalRefusal>;

impl RegionalState {
    /// Applies one command. Total and deterministic; a refusal changes nothing.
    pub fn apply(&mut self, command: &RegionalCommand) -> RegionalApplied {
        let (outcome, changes) = match self.decide(command) {
            Ok(changes) => (RegionalOutcome::Done, changes),
            Err(refusal) => (RegionalOutcome::Refused(refusal), Vec::new()),
        };
        for change in &changes {
            self.absorb(change);
        }
        RegionalApplied { outcome, changes }
    }

    fn decide(&self, command: &RegionalCommand) -> Step {
        use KeyOperation as Op;
        let at = command.at;
        match &command.body {
            RegionalBody::CreateKey(body) => self.create_key(at, body),
            RegionalBody::CreateReplica(body) => self.create_replica(body),
            RegionalBody::InstallMaterial(body) => self.install_material(at, body),
            RegionalBody::RotateMaterial(body) => self.rotate_material(at, body),
            RegionalBody::EnableKey(key_id) => self.edit(key_id, Op::EnableKey, |r| r.lifecycle = Lifecycle::Enabled),
            RegionalBody::DisableKey(key_id) => {
                self.edit(key_id, Op::DisableKey, |r| r.lifecycle = Lifecycle::Disabled)
            }
            RegionalBody::SetDescription(key_id, text) => {
                self.edit(key_id, Op::UpdateKeyDescription, |r| r.description.clone_from(text))
            }
            RegionalBody::PutKeyPolicy(key_id, policy) => {
                self.edit(key_id, Op::PutKeyPolicy, |r| r.policy.clone_from(policy))
            }
            RegionalBody::Tag(key_id, tags) => self.tag(key_id, tags),
            RegionalBody::Untag(key_id, keys) => self.untag(key_id, keys),
            RegionalBody::CreateAlias(account, name, key_id) => self.create_alias(at, *account, name, key_id),
            RegionalBody::UpdateAlias(account, name, key_id) => self.update_alias(at, *account, name, key_id),
            RegionalBody::DeleteAlias(account, name) => self.delete_alias(*account, name),
            RegionalBody::SetRotation(key_id, schedule) => self.set_rotation(key_id, *schedule),
            RegionalBody::ScheduleDeletion(body) => self.schedule_deletion(*body),
            RegionalBody::StartDeletionClock { key_id, deletion_date } => self.start_clock(key_id, *deletion_date),
            RegionalBody::AwaitReplicaDeletion(key_id) => self.await_replicas(key_id),
            RegionalBody::CancelDeletion(key_id) => self.cancel_deletion(at, key_id),
            RegionalBody::DestroyKey(key_id) => self.destroy_key(at, key_id),
        }
    }

    fn create_key(&self, at: Timestamp, body: &CreateKey) -> Step {
        if body.key_id.is_multi_region() {
            return Err(RegionalRefusal::WrongKind);
        }
        if self.key(&body.key_id).is_some() {
            return Err(RegionalRefusal::KeyExists);
        }
        let first = LocalMaterial { material_id: body.material.material_id, created_at: at, rotation: None };
        let record = KeyRecord {
            key_id: body.key_id,
            account: body.account,
            spec: body.spec,
            usage: body.usage,
            origin: body.origin,
            created_at: at,
            description: body.description.clone(),
            policy: body.policy.clone(),
            tags: body.tags.clone(),
            lifecycle: Lifecycle::Enabled,
            materials: vec![first],
            rotation: None,
            on_demand_rotations: 0,
        };
        Ok(vec![RegionalChange::PutMaterial(body.key_id, body.material.clone()), put(record)])
    }

    fn create_replica(&self, body: &CreateReplica) -> Step {
        if !body.key_id.is_multi_region() {
            return Err(RegionalRefusal::WrongKind);
        }
        if self.key(&body.key_id).is_some() {
            return Err(RegionalRefusal::KeyExists);
        }
        Ok(vec![put(KeyRecord {
            key_id: body.key_id,
            account: body.account,
            spec: body.spec,
            usage: body.usage,
            origin: body.origin,
            created_at: body.created_at,
            description: body.description.clone(),
            policy: body.policy.clone(),
            tags: body.tags.clone(),
            lifecycle: Lifecycle::Creating,
            materials: Vec::new(),
            rotation: None,
            on_demand_rotations: 0,
        })])
    }

    fn install_material(&self, at: Timestamp, body: &InstallMaterial) -> Step {
        let mut record = self.record(&body.key_id)?;
        if !record.is_multi_region() {
            return Err(RegionalRefusal::WrongKind);
        }
        let mut changes = Vec::new();
        for material in &body.materials {
            if record.has_material(&material.material_id) {
                return Err(RegionalRefusal::MaterialExists);
            }
            let installed = LocalMaterial { material_id: material.material_id, created_at: at, rotation: None };
            record.materials.push(installed);
            changes.push(RegionalChange::PutMaterial(body.key_id, material.clone()));
        }
        if body.complete && record.lifecycle == Lifecycle::Creating {
            record.lifecycle = Lifecycle::Enabled;
        }
        changes.push(put(record));
        Ok(changes)
    }

    fn rotate_material(&self, at: Timestamp, body: &RotateMaterial) -> Step {
        let mut record = self.record_for(&body.key_id, KeyOperation::RotateKeyOnDemand)?;
        check_rotatable(&record)?;
        let material_id = body.material.material_id;
        if record.has_material(&material_id) {
            return Err(RegionalRefusal::MaterialExists);
        }
        if body.rotation_type == RotationType::OnDemand {
            if record.on_demand_rotations >= limits::ON_DEMAND_ROTATIONS_MAX {
                return Err(RegionalRefusal::RotationLimit);
            }
            record.on_demand_rotations = record.on_demand_rotations.saturating_add(1);
        }
        if let (Some(schedule), Some(next_at)) = (&mut record.rotation, body.next_rotation_at) {
            schedule.next_at = next_at;
        }
        let rotation = Some((body.rotation_type, at));
        record.materials.push(LocalMaterial { material_id, created_at: at, rotation });
        Ok(vec![RegionalChange::PutMaterial(body.key_id, body.material.clone()), put(record)])
    }

    fn tag(&self, key_id: &KeyId, tags: &BTreeMap<String, String>) -> Step {
        let mut record = self.record_for(key_id, KeyOperation::TagResource)?;
        record.tags.extend(tags.iter().map(|(k, v)| (k.clone(), v.clone())));
        if record.tags.len() > limits::TAGS_PER_KEY_MAX {
            return Err(RegionalRefusal::TooManyTags);
        }
        Ok(vec![put(record)])
    }

    fn untag(&self, key_id: &KeyId, keys: &BTreeSet<String>) -> Step {
        self.edit(key_id, KeyOperation::UntagResource, |r| r.tags.retain(|k, _| !keys.contains(k)))
    }

    fn create_alias(&self, at: Timestamp, account: AccountId, name: &AliasName, key_id: &KeyId) -> Step {
        if self.alias(&account, name).is_some() {
            return Err(RegionalRefusal::AliasExists);
        }
        let target = self.record_for(key_id, KeyOperation::CreateAlias)?;
        self.check_room_for_alias(&target, account)?;
        Ok(vec![RegionalChange::PutAlias(Arc::new(AliasRecord {
            account,
            name: name.clone(),
            target: *key_id,
            created_at: at,
            updated_at: at,
        }))])
    }

    fn update_alias(&self, at: Timestamp, account: AccountId, name: &AliasName, key_id: &KeyId) -> Step {
        let old = self.alias(&account, name).ok_or(RegionalRefusal::AliasNotFound)?;
        let target = self.record_for(key_id, KeyOperation::UpdateAlias)?;
        if self.key(&old.target).is_some_and(|from| !same_kind(from, &target)) {
            return Err(RegionalRefusal::KindMismatch);
        }
        if old.target != *key_id {
            self.check_room_for_alias(&target, account)?;
        }
        let alias = AliasRecord { target: *key_id, updated_at: at, ..AliasRecord::clone(old) };
        Ok(vec![RegionalChange::PutAlias(Arc::new(alias))])
    }

    fn delete_alias(&self, account: AccountId, name: &AliasName) -> Step {
        self.alias(&account, name).ok_or(RegionalRefusal::AliasNotFound)?;
        Ok(vec![RegionalChange::DeleteAlias(account, name.clone())])
    }

    fn set_rotation(&self, key_id: &KeyId, schedule: Option<RotationSchedule>) -> Step {
        let mut record = self.record_for(key_id, KeyOperation::EnableKeyRotation)?;
        check_rotatable(&record)?;
        record.rotation = schedule;
        Ok(vec![put(record)])
    }

    fn schedule_deletion(&self, body: ScheduleDeletion) -> Step {
        let window_days = body.window_days;
        self.edit(&body.key_id, KeyOperation::ScheduleKeyDeletion, |r| {
            r.lifecycle = match body.deletion_date {
                Some(deletion_date) => Lifecycle::PendingDeletion { deletion_date, window_days },
                None => Lifecycle::PendingReplicaDeletion { window_days },
            };
        })
    }

    fn start_clock(&self, key_id: &KeyId, deletion_date: Timestamp) -> Step {
        let mut record = self.record(key_id)?;
        let Lifecycle::PendingReplicaDeletion { window_days } = record.lifecycle else {
            return Err(RegionalRefusal::State(StateFault::NotPendingDeletion));
        };
        record.lifecycle = Lifecycle::PendingDeletion { deletion_date, window_days };
        Ok(vec![put(record)])
    }

    fn await_replicas(&self, key_id: &KeyId) -> Step {
        let mut record = self.record(key_id)?;
        let Lifecycle::PendingDeletion { window_days, .. } = record.lifecycle else {
            return Err(RegionalRefusal::State(StateFault::NotPendingDeletion));
        };
        record.lifecycle = Lifecycle::PendingReplicaDeletion { window_days };
        Ok(vec![put(record)])
    }

    /// Too late once the waiting period is over: the deletion may be on its way through the control log by then, and a
    /// cancellation that was acknowledged must hold.
    fn cancel_deletion(&self, at: Timestamp, key_id: &KeyId) -> Step {
        let mut record = self.record_for(key_id, KeyOperation::CancelKeyDeletion)?;
        if waiting_period_is_over(&record, at) {
            return Err(RegionalRefusal::State(StateFault::NotPendingDeletion));
        }
        record.lifecycle = Lifecycle::Disabled;
        Ok(vec![put(record)])
    }

    /// A multi-Region key is destroyed because the key set says so, a single-Region key because its time has come.
    fn destroy_key(&self, at: Timestamp, key_id: &KeyId) -> Step {
        let record = self.record(key_id)?;
        if !record.is_multi_region() && !waiting_period_is_over(&record, at) {
            return Err(RegionalRefusal::State(StateFault::NotPendingDeletion));
        }
        let materials = record.materials.iter().map(|m| RegionalChange::DeleteMaterial(*key_id, m.material_id));
        let aliases = self.aliases_of(key_id).map(|name| RegionalChange::DeleteAlias(record.account, name.clone()));
        Ok(materials.chain(aliases).chain([RegionalChange::DeleteKey(*key_id)]).collect())
    }

    fn edit(&self, key_id: &KeyId, operation: KeyOperation, change: impl FnOnce(&mut KeyRecord)) -> Step {
        let mut record = self.record_for(key_id, operation)?;
        change(&mut record);
        Ok(vec![put(record)])
    }

    fn record(&self, key_id: &KeyId) -> Result<KeyRecord, RegionalRefusal> {
        self.key(key_id).map(|r| KeyRecord::clone(r)).ok_or(RegionalRefusal::KeyNotFound)
    }

    fn record_for(&self, key_id: &KeyId, operation: KeyOperation) -> Result<KeyRecord, RegionalRefusal> {
        let record = self.record(key_id)?;
        state_matrix::check(operation, record.state()).map_err(RegionalRefusal::State)?;
        Ok(record)
    }

    fn check_room_for_alias(&self, target: &KeyRecord, account: AccountId) -> Result<(), RegionalRefusal> {
        if target.account != account {
            return Err(RegionalRefusal::KeyNotFound);
        }
        if self.aliases_of(&target.key_id).count() >= limits::ALIASES_PER_KEY_MAX {
            return Err(RegionalRefusal::TooManyAliases);
        }
        Ok(())
    }
}

/// A multi-Region key is rotated through the control log; of single-Region keys only symmetric ones are rotated.
fn check_rotatable(record: &KeyRecord) -> Result<(), RegionalRefusal> {
    let rotates = record.spec == KeySpec::SymmetricDefault && record.origin == Origin::AwsKms;
    if rotates && !record.is_multi_region() { Ok(()) } else { Err(RegionalRefusal::WrongKind) }
}

fn waiting_period_is_over(record: &KeyRecord, at: Timestamp) -> bool {
    matches!(record.lifecycle, Lifecycle::PendingDeletion { deletion_date, .. } if deletion_date <= at)
}

/// UpdateAlias may swap keys of the same usage and the same kind (symmetric, asymmetric, HMAC). Usage tells HMAC and
/// asymmetric signing apart; only encryption keys come in two kinds.
fn same_kind(from: &KeyRecord, to: &KeyRecord) -> bool {
    use kms_types::KeySpec::SymmetricDefault;
    from.usage == to.usage && (from.spec == SymmetricDefault) == (to.spec == SymmetricDefault)
}

fn put(record: KeyRecord) -> RegionalChange {
    RegionalChange::PutKey(Arc::new(record))
}
