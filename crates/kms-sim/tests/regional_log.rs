//! Claims about the regional state under random sequences of commands: imported material, grants, last uses.
//!
//! A failing case prints its smallest input and keeps its seed in `regional_log.proptest-regressions`; commit that file,
//! and run `cargo test -p kms-sim --test regional_log` to replay it.

use kms_core::regional::{
    CreateKey, GrantConstraints, GrantPrincipal, ImportMaterial, LastUse, NewGrant, NewMaterial, RegionalApplied,
    RegionalBody, RegionalCommand, RegionalOutcome, RegionalState, ScheduleDeletion, TrackedOperation,
};
use kms_core::schedule::{Due, due};
use kms_proto::regional_codec;
use kms_sim::cast;
use kms_sim::region_model::{Ask, GRANT_LIMIT, Kind, ROTATION_LIMIT, RegionModel, Verdict, WINDOW};
use kms_sim::rows::{self, Rows};
use kms_types::{GrantId, GrantOperation, ImportType, KeyId, KeySpec, KeyState, KeyUsage, Origin, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use std::collections::{BTreeMap, BTreeSet};

fn ask() -> impl Strategy<Value = Ask> {
    let (key, material, grant) = (0..3_u8, 0..4_u8, 0..6_u8);
    let kind = select(vec![Kind::Own, Kind::External, Kind::External, Kind::ExternalMac]);
    prop_oneof![
        4 => (key.clone(), kind).prop_map(|(key, kind)| Ask::CreateKey { key, kind }),
        12 => (key.clone(), material.clone(), any::<bool>(), option::weighted(0.3, 1..12_u64))
            .prop_map(|(key, material, new, days)| Ask::Import { key, material, new, days }),
        4 => (key.clone(), option::of(material.clone()))
            .prop_map(|(key, material)| Ask::DeleteImported { key, material }),
        3 => (key.clone(), material).prop_map(|(key, material)| Ask::Expire { key, material }),
        4 => key.clone().prop_map(|key| Ask::RotateToImported { key }),
        2 => key.clone().prop_map(|key| Ask::Enable { key }),
        2 => key.clone().prop_map(|key| Ask::Disable { key }),
        1 => key.clone().prop_map(|key| Ask::ScheduleDeletion { key }),
        1 => key.clone().prop_map(|key| Ask::CancelDeletion { key }),
        2 => key.clone().prop_map(|key| Ask::Destroy { key }),
        6 => (key.clone(), grant.clone(), option::of(0..2_u8), 0..2_u8)
            .prop_map(|(key, grant, name, parameters)| Ask::CreateGrant { key, grant, name, parameters }),
        2 => (key.clone(), grant).prop_map(|(key, grant)| Ask::DeleteGrant { key, grant }),
        2 => vec((key, 0..40_u64), 0..4).prop_map(|uses| Ask::RecordUse { uses }),
    ]
}

fn key_id(key: u8) -> KeyId {
    cast::single_region_key(key.into())
}

fn material(number: u8) -> NewMaterial {
    NewMaterial { material_id: cast::material(number.into()), wrapped: vec![number] }
}

fn grant_id(grant: u8) -> GrantId {
    GrantId::from_bytes([grant; 32])
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn create(key: u8, kind: Kind) -> RegionalBody {
    let (spec, usage) = match kind {
        Kind::Own | Kind::External => (KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt),
        Kind::ExternalMac => (KeySpec::Hmac256, KeyUsage::GenerateVerifyMac),
    };
    RegionalBody::CreateKey(Box::new(CreateKey {
        key_id: key_id(key),
        account: cast::account(),
        spec,
        usage,
        origin: if kind == Kind::Own { Origin::AwsKms } else { Origin::External },
        description: String::new(),
        policy: String::new(),
        tags: BTreeMap::new(),
        material: (kind == Kind::Own).then(|| material(key)),
    }))
}

fn create_grant(key: u8, grant: u8, name: Option<u8>, parameters: u8) -> RegionalBody {
    let principal = GrantPrincipal::Arn(format!("principal {parameters}"));
    RegionalBody::CreateGrant(Box::new(NewGrant {
        key_id: key_id(key),
        grant_id: grant_id(grant),
        name: name.map(|name| format!("name {name}")),
        grantee: principal.clone(),
        retiring: (parameters == 1).then_some(principal),
        issuing_account: cast::account(),
        operations: BTreeSet::from([GrantOperation::Decrypt]),
        constraints: GrantConstraints::default(),
        grant_limit: GRANT_LIMIT,
    }))
}

fn command(now: u64, ask: &Ask) -> RegionalBody {
    match ask {
        Ask::CreateKey { key, kind } => create(*key, *kind),
        Ask::Import { key, material: number, new, days } => RegionalBody::ImportMaterial(Box::new(ImportMaterial {
            key_id: key_id(*key),
            material: material(*number),
            import_type: if *new { ImportType::NewKeyMaterial } else { ImportType::ExistingKeyMaterial },
            expires_at: days.map(|days| at(now + days)),
            description: None,
        })),
        Ask::DeleteImported { key, material } => {
            let material_id = material.map(|number| cast::material(number.into()));
            RegionalBody::DeleteImportedMaterial { key_id: key_id(*key), material_id }
        }
        Ask::Expire { key, material } => {
            RegionalBody::ExpireMaterial { key_id: key_id(*key), material_id: cast::material((*material).into()) }
        }
        Ask::RotateToImported { key } => {
            RegionalBody::RotateToImported { key_id: key_id(*key), on_demand_limit: ROTATION_LIMIT }
        }
        Ask::Enable { key } => RegionalBody::EnableKey(key_id(*key)),
        Ask::Disable { key } => RegionalBody::DisableKey(key_id(*key)),
        Ask::ScheduleDeletion { key } => {
            let deletion_date = Some(at(now + WINDOW));
            RegionalBody::ScheduleDeletion(ScheduleDeletion { key_id: key_id(*key), window_days: 7, deletion_date })
        }
        Ask::CancelDeletion { key } => RegionalBody::CancelDeletion(key_id(*key)),
        Ask::Destroy { key } => RegionalBody::DestroyKey(key_id(*key)),
        Ask::CreateGrant { key, grant, name, parameters } => create_grant(*key, *grant, *name, *parameters),
        Ask::DeleteGrant { key, grant } => {
            RegionalBody::DeleteGrant { key_id: key_id(*key), grant_id: grant_id(*grant) }
        }
        Ask::RecordUse { uses } => {
            let last_use =
                |millis| LastUse { operation: TrackedOperation::Encrypt, at: at(millis), request_id: String::new() };
            RegionalBody::RecordUse(uses.iter().map(|(key, millis)| (key_id(*key), last_use(*millis))).collect())
        }
    }
}

/// A Region's state, the model, and the rows of a store.
#[derive(Default)]
struct Run {
    now: u64,
    state: RegionalState,
    model: RegionModel,
    stored: Rows,
}

impl Run {
    fn happen(&mut self, ask: &Ask) -> Result<Verdict, TestCaseError> {
        self.now += 1;
        let before = self.state.clone();
        let RegionalApplied { outcome, changes } =
            self.state.apply(&RegionalCommand { at: at(self.now), body: command(self.now, ask) });
        let verdict = self.model.judge(self.now, ask);
        let same = match (&outcome, verdict) {
            (RegionalOutcome::Done, Verdict::Done) => true,
            (RegionalOutcome::GrantExists(id), Verdict::GrantExists(grant)) => *id == grant_id(grant),
            (RegionalOutcome::Refused(_), Verdict::Refused) => true,
            _ => false,
        };
        prop_assert!(same, "the model says {:?}, the core {:?}", verdict, outcome);
        if outcome != RegionalOutcome::Done {
            prop_assert!(changes.is_empty() && self.state == before, "a refusal changed something");
        }
        for change in &changes {
            rows::write(&mut self.stored, regional_codec::change_to_row(change));
        }
        self.check()?;
        Ok(verdict)
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.state.check_invariants(), Ok(()));
        prop_assert_eq!(self.state.key_count_of(&cast::account()), self.model.keys.len());
        let mut wrapped = BTreeSet::new();
        for (number, key) in &self.model.keys {
            let record = self.state.key(&key_id(*number)).ok_or_else(|| TestCaseError::fail("a key is missing"))?;
            let state = match (key.deletion, key.waits(), key.is_off()) {
                (Some(_), _, _) => KeyState::PendingDeletion,
                (None, true, _) => KeyState::PendingImport,
                (None, false, true) => KeyState::Disabled,
                (None, false, false) => KeyState::Enabled,
            };
            prop_assert_eq!(record.state(), state);
            let versions: Vec<_> = record.materials.iter().map(|m| (m.material_id, m.is_pending())).collect();
            let permanent = key.permanent.iter().map(|m| (cast::material((*m).into()), false));
            let pending = key.pending.iter().map(|m| (cast::material((*m).into()), true));
            prop_assert_eq!(versions, permanent.chain(pending).collect::<Vec<_>>());
            let here = key.present.keys().chain(key.permanent.iter().filter(|_| record.origin == Origin::AwsKms));
            wrapped.extend(here.map(|m| regional_codec::material_key(&record.key_id, &cast::material((*m).into()))));
            let ends: Vec<_> = record.materials.iter().filter_map(|m| Some((m.material_id, m.expires_at()?))).collect();
            let model_ends =
                key.present.iter().filter_map(|(m, ends)| Some((cast::material((*m).into()), at((*ends)?))));
            prop_assert_eq!(ends.into_iter().collect::<BTreeMap<_, _>>(), model_ends.collect());
            let grants: Vec<_> = self.state.grants_of(&record.key_id, None).map(|g| g.grant_id).collect();
            prop_assert_eq!(grants, key.grants.keys().map(|g| grant_id(*g)).collect::<Vec<_>>());
            for parameters in 0..2 {
                let grantee = GrantPrincipal::Arn(format!("principal {parameters}"));
                let found = self.state.grants_of_grantee(&record.key_id, &grantee, None).count();
                prop_assert_eq!(found, key.grants.values().filter(|(_, p)| *p == parameters).count());
            }
            prop_assert_eq!(self.state.last_use(&record.key_id).map(|u| u.at.millis()), key.used);
        }
        let keeper = GrantPrincipal::Arn("principal 1".to_owned());
        let retirable = self.model.keys.values().flat_map(|k| k.grants.values()).filter(|(_, p)| *p == 1).count();
        prop_assert_eq!(self.state.grants_retirable_by(&keeper, None).count(), retirable);
        self.check_due()?;
        self.check_stored(&wrapped)
    }

    fn check_due(&self) -> Result<(), TestCaseError> {
        let items = due(&cast::region(0), &self.state, &Default::default(), at(self.now), 100);
        let expired = self.model.keys.iter().flat_map(|(number, key)| {
            let over = key.present.iter().filter(|(_, ends)| ends.is_some_and(|ends| ends <= self.now));
            over.map(|(m, _)| (key_id(*number), cast::material((*m).into())))
        });
        let found = items.iter().filter_map(|item| match item {
            Due::ExpireMaterial { key_id, material_id } => Some((*key_id, *material_id)),
            _ => None,
        });
        let deleted = items.iter().filter(|item| matches!(item, Due::DestroyKey(_))).count();
        prop_assert_eq!(found.collect::<BTreeSet<_>>(), expired.collect());
        let over = self.model.keys.values().filter(|k| k.deletion.is_some_and(|at| at <= self.now)).count();
        prop_assert_eq!(deleted, over);
        Ok(())
    }

    /// The rows of the store are those of the state, and wrapped material for exactly what is here.
    fn check_stored(&self, wrapped: &BTreeSet<Vec<u8>>) -> Result<(), TestCaseError> {
        let is_material = |key: &[u8]| key.first() == Some(&regional_codec::MATERIAL_PREFIX);
        let (mut materials, mut others) = (BTreeSet::new(), Rows::new());
        for (key, value) in &self.stored {
            if is_material(key) {
                materials.insert(key.clone());
            } else {
                others.insert(key.clone(), value.clone());
            }
        }
        prop_assert_eq!(&materials, wrapped);
        prop_assert_eq!(&others, &rows::of_regional(&self.state));
        prop_assert_eq!(&rows::load_regional(&self.stored), &self.state);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_region_does_what_the_naive_model_says(asks in vec(ask(), 1..80)) {
        let mut run = Run::default();
        for ask in &asks {
            run.happen(ask)?;
        }
    }
}

/// Guards the claim above against asks that never get anywhere.
#[test]
fn the_asks_reach_every_kind_of_success_and_refusal() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut reached = BTreeSet::new();
    for _ in 0..100 {
        let asks = vec(ask(), 80).new_tree(&mut runner).unwrap().current();
        let mut run = Run::default();
        for ask in &asks {
            let verdict = run.happen(ask).unwrap();
            let name = |debug: String| debug.split([' ', '(']).next().unwrap_or_default().to_owned();
            reached.insert(format!("{} {}", name(format!("{ask:?}")), name(format!("{verdict:?}"))));
        }
    }
    // 13 asks, all but RecordUse also refused, and a grant that exists.
    assert_eq!(reached.len(), 26, "{reached:?}");
}
