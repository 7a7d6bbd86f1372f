//! What must hold in the cluster after every event, and what must hold once it has healed.

use super::{Cluster, DAY, Node, imports};
use crate::{claims, rows};
use kms_core::control::{HolderStatus, KeySet};
use kms_core::regional::{KeyRecord, Lifecycle};
use kms_types::{DayLength, KeyId, RegionName};
use std::time::Duration;

/// Rounds of work after healing; each brings every key of every node one step further.
const HEALING_ROUNDS: usize = 60;

impl Cluster {
    /// Checks what holds at any moment.
    ///
    /// # Errors
    /// The claim that does not hold, in words.
    pub fn check(&self) -> Result<(), String> {
        claims::invariants(&self.latest)?;
        claims::one_primary(&self.latest)?;
        claims::boxes_for_holders_only(&self.latest)?;
        self.check_imports()?;
        self.check_grants()?;
        for node in &self.nodes {
            self.check_node(node).map_err(|broken| format!("{}: {broken}", node.region))?;
        }
        for ((region, key_id), life) in &self.kept {
            let node = self.node(|n| n.region == *region);
            if node.regional.key(key_id).is_none_or(|record| record.created_at != *life) {
                return Err(format!("{region}: {key_id} is gone although its deletion was cancelled"));
            }
        }
        Ok(())
    }

    fn check_node(&self, node: &Node) -> Result<(), String> {
        claims::invariants(&node.control)?;
        node.regional.check_invariants()?;
        if node.control != self.history[node.applied] {
            return Err(format!("another control state than the log's at index {}", node.applied));
        }
        let wrapped: Vec<_> = node.wrapped().into_keys().collect();
        if wrapped != node.recorded() {
            return Err("wrapped material and key records differ".to_owned());
        }
        for set in self.latest.key_sets() {
            self.check_installed(node, set)?;
        }
        for record in node.regional.keys_after(None) {
            // Clients ask for properties that name the time of their proposal, which is that of the replica's life.
            let life = record.created_at.millis().to_string();
            if record.tags.get("life") != Some(&life) {
                return Err(format!("{} has properties of another life", record.key_id));
            }
        }
        Ok(())
    }

    /// Activated material that was made here is installed in every holder whose key is usable and that was not left out.
    fn check_installed(&self, node: &Node, set: &KeySet) -> Result<(), String> {
        let Some(holder) = set.holders.get(&node.region) else { return Ok(()) };
        if holder.status != HolderStatus::Ready {
            return Ok(());
        }
        let record = node.regional.key(&set.key_id).filter(|r| r.created_at == holder.added_at);
        let Some(record) = record.filter(|r| r.lifecycle != Lifecycle::Creating) else {
            return Err(format!("{}: ready, but without its key resource", set.key_id));
        };
        for version in set.materials.iter().filter(|_| !set.is_external()) {
            let Some(activation) = &version.activation else { continue };
            let left_out = activation.without.contains(&node.region);
            if !left_out && !record.has_material(&version.material_id) {
                return Err(format!("{}: {} is in use but not installed", set.key_id, version.material_id));
            }
        }
        Ok(())
    }

    /// Joins all nodes, commits and delivers everything, works until nobody has anything to do, and checks that the
    /// Regions agree.
    ///
    /// # Errors
    /// What did not converge, in words.
    pub fn heal(&mut self) -> Result<(), String> {
        self.nodes.iter_mut().for_each(|node| node.cut = false);
        self.settle()?;
        self.check_converged(false)?;
        // Every waiting period ends, first those of replicas, then those of primaries that waited for them.
        for _ in 0..4 {
            self.now = self.now.plus(DayLength::new(DAY).days(8));
            self.settle()?;
        }
        self.check_converged(true)
    }

    fn settle(&mut self) -> Result<(), String> {
        let mut busy = String::new();
        for _ in 0..HEALING_ROUNDS {
            busy.clear();
            while !self.in_flight.is_empty() {
                self.commit(0);
            }
            for node in 0..self.nodes.len() {
                self.deliver(node, usize::MAX);
                self.now = self.now.plus(Duration::from_millis(1));
                let due = self.do_what_is_due(node);
                let steps: Vec<_> =
                    (0..self.keys_of(node).len()).rev().filter_map(|key| self.synchronise(node, key)).collect();
                if !(due.is_empty() && steps.is_empty()) {
                    busy.push_str(&format!("{}: {due:?} {steps:?}; ", self.nodes[node].region));
                }
            }
            self.check()?;
            if busy.is_empty() && self.in_flight.is_empty() {
                self.nodes.iter_mut().for_each(Node::flush);
                return Ok(());
            }
        }
        Err(format!("never quiet: {busy}"))
    }

    fn check_converged(&self, after_all_periods: bool) -> Result<(), String> {
        for node in &self.nodes {
            if node.control != self.latest {
                return Err(format!("{} is behind", node.region));
            }
            let held = self.latest.key_sets().filter(|set| set.is_held_by(&node.region)).map(|set| set.key_id);
            if !held.eq(node.regional.keys_after(None).map(|record| record.key_id)) {
                return Err(format!("{} has other keys than it holds", node.region));
            }
            for record in node.regional.keys_after(None) {
                self.check_record(&node.region, record, after_all_periods)?;
            }
            let mut restarted = node.disk.regional.clone();
            restarted.retain(|key, _| key.first() != Some(&kms_proto::regional_codec::MATERIAL_PREFIX));
            if restarted != rows::of_regional(&node.regional) {
                return Err(format!("{} would be another after a restart", node.region));
            }
        }
        Ok(())
    }

    fn check_record(&self, region: &RegionName, record: &KeyRecord, after_all_periods: bool) -> Result<(), String> {
        let key_id: KeyId = record.key_id;
        let set = self.latest.key_set(&key_id).ok_or(format!("{key_id}: no key set"))?;
        let rotates = set.staged().is_some() && !set.is_external();
        if rotates || !set.holders.values().all(|h| h.status == HolderStatus::Ready) {
            return Err(format!("{key_id}: a rotation or a replica is unfinished"));
        }
        if set.is_external() {
            imports::check_converged(region, set, record)?;
        } else if !set.materials.iter().all(|m| record.has_material(&m.material_id)) {
            return Err(format!("{key_id}: material is missing"));
        }
        match record.lifecycle {
            Lifecycle::Creating => Err(format!("{key_id}: still being created")),
            Lifecycle::PendingReplicaDeletion { .. } if set.replicas().next().is_none() => {
                Err(format!("{key_id}: waits for replicas that are gone"))
            }
            Lifecycle::PendingDeletion { .. } if after_all_periods => Err(format!("{key_id}: never deleted")),
            _ => Ok(()),
        }
    }

    fn node(&self, is: impl Fn(&Node) -> bool) -> &Node {
        self.nodes.iter().find(|node| is(node)).unwrap()
    }
}
