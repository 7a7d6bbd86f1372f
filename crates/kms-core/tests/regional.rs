//! Claims about single key resources: states, aliases, tags, rotation and deletion in one Region.
#![expect(clippy::unwrap_used, reason = "a step that fails is the result of the test")]

#[path = "regional/grants.rs"]
mod grants;
#[path = "regional/imports.rs"]
mod imports;
#[path = "regional/uses.rs"]
mod uses;

use kms_core::regional::{
    CreateKey, CreateReplica, InstallMaterial, KeyRecord, Lifecycle, NewMaterial, RegionalBody, RegionalChange,
    RegionalCommand, RegionalOutcome, RegionalRefusal as Refusal, RegionalState, RotateMaterial, ScheduleDeletion,
    SetAlias,
};
use kms_core::{KeyOperation, RotationSchedule, StateFault, state_matrix};
use kms_types::{AccountId, AliasName, KeyId, KeyMaterialId, KeySpec, KeyUsage, Origin, RotationType, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

struct Region {
    state: RegionalState,
    now: u64,
}

impl Region {
    fn with_keys(keys: u8) -> Self {
        let mut region = Self { state: RegionalState::default(), now: 0 };
        for n in 1..=keys {
            region.does(create(n));
        }
        region
    }

    fn apply(&mut self, body: RegionalBody) -> (Result<(), Refusal>, Vec<RegionalChange>) {
        self.now += 1;
        let before = self.state.clone();
        let applied = self.state.apply(&RegionalCommand { at: at(self.now), body });
        self.state.check_invariants().unwrap();
        let outcome = match applied.outcome {
            RegionalOutcome::Done => Ok(()),
            RegionalOutcome::GrantExists(_) => unreachable!("no grant is created here"),
            RegionalOutcome::Refused(refusal) => {
                assert_eq!(self.state, before, "a refusal changes nothing");
                assert!(applied.changes.is_empty());
                Err(refusal)
            }
        };
        (outcome, applied.changes)
    }

    #[track_caller]
    fn does(&mut self, body: RegionalBody) {
        assert_eq!(self.apply(body).0, Ok(()));
    }

    #[track_caller]
    fn refuses(&mut self, body: RegionalBody, refusal: Refusal) {
        assert_eq!(self.apply(body).0, Err(refusal));
    }

    fn key(&self, n: u8) -> &KeyRecord {
        self.state.key(&key(n)).unwrap()
    }
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn key(n: u8) -> KeyId {
    KeyId::single_region([n; 16])
}

fn multi() -> KeyId {
    KeyId::multi_region([9; 16])
}

fn account() -> AccountId {
    AccountId::parse("111122223333").unwrap()
}

fn stranger() -> AccountId {
    AccountId::parse("444455556666").unwrap()
}

fn alias(name: &str) -> AliasName {
    AliasName::parse(&format!("alias/{name}")).unwrap()
}

fn material(n: u8) -> NewMaterial {
    NewMaterial { material_id: KeyMaterialId::from_bytes([n; 32]), wrapped: vec![n] }
}

fn create(n: u8) -> RegionalBody {
    create_of(n, KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt)
}

fn create_of(n: u8, spec: KeySpec, usage: KeyUsage) -> RegionalBody {
    RegionalBody::CreateKey(Box::new(CreateKey {
        key_id: key(n),
        account: account(),
        spec,
        usage,
        origin: Origin::AwsKms,
        description: String::new(),
        policy: "p".to_owned(),
        tags: BTreeMap::new(),
        material: Some(material(n)),
    }))
}

fn create_replica(key_id: KeyId) -> RegionalBody {
    RegionalBody::CreateReplica(Box::new(CreateReplica {
        key_id,
        account: account(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        created_at: at(1),
        description: String::new(),
        policy: "p".to_owned(),
        tags: BTreeMap::new(),
    }))
}

fn set_alias(name: AliasName, target: KeyId) -> SetAlias {
    SetAlias { account: account(), name, target, alias_limit: 50 }
}

fn create_alias(name: AliasName, target: KeyId) -> RegionalBody {
    RegionalBody::CreateAlias(set_alias(name, target))
}

fn update_alias(name: AliasName, target: KeyId) -> RegionalBody {
    RegionalBody::UpdateAlias(set_alias(name, target))
}

fn delete_at(key_id: KeyId, deletion_date: Option<u64>) -> RegionalBody {
    RegionalBody::ScheduleDeletion(ScheduleDeletion { key_id, window_days: 7, deletion_date: deletion_date.map(at) })
}

fn tags(range: std::ops::Range<usize>) -> BTreeMap<String, String> {
    range.map(|n| (format!("k{n}"), "v".to_owned())).collect()
}

fn rotate(key_id: KeyId, n: u8, rotation_type: RotationType, next: Option<u64>) -> RegionalBody {
    let next_rotation_at = next.map(at);
    RegionalBody::RotateMaterial(RotateMaterial {
        key_id,
        material: material(n),
        rotation_type,
        next_rotation_at,
        on_demand_limit: 25,
    })
}

fn every_day(next: u64) -> Option<RotationSchedule> {
    Some(RotationSchedule { period_days: 90, next_at: at(next) })
}

/// A Region whose multi-Region key is in the given state.
fn in_state(lifecycle: Lifecycle) -> Region {
    let mut region = Region::with_keys(1);
    region.does(create_replica(multi()));
    if lifecycle == Lifecycle::Creating {
        return region;
    }
    let install = InstallMaterial { key_id: multi(), materials: vec![material(1)], complete: true };
    region.does(RegionalBody::InstallMaterial(install));
    match lifecycle {
        Lifecycle::Disabled => region.does(RegionalBody::DisableKey(multi())),
        Lifecycle::PendingDeletion { deletion_date, .. } => {
            region.does(delete_at(multi(), Some(deletion_date.millis())));
        }
        Lifecycle::PendingReplicaDeletion { .. } => region.does(delete_at(multi(), None)),
        Lifecycle::Creating | Lifecycle::Enabled => {}
    }
    assert_eq!(region.state.key(&multi()).unwrap().lifecycle, lifecycle);
    region
}

#[test]
fn every_operation_obeys_the_state_matrix_in_every_state() {
    use KeyOperation as Op;
    let states = [
        Lifecycle::Creating,
        Lifecycle::Enabled,
        Lifecycle::Disabled,
        Lifecycle::PendingDeletion { deletion_date: at(1_000), window_days: 7 },
        Lifecycle::PendingReplicaDeletion { window_days: 7 },
    ];
    let operations: [(Op, fn() -> RegionalBody); 9] = [
        (Op::EnableKey, || RegionalBody::EnableKey(multi())),
        (Op::DisableKey, || RegionalBody::DisableKey(multi())),
        (Op::UpdateKeyDescription, || RegionalBody::SetDescription(multi(), "new".to_owned())),
        (Op::PutKeyPolicy, || RegionalBody::PutKeyPolicy(multi(), "new".to_owned())),
        (Op::TagResource, || RegionalBody::Tag(multi(), tags(0..1))),
        (Op::UntagResource, || RegionalBody::Untag(multi(), BTreeSet::new())),
        (Op::CreateAlias, || create_alias(alias("new"), multi())),
        (Op::ScheduleKeyDeletion, || delete_at(multi(), Some(2_000))),
        (Op::CancelKeyDeletion, || RegionalBody::CancelDeletion(multi())),
    ];
    for lifecycle in states {
        for (operation, body) in operations {
            let mut region = in_state(lifecycle);
            let state = region.state.key(&multi()).unwrap().state();
            let expected = state_matrix::check(operation, state).map_err(Refusal::State);
            assert_eq!(region.apply(body()).0, expected, "{operation:?} in {state}");
        }
    }
}

#[test]
fn every_command_about_an_unknown_key_is_refused() {
    let none = key(77);
    let commands = [
        RegionalBody::InstallMaterial(InstallMaterial { key_id: none, materials: vec![], complete: true }),
        rotate(none, 2, RotationType::OnDemand, None),
        RegionalBody::EnableKey(none),
        RegionalBody::DisableKey(none),
        RegionalBody::SetDescription(none, String::new()),
        RegionalBody::PutKeyPolicy(none, String::new()),
        RegionalBody::Tag(none, tags(0..1)),
        RegionalBody::Untag(none, BTreeSet::new()),
        create_alias(alias("a"), none),
        RegionalBody::SetRotation(none, None),
        delete_at(none, None),
        RegionalBody::StartDeletionClock { key_id: none, deletion_date: at(9) },
        RegionalBody::AwaitReplicaDeletion(none),
        RegionalBody::CancelDeletion(none),
        RegionalBody::DestroyKey(none),
    ];
    for command in commands {
        Region::with_keys(1).refuses(command, Refusal::KeyNotFound);
    }
}

#[test]
fn a_cancelled_deletion_leaves_the_key_disabled() {
    let mut region = Region::with_keys(1);
    region.does(delete_at(key(1), Some(1_000)));
    region.does(RegionalBody::CancelDeletion(key(1)));
    assert_eq!(region.key(1).lifecycle, Lifecycle::Disabled);
    region.does(RegionalBody::EnableKey(key(1)));
    assert_eq!(region.key(1).lifecycle, Lifecycle::Enabled);
}

#[test]
fn a_deletion_cannot_be_cancelled_once_the_waiting_period_is_over() {
    let mut region = Region::with_keys(1);
    region.does(delete_at(key(1), Some(100)));
    region.now = 99;
    region.refuses(RegionalBody::CancelDeletion(key(1)), Refusal::State(StateFault::NotPendingDeletion));
}

#[test]
fn a_single_region_key_is_destroyed_only_after_its_waiting_period() {
    let mut region = Region::with_keys(1);
    let too_early = Refusal::State(StateFault::NotPendingDeletion);
    region.refuses(RegionalBody::DestroyKey(key(1)), too_early.clone());
    region.does(delete_at(key(1), Some(100)));
    region.refuses(RegionalBody::DestroyKey(key(1)), too_early);
    region.now = 99;
    region.does(RegionalBody::DestroyKey(key(1)));
    assert!(region.state.key(&key(1)).is_none());
}

#[test]
fn destroying_a_key_removes_every_row_of_it_and_nothing_else() {
    let mut region = Region::with_keys(2);
    region.does(rotate(key(1), 7, RotationType::OnDemand, None));
    for name in ["a", "b"] {
        region.does(create_alias(alias(name), key(1)));
    }
    region.does(create_alias(alias("c"), key(2)));
    region.does(delete_at(key(1), Some(20)));
    region.now = 20;
    let (outcome, changes) = region.apply(RegionalBody::DestroyKey(key(1)));
    assert_eq!(outcome, Ok(()));
    let gone = [
        RegionalChange::DeleteMaterial(key(1), material(1).material_id),
        RegionalChange::DeleteMaterial(key(1), material(7).material_id),
        RegionalChange::DeleteAlias(account(), alias("a")),
        RegionalChange::DeleteAlias(account(), alias("b")),
        RegionalChange::DeleteKey(key(1)),
    ];
    assert_eq!(changes, gone);
    assert_eq!(region.state.aliases().map(|a| a.name.clone()).collect::<Vec<_>>(), [alias("c")]);
    assert_eq!(region.state.deletions_due(at(u64::MAX)).count(), 0);
}

#[test]
fn a_primary_that_waits_for_replicas_starts_its_clock_later() {
    let mut region = in_state(Lifecycle::PendingReplicaDeletion { window_days: 7 });
    assert_eq!(region.state.set_deletions_due(at(u64::MAX)).count(), 0);
    region.does(RegionalBody::StartDeletionClock { key_id: multi(), deletion_date: at(500) });
    assert_eq!(region.state.set_deletions_due(at(500)).count(), 1);
    region.does(RegionalBody::AwaitReplicaDeletion(multi()));
    assert_eq!(region.state.set_deletions_due(at(500)).count(), 0);
    region.does(RegionalBody::CancelDeletion(multi()));
    let not_pending = Refusal::State(StateFault::NotPendingDeletion);
    region.refuses(RegionalBody::AwaitReplicaDeletion(multi()), not_pending.clone());
    region.refuses(RegionalBody::StartDeletionClock { key_id: multi(), deletion_date: at(900) }, not_pending);
}

#[test]
fn an_alias_name_is_taken_once_per_account() {
    let mut region = Region::with_keys(2);
    region.does(create_alias(alias("a"), key(1)));
    region.refuses(create_alias(alias("a"), key(2)), Refusal::AliasExists);
    region.does(RegionalBody::DeleteAlias(account(), alias("a")));
    region.refuses(RegionalBody::DeleteAlias(account(), alias("a")), Refusal::AliasNotFound);
    region.does(create_alias(alias("a"), key(2)));
}

#[test]
fn an_alias_never_points_at_another_account_s_key() {
    let mut region = Region::with_keys(1);
    region.refuses(
        RegionalBody::CreateAlias(SetAlias { account: stranger(), ..set_alias(alias("a"), key(1)) }),
        Refusal::KeyNotFound,
    );
}

#[test]
fn update_alias_moves_the_name_and_keeps_its_birthday() {
    let mut region = Region::with_keys(2);
    region.does(create_alias(alias("a"), key(1)));
    let born = region.state.alias(&account(), &alias("a")).unwrap().created_at;
    region.does(update_alias(alias("a"), key(2)));
    let moved = region.state.alias(&account(), &alias("a")).unwrap();
    assert_eq!((moved.target, moved.created_at), (key(2), born));
    assert!(moved.updated_at > born);
    assert_eq!(region.state.aliases_of(&key(1)).count(), 0);
    assert_eq!(region.state.aliases_of(&key(2)).count(), 1);
    region.refuses(update_alias(alias("none"), key(2)), Refusal::AliasNotFound);
}

#[test]
fn update_alias_refuses_a_key_of_another_kind() {
    let mut region = Region::with_keys(1);
    region.does(create_of(2, KeySpec::Rsa2048, KeyUsage::EncryptDecrypt));
    region.does(create_of(3, KeySpec::Hmac256, KeyUsage::GenerateVerifyMac));
    region.does(create_of(4, KeySpec::Rsa3072, KeyUsage::EncryptDecrypt));
    region.does(create_alias(alias("a"), key(1)));
    region.refuses(update_alias(alias("a"), key(2)), Refusal::KindMismatch);
    region.refuses(update_alias(alias("a"), key(3)), Refusal::KindMismatch);
    region.does(create_alias(alias("b"), key(2)));
    region.does(update_alias(alias("b"), key(4)));
}

#[test]
fn update_alias_moves_away_from_a_key_that_is_pending_deletion_but_not_to_it() {
    let mut region = Region::with_keys(2);
    region.does(create_alias(alias("a"), key(1)));
    region.does(delete_at(key(1), Some(1_000)));
    region.does(update_alias(alias("a"), key(2)));
    let pending = Refusal::State(StateFault::PendingDeletion);
    region.refuses(update_alias(alias("a"), key(1)), pending);
}

#[test]
fn a_key_has_at_most_fifty_aliases() {
    let mut region = Region::with_keys(2);
    for n in 0..50 {
        region.does(create_alias(alias(&n.to_string()), key(1)));
    }
    region.refuses(create_alias(alias("more"), key(1)), Refusal::TooManyAliases);
    region.does(create_alias(alias("more"), key(2)));
    region.refuses(update_alias(alias("more"), key(1)), Refusal::TooManyAliases);
    // Setting the target that it has already needs no room.
    region.does(update_alias(alias("7"), key(1)));
}

#[test]
fn aliases_are_listed_by_name_from_any_place() {
    let mut region = Region::with_keys(1);
    for name in ["b", "-", "a/b", "B"] {
        region.does(create_alias(alias(name), key(1)));
    }
    let names = |after: Option<&str>| -> Vec<String> {
        let after = after.map(alias);
        region.state.aliases_after(account(), after.as_ref()).map(|a| a.name.to_string()).collect()
    };
    assert_eq!(names(None), ["alias/-", "alias/B", "alias/a/b", "alias/b"]);
    assert_eq!(names(Some("B")), ["alias/a/b", "alias/b"]);
    assert_eq!(region.state.aliases_after(stranger(), None).count(), 0);
}

#[test]
fn a_key_has_at_most_fifty_tags_and_a_known_key_replaces_its_value() {
    let mut region = Region::with_keys(1);
    region.does(RegionalBody::Tag(key(1), tags(0..50)));
    region.refuses(RegionalBody::Tag(key(1), tags(50..51)), Refusal::TooManyTags);
    region.does(RegionalBody::Tag(key(1), BTreeMap::from([("k7".to_owned(), "new".to_owned())])));
    assert_eq!(region.key(1).tags["k7"], "new");
    region.does(RegionalBody::Untag(key(1), BTreeSet::from(["k7".to_owned(), "unknown".to_owned()])));
    assert_eq!(region.key(1).tags.len(), 49);
}

#[test]
fn a_rotation_adds_material_and_moves_the_schedule_only_when_told() {
    let mut region = Region::with_keys(1);
    region.does(RegionalBody::SetRotation(key(1), every_day(100)));
    region.does(rotate(key(1), 2, RotationType::OnDemand, None));
    assert_eq!(region.key(1).rotation, every_day(100));
    region.does(rotate(key(1), 3, RotationType::Automatic, Some(190)));
    assert_eq!(region.key(1).rotation, every_day(190));
    assert_eq!((region.key(1).materials.len(), region.key(1).on_demand_rotations), (3, 1));
    region.refuses(rotate(key(1), 3, RotationType::Automatic, None), Refusal::MaterialExists);
    assert_eq!(region.state.rotations_due(at(189)).count(), 0);
    assert_eq!(region.state.rotations_due(at(190)).count(), 1);
}

#[test]
fn on_demand_rotations_are_used_up_after_twenty_five() {
    let mut region = Region::with_keys(1);
    for n in 0..25 {
        region.does(rotate(key(1), 100 + n, RotationType::OnDemand, None));
    }
    region.refuses(rotate(key(1), 200, RotationType::OnDemand, None), Refusal::RotationLimit);
    region.does(rotate(key(1), 200, RotationType::Automatic, None));
}

#[test]
fn a_disabled_key_is_not_rotated_and_is_overdue_when_enabled_again() {
    let mut region = Region::with_keys(1);
    region.does(RegionalBody::SetRotation(key(1), every_day(100)));
    region.does(RegionalBody::DisableKey(key(1)));
    assert_eq!(region.state.rotations_due(at(100)).count(), 0);
    region.refuses(rotate(key(1), 2, RotationType::Automatic, None), Refusal::State(StateFault::Disabled));
    region.does(RegionalBody::EnableKey(key(1)));
    assert_eq!(region.state.rotations_due(at(100)).count(), 1);
}

#[test]
fn keys_that_cannot_be_rotated_never_get_a_schedule_or_a_second_material() {
    let mut region = Region::with_keys(0);
    region.does(create_of(1, KeySpec::EccNistP256, KeyUsage::SignVerify));
    region.refuses(RegionalBody::SetRotation(key(1), every_day(100)), Refusal::WrongKind);
    region.refuses(rotate(key(1), 2, RotationType::OnDemand, None), Refusal::WrongKind);
}

#[test]
fn single_region_commands_and_multi_region_keys_do_not_mix() {
    let mut region = in_state(Lifecycle::Enabled);
    region.refuses(RegionalBody::SetRotation(multi(), every_day(100)), Refusal::WrongKind);
    region.refuses(rotate(multi(), 2, RotationType::OnDemand, None), Refusal::WrongKind);
    region.refuses(create_replica(key(2)), Refusal::WrongKind);
    let install = InstallMaterial { key_id: key(1), materials: vec![material(5)], complete: false };
    region.refuses(RegionalBody::InstallMaterial(install), Refusal::WrongKind);
}

#[test]
fn an_installation_is_refused_whole_when_one_version_is_there_already() {
    let mut region = in_state(Lifecycle::Enabled);
    let install =
        |materials| RegionalBody::InstallMaterial(InstallMaterial { key_id: multi(), materials, complete: false });
    region.refuses(install(vec![material(2), material(1)]), Refusal::MaterialExists);
    region.refuses(install(vec![material(2), material(2)]), Refusal::MaterialExists);
    region.does(install(vec![material(2)]));
    assert_eq!(region.state.key(&multi()).unwrap().materials.len(), 2);
}

#[test]
fn wrapping_anew_replaces_what_is_here_and_brings_nothing_back() {
    let mut region = Region::with_keys(2);
    let held = region.key(1).materials[0].material_id;
    let anew = |material_id| NewMaterial { material_id, wrapped: b"anew".to_vec() };
    let before = region.state.clone();
    let batch = vec![(key(1), anew(held)), (key(1), anew(material(77).material_id)), (key(9), anew(held))];
    let (outcome, changes) = region.apply(RegionalBody::RewrapMaterial(batch));
    assert_eq!((outcome, changes), (Ok(()), vec![RegionalChange::PutMaterial(key(1), anew(held))]));
    assert_eq!(region.state, before, "no record changes");
}

#[test]
fn a_key_id_is_taken_once() {
    let mut region = in_state(Lifecycle::Disabled);
    region.refuses(create(1), Refusal::KeyExists);
    region.refuses(create_replica(multi()), Refusal::KeyExists);
}

#[test]
fn a_state_comes_back_from_its_rows() {
    let mut region = in_state(Lifecycle::PendingDeletion { deletion_date: at(900), window_days: 7 });
    region.does(create_alias(alias("a"), key(1)));
    region.does(RegionalBody::SetRotation(key(1), every_day(100)));
    let mut restored = RegionalState::default();
    region.state.rows().for_each(|row| restored.absorb(&row));
    assert_eq!(restored, region.state);
    let (rotations, deletions) = (restored.rotations_due(at(1_000)), restored.set_deletions_due(at(1_000)));
    assert_eq!((rotations.count(), deletions.count()), (1, 1));
}
