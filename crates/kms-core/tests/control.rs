//! Claims about the control log that deserve a name: rotation, lives of a replica, promotion, and what follows from the
//! two states. Random sequences are judged in `kms-sim`.
#![expect(clippy::unwrap_used, reason = "a step that fails is the result of the test")]

#[path = "control/checkpoints.rs"]
mod checkpoints;
#[path = "control/directory.rs"]
mod directory;
#[path = "control/imports.rs"]
mod imports;
#[path = "control/journal.rs"]
mod journal;
#[path = "control/residency.rs"]
mod residency;
#[path = "control/roles.rs"]
mod roles;
#[path = "control/session_keys.rs"]
mod session_keys;
#[path = "control/turns.rs"]
mod turns;

use kms_core::control::{
    ActivateMaterial, AddReplica, ControlBody, ControlCommand, ControlEffect, ControlOutcome, ControlState,
    CreateKeySet, FORMER_SIGNING_KEYS_MAX, InitialProperties, ProposalId, Refusal, RegionRole, RegisterRegion,
    SealedBox, SetRotation, StageMaterial, UpdatePrimary,
};
use kms_core::reconcile::{Step, next_step};
use kms_core::regional::{
    CreateReplica, InstallMaterial, NewMaterial, RegionalBody, RegionalCommand, RegionalOutcome, RegionalState,
    ScheduleDeletion,
};
use kms_core::schedule::{Due, due};
use kms_core::{LogPosition, RotationSchedule};
use kms_types::{AccountId, KeyId, KeyMaterialId, KeySpec, KeyUsage, Origin, RegionName, RotationType, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

struct Log {
    state: ControlState,
    now: u64,
}

impl Log {
    /// A cluster of two Regions with one key, whose primary is in `a()` and whose replica, if any, is in `b()`.
    fn with_key(replica: bool) -> Self {
        let mut log = Self { state: ControlState::default(), now: 0 };
        for region in [a(), b()] {
            let body =
                RegisterRegion { sealing_public_key: vec![1], role: RegionRole::Full, signing_public_key: Vec::new() };
            log.does(&region, ControlBody::RegisterRegion(body));
        }
        log.does(&a(), create(KeySpec::SymmetricDefault));
        log.report_ready(&a());
        if replica {
            log.replicate();
            log.report_ready(&b());
        }
        log
    }

    fn apply(&mut self, region: &RegionName, body: ControlBody) -> (ControlOutcome, Vec<ControlEffect>) {
        self.now += 1;
        let proposal_id = ProposalId(u128::from(self.now).to_be_bytes());
        let command = ControlCommand { proposal_id, region: region.clone(), at: at(self.now), body };
        let applied = self.state.apply(LogPosition::default(), &command);
        self.state.check_invariants().unwrap();
        (applied.outcome, applied.effects)
    }

    #[track_caller]
    fn does(&mut self, region: &RegionName, body: ControlBody) -> Vec<ControlEffect> {
        let (outcome, effects) = self.apply(region, body);
        assert_eq!(outcome, ControlOutcome::Done);
        effects
    }

    #[track_caller]
    fn refuses(&mut self, region: &RegionName, body: ControlBody, refusal: Refusal) {
        assert_eq!(self.apply(region, body).0, ControlOutcome::Refused(refusal));
    }

    fn added_at(&self, region: &RegionName) -> Timestamp {
        self.state.key_set(&key()).unwrap().holders[region].added_at
    }

    #[track_caller]
    fn report_ready(&mut self, region: &RegionName) {
        let added_at = self.added_at(region);
        self.does(region, ControlBody::ReplicaReady { key_id: key(), added_at });
    }

    #[track_caller]
    fn replicate(&mut self) {
        let set = self.state.key_set(&key()).unwrap();
        let boxes = set.materials.iter().map(|m| (m.material_id, sealed())).collect();
        let (expected_epoch, initial) = (set.epoch, InitialProperties::default());
        let body =
            AddReplica { key_id: key(), expected_epoch, replica: b(), boxes, initial, primary_tags: BTreeMap::new() };
        self.does(&a(), ControlBody::AddReplica(body));
    }

    /// Stages material number `n` for every holder.
    fn stage(&self, n: u8, rotation_type: RotationType) -> ControlBody {
        let set = self.state.key_set(&key()).unwrap();
        ControlBody::StageMaterial(StageMaterial {
            key_id: key(),
            expected_epoch: set.epoch,
            material_id: material(n),
            rotation_type,
            boxes: set.holders.keys().map(|region| (region.clone(), sealed())).collect(),
            next_rotation_at: None,
            on_demand_limit: 25,
        })
    }
}

fn a() -> RegionName {
    RegionName::parse("us-east-1").unwrap()
}

fn b() -> RegionName {
    RegionName::parse("eu-west-1").unwrap()
}

fn key() -> KeyId {
    KeyId::multi_region([7; 16])
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn material(n: u8) -> KeyMaterialId {
    KeyMaterialId::from_bytes([n; 32])
}

fn sealed() -> SealedBox {
    SealedBox { source: a(), bytes: vec![1] }
}

fn create(spec: KeySpec) -> ControlBody {
    ControlBody::CreateKeySet(CreateKeySet {
        key_id: key(),
        account: AccountId::parse("111122223333").unwrap(),
        spec,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        first: Some((material(1), sealed())),
        initial: InitialProperties::default(),
    })
}

fn activate(n: u8, expected_epoch: u64) -> ControlBody {
    ControlBody::ActivateMaterial(ActivateMaterial {
        key_id: key(),
        expected_epoch,
        material_id: material(n),
        without: BTreeSet::new(),
        on_demand_limit: 25,
    })
}

fn move_primary(from: RegionName, to: RegionName, expected_epoch: u64) -> ControlBody {
    ControlBody::UpdatePrimary(UpdatePrimary { key_id: key(), from, to, expected_epoch })
}

fn schedule(period_days: u32, next: u64) -> ControlBody {
    let schedule = Some(RotationSchedule { period_days, next_at: at(next) });
    ControlBody::SetRotation(SetRotation { key_id: key(), expected_epoch: 1, schedule })
}

#[test]
fn staged_material_is_not_current_until_it_is_activated() {
    let mut log = Log::with_key(true);
    let stage = log.stage(2, RotationType::OnDemand);
    log.does(&a(), stage);
    let set = log.state.key_set(&key()).unwrap();
    assert_eq!(set.current().map(|m| m.material_id), Some(material(1)));
    assert_eq!(set.staged().map(|m| m.material_id), Some(material(2)));
    log.refuses(&a(), log.stage(3, RotationType::OnDemand), Refusal::RotationInProgress);
    log.refuses(&a(), activate(3, 1), Refusal::NotStaged);
    log.does(&a(), activate(2, 1));
    assert_eq!(log.state.key_set(&key()).unwrap().current().map(|m| m.material_id), Some(material(2)));
}

#[test]
fn on_demand_rotations_are_used_up_after_twenty_five() {
    let mut log = Log::with_key(false);
    for n in 2..27 {
        let stage = log.stage(n, RotationType::OnDemand);
        log.does(&a(), stage);
        log.does(&a(), activate(n, 1));
    }
    log.refuses(&a(), log.stage(27, RotationType::OnDemand), Refusal::RotationLimit);
    log.does(&a(), schedule(90, 1));
    let automatic = log.stage(27, RotationType::Automatic);
    log.does(&a(), automatic);
}

#[test]
fn a_rotation_in_progress_is_not_due_again() {
    let mut log = Log::with_key(false);
    log.does(&a(), schedule(90, 100));
    assert_eq!(log.state.rotations_due(at(99)).count(), 0);
    assert_eq!(log.state.rotations_due(at(100)).count(), 1);
    let stage = log.stage(2, RotationType::OnDemand);
    log.does(&a(), stage);
    assert_eq!(log.state.rotations_due(at(100)).count(), 0);
    log.does(&a(), activate(2, 1));
    assert_eq!(log.state.rotations_due(at(100)).count(), 1);
}

#[test]
fn an_automatic_rotation_is_accepted_only_when_the_schedule_asks_for_it() {
    let mut log = Log::with_key(false);
    log.refuses(&a(), log.stage(2, RotationType::Automatic), Refusal::NotDue);
    log.does(&a(), schedule(90, 1_000));
    log.refuses(&a(), log.stage(2, RotationType::Automatic), Refusal::NotDue);
    log.now = 1_000;
    let due = log.stage(2, RotationType::Automatic);
    log.does(&a(), due);
}

#[test]
fn the_limit_of_on_demand_rotations_is_that_of_the_command() {
    let mut log = Log::with_key(false);
    let limited = |body| match body {
        ControlBody::StageMaterial(stage) => ControlBody::StageMaterial(StageMaterial { on_demand_limit: 1, ..stage }),
        _ => unreachable!(),
    };
    let first = limited(log.stage(2, RotationType::OnDemand));
    log.does(&a(), first);
    log.does(&a(), activate(2, 1));
    log.refuses(&a(), limited(log.stage(3, RotationType::OnDemand)), Refusal::RotationLimit);
}

#[test]
fn a_rotation_period_out_of_range_is_refused() {
    let mut log = Log::with_key(false);
    for days in [0, 89, 2561] {
        log.refuses(&a(), schedule(days, 100), Refusal::Malformed);
    }
    log.does(&a(), schedule(90, 100));
    log.does(&a(), schedule(2560, 100));
}

#[test]
fn a_new_signing_key_keeps_the_former_ones_and_a_missing_one_changes_nothing() {
    let mut log = Log { state: ControlState::default(), now: 0 };
    let register = |key: &[u8]| {
        ControlBody::RegisterRegion(RegisterRegion {
            sealing_public_key: vec![1],
            role: RegionRole::Full,
            signing_public_key: key.to_vec(),
        })
    };
    let line = |log: &Log| log.state.region(&a()).unwrap().clone();
    log.does(&a(), register(b""));
    assert_eq!((line(&log).signing_public_key.as_slice(), line(&log).former_signing_keys.len()), (&b""[..], 0));
    log.does(&a(), register(b"first"));
    assert_eq!((line(&log).signing_public_key.as_slice(), line(&log).former_signing_keys.len()), (&b"first"[..], 0));
    log.does(&a(), register(b"second"));
    log.does(&a(), register(b""));
    assert_eq!(line(&log).signing_public_key, b"second");
    assert_eq!(line(&log).former_signing_keys, [b"first"]);
    for n in 0..100_u8 {
        log.does(&a(), register(&[n]));
    }
    assert_eq!(line(&log).former_signing_keys.len(), FORMER_SIGNING_KEYS_MAX);
    assert_eq!(line(&log).former_signing_keys.last(), Some(&vec![98]));
    log.refuses(&a(), register(&[7; 4097]), Refusal::Malformed);
}

#[test]
fn keys_that_cannot_be_rotated_never_are() {
    let mut log = Log { state: ControlState::default(), now: 0 };
    let register =
        RegisterRegion { sealing_public_key: vec![1], role: RegionRole::Full, signing_public_key: Vec::new() };
    log.does(&a(), ControlBody::RegisterRegion(register));
    log.does(&a(), create(KeySpec::Rsa2048));
    log.refuses(&a(), schedule(90, 100), Refusal::NotRotatable);
    log.refuses(&a(), log.stage(2, RotationType::OnDemand), Refusal::NotRotatable);
}

#[test]
fn a_moved_primary_leaves_everything_but_role_and_epoch() {
    let mut log = Log::with_key(true);
    let before = log.state.key_set(&key()).unwrap().clone();
    let effects = log.does(&a(), move_primary(a(), b(), 1));
    let after = log.state.key_set(&key()).unwrap();
    assert_eq!((&after.primary, after.epoch), (&b(), 2));
    let as_before = kms_core::control::KeySet { primary: a(), epoch: 1, ..kms_core::control::KeySet::clone(after) };
    assert_eq!(as_before, *before);
    assert!(effects.contains(&ControlEffect::PrimaryMoved { key_id: key(), from: a(), to: b(), epoch: 2 }));
}

#[test]
fn a_former_primary_commits_nothing_more() {
    let mut log = Log::with_key(true);
    log.does(&a(), move_primary(a(), b(), 1));
    let not_primary = Refusal::NotPrimary { primary: b() };
    log.refuses(&a(), log.stage(2, RotationType::OnDemand), not_primary.clone());
    log.refuses(&a(), schedule(90, 100), not_primary.clone());
    log.refuses(&a(), ControlBody::DeleteKeySet { key_id: key() }, not_primary);
    // Back again, a command from before the two moves is stale by its epoch.
    log.does(&b(), move_primary(b(), a(), 2));
    log.refuses(&a(), schedule(90, 100), Refusal::WrongEpoch { current: 3 });
    log.refuses(&a(), move_primary(a(), b(), 1), Refusal::WrongEpoch { current: 3 });
}

#[test]
fn a_replica_that_is_not_ready_is_not_promoted() {
    let mut log = Log::with_key(false);
    log.refuses(&a(), move_primary(a(), b(), 1), Refusal::NoReplica);
    log.replicate();
    log.refuses(&a(), move_primary(a(), b(), 1), Refusal::NoReplica);
    log.report_ready(&b());
    log.does(&a(), move_primary(a(), b(), 1));
}

#[test]
fn the_primary_is_deleted_last() {
    let mut log = Log::with_key(true);
    log.refuses(&a(), ControlBody::DeleteKeySet { key_id: key() }, Refusal::ReplicasRemain);
    let (of_a, of_b) = (log.added_at(&a()), log.added_at(&b()));
    log.refuses(&a(), ControlBody::RemoveReplica { key_id: key(), added_at: of_a }, Refusal::AlreadyPrimary);
    log.does(&b(), ControlBody::RemoveReplica { key_id: key(), added_at: of_b });
    log.does(&a(), ControlBody::DeleteKeySet { key_id: key() });
    assert!(log.state.key_set(&key()).is_none());
}

#[test]
fn a_late_proposal_of_an_earlier_life_does_not_touch_a_later_one() {
    let mut log = Log::with_key(true);
    let first = log.added_at(&b());
    log.does(&b(), ControlBody::RemoveReplica { key_id: key(), added_at: first });
    log.replicate();
    log.refuses(&b(), ControlBody::ReplicaReady { key_id: key(), added_at: first }, Refusal::NoReplica);
    log.refuses(&b(), ControlBody::RemoveReplica { key_id: key(), added_at: first }, Refusal::NoReplica);
    log.report_ready(&b());
}

#[test]
fn a_region_does_not_change_its_role() {
    let mut log = Log::with_key(false);
    let witness =
        RegisterRegion { sealing_public_key: vec![], role: RegionRole::Witness, signing_public_key: Vec::new() };
    log.refuses(&a(), ControlBody::RegisterRegion(witness), Refusal::RoleMismatch);
    let no_key = RegisterRegion { sealing_public_key: vec![], role: RegionRole::Full, signing_public_key: Vec::new() };
    log.refuses(&a(), ControlBody::RegisterRegion(no_key), Refusal::Malformed);
}

/// The resource of the key in Region `b()`, created for the life that began at `created_at`.
fn resource(created_at: Timestamp) -> RegionalState {
    let mut state = RegionalState::default();
    let create = CreateReplica {
        key_id: key(),
        account: AccountId::parse("111122223333").unwrap(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        created_at,
        description: String::new(),
        policy: String::new(),
        tags: BTreeMap::new(),
    };
    edit(&mut state, RegionalBody::CreateReplica(Box::new(create)));
    state
}

fn edit(state: &mut RegionalState, body: RegionalBody) {
    assert_eq!(state.apply(&RegionalCommand { at: at(5), body }).outcome, RegionalOutcome::Done);
}

fn install(n: u8, complete: bool) -> RegionalBody {
    let materials = vec![NewMaterial { material_id: material(n), wrapped: vec![n] }];
    RegionalBody::InstallMaterial(InstallMaterial { key_id: key(), materials, complete })
}

#[test]
fn a_replica_comes_to_life_step_by_step() {
    let mut log = Log::with_key(false);
    log.replicate();
    let step = |log: &Log, regional: &RegionalState| {
        let set = log.state.key_set(&key()).map(AsRef::as_ref);
        next_step(&b(), set, regional.key(&key()).map(AsRef::as_ref))
    };
    assert_eq!(step(&log, &RegionalState::default()), Some(Step::CreateResource));
    let mut regional = resource(log.added_at(&b()));
    let missing = Step::Install { materials: vec![material(1)], complete: true };
    assert_eq!(step(&log, &regional), Some(missing));
    edit(&mut regional, install(1, true));
    assert_eq!(step(&log, &regional), Some(Step::ReportReady));
    log.report_ready(&b());
    assert_eq!(step(&log, &regional), None);
    let stage = log.stage(2, RotationType::OnDemand);
    log.does(&a(), stage);
    let staged = Step::Install { materials: vec![material(2)], complete: false };
    assert_eq!(step(&log, &regional), Some(staged));
    edit(&mut regional, install(2, false));
    // A replica does not drive the rotation, until it is primary.
    assert_eq!(step(&log, &regional), None);
    log.does(&b(), move_primary(a(), b(), 1));
    assert_eq!(step(&log, &regional), Some(Step::DriveRotation(material(2))));
}

#[test]
fn a_resource_of_an_earlier_life_is_destroyed_first() {
    let mut log = Log::with_key(true);
    let old = resource(at(log.added_at(&b()).millis() - 1));
    let set = log.state.key_set(&key()).map(AsRef::as_ref);
    assert_eq!(next_step(&b(), set, old.key(&key()).map(AsRef::as_ref)), Some(Step::Destroy));
    let added_at = log.added_at(&b());
    log.does(&b(), ControlBody::RemoveReplica { key_id: key(), added_at });
    let set = log.state.key_set(&key()).map(AsRef::as_ref);
    assert_eq!(next_step(&b(), set, old.key(&key()).map(AsRef::as_ref)), Some(Step::Destroy));
    assert_eq!(next_step(&b(), set, None), None);
}

#[test]
fn what_is_due_depends_on_the_role() {
    let mut log = Log::with_key(true);
    let added_at = log.added_at(&b());
    let mut regional = resource(added_at);
    edit(&mut regional, install(1, true));
    let delete = ScheduleDeletion { key_id: key(), window_days: 7, deletion_date: Some(at(100)) };
    edit(&mut regional, RegionalBody::ScheduleDeletion(delete));
    let due_in_b = |log: &Log, now: u64| due(&b(), &regional, &log.state, at(now), 10);
    assert_eq!(due_in_b(&log, 99), []);
    assert_eq!(due_in_b(&log, 100), [Due::RemoveReplica { key_id: key(), added_at }]);
    log.does(&b(), move_primary(a(), b(), 1));
    assert_eq!(due_in_b(&log, 100), [Due::AwaitReplicaDeletion(key())]);
    let of_a = log.added_at(&a());
    log.does(&a(), ControlBody::RemoveReplica { key_id: key(), added_at: of_a });
    assert_eq!(due_in_b(&log, 100), [Due::DeleteKeySet(key())]);
    log.does(&b(), ControlBody::DeleteKeySet { key_id: key() });
    assert_eq!(due_in_b(&log, 100), [Due::DestroyKey(key())]);
}

#[test]
fn only_the_primary_region_rotates_and_only_an_enabled_key() {
    let mut log = Log::with_key(true);
    log.does(&a(), schedule(90, 100));
    let mut regional = resource(log.added_at(&b()));
    edit(&mut regional, install(1, true));
    assert_eq!(due(&b(), &regional, &log.state, at(100), 10), []);
    log.does(&b(), move_primary(a(), b(), 1));
    assert_eq!(due(&b(), &regional, &log.state, at(100), 10), [Due::RotateKeySet(key())]);
    edit(&mut regional, RegionalBody::DisableKey(key()));
    assert_eq!(due(&b(), &regional, &log.state, at(100), 10), []);
}
