//! Claims about imported material of single-Region keys, and what a Region does with that of multi-Region keys.

use super::*;
use kms_core::regional::{ExpectMaterial, ImportMaterial};
use kms_types::{ImportType, KeyState};

const NEW: ImportType = ImportType::NewKeyMaterial;
const EXISTING: ImportType = ImportType::ExistingKeyMaterial;

/// A Region with an EXTERNAL key of number 1 that has never had material.
fn waiting(spec: KeySpec, usage: KeyUsage) -> Region {
    let mut region = Region::with_keys(0);
    region.does(external(spec, usage));
    region
}

fn symmetric() -> Region {
    waiting(KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt)
}

fn external(spec: KeySpec, usage: KeyUsage) -> RegionalBody {
    let RegionalBody::CreateKey(body) = create_of(1, spec, usage) else { unreachable!() };
    RegionalBody::CreateKey(Box::new(CreateKey { origin: Origin::External, material: None, ..*body }))
}

fn import_of(key_id: KeyId, n: u8, import_type: ImportType, expires: Option<u64>) -> RegionalBody {
    RegionalBody::ImportMaterial(Box::new(ImportMaterial {
        key_id,
        material: material(n),
        import_type,
        expires_at: expires.map(at),
        description: None,
    }))
}

fn import(n: u8, import_type: ImportType) -> RegionalBody {
    import_of(key(1), n, import_type, None)
}

fn delete(n: Option<u8>) -> RegionalBody {
    RegionalBody::DeleteImportedMaterial { key_id: key(1), material_id: n.map(|n| material(n).material_id) }
}

fn rotate_to_imported() -> RegionalBody {
    RegionalBody::RotateToImported { key_id: key(1), on_demand_limit: 25 }
}

fn expire(n: u8) -> RegionalBody {
    RegionalBody::ExpireMaterial { key_id: key(1), material_id: material(n).material_id }
}

impl Region {
    fn state_of_key(&self) -> KeyState {
        self.key(1).state()
    }

    fn current(&self) -> Option<KeyMaterialId> {
        self.key(1).current_material().map(|m| m.material_id)
    }
}

#[test]
fn an_external_key_waits_for_its_first_import() {
    let mut region = symmetric();
    assert_eq!(region.state_of_key(), KeyState::PendingImport);
    assert_eq!(region.current(), None);
    let pending = Refusal::State(StateFault::PendingImport);
    region.refuses(RegionalBody::EnableKey(key(1)), pending.clone());
    region.refuses(RegionalBody::DisableKey(key(1)), pending.clone());
    region.refuses(rotate_to_imported(), pending);
    region.does(import(7, NEW));
    assert_eq!(region.state_of_key(), KeyState::Enabled);
    assert_eq!(region.current(), Some(material(7).material_id));
}

#[test]
fn a_first_import_is_never_a_known_one() {
    symmetric().refuses(import(7, EXISTING), Refusal::IncorrectMaterial);
}

#[test]
fn origin_and_first_material_belong_together() {
    let mut region = Region::with_keys(0);
    let RegionalBody::CreateKey(own) = create(1) else { unreachable!() };
    let without = CreateKey { material: None, ..*own.clone() };
    region.refuses(RegionalBody::CreateKey(Box::new(without)), Refusal::WrongKind);
    let with = CreateKey { origin: Origin::External, ..*own };
    region.refuses(RegionalBody::CreateKey(Box::new(with)), Refusal::WrongKind);
}

#[test]
fn material_made_here_is_neither_imported_nor_deleted() {
    let mut region = Region::with_keys(1);
    region.refuses(import(7, NEW), Refusal::WrongKind);
    region.refuses(delete(None), Refusal::WrongKind);
    region.refuses(rotate_to_imported(), Refusal::WrongKind);
    let mut region = symmetric();
    region.does(import(7, NEW));
    region.refuses(rotate(key(1), 8, RotationType::OnDemand, None), Refusal::WrongKind);
    region.refuses(RegionalBody::SetRotation(key(1), every_day(9)), Refusal::WrongKind);
}

#[test]
fn new_material_waits_for_its_rotation_and_changes_nothing_until_then() {
    let mut region = symmetric();
    region.does(import(1, NEW));
    region.does(import(2, NEW));
    assert_eq!(region.current(), Some(material(1).material_id));
    assert_eq!(region.key(1).pending_material().map(|m| m.material_id), Some(material(2).material_id));
    region.refuses(import(3, NEW), Refusal::PendingRotation { pending: material(2).material_id });
    region.does(rotate_to_imported());
    assert_eq!(region.current(), Some(material(2).material_id));
    assert_eq!(region.key(1).on_demand_rotations, 1);
    assert!(matches!(region.key(1).materials[1].rotation, Some((RotationType::OnDemand, _))));
    region.refuses(rotate_to_imported(), Refusal::NothingPending);
    region.does(import(3, NEW));
}

#[test]
fn known_material_is_not_new_and_unknown_material_is_not_known() {
    let mut region = symmetric();
    region.does(import(1, NEW));
    region.refuses(import(1, NEW), Refusal::IncorrectMaterial);
    region.refuses(import(2, EXISTING), Refusal::IncorrectMaterial);
    region.does(import(2, NEW));
    region.refuses(import(2, NEW), Refusal::IncorrectMaterial);
    region.does(import(2, EXISTING));
}

#[test]
fn the_limit_of_rotations_to_imported_material_is_that_of_the_command() {
    let mut region = symmetric();
    region.does(import(1, NEW));
    region.does(import(2, NEW));
    let none = RegionalBody::RotateToImported { key_id: key(1), on_demand_limit: 0 };
    region.refuses(none.clone(), Refusal::RotationLimit);
    region.does(rotate_to_imported());
    region.refuses(none, Refusal::NothingPending);
}

#[test]
fn a_key_is_enabled_only_while_all_its_material_is_there() {
    let mut region = symmetric();
    region.does(import(1, NEW));
    region.does(import(2, NEW));
    region.does(rotate_to_imported());
    region.does(delete(Some(1)));
    assert_eq!(region.state_of_key(), KeyState::PendingImport);
    region.does(delete(None));
    assert_eq!(region.current(), Some(material(2).material_id), "deleted material stays the current one");
    region.does(import(1, EXISTING));
    assert_eq!(region.state_of_key(), KeyState::PendingImport);
    region.does(import(2, EXISTING));
    assert_eq!(region.state_of_key(), KeyState::Enabled);
}

#[test]
fn deleted_material_leaves_the_store_and_deleting_it_again_does_nothing() {
    let mut region = symmetric();
    assert_eq!(region.apply(delete(None)), (Ok(()), vec![]), "there was never any");
    region.does(import(1, NEW));
    let (_, changes) = region.apply(delete(None));
    assert!(changes.contains(&RegionalChange::DeleteMaterial(key(1), material(1).material_id)));
    assert!(!region.key(1).has_material(&material(1).material_id));
    assert_eq!(region.apply(delete(None)), (Ok(()), vec![]));
    assert_eq!(region.apply(delete(Some(1))), (Ok(()), vec![]));
    region.refuses(delete(Some(9)), Refusal::MaterialNotFound);
}

#[test]
fn deleting_material_that_waits_makes_room_for_other_material() {
    let mut region = symmetric();
    region.does(import(1, NEW));
    region.does(import(2, NEW));
    let (_, changes) = region.apply(delete(Some(2)));
    assert!(changes.contains(&RegionalChange::DeleteMaterial(key(1), material(2).material_id)));
    assert_eq!(region.key(1).materials.len(), 1);
    assert_eq!(region.state_of_key(), KeyState::Enabled);
    region.does(import(3, NEW));
    region.refuses(import(2, EXISTING), Refusal::IncorrectMaterial);
}

#[test]
fn the_material_of_asymmetric_and_hmac_keys_never_changes() {
    for (spec, usage) in [(KeySpec::Rsa2048, KeyUsage::SignVerify), (KeySpec::Hmac256, KeyUsage::GenerateVerifyMac)] {
        let mut region = waiting(spec, usage);
        region.does(import(1, NEW));
        for import_type in [NEW, EXISTING] {
            region.refuses(import(2, import_type), Refusal::IncorrectMaterial);
            region.does(import(1, import_type));
        }
        region.does(delete(None));
        region.refuses(import(2, NEW), Refusal::IncorrectMaterial);
        region.does(import(1, NEW));
        assert_eq!(region.key(1).materials.len(), 1);
    }
}

#[test]
fn a_disabled_key_is_enabled_again_by_a_delete_and_a_re_import() {
    let mut region = symmetric();
    region.does(import(1, NEW));
    region.does(RegionalBody::DisableKey(key(1)));
    region.does(import(1, EXISTING));
    assert_eq!(region.state_of_key(), KeyState::Disabled, "a renewal is no switch");
    region.does(delete(None));
    assert_eq!(region.state_of_key(), KeyState::PendingImport);
    region.does(import(1, EXISTING));
    assert_eq!(region.state_of_key(), KeyState::Enabled);
}

#[test]
fn material_may_be_deleted_but_not_imported_while_a_deletion_is_pending() {
    let mut region = symmetric();
    region.does(import(1, NEW));
    region.does(delete_at(key(1), Some(1_000)));
    region.refuses(import(1, EXISTING), Refusal::State(StateFault::PendingDeletion));
    region.does(delete(None));
    assert_eq!(region.state_of_key(), KeyState::PendingDeletion);
    region.does(RegionalBody::CancelDeletion(key(1)));
    assert_eq!(region.state_of_key(), KeyState::PendingImport);
    region.does(import(1, EXISTING));
    assert_eq!(region.state_of_key(), KeyState::Enabled);
}

#[test]
fn a_re_import_renews_the_expiry_and_keeps_the_description() {
    let mut region = symmetric();
    let described = |description: Option<&str>, expires: Option<u64>| {
        RegionalBody::ImportMaterial(Box::new(ImportMaterial {
            key_id: key(1),
            material: material(1),
            import_type: if expires.is_some() { NEW } else { EXISTING },
            expires_at: expires.map(at),
            description: description.map(str::to_owned),
        }))
    };
    region.does(described(Some("first"), Some(100)));
    assert_eq!(region.state.expiries_due(at(100)).collect::<Vec<_>>(), [(key(1), material(1).material_id)]);
    region.does(described(None, None));
    let import = region.key(1).materials[0].import.clone().unwrap();
    assert_eq!((import.expires_at, import.description.as_str()), (None, "first"));
    assert_eq!(region.state.expiries_due(at(u64::MAX)).count(), 0);
    region.does(described(Some("second"), None));
    assert_eq!(region.key(1).materials[0].import.as_ref().unwrap().description, "second");
}

#[test]
fn expired_material_is_destroyed_in_every_state_and_not_before_its_time() {
    for disabled in [false, true] {
        let mut region = symmetric();
        region.does(import_of(key(1), 1, NEW, Some(50)));
        if disabled {
            region.does(RegionalBody::DisableKey(key(1)));
        }
        assert_eq!(region.state.expiries_due(at(49)).count(), 0);
        assert_eq!(region.state.expiries_due(at(50)).count(), 1);
        region.refuses(expire(1), Refusal::NotExpired);
        region.now = 49;
        region.does(expire(1));
        assert_eq!(region.state_of_key(), KeyState::PendingImport);
        assert_eq!(region.state.expiries_due(at(u64::MAX)).count(), 0);
        region.refuses(expire(1), Refusal::MaterialNotFound);
        region.does(import(1, EXISTING));
        assert_eq!(region.state_of_key(), KeyState::Enabled);
    }
}

#[test]
fn material_that_expires_while_it_waits_is_no_part_of_the_key_any_more() {
    let mut region = symmetric();
    region.does(import(1, NEW));
    region.does(import_of(key(1), 2, NEW, Some(50)));
    region.now = 50;
    region.does(expire(2));
    assert_eq!((region.key(1).materials.len(), region.state_of_key()), (1, KeyState::Enabled));
}

#[test]
fn destroying_a_key_destroys_the_imported_material_that_is_there() {
    let mut region = symmetric();
    region.does(import(1, NEW));
    region.does(import(2, NEW));
    region.does(rotate_to_imported());
    region.does(delete(Some(1)));
    region.does(delete_at(key(1), Some(20)));
    region.now = 20;
    let (_, changes) = region.apply(RegionalBody::DestroyKey(key(1)));
    let gone = [RegionalChange::DeleteMaterial(key(1), material(2).material_id), RegionalChange::DeleteKey(key(1))];
    assert_eq!(changes, gone);
}

/// A Region with an EXTERNAL key whose state is this one.
fn external_in(state: KeyState) -> Region {
    let mut region = symmetric();
    if state != KeyState::PendingImport {
        region.does(import(1, NEW));
    }
    match state {
        KeyState::Disabled => region.does(RegionalBody::DisableKey(key(1))),
        KeyState::PendingDeletion => region.does(delete_at(key(1), Some(1_000))),
        _ => {}
    }
    assert_eq!(region.state_of_key(), state);
    region
}

#[test]
fn every_operation_obeys_the_state_matrix_on_a_key_with_imported_material() {
    use KeyOperation as Op;
    let operations: [(Op, fn() -> RegionalBody); 10] = [
        (Op::ImportKeyMaterial, || import(1, EXISTING)),
        (Op::DeleteImportedKeyMaterial, || delete(None)),
        (Op::EnableKey, || RegionalBody::EnableKey(key(1))),
        (Op::DisableKey, || RegionalBody::DisableKey(key(1))),
        (Op::UpdateKeyDescription, || RegionalBody::SetDescription(key(1), "new".to_owned())),
        (Op::PutKeyPolicy, || RegionalBody::PutKeyPolicy(key(1), "new".to_owned())),
        (Op::TagResource, || RegionalBody::Tag(key(1), tags(0..1))),
        (Op::CreateAlias, || create_alias(alias("new"), key(1))),
        (Op::ScheduleKeyDeletion, || delete_at(key(1), Some(2_000))),
        (Op::CancelKeyDeletion, || RegionalBody::CancelDeletion(key(1))),
    ];
    for state in [KeyState::PendingImport, KeyState::Enabled, KeyState::Disabled, KeyState::PendingDeletion] {
        for (operation, body) in operations {
            let mut region = external_in(state);
            let expected = match state_matrix::check(operation, state).map_err(Refusal::State) {
                // The state allows it, but there is nothing yet that could exist.
                Ok(()) if state == KeyState::PendingImport && operation == Op::ImportKeyMaterial => {
                    Err(Refusal::IncorrectMaterial)
                }
                by_state => by_state,
            };
            assert_eq!(region.apply(body()).0, expected, "{operation:?} in {state}");
        }
    }
}

/// A Region that holds an EXTERNAL multi-Region key.
fn holder() -> Region {
    let mut region = Region::with_keys(0);
    let RegionalBody::CreateReplica(body) = create_replica(multi()) else { unreachable!() };
    region.does(RegionalBody::CreateReplica(Box::new(CreateReplica { origin: Origin::External, ..*body })));
    region
}

fn expect(n: u8, pending: bool) -> RegionalBody {
    RegionalBody::ExpectMaterial(Box::new(ExpectMaterial {
        key_id: multi(),
        material_id: material(n).material_id,
        created_at: at(1),
        description: "shared".to_owned(),
        pending,
    }))
}

fn settle(n: u8) -> RegionalBody {
    RegionalBody::SettleMaterial { key_id: multi(), material_id: material(n).material_id }
}

fn forget(n: u8) -> RegionalBody {
    RegionalBody::ForgetMaterial { key_id: multi(), material_id: material(n).material_id }
}

fn state_of_replica(region: &Region) -> KeyState {
    region.state.key(&multi()).unwrap().state()
}

#[test]
fn a_replica_imports_what_the_key_set_knows_and_nothing_else() {
    let mut region = holder();
    assert_eq!(state_of_replica(&region), KeyState::PendingImport);
    for import_type in [NEW, EXISTING] {
        region.refuses(import_of(multi(), 1, import_type, None), Refusal::IncorrectMaterial);
    }
    region.does(expect(1, false));
    region.refuses(expect(1, false), Refusal::MaterialExists);
    assert_eq!(state_of_replica(&region), KeyState::PendingImport);
    region.does(import_of(multi(), 1, EXISTING, None));
    assert_eq!(state_of_replica(&region), KeyState::Enabled);
}

#[test]
fn staged_material_does_not_keep_a_replica_waiting_until_it_is_settled() {
    let mut region = holder();
    region.does(expect(1, false));
    region.does(import_of(multi(), 1, EXISTING, None));
    region.does(expect(2, true));
    assert_eq!(state_of_replica(&region), KeyState::Enabled);
    region.does(RegionalBody::DisableKey(multi()));
    region.does(settle(2));
    assert_eq!(state_of_replica(&region), KeyState::PendingImport);
    region.does(import_of(multi(), 2, EXISTING, None));
    assert_eq!(state_of_replica(&region), KeyState::Enabled);
}

#[test]
fn staged_material_that_a_replica_deletes_is_still_expected() {
    let mut region = holder();
    region.does(expect(1, false));
    region.does(import_of(multi(), 1, EXISTING, None));
    region.does(expect(2, true));
    region.does(import_of(multi(), 2, EXISTING, None));
    let deleted = Some(material(2).material_id);
    region.does(RegionalBody::DeleteImportedMaterial { key_id: multi(), material_id: deleted });
    assert_eq!(region.state.key(&multi()).unwrap().materials.len(), 2);
    assert_eq!(state_of_replica(&region), KeyState::Enabled);
}

#[test]
fn a_version_that_the_key_set_withdrew_goes_with_its_bytes() {
    let mut region = holder();
    region.does(expect(1, true));
    region.does(import_of(multi(), 1, EXISTING, None));
    let (_, changes) = region.apply(forget(1));
    assert!(changes.contains(&RegionalChange::DeleteMaterial(multi(), material(1).material_id)));
    assert!(region.state.key(&multi()).unwrap().materials.is_empty());
    region.refuses(forget(1), Refusal::MaterialNotFound);
    region.refuses(settle(1), Refusal::MaterialNotFound);
}

#[test]
fn only_a_key_set_s_imported_material_is_expected_settled_or_forgotten() {
    for command in [expect(2, true), settle(1), forget(1)] {
        in_state(Lifecycle::Enabled).refuses(command, Refusal::WrongKind);
    }
    let mut region = holder();
    let boxed = InstallMaterial { key_id: multi(), materials: vec![material(1)], complete: true };
    region.refuses(RegionalBody::InstallMaterial(boxed), Refusal::WrongKind);
    region.refuses(
        RegionalBody::RotateToImported { key_id: multi(), on_demand_limit: 25 },
        Refusal::State(StateFault::PendingImport),
    );
}
