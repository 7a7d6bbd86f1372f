//! Claims about imported material of multi-Region keys: what the log knows of it, and what follows for a Region.

use super::*;
use kms_core::control::{KeySet, OfferImportedMaterial, ReportImport};
use kms_core::regional::{ImportMaterial, KeyRecord};
use kms_types::{ImportType, KeyState};

fn external(spec: KeySpec) -> ControlBody {
    let ControlBody::CreateKeySet(body) = create(spec) else { unreachable!() };
    ControlBody::CreateKeySet(CreateKeySet { origin: Origin::External, first: None, ..body })
}

fn offer(n: u8) -> ControlBody {
    ControlBody::OfferImportedMaterial(OfferImportedMaterial {
        key_id: key(),
        expected_epoch: 1,
        material_id: material(n),
        description: format!("number {n}"),
    })
}

fn withdraw(n: u8) -> ControlBody {
    ControlBody::WithdrawImportedMaterial { key_id: key(), expected_epoch: 1, material_id: material(n) }
}

impl Log {
    /// An EXTERNAL key without material, with primary in `a()` and a replica in `b()`.
    fn with_external_key(spec: KeySpec) -> Self {
        let mut log = Self { state: ControlState::default(), now: 0 };
        for region in [a(), b()] {
            let body =
                RegisterRegion { sealing_public_key: vec![1], role: RegionRole::Full, signing_public_key: Vec::new() };
            log.does(&region, ControlBody::RegisterRegion(body));
        }
        log.does(&a(), external(spec));
        let body = AddReplica {
            key_id: key(),
            expected_epoch: 1,
            replica: b(),
            boxes: BTreeMap::new(),
            initial: InitialProperties::default(),
            primary_tags: BTreeMap::new(),
        };
        log.does(&a(), ControlBody::AddReplica(body));
        log.report_ready(&a());
        log.report_ready(&b());
        log
    }

    fn set(&self) -> &KeySet {
        self.state.key_set(&key()).unwrap()
    }

    fn import_report(&self, region: &RegionName, n: u8, present: bool) -> ControlBody {
        let added_at = self.added_at(region);
        ControlBody::ReportImport(ReportImport { key_id: key(), added_at, material_id: material(n), present })
    }

    #[track_caller]
    fn reports(&mut self, region: &RegionName, n: u8, present: bool) {
        let body = self.import_report(region, n, present);
        self.does(region, body);
    }

    fn current(&self) -> Option<KeyMaterialId> {
        self.set().current().map(|m| m.material_id)
    }

    fn staged(&self) -> Option<KeyMaterialId> {
        self.set().staged().map(|m| m.material_id)
    }
}

#[test]
fn an_external_key_has_no_material_at_first_and_never_a_box() {
    let mut log = Log::with_external_key(KeySpec::SymmetricDefault);
    assert_eq!((log.current(), log.staged()), (None, None));
    log.does(&a(), offer(1));
    assert_eq!((log.current(), log.staged()), (Some(material(1)), None));
    assert!(log.set().materials.iter().all(|m| m.boxes.is_empty()));
    assert_eq!(log.set().materials[0].description, "number 1");
    let boxed = log.stage(2, RotationType::OnDemand);
    log.refuses(&a(), boxed, Refusal::NotRotatable);
    log.refuses(&a(), schedule(90, 100), Refusal::NotRotatable);
}

#[test]
fn a_replica_of_an_external_key_comes_without_boxes() {
    let mut log = Log::with_external_key(KeySpec::SymmetricDefault);
    log.does(&a(), offer(1));
    let added_at = log.added_at(&b());
    log.does(&b(), ControlBody::RemoveReplica { key_id: key(), added_at });
    let boxes = BTreeMap::from([(material(1), sealed())]);
    let initial = InitialProperties::default();
    let body =
        AddReplica { key_id: key(), expected_epoch: 1, replica: b(), boxes, initial, primary_tags: BTreeMap::new() };
    log.refuses(&a(), ControlBody::AddReplica(body), Refusal::BoxesMismatch);
}

#[test]
fn origin_and_first_material_belong_together() {
    let mut log = Log { state: ControlState::default(), now: 0 };
    let register =
        RegisterRegion { sealing_public_key: vec![1], role: RegionRole::Full, signing_public_key: Vec::new() };
    log.does(&a(), ControlBody::RegisterRegion(register));
    let ControlBody::CreateKeySet(own) = create(KeySpec::SymmetricDefault) else { unreachable!() };
    let without = CreateKeySet { first: None, ..own.clone() };
    log.refuses(&a(), ControlBody::CreateKeySet(without), Refusal::Malformed);
    let with = CreateKeySet { origin: Origin::External, ..own };
    log.refuses(&a(), ControlBody::CreateKeySet(with), Refusal::Malformed);
}

#[test]
fn one_new_material_waits_at_a_time() {
    let mut log = Log::with_external_key(KeySpec::SymmetricDefault);
    log.does(&a(), offer(1));
    log.refuses(&a(), offer(1), Refusal::MaterialExists);
    log.does(&a(), offer(2));
    assert_eq!((log.current(), log.staged()), (Some(material(1)), Some(material(2))));
    log.refuses(&a(), offer(2), Refusal::MaterialExists);
    log.refuses(&a(), offer(3), Refusal::PendingRotation { pending: material(2) });
    log.refuses(&a(), withdraw(1), Refusal::NotStaged);
    log.does(&a(), withdraw(2));
    log.refuses(&a(), withdraw(2), Refusal::NotStaged);
    log.does(&a(), offer(3));
}

#[test]
fn only_the_primary_offers_and_withdraws_and_only_for_external_keys() {
    let mut log = Log::with_external_key(KeySpec::SymmetricDefault);
    log.refuses(&b(), offer(1), Refusal::NotPrimary { primary: a() });
    log.does(&a(), offer(1));
    log.does(&a(), offer(2));
    log.refuses(&b(), withdraw(2), Refusal::NotPrimary { primary: a() });
    let mut log = Log::with_key(true);
    log.refuses(&a(), offer(2), Refusal::Malformed);
    log.refuses(&a(), withdraw(1), Refusal::Malformed);
    log.refuses(&a(), log.import_report(&a(), 1, true), Refusal::Malformed);
}

#[test]
fn keys_of_other_specs_take_one_material_for_ever() {
    for spec in [KeySpec::Rsa2048, KeySpec::Hmac256] {
        let mut log = Log::with_external_key(spec);
        log.does(&a(), offer(1));
        log.refuses(&a(), offer(1), Refusal::MaterialExists);
        log.refuses(&a(), offer(2), Refusal::IncorrectMaterial);
    }
}

#[test]
fn imported_material_is_activated_when_every_holder_that_counts_has_it() {
    let mut log = Log::with_external_key(KeySpec::SymmetricDefault);
    log.does(&a(), offer(1));
    log.does(&a(), offer(2));
    log.reports(&a(), 2, true);
    log.refuses(&a(), activate(2, 1), Refusal::ImportMissing);
    log.reports(&b(), 2, true);
    log.reports(&b(), 2, false);
    log.refuses(&a(), activate(2, 1), Refusal::ImportMissing);
    log.reports(&b(), 2, true);
    log.does(&a(), activate(2, 1));
    assert_eq!(log.current(), Some(material(2)));
    assert_eq!(log.set().on_demand_rotations, 1);
    assert_eq!(log.set().materials[1].rotation_type, Some(RotationType::OnDemand));
}

#[test]
fn an_operator_goes_on_without_a_region_but_not_without_the_primary_s_import() {
    let mut log = Log::with_external_key(KeySpec::SymmetricDefault);
    log.does(&a(), offer(1));
    log.does(&a(), offer(2));
    let without_b = ControlBody::ActivateMaterial(ActivateMaterial {
        key_id: key(),
        expected_epoch: 1,
        material_id: material(2),
        without: BTreeSet::from([b()]),
        on_demand_limit: 25,
    });
    log.refuses(&a(), without_b.clone(), Refusal::ImportMissing);
    log.reports(&a(), 2, true);
    log.does(&a(), without_b);
}

#[test]
fn the_limit_of_on_demand_rotations_counts_activations_of_imported_material() {
    let mut log = Log::with_external_key(KeySpec::SymmetricDefault);
    log.does(&a(), offer(1));
    log.does(&a(), offer(2));
    log.reports(&a(), 2, true);
    log.reports(&b(), 2, true);
    let with_limit = |on_demand_limit| {
        let ControlBody::ActivateMaterial(body) = activate(2, 1) else { unreachable!() };
        ControlBody::ActivateMaterial(ActivateMaterial { on_demand_limit, ..body })
    };
    log.refuses(&a(), with_limit(0), Refusal::RotationLimit);
    log.does(&a(), with_limit(1));
}

#[test]
fn a_report_of_an_earlier_life_or_about_unknown_material_is_refused() {
    let mut log = Log::with_external_key(KeySpec::SymmetricDefault);
    log.does(&a(), offer(1));
    log.refuses(&b(), log.import_report(&b(), 2, true), Refusal::MaterialNotFound);
    let old = log.import_report(&b(), 1, true);
    log.reports(&b(), 1, true);
    let added_at = log.added_at(&b());
    log.does(&b(), ControlBody::RemoveReplica { key_id: key(), added_at });
    assert!(log.set().materials[0].imported_by.is_empty(), "a Region that left has nothing");
    log.refuses(&b(), old, Refusal::NoReplica);
}

/// Region `b()` and the log, and everything that the Region does by itself.
struct Replica {
    log: Log,
    state: RegionalState,
}

impl Replica {
    fn new() -> Self {
        Self { log: Log::with_external_key(KeySpec::SymmetricDefault), state: RegionalState::default() }
    }

    fn record(&self) -> &KeyRecord {
        self.state.key(&key()).unwrap()
    }

    fn step(&self) -> Option<Step> {
        next_step(&b(), self.log.state.key_set(&key()).map(AsRef::as_ref), self.state.key(&key()).map(AsRef::as_ref))
    }

    /// Takes the next steps and answers what they were, in words.
    #[track_caller]
    fn steps(&mut self) -> Vec<String> {
        let mut taken = Vec::new();
        while let Some(step) = self.step() {
            let key_id = key();
            taken.push(match step {
                Step::CreateResource => {
                    let resource = resource_of(self.log.added_at(&b()));
                    edit(&mut self.state, resource);
                    "create".to_owned()
                }
                Step::ExpectMaterial(expected) => {
                    let words = format!(
                        "expect {}{}",
                        expected.material_id.as_bytes()[0],
                        if expected.pending { " staged" } else { "" }
                    );
                    edit(&mut self.state, RegionalBody::ExpectMaterial(Box::new(expected)));
                    words
                }
                Step::SettleMaterial(material_id) => {
                    edit(&mut self.state, RegionalBody::SettleMaterial { key_id, material_id });
                    format!("settle {}", material_id.as_bytes()[0])
                }
                Step::ForgetMaterial(material_id) => {
                    edit(&mut self.state, RegionalBody::ForgetMaterial { key_id, material_id });
                    format!("forget {}", material_id.as_bytes()[0])
                }
                Step::ReportImport { material_id, present } => {
                    let n = material_id.as_bytes()[0];
                    self.log.reports(&b(), n, present);
                    format!("report {n} {present}")
                }
                other => unreachable!("{other:?}"),
            });
            assert!(taken.len() < 20, "never quiet: {taken:?}");
        }
        taken
    }

    fn imports(&mut self, n: u8) {
        let import = ImportMaterial {
            key_id: key(),
            material: NewMaterial { material_id: material(n), wrapped: vec![n] },
            import_type: ImportType::ExistingKeyMaterial,
            expires_at: None,
            description: None,
        };
        edit(&mut self.state, RegionalBody::ImportMaterial(Box::new(import)));
    }
}

fn resource_of(created_at: Timestamp) -> RegionalBody {
    RegionalBody::CreateReplica(Box::new(CreateReplica {
        key_id: key(),
        account: AccountId::parse("111122223333").unwrap(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::External,
        created_at,
        description: String::new(),
        policy: String::new(),
        tags: BTreeMap::new(),
    }))
}

#[test]
fn a_replica_follows_the_key_set_s_imported_material() {
    let mut replica = Replica::new();
    assert_eq!(replica.steps(), ["create"]);
    assert_eq!(replica.record().state(), KeyState::PendingImport);
    replica.log.does(&a(), offer(1));
    assert_eq!(replica.steps(), ["expect 1"]);
    assert_eq!(replica.record().materials[0].import.as_ref().unwrap().description, "number 1");
    replica.imports(1);
    assert_eq!(replica.steps(), ["report 1 true"]);
    assert_eq!(replica.record().state(), KeyState::Enabled);
    replica.log.does(&a(), offer(2));
    assert_eq!(replica.steps(), ["expect 2 staged"]);
    assert_eq!(replica.record().state(), KeyState::Enabled);
    replica.imports(2);
    replica.log.reports(&a(), 2, true);
    assert_eq!(replica.steps(), ["report 2 true"], "the replica activates nothing");
    replica.log.does(&a(), activate(2, 1));
    assert_eq!(replica.steps(), ["settle 2"]);
    assert_eq!(replica.record().state(), KeyState::Enabled);
}

#[test]
fn withdrawn_material_is_forgotten_also_when_it_is_offered_again() {
    let mut replica = Replica::new();
    replica.log.does(&a(), offer(1));
    replica.log.does(&a(), offer(2));
    replica.steps();
    replica.imports(1);
    replica.imports(2);
    replica.steps();
    replica.log.does(&a(), withdraw(2));
    assert_eq!(replica.steps(), ["forget 2"]);
    replica.log.does(&a(), offer(2));
    replica.steps();
    replica.imports(2);
    replica.log.does(&a(), withdraw(2));
    replica.log.does(&a(), offer(2));
    assert_eq!(replica.steps(), ["forget 2", "expect 2 staged"], "what was deleted does not come back by itself");
}

#[test]
fn a_primary_does_not_activate_imported_material_by_itself() {
    let mut replica = Replica::new();
    replica.log.does(&a(), offer(1));
    replica.log.does(&a(), offer(2));
    replica.steps();
    replica.imports(1);
    replica.imports(2);
    replica.steps();
    replica.log.reports(&a(), 2, true);
    replica.log.does(&a(), move_primary(a(), b(), 1));
    assert_eq!(replica.step(), None);
}

#[test]
fn a_region_that_was_left_out_waits_for_its_import() {
    let mut replica = Replica::new();
    replica.log.does(&a(), offer(1));
    replica.steps();
    replica.imports(1);
    replica.log.does(&a(), offer(2));
    replica.log.reports(&a(), 2, true);
    replica.steps();
    let without = BTreeSet::from([b()]);
    let body =
        ActivateMaterial { key_id: key(), expected_epoch: 1, material_id: material(2), without, on_demand_limit: 25 };
    replica.log.does(&a(), ControlBody::ActivateMaterial(body));
    assert_eq!(replica.steps(), ["settle 2"]);
    assert_eq!(replica.record().state(), KeyState::PendingImport);
    replica.imports(2);
    assert_eq!(replica.steps(), ["report 2 true"]);
    assert_eq!(replica.record().state(), KeyState::Enabled);
}
