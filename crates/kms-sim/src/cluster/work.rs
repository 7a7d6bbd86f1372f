//! What a node does by itself: the steps of `reconcile` and what `schedule` says is due.

use super::{Cluster, DAY};
use crate::cast;
use kms_core::control::{
    ActivateMaterial, ControlBody, HolderStatus, InitialProperties, KeySet, ReportImport, StageMaterial,
};
use kms_core::reconcile::{Step, next_step};
use kms_core::regional::{CreateReplica, InstallMaterial, NewMaterial, RegionalBody};
use kms_core::schedule::{self, Due};
use kms_types::{DayLength, KeyId, KeyMaterialId, RotationType, limits};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Cluster {
    /// Every multi-Region key that the node has heard of, in either state.
    pub(super) fn keys_of(&self, node: usize) -> Vec<KeyId> {
        let node = &self.nodes[node];
        let shared = node.control.key_sets().map(|set| set.key_id);
        let own = node.regional.keys_after(None).map(|record| record.key_id);
        shared.chain(own).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Takes the next step for one key. Returns the step, `None` when nothing is to be done.
    pub(super) fn synchronise(&mut self, node: usize, key: usize) -> Option<Step> {
        let keys = self.keys_of(node);
        let key_id = *keys.get(super::pick(key, keys.len())?)?;
        let me = &self.nodes[node];
        let set = me.control.key_set(&key_id).cloned();
        let step = next_step(&me.region, set.as_deref(), me.regional.key(&key_id).map(AsRef::as_ref))?;
        match (&step, set) {
            (Step::Destroy, _) | (_, None) => self.local(node, RegionalBody::DestroyKey(key_id)),
            (Step::CreateResource, Some(set)) => self.create_resource(node, &set),
            (Step::Install { materials, complete }, Some(set)) => self.install(node, &set, materials, *complete),
            (Step::ReportReady, Some(set)) => {
                let added_at = set.holders[&self.nodes[node].region].added_at;
                self.propose(node, ControlBody::ReplicaReady { key_id, added_at });
            }
            (Step::StartDeletionClock { window_days }, Some(_)) => {
                let deletion_date = self.now.plus(DayLength::new(DAY).days(*window_days));
                self.local(node, RegionalBody::StartDeletionClock { key_id, deletion_date });
            }
            (Step::DriveRotation(material_id), Some(set)) => self.drive_rotation(node, &set, *material_id),
            (Step::ExpectMaterial(body), Some(_)) => {
                self.local(node, RegionalBody::ExpectMaterial(Box::new(body.clone())));
            }
            (Step::SettleMaterial(material_id), Some(_)) => {
                self.local(node, RegionalBody::SettleMaterial { key_id, material_id: *material_id });
            }
            (Step::ForgetMaterial(material_id), Some(_)) => {
                self.local(node, RegionalBody::ForgetMaterial { key_id, material_id: *material_id });
            }
            (Step::ReportImport { material_id, present }, Some(set)) => {
                let added_at = set.holders[&self.nodes[node].region].added_at;
                let report = ReportImport { key_id, added_at, material_id: *material_id, present: *present };
                self.propose(node, ControlBody::ReportImport(report));
            }
        }
        Some(step)
    }

    /// Does everything that is due at the node. Returns what was.
    pub(super) fn do_what_is_due(&mut self, node: usize) -> Vec<Due> {
        let me = &self.nodes[node];
        let items = schedule::due(&me.region, &me.regional, &me.control, self.now, 100);
        for item in &items {
            match *item {
                Due::DestroyKey(key_id) => self.local(node, RegionalBody::DestroyKey(key_id)),
                Due::RemoveReplica { key_id, added_at } => {
                    self.propose(node, ControlBody::RemoveReplica { key_id, added_at });
                }
                Due::DeleteKeySet(key_id) => self.propose(node, ControlBody::DeleteKeySet { key_id }),
                Due::AwaitReplicaDeletion(key_id) => self.local(node, RegionalBody::AwaitReplicaDeletion(key_id)),
                Due::RotateKeySet(key_id) => self.stage(node, &key_id, RotationType::Automatic),
                Due::ExpireMaterial { key_id, material_id } => {
                    self.local(node, RegionalBody::ExpireMaterial { key_id, material_id });
                }
                Due::RotateKey(key_id) => unreachable!("{key_id} is a single-Region key with a schedule"),
            }
        }
        items
    }

    /// Draws new material and hands it to all holders.
    pub(super) fn stage(&mut self, node: usize, key_id: &KeyId, rotation_type: RotationType) {
        let Some(set) = self.nodes[node].control.key_set(key_id).cloned() else { return };
        self.number += 1;
        let material_id = cast::material(self.number);
        let source = self.nodes[node].region.clone();
        let boxed = set.holders.keys().map(|to| (to.clone(), cast::sealed(&source, to, &material_id)));
        let boxes: BTreeMap<_, _> = boxed.collect();
        let period = set.rotation.filter(|_| rotation_type == RotationType::Automatic);
        let next_rotation_at = period.map(|r| self.now.plus(DayLength::new(DAY).days(r.period_days)));
        let (key_id, expected_epoch) = (*key_id, set.epoch);
        let body = StageMaterial {
            key_id,
            expected_epoch,
            material_id,
            rotation_type,
            boxes,
            next_rotation_at,
            on_demand_limit: limits::ON_DEMAND_ROTATIONS_MAX,
        };
        self.propose(node, ControlBody::StageMaterial(body));
    }

    /// A step whose answer nobody waits for: not flushed here. A refusal means that the step came too late.
    fn local(&mut self, node: usize, body: RegionalBody) {
        let _refused = self.nodes[node].apply_regional(self.now, body);
    }

    fn create_resource(&mut self, node: usize, set: &Arc<KeySet>) {
        let holder = &set.holders[&self.nodes[node].region];
        let InitialProperties { policy, description, tags } = match &holder.status {
            HolderStatus::Creating(initial) => initial.clone(),
            HolderStatus::Ready => InitialProperties::default(),
        };
        let body = CreateReplica {
            key_id: set.key_id,
            account: set.account,
            spec: set.spec,
            usage: set.usage,
            origin: set.origin,
            created_at: holder.added_at,
            description,
            policy,
            tags,
        };
        self.local(node, RegionalBody::CreateReplica(Box::new(body)));
    }

    fn install(&mut self, node: usize, set: &Arc<KeySet>, ids: &[KeyMaterialId], complete: bool) {
        let region = &self.nodes[node].region;
        let opened = ids.iter().map(|id| cast::open(region, &set.material(id).unwrap().boxes[region]).unwrap());
        let wrap = |material_id: KeyMaterialId| NewMaterial { material_id, wrapped: material_id.as_bytes().to_vec() };
        let materials = opened.map(wrap).collect();
        self.local(node, RegionalBody::InstallMaterial(InstallMaterial { key_id: set.key_id, materials, complete }));
    }

    fn drive_rotation(&mut self, node: usize, set: &Arc<KeySet>, material_id: KeyMaterialId) {
        let holders: Vec<_> = set.holders.keys().cloned().collect();
        for region in holders {
            let asked = self.nodes.iter().position(|n| n.region == region).unwrap();
            let reachable = asked == node || (!self.nodes[asked].cut && !self.nodes[node].cut);
            // An answer is speech, too: what it says is flushed first.
            self.nodes[asked].flush();
            let record = self.nodes[asked].regional.key(&set.key_id);
            if !reachable || !record.is_some_and(|r| r.has_material(&material_id)) {
                return;
            }
        }
        let body = ActivateMaterial {
            key_id: set.key_id,
            expected_epoch: set.epoch,
            material_id,
            without: BTreeSet::new(),
            on_demand_limit: limits::ON_DEMAND_ROTATIONS_MAX,
        };
        self.propose(node, ControlBody::ActivateMaterial(body));
    }
}
