//! Random commands in two moves: proptest draws an abstract wish, and the current state makes it a concrete command,
//! so that many succeed. A flaw makes one thing about a command wrong, so that many are refused for one reason each.

mod directory;
mod imports;
mod residency;

use crate::cast;
use kms_core::RotationSchedule;
use kms_core::control::{
    ActivateMaterial, AddReplica, ControlBody, ControlCommand, ControlState, CreateKeySet, KeySet, ProposalId,
    RegionRole, RegisterRegion, SealedBox, SetRotation, StageMaterial, UpdatePrimary,
};
use kms_types::{KeyId, KeySpec, KeyUsage, Origin, RegionName, RotationType, Timestamp, limits};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are those of ControlBody, and the repetition of an earlier command")]
pub enum Wish {
    Register,
    Create,
    CreateAsymmetric,
    CreateExternal,
    CreateExternalAsymmetric,
    AddReplica,
    Ready,
    Remove,
    Delete,
    StageOnDemand,
    StageAutomatic,
    Activate,
    ActivateWithoutOthers,
    SetRotation,
    UpdatePrimary,
    Offer,
    Report,
    ReportAbsent,
    Withdraw,
    CreateUser,
    ChangeUser,
    DeleteUser,
    CreateAccessKey,
    EnableAccessKey,
    DeleteAccessKey,
    ResealAccessKey,
    CreateRole,
    ChangeRole,
    DeleteRole,
    CreateSessionKey,
    ResealSessionKey,
    PutRules,
    Repeat,
}

/// One thing that is wrong about a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// An epoch that is yet to come, or an earlier life of a replica.
    Epoch,
    /// Another Region proposes.
    Proposer,
    /// No such key.
    Key,
    /// One box is missing, or belongs to somebody else.
    Boxes,
    /// Another material.
    Material,
    /// A Region that cannot hold keys, or a value out of range.
    Value,
}

/// One abstract command.
#[derive(Clone, Debug)]
pub struct Draw {
    wish: Wish,
    flaw: Option<Flaw>,
    region: usize,
    key: prop::sample::Index,
}

/// Random abstract commands.
pub fn draw() -> impl Strategy<Value = Draw> {
    use Wish as W;
    let wish = prop_oneof![
        2 => Just(W::Register),
        3 => Just(W::Create),
        1 => Just(W::CreateAsymmetric),
        3 => Just(W::CreateExternal),
        1 => Just(W::CreateExternalAsymmetric),
        6 => Just(W::AddReplica),
        6 => Just(W::Ready),
        2 => Just(W::Remove),
        1 => Just(W::Delete),
        3 => Just(W::StageOnDemand),
        2 => Just(W::StageAutomatic),
        4 => Just(W::Activate),
        1 => Just(W::ActivateWithoutOthers),
        2 => Just(W::SetRotation),
        5 => Just(W::UpdatePrimary),
        6 => Just(W::Offer),
        8 => Just(W::Report),
        1 => Just(W::ReportAbsent),
        2 => Just(W::Withdraw),
        3 => Just(W::CreateUser),
        3 => Just(W::ChangeUser),
        1 => Just(W::DeleteUser),
        3 => Just(W::CreateAccessKey),
        1 => Just(W::EnableAccessKey),
        1 => Just(W::DeleteAccessKey),
        5 => Just(W::ResealAccessKey),
        2 => Just(W::CreateRole),
        3 => Just(W::ChangeRole),
        1 => Just(W::DeleteRole),
        4 => Just(W::CreateSessionKey),
        4 => Just(W::ResealSessionKey),
        1 => Just(W::PutRules),
        2 => Just(W::Repeat),
    ];
    let flaws = vec![Flaw::Epoch, Flaw::Proposer, Flaw::Key, Flaw::Boxes, Flaw::Material, Flaw::Value];
    let flaw = proptest::option::weighted(0.25, select(flaws));
    (wish, flaw, 0..cast::HOLDING_REGIONS, any::<prop::sample::Index>()).prop_map(|(wish, flaw, region, key)| Draw {
        wish,
        flaw,
        region,
        key,
    })
}

/// Makes concrete commands; numbers them, so that IDs never repeat by accident.
#[derive(Debug, Default)]
pub struct Proposer {
    sent: Vec<ControlCommand>,
    number: u64,
}

impl Proposer {
    /// Commands that put the Regions into the directory: three that hold keys, and a witness.
    pub fn directory(&mut self) -> Vec<ControlCommand> {
        let register = |n: usize| {
            let role = if n < cast::HOLDING_REGIONS { RegionRole::Full } else { RegionRole::Witness };
            let sealing_public_key = if role == RegionRole::Full { vec![1] } else { Vec::new() };
            (
                cast::region(n),
                ControlBody::RegisterRegion(RegisterRegion {
                    sealing_public_key,
                    role,
                    signing_public_key: Vec::new(),
                }),
            )
        };
        (0..=cast::HOLDING_REGIONS).map(register).map(|(region, body)| self.wrap(region, body)).collect()
    }

    /// The command that a draw means in this state.
    pub fn concrete(&mut self, state: &ControlState, draw: &Draw) -> ControlCommand {
        if draw.wish == Wish::Repeat && !self.sent.is_empty() {
            return draw.key.get(&self.sent).clone();
        }
        let sets: Vec<&Arc<KeySet>> = state.key_sets().collect();
        let set = if sets.is_empty() { None } else { Some(draw.key.get(&sets)) };
        let (mut region, mut body) = match set {
            _ if draw.wish.is_about_the_directory() => self.about_the_directory(state, draw),
            _ if draw.wish == Wish::PutRules => (cast::region(draw.region), self.put_rules(state, draw)),
            Some(set) => self.about(set, draw),
            None => (cast::region(draw.region), self.create(draw)),
        };
        if draw.flaw == Some(Flaw::Proposer) {
            region = cast::region(draw.region + 1);
        }
        if draw.flaw == Some(Flaw::Key) {
            set_key(&mut body, cast::multi_region_key(1 << 40));
        }
        let mut command = self.wrap(region, body);
        if draw.wish == Wish::CreateSessionKey {
            command.at = directory::hours_apart(self.number);
        }
        self.sent.push(command.clone());
        command
    }

    fn wrap(&mut self, region: RegionName, body: ControlBody) -> ControlCommand {
        let number = self.next();
        let proposal_id = ProposalId(u128::from(number).to_be_bytes());
        ControlCommand { proposal_id, region, at: Timestamp::from_millis(number), body }
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn about(&mut self, set: &KeySet, draw: &Draw) -> (RegionName, ControlBody) {
        let chosen = cast::region(draw.region);
        let other = set.replicas().nth(draw.region % 2).or(set.replicas().next()).cloned();
        let leader = set.primary.clone();
        let key_id = set.key_id;
        let epoch = set.epoch + u64::from(draw.flaw == Some(Flaw::Epoch));
        match draw.wish {
            Wish::Register => (chosen, self.register(draw)),
            Wish::Create
            | Wish::CreateAsymmetric
            | Wish::CreateExternal
            | Wish::CreateExternalAsymmetric
            | Wish::CreateUser
            | Wish::ChangeUser
            | Wish::DeleteUser
            | Wish::CreateAccessKey
            | Wish::EnableAccessKey
            | Wish::DeleteAccessKey
            | Wish::ResealAccessKey
            | Wish::CreateRole
            | Wish::ChangeRole
            | Wish::DeleteRole
            | Wish::CreateSessionKey
            | Wish::ResealSessionKey
            | Wish::PutRules
            | Wish::Repeat => (chosen, self.create(draw)),
            Wish::Offer => (leader, self.offer(set, epoch, draw)),
            Wish::Report | Wish::ReportAbsent => self.report(set, draw),
            Wish::Withdraw => (leader, self.withdraw(set, epoch, draw)),
            Wish::AddReplica => (leader, self.add_replica(set, epoch, draw)),
            Wish::Ready => {
                let waiting = set.holders.iter().find(|(_, h)| h.status != kms_core::control::HolderStatus::Ready);
                let region = waiting.map_or(chosen, |(region, _)| region.clone());
                let added_at = life(set, &region, draw);
                (region, ControlBody::ReplicaReady { key_id, added_at })
            }
            Wish::Remove => {
                let region = other.unwrap_or(leader);
                let added_at = life(set, &region, draw);
                (region, ControlBody::RemoveReplica { key_id, added_at })
            }
            Wish::Delete => (leader, ControlBody::DeleteKeySet { key_id }),
            Wish::StageOnDemand => (leader, self.stage(set, epoch, RotationType::OnDemand, draw)),
            Wish::StageAutomatic => (leader, self.stage(set, epoch, RotationType::Automatic, draw)),
            Wish::Activate | Wish::ActivateWithoutOthers => (leader, activate(set, epoch, draw)),
            Wish::SetRotation => (leader, self.set_rotation(key_id, epoch, draw)),
            Wish::UpdatePrimary => {
                let from = if draw.flaw == Some(Flaw::Value) { chosen.clone() } else { leader };
                let to = other.unwrap_or_else(|| cast::region(draw.region + 1));
                // Any Region may ask for it.
                (chosen, ControlBody::UpdatePrimary(UpdatePrimary { key_id, from, to, expected_epoch: epoch }))
            }
        }
    }

    fn register(&mut self, draw: &Draw) -> ControlBody {
        let role = if draw.flaw == Some(Flaw::Value) { RegionRole::Witness } else { RegionRole::Full };
        let renewed = self.next().to_be_bytes().to_vec();
        let sealing_public_key = if draw.flaw == Some(Flaw::Boxes) { Vec::new() } else { renewed };
        ControlBody::RegisterRegion(RegisterRegion { sealing_public_key, role, signing_public_key: Vec::new() })
    }

    fn create(&mut self, draw: &Draw) -> ControlBody {
        let number = self.next();
        let region = cast::region(draw.region);
        let material_id = cast::material(number);
        let asymmetric = matches!(draw.wish, Wish::CreateAsymmetric | Wish::CreateExternalAsymmetric);
        let external = matches!(draw.wish, Wish::CreateExternal | Wish::CreateExternalAsymmetric);
        // With a flaw, an EXTERNAL key that comes with material or another one without.
        let without_material = external != (draw.flaw == Some(Flaw::Boxes));
        let single = draw.flaw == Some(Flaw::Value);
        let key_id = if single { cast::single_region_key(number) } else { cast::multi_region_key(number) };
        let mut initial = cast::initial(Timestamp::from_millis(number));
        initial.tags.extend(residency::sometimes_home(number, 4));
        ControlBody::CreateKeySet(CreateKeySet {
            key_id,
            account: cast::account(),
            spec: if asymmetric { KeySpec::EccNistP256 } else { KeySpec::SymmetricDefault },
            usage: if asymmetric { KeyUsage::SignVerify } else { KeyUsage::EncryptDecrypt },
            origin: if external { Origin::External } else { Origin::AwsKms },
            first: (!without_material).then(|| (material_id, cast::sealed(&region, &proposer(draw), &material_id))),
            initial,
        })
    }

    fn add_replica(&mut self, set: &KeySet, expected_epoch: u64, draw: &Draw) -> ControlBody {
        let free = (0..cast::HOLDING_REGIONS).map(cast::region).find(|region| !set.is_held_by(region));
        let witness = draw.flaw == Some(Flaw::Value);
        let replica = free.filter(|_| !witness).unwrap_or_else(|| cast::region(draw.region + usize::from(witness) * 3));
        let boxed = |id| (id, cast::sealed(&set.primary, &replica, &id));
        let versions = set.materials.iter().filter(|_| set.origin != Origin::External);
        let mut boxes: BTreeMap<_, SealedBox> = versions.map(|m| boxed(m.material_id)).collect();
        if draw.flaw == Some(Flaw::Boxes) && boxes.pop_last().is_none() {
            boxes.extend([boxed(cast::material(self.next()))]);
        }
        if draw.flaw == Some(Flaw::Material) {
            boxes.pop_last();
            let (id, sealed) = boxed(cast::material(self.next()));
            boxes.insert(id, sealed);
        }
        let mut initial = cast::initial(Timestamp::from_millis(self.number));
        initial.tags.extend(residency::sometimes_home(self.number, 5));
        let primary_tags = residency::sometimes_home(self.number, 7);
        let key_id = set.key_id;
        ControlBody::AddReplica(AddReplica { key_id, expected_epoch, replica, boxes, initial, primary_tags })
    }

    fn stage(&mut self, set: &KeySet, expected_epoch: u64, rotation_type: RotationType, draw: &Draw) -> ControlBody {
        let known = set.materials.first().map(|m| m.material_id).filter(|_| draw.flaw == Some(Flaw::Material));
        let material_id = known.unwrap_or_else(|| cast::material(self.next()));
        let boxed = |region: &RegionName| (region.clone(), cast::sealed(&set.primary, region, &material_id));
        let mut boxes: BTreeMap<_, _> = set.holders.keys().map(boxed).collect();
        match draw.flaw {
            Some(Flaw::Boxes) => drop(boxes.pop_last()),
            Some(Flaw::Value) => boxes.extend([boxed(&cast::region(3))]),
            _ => {}
        }
        let next_rotation_at =
            (rotation_type == RotationType::Automatic).then(|| Timestamp::from_millis(self.number * 3));
        let key_id = set.key_id;
        ControlBody::StageMaterial(StageMaterial {
            key_id,
            expected_epoch,
            material_id,
            rotation_type,
            boxes,
            next_rotation_at,
            on_demand_limit: limits::ON_DEMAND_ROTATIONS_MAX,
        })
    }

    fn set_rotation(&mut self, key_id: KeyId, expected_epoch: u64, draw: &Draw) -> ControlBody {
        let period_days = if draw.flaw == Some(Flaw::Value) { 89 } else { 365 };
        // One kind of schedule is due at once, the other later.
        let next_at = Timestamp::from_millis(self.next() * u64::try_from(draw.region).unwrap_or_default());
        let schedule = (draw.region != 0).then_some(RotationSchedule { period_days, next_at });
        ControlBody::SetRotation(SetRotation { key_id, expected_epoch, schedule })
    }
}

fn activate(set: &KeySet, expected_epoch: u64, draw: &Draw) -> ControlBody {
    let staged = set.staged().map(|m| m.material_id).filter(|_| draw.flaw != Some(Flaw::Material));
    let material_id = staged.or(set.materials.first().map(|m| m.material_id)).unwrap_or(cast::material(0));
    let mut without: BTreeSet<RegionName> = BTreeSet::new();
    if draw.wish == Wish::ActivateWithoutOthers {
        without.extend(set.replicas().cloned());
    }
    match draw.flaw {
        Some(Flaw::Value) => drop(without.insert(cast::region(3))),
        Some(Flaw::Boxes) => drop(without.insert(set.primary.clone())),
        _ => {}
    }
    ControlBody::ActivateMaterial(ActivateMaterial {
        key_id: set.key_id,
        expected_epoch,
        material_id,
        without,
        on_demand_limit: limits::ON_DEMAND_ROTATIONS_MAX,
    })
}

/// When the Region was added, or, with a flaw, an earlier time.
fn life(set: &KeySet, region: &RegionName, draw: &Draw) -> Timestamp {
    let earlier = u64::from(draw.flaw == Some(Flaw::Epoch));
    let added_at = set.holders.get(region).map_or(0, |holder| holder.added_at.millis());
    Timestamp::from_millis(added_at.saturating_sub(earlier))
}

/// The Region that proposes a creation, its flaw included; the box must open there.
fn proposer(draw: &Draw) -> RegionName {
    cast::region(draw.region + usize::from(draw.flaw == Some(Flaw::Proposer)))
}

fn set_key(body: &mut ControlBody, other: KeyId) {
    match body {
        ControlBody::RegisterRegion(_)
        | ControlBody::PutResidencyRules(_)
        | ControlBody::SignCheckpoint(_)
        | ControlBody::CountersignCheckpoint(_)
        | ControlBody::Identity(_) => {}
        ControlBody::CreateKeySet(b) => b.key_id = other,
        ControlBody::AddReplica(b) => b.key_id = other,
        ControlBody::ReplicaReady { key_id, .. }
        | ControlBody::RemoveReplica { key_id, .. }
        | ControlBody::DeleteKeySet { key_id } => *key_id = other,
        ControlBody::StageMaterial(b) => b.key_id = other,
        ControlBody::ActivateMaterial(b) => b.key_id = other,
        ControlBody::SetRotation(b) => b.key_id = other,
        ControlBody::UpdatePrimary(b) => b.key_id = other,
        ControlBody::OfferImportedMaterial(b) => b.key_id = other,
        ControlBody::ReportImport(b) => b.key_id = other,
        ControlBody::WithdrawImportedMaterial { key_id, .. } => *key_id = other,
    }
}
