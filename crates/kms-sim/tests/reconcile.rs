//! From any pair of states, the steps of `reconcile` lead to two states that agree, in a bounded number of steps.
//!
//! A failing case prints its smallest input and keeps its seed in `reconcile.proptest-regressions`; commit that file, and
//! run `cargo test -p kms-sim --test reconcile` to replay it.

use kms_core::LogPosition;
use kms_core::control::{
    ActivateMaterial, ControlBody, ControlCommand, ControlOutcome, ControlState, KeySet, ProposalId, ReportImport,
};
use kms_core::reconcile::{Step, next_step};
use kms_core::regional::{
    CreateReplica, ImportedMaterial, InstallMaterial, KeyRecord, Lifecycle, LocalMaterial, NewMaterial, RegionalBody,
    RegionalChange, RegionalCommand, RegionalOutcome, RegionalState,
};
use kms_sim::cast;
use kms_sim::draw::{Draw, Proposer, draw};
use kms_types::{KeyMaterialId, RegionName, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One step per version and kind of step, and a few for the resource.
const STEPS_MAX: usize = 64;

/// What a Region has of a key, however it came to that.
#[derive(Clone, Debug)]
struct Found {
    lifecycle: usize,
    earlier_life: bool,
    /// Of each version of the key set: whether it is known here, of an earlier life, present, pending.
    versions: Vec<(bool, bool, bool, bool)>,
    /// A version that the key set does not have.
    stray: Option<(bool, bool)>,
}

fn found() -> impl Strategy<Value = Option<Found>> {
    let versions = vec((any::<bool>(), prop::bool::weighted(0.2), any::<bool>(), any::<bool>()), 8);
    let stray = proptest::option::weighted(0.3, (any::<bool>(), any::<bool>()));
    let found = (0..5_usize, prop::bool::weighted(0.2), versions, stray)
        .prop_map(|(lifecycle, earlier_life, versions, stray)| Found { lifecycle, earlier_life, versions, stray });
    proptest::option::weighted(0.9, found)
}

impl Found {
    fn record(&self, set: &KeySet, region: &RegionName) -> KeyRecord {
        let added_at = set.holders.get(region).map_or(0, |holder| holder.added_at.millis());
        let local = |material_id, created_at: u64, present: bool, pending| LocalMaterial {
            material_id,
            created_at: Timestamp::from_millis(created_at),
            rotation: None,
            import: set.is_external().then(|| ImportedMaterial { present, pending, ..ImportedMaterial::default() }),
        };
        let drawn = set.materials.iter().zip(self.versions.iter().cycle());
        let known = drawn.filter(|(_, (known, ..))| *known).map(|(version, (_, earlier, present, pending))| {
            // A Region can settle a version only once the key set has activated it.
            let pending = *pending || version.activation.is_none();
            local(version.material_id, version.created_at.millis() - u64::from(*earlier), *present, pending)
        });
        let stray = self.stray.filter(|_| set.is_external());
        let stray = stray.map(|(present, pending)| local(cast::material(u64::MAX), 1, present, pending));
        let lifecycles = [
            Lifecycle::Creating,
            Lifecycle::Enabled,
            Lifecycle::Disabled,
            Lifecycle::PendingDeletion { deletion_date: Timestamp::from_millis(1 << 50), window_days: 7 },
            Lifecycle::PendingReplicaDeletion { window_days: 7 },
        ];
        let mut record = KeyRecord {
            key_id: set.key_id,
            account: set.account,
            spec: set.spec,
            usage: set.usage,
            origin: set.origin,
            created_at: Timestamp::from_millis(added_at.saturating_sub(u64::from(self.earlier_life))),
            description: String::new(),
            policy: String::new(),
            tags: BTreeMap::new(),
            lifecycle: lifecycles[self.lifecycle % lifecycles.len()],
            materials: stray.into_iter().chain(known).collect(),
            rotation: None,
            on_demand_rotations: 0,
        };
        // What no command ever makes: see `KeyRecord::check_invariants`.
        if record.check_invariants().is_err() {
            record.lifecycle = Lifecycle::Enabled;
        }
        record
    }
}

/// A Region, the log, and the number of the last proposal.
struct Pair {
    region: RegionName,
    control: ControlState,
    regional: RegionalState,
    number: u128,
}

impl Pair {
    fn propose(&mut self, body: ControlBody) {
        self.number += 1;
        let proposal_id = ProposalId(self.number.to_be_bytes());
        let at = Timestamp::from_millis(1 << 40);
        let command = ControlCommand { proposal_id, region: self.region.clone(), at, body };
        let outcome = self.control.apply(LogPosition::default(), &command).outcome;
        assert_eq!(outcome, ControlOutcome::Done, "a step was refused");
    }

    fn local(&mut self, body: RegionalBody) {
        let command = RegionalCommand { at: Timestamp::from_millis(1 << 40), body };
        assert_eq!(self.regional.apply(&command).outcome, RegionalOutcome::Done, "a step was refused");
    }

    fn take(&mut self, set: Option<Arc<KeySet>>, key_id: kms_types::KeyId, step: Step) {
        let Some(set) = set else { return self.local(RegionalBody::DestroyKey(key_id)) };
        let added_at = || set.holders[&self.region].added_at;
        match step {
            Step::Destroy => self.local(RegionalBody::DestroyKey(key_id)),
            Step::CreateResource => self.local(create(&set, added_at())),
            Step::Install { materials, complete } => {
                let wrap = |id: KeyMaterialId| NewMaterial { material_id: id, wrapped: Vec::new() };
                let materials = materials.into_iter().map(wrap).collect();
                self.local(RegionalBody::InstallMaterial(InstallMaterial { key_id, materials, complete }));
            }
            Step::ReportReady => {
                let added_at = added_at();
                self.propose(ControlBody::ReplicaReady { key_id, added_at });
            }
            Step::StartDeletionClock { .. } => {
                let deletion_date = Timestamp::from_millis(1 << 50);
                self.local(RegionalBody::StartDeletionClock { key_id, deletion_date });
            }
            Step::DriveRotation(material_id) => self.propose(ControlBody::ActivateMaterial(ActivateMaterial {
                key_id,
                expected_epoch: set.epoch,
                material_id,
                without: BTreeSet::new(),
                on_demand_limit: 25,
            })),
            Step::ExpectMaterial(body) => self.local(RegionalBody::ExpectMaterial(Box::new(body))),
            Step::SettleMaterial(material_id) => self.local(RegionalBody::SettleMaterial { key_id, material_id }),
            Step::ForgetMaterial(material_id) => self.local(RegionalBody::ForgetMaterial { key_id, material_id }),
            Step::ReportImport { material_id, present } => {
                let added_at = added_at();
                self.propose(ControlBody::ReportImport(ReportImport { key_id, added_at, material_id, present }));
            }
        }
    }
}

fn create(set: &KeySet, created_at: Timestamp) -> RegionalBody {
    RegionalBody::CreateReplica(Box::new(CreateReplica {
        key_id: set.key_id,
        account: set.account,
        spec: set.spec,
        usage: set.usage,
        origin: set.origin,
        created_at,
        description: String::new(),
        policy: String::new(),
        tags: BTreeMap::new(),
    }))
}

/// The state after a random log.
fn control(draws: &[Draw]) -> ControlState {
    let (mut proposer, mut state) = (Proposer::default(), ControlState::default());
    for command in proposer.directory() {
        state.apply(LogPosition::default(), &command);
    }
    for draw in draws {
        let command = proposer.concrete(&state, draw);
        state.apply(LogPosition::default(), &command);
    }
    state
}

fn check_agreement(pair: &Pair, set: Option<&KeySet>, record: Option<&KeyRecord>) -> Result<(), TestCaseError> {
    let Some((set, holder)) = set.and_then(|s| Some((s, s.holders.get(&pair.region)?))) else {
        prop_assert!(record.is_none(), "a key that the Region does not hold");
        return Ok(());
    };
    let record = record.ok_or_else(|| TestCaseError::fail("no resource"))?;
    prop_assert_eq!(record.created_at, holder.added_at);
    prop_assert!(record.lifecycle != Lifecycle::Creating);
    let known: BTreeSet<_> = record.materials.iter().map(|m| m.material_id).collect();
    let expected: BTreeSet<_> = set.materials.iter().map(|m| m.material_id).collect();
    prop_assert_eq!(known, expected);
    for version in &set.materials {
        let local = record.material(&version.material_id);
        let local = local.ok_or_else(|| TestCaseError::fail("a version is unknown"))?;
        if set.is_external() {
            prop_assert_eq!(local.is_pending(), version.activation.is_none());
            prop_assert_eq!(local.is_present(), version.imported_by.contains(&pair.region));
        } else {
            prop_assert!(local.is_present());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_pair_of_states_comes_to_agree(draws in vec(draw(), 1..48), found in found(), region in 0..3_usize) {
        let control = control(&draws);
        let region = cast::region(region);
        for set in control.key_sets() {
            let mut regional = RegionalState::default();
            if let Some(found) = &found {
                regional.absorb(&RegionalChange::PutKey(Arc::new(found.record(set, &region))));
            }
            let mut pair = Pair { region: region.clone(), control: control.clone(), regional, number: 1 << 100 };
            for steps in 0.. {
                prop_assert!(steps < STEPS_MAX, "never quiet");
                let now = pair.control.key_set(&set.key_id).cloned();
                let record = pair.regional.key(&set.key_id).cloned();
                match next_step(&region, now.as_deref(), record.as_deref()) {
                    Some(step) => pair.take(now, set.key_id, step),
                    None => {
                        check_agreement(&pair, now.as_deref(), record.as_deref())?;
                        break;
                    }
                }
            }
            prop_assert_eq!(pair.regional.check_invariants(), Ok(()));
        }
    }
}
