//! What clients ask of a node, with the checks that the service makes before it asks the core.

use super::{Cluster, DAY, Node, Request};
use crate::cast;
use kms_core::RotationSchedule;
use kms_core::control::{ActivateMaterial, AddReplica, ControlBody, CreateKeySet, KeySet, SetRotation, UpdatePrimary};
use kms_core::regional::{KeyRecord, RegionalBody, ScheduleDeletion};
use kms_types::{DayLength, KeyId, KeySpec, KeyState, KeyUsage, Origin, RotationType, limits};
use std::sync::Arc;

/// The waiting period that clients ask for, in days.
const WINDOW_DAYS: u32 = 7;
/// Most keys at a time.
const KEYS_MAX: usize = 2;

impl Cluster {
    /// Carries out a request about one of the keys, at a node or, if none is named, where it makes sense: a deletion in a
    /// replica's Region, a cancellation where one is pending, everything else in the primary's.
    pub(super) fn request(&mut self, node: Option<usize>, request: Request, key: usize) {
        match request {
            Request::CreateKey => return self.create_key(node.unwrap_or_default(), Origin::AwsKms),
            Request::CreateExternalKey => return self.create_key(node.unwrap_or_default(), Origin::External),
            _ => {}
        }
        let keys: Vec<_> = self.latest.key_sets().collect();
        let Some(set) = super::pick(key, keys.len()).and_then(|n| keys.get(n)) else { return };
        let leader = self.nodes.iter().position(|n| n.region == set.primary).unwrap();
        let replica = self.nodes.iter().position(|n| set.replicas().any(|r| *r == n.region));
        let pending = |n: &Node| n.regional.key(&set.key_id).is_some_and(|r| r.state().is_pending_deletion());
        let sensible = match request {
            Request::ScheduleKeyDeletion => replica,
            Request::CancelKeyDeletion => self.nodes.iter().position(pending),
            Request::ImportKnownMaterial { .. } => self.nodes.iter().position(|n| n.lacks_import(&set.key_id)),
            Request::DeleteImportedKeyMaterial { staged: false } => replica,
            _ => Some(leader),
        };
        let (Some(node), key_id) = (node.or(sensible), &set.key_id.clone()) else { return };
        let me = &self.nodes[node];
        let set = me.control.key_set(key_id).cloned();
        let record = me.regional.key(key_id).cloned();
        let (Some(set), Some(record)) = (set, record) else { return };
        let enabled = record.state() == KeyState::Enabled;
        let leads = set.primary == me.region;
        match request {
            Request::CreateKey | Request::CreateExternalKey => {}
            Request::ReplicateKey { to } if leads && enabled => self.replicate(node, &set, leader + 1 + to),
            Request::ScheduleKeyDeletion => self.schedule_deletion(node, &set, &record),
            Request::CancelKeyDeletion => {
                if self.acknowledged(node, RegionalBody::CancelDeletion(*key_id)) {
                    let place = (self.nodes[node].region.clone(), *key_id);
                    self.kept.insert(place, record.created_at);
                }
            }
            Request::EnableKey => drop(self.acknowledged(node, RegionalBody::EnableKey(*key_id))),
            Request::DisableKey => drop(self.acknowledged(node, RegionalBody::DisableKey(*key_id))),
            Request::RotateKeyOnDemand if leads && enabled && set.is_external() => self.rotate_to_imported(node, &set),
            Request::RotateKeyOnDemand if leads && enabled => self.stage(node, key_id, RotationType::OnDemand),
            Request::OfferNewMaterial if leads && set.is_external() => self.offer_new_material(node, &set),
            Request::ImportKnownMaterial { days } => self.import_known_material(node, &record, days),
            Request::DeleteImportedKeyMaterial { staged } => self.delete_imported(node, &set, &record, staged),
            Request::EnableKeyRotation if leads && enabled => {
                let next_at = self.now.plus(DayLength::new(DAY).days(90));
                let schedule = Some(RotationSchedule { period_days: 90, next_at });
                let body = SetRotation { key_id: *key_id, expected_epoch: set.epoch, schedule };
                self.propose(node, ControlBody::SetRotation(body));
            }
            Request::ActivateWithoutOthers if leads => self.activate_without_others(node, &set, &record),
            Request::Promote { to } => {
                let (from, to) = (set.primary.clone(), cast::holding_region(leader + 1 + to));
                let body = UpdatePrimary { key_id: *key_id, from, to, expected_epoch: set.epoch };
                self.propose(node, ControlBody::UpdatePrimary(body));
            }
            Request::CreateGrant => self.create_grant(node, &record),
            Request::RevokeGrant => self.revoke_grant(node, &record),
            Request::ReplicateKey { .. }
            | Request::RotateKeyOnDemand
            | Request::EnableKeyRotation
            | Request::OfferNewMaterial
            | Request::ActivateWithoutOthers => {}
        }
    }

    /// Applies a regional command and, when it succeeds, flushes before the answer. Returns whether it succeeded.
    pub(super) fn acknowledged(&mut self, node: usize, body: RegionalBody) -> bool {
        let done = self.nodes[node].apply_regional(self.now, body).is_ok();
        self.nodes[node].flush();
        done
    }

    /// Few keys, so that much happens to each.
    fn create_key(&mut self, node: usize, origin: Origin) {
        if self.latest.key_sets().count() >= KEYS_MAX {
            return;
        }
        self.number += 1;
        let region = self.nodes[node].region.clone();
        let material_id = cast::material(self.number);
        let body = CreateKeySet {
            key_id: cast::multi_region_key(self.number),
            account: cast::account(),
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsage::EncryptDecrypt,
            origin,
            first: (origin == Origin::AwsKms).then(|| (material_id, cast::sealed(&region, &region, &material_id))),
            initial: cast::initial(self.now),
        };
        self.propose(node, ControlBody::CreateKeySet(body));
    }

    fn replicate(&mut self, node: usize, set: &Arc<KeySet>, to: usize) {
        let (source, replica) = (self.nodes[node].region.clone(), cast::holding_region(to));
        let sealed_versions = set.materials.iter().filter(|_| !set.is_external());
        let boxed = sealed_versions.map(|m| (m.material_id, cast::sealed(&source, &replica, &m.material_id)));
        let body = AddReplica {
            key_id: set.key_id,
            expected_epoch: set.epoch,
            boxes: boxed.collect(),
            replica,
            initial: cast::initial(self.now),
            primary_tags: Default::default(),
        };
        self.propose(node, ControlBody::AddReplica(body));
    }

    fn schedule_deletion(&mut self, node: usize, set: &Arc<KeySet>, record: &Arc<KeyRecord>) {
        let waits = set.primary == self.nodes[node].region && set.replicas().next().is_some();
        let deletion_date = (!waits).then(|| self.now.plus(DayLength::new(DAY).days(WINDOW_DAYS)));
        let key_id: KeyId = record.key_id;
        // From here on the key may go, even if the answer never reaches the client.
        self.kept.remove(&(self.nodes[node].region.clone(), key_id));
        let body = ScheduleDeletion { key_id, window_days: WINDOW_DAYS, deletion_date };
        self.acknowledged(node, RegionalBody::ScheduleDeletion(body));
    }

    fn activate_without_others(&mut self, node: usize, set: &Arc<KeySet>, record: &Arc<KeyRecord>) {
        let Some(staged) = set.staged().map(|m| m.material_id).filter(|id| record.has_material(id)) else { return };
        let body = ActivateMaterial {
            key_id: set.key_id,
            expected_epoch: set.epoch,
            material_id: staged,
            without: set.replicas().cloned().collect(),
            on_demand_limit: limits::ON_DEMAND_ROTATIONS_MAX,
        };
        self.propose(node, ControlBody::ActivateMaterial(body));
    }
}
