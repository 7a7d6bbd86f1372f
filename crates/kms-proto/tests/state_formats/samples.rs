//! One fixed value of every stored kind. Their bytes are frozen, so a value here never changes; new ones are added.

use kms_core::RotationSchedule;
use kms_core::control::{
    ActivateMaterial, Activation, AddReplica, ControlBody, ControlChange, ControlCommand, ControlOutcome, CreateKeySet,
    Holder, HolderStatus, InitialProperties, KeySet, MaterialVersion, ProposalId, RecentProposals, Refusal,
    RegionEntry, RegionRole, RegisterRegion, SealedBox, SetRotation, StageMaterial, UpdatePrimary,
};
use kms_core::regional::{AliasRecord, KeyRecord, Lifecycle, LocalMaterial, NewMaterial, RegionalChange};
use kms_proto::{FormatError, control_codec, regional_codec};
use kms_types::{
    AccountId, AliasName, KeyId, KeyMaterialId, KeySpec, KeyUsage, Origin, RegionName, RotationType, Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A stored value of any kind.
#[derive(Debug, PartialEq)]
pub(crate) enum Sample {
    Command(ControlCommand),
    Outcome(ControlOutcome),
    Control(ControlChange),
    Regional(RegionalChange),
}

impl Sample {
    /// Row key (empty for what is no row) and value.
    pub(crate) fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        let row = match self {
            Self::Command(command) => return (Vec::new(), control_codec::encode_command(command)),
            Self::Outcome(outcome) => return (Vec::new(), control_codec::encode_outcome(outcome)),
            Self::Control(change) => control_codec::change_to_row(change),
            Self::Regional(change) => regional_codec::change_to_row(change),
        };
        (row.key, row.value.unwrap())
    }

    /// Decodes bytes as the same kind of value as this one.
    pub(crate) fn decode_like(&self, key: &[u8], value: &[u8]) -> Result<Self, FormatError> {
        Ok(match self {
            Self::Command(_) => Self::Command(control_codec::decode_command(value)?),
            Self::Outcome(_) => Self::Outcome(control_codec::decode_outcome(value)?),
            Self::Control(_) => Self::Control(control_codec::row_to_change(key, value)?),
            Self::Regional(_) => Self::Regional(regional_codec::row_to_change(key, value)?),
        })
    }
}

/// Every sample with the name of its file.
pub(crate) fn all() -> Vec<(String, Sample)> {
    let commands = bodies().into_iter().map(|(name, body)| (format!("command-{name}"), Sample::Command(command(body))));
    let outcomes = outcomes().into_iter().map(|(name, o)| (format!("outcome-{name}"), Sample::Outcome(o)));
    let control = control_rows().into_iter().map(|(name, c)| (format!("control-row-{name}"), Sample::Control(c)));
    let regional = regional_rows().into_iter().map(|(name, c)| (format!("regional-row-{name}"), Sample::Regional(c)));
    commands.chain(outcomes).chain(control).chain(regional).collect()
}

pub(crate) fn command(body: ControlBody) -> ControlCommand {
    ControlCommand { proposal_id: ProposalId(*b"0123456789abcdef"), region: virginia(), at: at(1), body }
}

pub(crate) fn register() -> ControlBody {
    let full = RegisterRegion { sealing_public_key: vec![7; 5], role: RegionRole::Full };
    ControlBody::RegisterRegion(full)
}

fn bodies() -> Vec<(&'static str, ControlBody)> {
    let expected_epoch = 3;
    let (key_id, material_id) = (multi(), material(1));
    let stage = StageMaterial {
        key_id,
        expected_epoch,
        material_id,
        rotation_type: RotationType::Automatic,
        boxes: boxes(),
        next_rotation_at: Some(at(9)),
    };
    let on_demand = StageMaterial { rotation_type: RotationType::OnDemand, next_rotation_at: None, ..stage.clone() };
    let create = CreateKeySet {
        key_id,
        account: account(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        material_id,
        sealed: sealed(1),
        initial: initial(),
    };
    let add = AddReplica {
        key_id,
        expected_epoch,
        replica: ireland(),
        boxes: BTreeMap::from([(material(1), sealed(1)), (material(2), sealed(2))]),
        initial: initial(),
    };
    let activate = ActivateMaterial { key_id, expected_epoch, material_id, without: BTreeSet::from([ireland()]) };
    let move_to = UpdatePrimary { key_id, from: virginia(), to: ireland(), expected_epoch };
    let witness = RegisterRegion { sealing_public_key: vec![], role: RegionRole::Witness };
    vec![
        ("register-region", register()),
        ("register-witness", ControlBody::RegisterRegion(witness)),
        ("create-key-set", ControlBody::CreateKeySet(create)),
        ("add-replica", ControlBody::AddReplica(add)),
        ("replica-ready", ControlBody::ReplicaReady { key_id, added_at: at(2) }),
        ("remove-replica", ControlBody::RemoveReplica { key_id, added_at: at(2) }),
        ("delete-key-set", ControlBody::DeleteKeySet { key_id }),
        ("stage-material", ControlBody::StageMaterial(stage)),
        ("stage-material-on-demand", ControlBody::StageMaterial(on_demand)),
        ("activate-material", ControlBody::ActivateMaterial(activate)),
        ("set-rotation", ControlBody::SetRotation(SetRotation { key_id, expected_epoch, schedule: Some(schedule()) })),
        ("set-rotation-off", ControlBody::SetRotation(SetRotation { key_id, expected_epoch, schedule: None })),
        ("update-primary", ControlBody::UpdatePrimary(move_to)),
    ]
}

fn outcomes() -> Vec<(&'static str, ControlOutcome)> {
    let refused = [
        ("key-not-found", Refusal::KeyNotFound),
        ("key-exists", Refusal::KeyExists),
        ("not-primary", Refusal::NotPrimary { primary: ireland() }),
        ("wrong-epoch", Refusal::WrongEpoch { current: 300 }),
        ("replica-exists", Refusal::ReplicaExists),
        ("no-replica", Refusal::NoReplica),
        ("region-unknown", Refusal::RegionUnknown),
        ("replicas-remain", Refusal::ReplicasRemain),
        ("rotation-in-progress", Refusal::RotationInProgress),
        ("not-staged", Refusal::NotStaged),
        ("boxes-mismatch", Refusal::BoxesMismatch),
        ("rotation-limit", Refusal::RotationLimit),
        ("not-rotatable", Refusal::NotRotatable),
        ("already-primary", Refusal::AlreadyPrimary),
        ("role-mismatch", Refusal::RoleMismatch),
        ("malformed", Refusal::Malformed),
    ];
    let refused = refused.into_iter().map(|(name, refusal)| (name, ControlOutcome::Refused(refusal)));
    [("done", ControlOutcome::Done)].into_iter().chain(refused).collect()
}

fn control_rows() -> Vec<(&'static str, ControlChange)> {
    let entry = RegionEntry {
        region: virginia(),
        sealing_public_key: vec![7; 5],
        role: RegionRole::Full,
        registered_at: at(1),
    };
    let sequence = 5000;
    let recent = ControlChange::PutRecent {
        slot: RecentProposals::slot(sequence),
        sequence,
        id: ProposalId([0xab; 16]),
        outcome: ControlOutcome::Refused(Refusal::WrongEpoch { current: 2 }),
    };
    vec![
        ("region", ControlChange::PutRegion(Arc::new(entry))),
        ("key-set", ControlChange::PutKeySet(Arc::new(key_set()))),
        ("recent-outcome", recent),
    ]
}

fn key_set() -> KeySet {
    let creating = Holder { added_at: at(2), status: HolderStatus::Creating(initial()) };
    let ready = Holder { added_at: at(1), status: HolderStatus::Ready };
    let version = |n, rotation_type, activation| MaterialVersion {
        material_id: material(n),
        created_at: at(n.into()),
        rotation_type,
        boxes: boxes(),
        activation,
    };
    let without = BTreeSet::from([ireland()]);
    KeySet {
        key_id: multi(),
        account: account(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        created_at: at(1),
        primary: virginia(),
        epoch: 7,
        holders: BTreeMap::from([(virginia(), ready), (ireland(), creating)]),
        rotation: Some(schedule()),
        on_demand_rotations: 1,
        materials: vec![
            version(1, None, Some(Activation { at: at(1), without: BTreeSet::new() })),
            version(2, Some(RotationType::OnDemand), Some(Activation { at: at(3), without })),
            version(3, Some(RotationType::Automatic), None),
        ],
    }
}

fn regional_rows() -> Vec<(&'static str, RegionalChange)> {
    let alias = AliasRecord {
        account: account(),
        name: AliasName::parse("alias/app/main").unwrap(),
        target: single(),
        created_at: at(1),
        updated_at: at(2),
    };
    let states = [
        ("key-creating", Lifecycle::Creating),
        ("key-enabled", Lifecycle::Enabled),
        ("key-disabled", Lifecycle::Disabled),
        ("key-pending-deletion", Lifecycle::PendingDeletion { deletion_date: at(30), window_days: 30 }),
        ("key-pending-replica-deletion", Lifecycle::PendingReplicaDeletion { window_days: 7 }),
    ];
    let keys = states
        .into_iter()
        .map(|(name, lifecycle)| (name, RegionalChange::PutKey(Arc::new(KeyRecord { lifecycle, ..key_record() }))));
    keys.chain([("alias", RegionalChange::PutAlias(Arc::new(alias))), ("material", material_row())]).collect()
}

pub(crate) fn key_row() -> RegionalChange {
    RegionalChange::PutKey(Arc::new(key_record()))
}

pub(crate) fn material_row() -> RegionalChange {
    RegionalChange::PutMaterial(single(), NewMaterial { material_id: material(1), wrapped: b"wrapped".to_vec() })
}

fn key_record() -> KeyRecord {
    let InitialProperties { policy, description, tags } = initial();
    let rotated = Some((RotationType::OnDemand, at(5)));
    KeyRecord {
        key_id: single(),
        account: account(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        created_at: at(1),
        description,
        policy,
        tags,
        lifecycle: Lifecycle::Enabled,
        materials: vec![
            LocalMaterial { material_id: material(1), created_at: at(1), rotation: None },
            LocalMaterial { material_id: material(2), created_at: at(5), rotation: rotated },
        ],
        rotation: Some(schedule()),
        on_demand_rotations: 1,
    }
}

fn initial() -> InitialProperties {
    let tags = BTreeMap::from([("Empty".to_owned(), String::new()), ("Team".to_owned(), "å".to_owned())]);
    InitialProperties { policy: r#"{"Version":"2012-10-17"}"#.to_owned(), description: "d".to_owned(), tags }
}

fn boxes() -> BTreeMap<RegionName, SealedBox> {
    BTreeMap::from([(virginia(), sealed(1)), (ireland(), sealed(2))])
}

fn sealed(n: u8) -> SealedBox {
    SealedBox { source: virginia(), bytes: vec![n; 4] }
}

fn schedule() -> RotationSchedule {
    RotationSchedule { period_days: 365, next_at: at(365) }
}

fn at(day: u64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + day * 86_400_000)
}

fn material(n: u8) -> KeyMaterialId {
    KeyMaterialId::from_bytes([n; 32])
}

fn multi() -> KeyId {
    KeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap()
}

fn single() -> KeyId {
    KeyId::parse("1234abcd-12ab-34cd-56ef-1234567890ab").unwrap()
}

fn account() -> AccountId {
    AccountId::parse("111122223333").unwrap()
}

fn virginia() -> RegionName {
    RegionName::parse("us-east-1").unwrap()
}

fn ireland() -> RegionName {
    RegionName::parse("eu-west-1").unwrap()
}
