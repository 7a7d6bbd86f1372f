//! A naive model of the control log, written from the design and not from the core: who is primary, at which epoch, who
//! holds the key, who has imported what, and whether a command is accepted. Slow and simple; it keeps no boxes and no
//! reasons.

mod directory;
mod imports;
mod residency;

pub use residency::Life;

pub use directory::{DirectoryModel, Role, User};

use kms_core::control::{ControlBody, ControlCommand, CreateKeySet, ProposalId, RegionRole, StageMaterial};
use kms_types::{KeyId, KeyMaterialId, KeySpec, Origin, RegionName, RotationType, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What the model believes.
#[derive(Clone, Debug, Default)]
pub struct Model {
    regions: BTreeMap<RegionName, RegionRole>,
    /// The sealing key of every Region, and since when it is in the directory.
    sealing: BTreeMap<RegionName, (Vec<u8>, Timestamp)>,
    directory: DirectoryModel,
    keys: BTreeMap<KeyId, Key>,
    verdicts: BTreeMap<ProposalId, bool>,
    residency: residency::Residency,
}

/// One key as the model sees it.
#[derive(Clone, Debug)]
pub struct Key {
    /// The primary Region.
    pub primary: RegionName,
    /// How often the primary changed, plus one.
    pub epoch: u64,
    /// Every holding Region: when it was added, and whether it said that it is ready.
    pub holders: BTreeMap<RegionName, (Timestamp, bool)>,
    /// Activated material, in order.
    pub activated: Vec<KeyMaterialId>,
    /// Staged material.
    pub staged: Option<KeyMaterialId>,
    /// Of an EXTERNAL key, who has imported what.
    pub imports: BTreeSet<(KeyMaterialId, RegionName)>,
    on_demand: u32,
    symmetric: bool,
    external: bool,
    /// When an automatic rotation is due.
    next_rotation: Option<Timestamp>,
}

impl Model {
    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = (&KeyId, &Key)> {
        self.keys.iter()
    }

    /// Takes in one command and says whether it is accepted. A repeated proposal gets its first verdict again.
    pub fn judge(&mut self, command: &ControlCommand) -> bool {
        if let Some(verdict) = self.verdicts.get(&command.proposal_id) {
            return *verdict;
        }
        let key_before = subject(&command.body).and_then(|key_id| self.keys.get(key_id));
        let was_ready = key_before.and_then(|key| key.holders.get(&command.region)).is_some_and(|(_, ready)| *ready);
        let external = key_before.is_some_and(|key| key.external);
        let verdict = self.take_in(command).is_some();
        if verdict {
            self.note_lives(command, was_ready, external);
        }
        self.verdicts.insert(command.proposal_id, verdict);
        verdict
    }

    fn may_hold(&self, region: &RegionName) -> Option<()> {
        (self.regions.get(region) == Some(&RegionRole::Full)).then_some(())
    }

    fn led_by(&mut self, region: &RegionName, key_id: &KeyId, epoch: u64) -> Option<&mut Key> {
        self.keys.get_mut(key_id).filter(|key| key.primary == *region && key.epoch == epoch)
    }

    /// `None` when the command is refused; then nothing was changed.
    fn take_in(&mut self, command: &ControlCommand) -> Option<()> {
        let (me, at) = (&command.region, command.at);
        match &command.body {
            ControlBody::RegisterRegion(b) => {
                let same_role = self.regions.get(me).is_none_or(|role| *role == b.role);
                let has_key = !b.sealing_public_key.is_empty();
                (same_role && has_key == (b.role == RegionRole::Full)).then_some(())?;
                self.regions.insert(me.clone(), b.role);
                // These Regions have no signing key, which would count as well.
                let same_key = self.sealing.get(me).is_some_and(|(key, _)| *key == b.sealing_public_key);
                if !same_key {
                    self.sealing.insert(me.clone(), (b.sealing_public_key.clone(), at));
                }
            }
            ControlBody::CreateKeySet(b) => self.take_in_creation(me, at, b)?,
            ControlBody::AddReplica(b) => {
                self.may_hold(&b.replica)?;
                let tags = [&b.initial.tags, &b.primary_tags];
                self.allowed(&self.account_of(&b.key_id)?, &b.key_id, &tags, &b.replica)?;
                let key = self.led_by(me, &b.key_id, b.expected_epoch)?;
                let versions: BTreeSet<_> = key.activated.iter().chain(&key.staged).filter(|_| !key.external).collect();
                (!key.holders.contains_key(&b.replica) && b.boxes.keys().eq(versions)).then_some(())?;
                key.holders.insert(b.replica.clone(), (at, false));
            }
            ControlBody::ReplicaReady { key_id, added_at } => {
                self.keys.get_mut(key_id)?.holders.get_mut(me).filter(|(since, _)| since == added_at)?.1 = true;
            }
            ControlBody::RemoveReplica { key_id, added_at } => {
                let key = self.keys.get_mut(key_id).filter(|key| key.primary != *me)?;
                key.holders.get(me).filter(|(since, _)| since == added_at)?;
                key.holders.remove(me);
                key.imports.retain(|(_, region)| region != me);
            }
            ControlBody::DeleteKeySet { key_id } => {
                self.keys.get(key_id).filter(|key| key.primary == *me && key.holders.len() == 1)?;
                self.keys.remove(key_id);
            }
            ControlBody::StageMaterial(b) => self.take_in_stage(me, at, b)?,
            ControlBody::ActivateMaterial(b) => {
                let key = self.led_by(me, &b.key_id, b.expected_epoch)?;
                let others = b.without.iter().all(|region| region != me && key.holders.contains_key(region));
                (others && key.staged == Some(b.material_id) && key.may_activate(b)).then_some(())?;
                key.on_demand += u32::from(key.external);
                key.activated.extend(key.staged.take());
            }
            ControlBody::SetRotation(b) => {
                let key = self.led_by(me, &b.key_id, b.expected_epoch)?;
                (key.rotates() && b.schedule.is_none_or(|s| (90..=2560).contains(&s.period_days))).then_some(())?;
                key.next_rotation = b.schedule.map(|s| s.next_at);
            }
            ControlBody::UpdatePrimary(b) => {
                // Whoever asks: a Region that was cut off cannot know, and a majority decides.
                let key = self.keys.get_mut(&b.key_id)?;
                let ready = key.holders.get(&b.to).is_some_and(|(_, ready)| *ready);
                let current = key.primary == b.from && key.epoch == b.expected_epoch;
                (current && ready && b.from != b.to).then_some(())?;
                key.primary = b.to.clone();
                key.epoch += 1;
            }
            ControlBody::Identity(body) => self.take_in_identity(me, at, body)?,
            ControlBody::OfferImportedMaterial(_)
            | ControlBody::ReportImport(_)
            | ControlBody::WithdrawImportedMaterial { .. } => self.take_in_import(me, &command.body)?,
            ControlBody::PutResidencyRules(b) => self.take_in_rules(b)?,
            // Nothing of a key follows from a checkpoint, and none is drawn.
            ControlBody::SignCheckpoint(_) | ControlBody::CountersignCheckpoint(_) => return None,
        }
        Some(())
    }
    fn take_in_creation(&mut self, me: &RegionName, at: Timestamp, b: &CreateKeySet) -> Option<()> {
        self.may_hold(me)?;
        self.allowed(&b.account, &b.key_id, &[&b.initial.tags], me)?;
        let fits = b.first.is_none() == (b.origin == Origin::External);
        (b.key_id.is_multi_region() && fits && !self.keys.contains_key(&b.key_id)).then_some(())?;
        let key = Key {
            primary: me.clone(),
            epoch: 1,
            holders: BTreeMap::from([(me.clone(), (at, false))]),
            activated: b.first.iter().map(|(id, _)| *id).collect(),
            staged: None,
            imports: BTreeSet::new(),
            on_demand: 0,
            next_rotation: None,
            symmetric: b.spec == KeySpec::SymmetricDefault,
            external: b.origin == Origin::External,
        };
        self.keys.insert(b.key_id, key);
        Some(())
    }

    fn take_in_stage(&mut self, me: &RegionName, at: Timestamp, b: &StageMaterial) -> Option<()> {
        let key = self.led_by(me, &b.key_id, b.expected_epoch)?;
        let on_demand = u32::from(b.rotation_type == RotationType::OnDemand);
        (on_demand == 1 || key.next_rotation.is_some_and(|due| due <= at)).then_some(())?;
        let fits = b.boxes.keys().eq(key.holders.keys()) && !key.activated.contains(&b.material_id);
        (key.rotates() && key.staged.is_none() && fits && key.on_demand + on_demand <= 25).then_some(())?;
        key.on_demand += on_demand;
        key.next_rotation = key.next_rotation.map(|due| b.next_rotation_at.unwrap_or(due));
        key.staged = Some(b.material_id);
        Some(())
    }
}

/// The key that a command is about, where its readiness or origin matters.
fn subject(body: &ControlBody) -> Option<&KeyId> {
    match body {
        ControlBody::ReplicaReady { key_id, .. } => Some(key_id),
        ControlBody::ActivateMaterial(b) => Some(&b.key_id),
        _ => None,
    }
}

impl Key {
    fn rotates(&self) -> bool {
        self.symmetric && !self.external
    }
}
