//! Folding one regional command into the state.

mod alias;
mod grant;
mod import;
mod material;

use super::{
    CreateKey, CreateReplica, KeyRecord, LastUse, Lifecycle, LocalMaterial, RegionalApplied, RegionalBody,
    RegionalChange, RegionalCommand, RegionalOutcome, RegionalRefusal, RegionalState, ScheduleDeletion,
};
use crate::{KeyOperation, StateFault, state_matrix};
use kms_types::{KeyId, Origin, Timestamp, limits};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Step = Result<Vec<RegionalChange>, RegionalRefusal>;

/// Most grants that go with one command: the rows of a command are one batch, which the store writes as a whole.
const GRANTS_PER_COMMAND: usize = 1_000;

impl RegionalState {
    /// Applies one command. Total and deterministic; a refusal changes nothing.
    pub fn apply(&mut self, command: &RegionalCommand) -> RegionalApplied {
        let (outcome, changes) = match self.decide(command) {
            Ok(decided) => decided,
            Err(refusal) => (RegionalOutcome::Refused(refusal), Vec::new()),
        };
        for change in &changes {
            self.absorb(change);
        }
        RegionalApplied { outcome, changes }
    }

    fn decide(&self, command: &RegionalCommand) -> Result<(RegionalOutcome, Vec<RegionalChange>), RegionalRefusal> {
        use KeyOperation as Op;
        let at = command.at;
        let step = match &command.body {
            RegionalBody::CreateKey(body) => self.create_key(at, body),
            RegionalBody::CreateReplica(body) => self.create_replica(body),
            RegionalBody::InstallMaterial(body) => self.install_material(at, body),
            RegionalBody::RotateMaterial(body) => self.rotate_material(at, body),
            RegionalBody::ImportMaterial(body) => self.import_material(at, body),
            RegionalBody::RotateToImported { key_id, on_demand_limit } => {
                self.rotate_to_imported(at, key_id, *on_demand_limit)
            }
            RegionalBody::DeleteImportedMaterial { key_id, material_id } => {
                self.delete_imported_material(key_id, material_id.as_ref())
            }
            RegionalBody::RewrapMaterial(materials) => Ok(self.rewrap_material(materials)),
            RegionalBody::ExpireMaterial { key_id, material_id } => self.expire_material(at, key_id, material_id),
            RegionalBody::ExpectMaterial(body) => self.expect_material(body),
            RegionalBody::SettleMaterial { key_id, material_id } => self.settle_material(key_id, material_id),
            RegionalBody::ForgetMaterial { key_id, material_id } => self.forget_material(key_id, material_id),
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
            RegionalBody::CreateAlias(body) => self.create_alias(at, body),
            RegionalBody::UpdateAlias(body) => self.update_alias(at, body),
            RegionalBody::DeleteAlias(account, name) => self.delete_alias(*account, name),
            RegionalBody::CreateGrant(body) => return self.create_grant(at, body),
            RegionalBody::DeleteGrant { key_id, grant_id } => self.delete_grant(key_id, grant_id),
            RegionalBody::RecordUse(uses) => Ok(self.record_use(uses)),
            RegionalBody::SetRotation(key_id, schedule) => self.set_rotation(key_id, *schedule),
            RegionalBody::ScheduleDeletion(body) => self.schedule_deletion(*body),
            RegionalBody::StartDeletionClock { key_id, deletion_date } => self.start_clock(key_id, *deletion_date),
            RegionalBody::AwaitReplicaDeletion(key_id) => self.await_replicas(key_id),
            RegionalBody::CancelDeletion(key_id) => self.cancel_deletion(at, key_id),
            RegionalBody::DestroyKey(key_id) => self.destroy_key(at, key_id),
        };
        step.map(|changes| (RegionalOutcome::Done, changes))
    }

    fn create_key(&self, at: Timestamp, body: &CreateKey) -> Step {
        let waits_for_import = body.origin == Origin::External;
        if body.key_id.is_multi_region() || body.material.is_some() == waits_for_import {
            return Err(RegionalRefusal::WrongKind);
        }
        if self.key(&body.key_id).is_some() {
            return Err(RegionalRefusal::KeyExists);
        }
        let made_here = |material_id| LocalMaterial { material_id, created_at: at, rotation: None, import: None };
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
            materials: body.material.iter().map(|m| made_here(m.material_id)).collect(),
            rotation: None,
            on_demand_rotations: 0,
        };
        let wrapped = body.material.iter().map(|m| RegionalChange::PutMaterial(body.key_id, m.clone()));
        Ok(wrapped.chain([put(record)]).collect())
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
            // Nothing has to come from the key set before such a key can report: it waits for an import.
            lifecycle: if body.origin == Origin::External { Lifecycle::Enabled } else { Lifecycle::Creating },
            materials: Vec::new(),
            rotation: None,
            on_demand_rotations: 0,
        })])
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
        import::forget_switch(&mut record);
        Ok(vec![put(record)])
    }

    /// A multi-Region key is destroyed because the key set says so, a single-Region key because its time has come. A key
    /// with very many grants first loses grants and is due again; it goes with the last of them.
    fn destroy_key(&self, at: Timestamp, key_id: &KeyId) -> Step {
        let record = self.record(key_id)?;
        if !record.is_multi_region() && !waiting_period_is_over(&record, at) {
            return Err(RegionalRefusal::State(StateFault::NotPendingDeletion));
        }
        let grants = self.grants_of(key_id, None).map(|g| RegionalChange::DeleteGrant(*key_id, g.grant_id));
        if self.grant_count_of(key_id) > GRANTS_PER_COMMAND {
            return Ok(grants.take(GRANTS_PER_COMMAND).collect());
        }
        let present = record.materials.iter().filter(|m| m.is_present());
        let materials = present.map(|m| RegionalChange::DeleteMaterial(*key_id, m.material_id));
        let aliases = self.aliases_of(key_id).map(|name| RegionalChange::DeleteAlias(record.account, name.clone()));
        let last_use = self.last_use(key_id).map(|_| RegionalChange::DeleteLastUse(*key_id));
        let key = [RegionalChange::DeleteKey(*key_id)];
        Ok(materials.chain(aliases).chain(grants).chain(last_use).chain(key).collect())
    }

    /// A use that is not later than the one on record says nothing new.
    fn record_use(&self, uses: &[(KeyId, LastUse)]) -> Vec<RegionalChange> {
        let mut latest: BTreeMap<KeyId, &LastUse> = BTreeMap::new();
        for (key_id, last_use) in uses.iter().filter(|(key_id, _)| self.key(key_id).is_some()) {
            let known = latest.get(key_id).copied().or(self.last_use(key_id));
            if known.is_none_or(|known| known.at < last_use.at) {
                latest.insert(*key_id, last_use);
            }
        }
        latest.into_iter().map(|(key_id, last_use)| RegionalChange::PutLastUse(key_id, last_use.clone())).collect()
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
}

fn waiting_period_is_over(record: &KeyRecord, at: Timestamp) -> bool {
    matches!(record.lifecycle, Lifecycle::PendingDeletion { deletion_date, .. } if deletion_date <= at)
}

fn put(record: KeyRecord) -> RegionalChange {
    RegionalChange::PutKey(Arc::new(record))
}
