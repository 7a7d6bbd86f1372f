//! One fixed value of every stored kind. Their bytes are frozen, so a value here never changes; new ones are added.

use crate::identity;
use kms_core::RotationSchedule;
use kms_core::control::{
    ActivateMaterial, Activation, AddReplica, AuditCheckpoint, AuditSignature, ControlBody, ControlChange,
    ControlCommand, ControlOutcome, CountersignCheckpoint, CreateKeySet, Holder, HolderStatus, Holding, HoldingEnd,
    InitialProperties, JournalEntry, KeyHistory, KeySet, Mark, MaterialVersion, OfferImportedMaterial, ProposalId,
    PutResidencyRules, RecentProposals, Refusal, RegionEntry, RegionRole, RegisterRegion, ReportImport, ResidencyRule,
    ResidencyRules, SealedBox, SetRotation, SharedChange, StageMaterial, UpdatePrimary,
};
use kms_core::regional::{
    AliasRecord, GrantConstraints, GrantPrincipal, GrantRecord, ImportedMaterial, KeyRecord, LastUse, Lifecycle,
    LocalMaterial, NewMaterial, RegionalChange, TrackedOperation,
};
use kms_proto::control_codec::ResidencyStatement;
use kms_proto::{FormatError, control_codec, regional_codec};
use kms_types::{
    AccountId, AliasName, GrantId, GrantOperation, KeyId, KeyMaterialId, KeySpec, KeyUsage, Origin, RegionName,
    RotationType, Timestamp,
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
    Statement(ResidencyStatement),
}

impl Sample {
    /// Row key (empty for what is no row) and value.
    pub(crate) fn encode(&self) -> (Vec<u8>, Vec<u8>) {
        let row = match self {
            Self::Command(command) => return (Vec::new(), control_codec::encode_command(command)),
            Self::Outcome(outcome) => return (Vec::new(), control_codec::encode_outcome(outcome)),
            Self::Statement(statement) => return (Vec::new(), control_codec::encode_statement(statement)),
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
            Self::Statement(_) => Self::Statement(control_codec::decode_statement(value)?),
            Self::Control(_) => Self::Control(control_codec::row_to_change(key, value)?),
            Self::Regional(_) => Self::Regional(regional_codec::row_to_change(key, value)?),
        })
    }
}

/// Every sample with the name of its file.
pub(crate) fn all() -> Vec<(String, Sample)> {
    let bodies = bodies().into_iter().chain(signed_bodies()).chain(residency_bodies()).chain(identity::bodies());
    let commands = bodies.map(|(name, body)| (format!("command-{name}"), Sample::Command(command(body))));
    let outcomes = outcomes().into_iter().map(|(name, o)| (format!("outcome-{name}"), Sample::Outcome(o)));
    let control = control_rows().into_iter().chain(identity::rows());
    let control = control.map(|(name, c)| (format!("control-row-{name}"), Sample::Control(c)));
    let regional = regional_rows().into_iter().map(|(name, c)| (format!("regional-row-{name}"), Sample::Regional(c)));
    let statement = [("residency-statement".to_owned(), Sample::Statement(statement()))];
    commands.chain(outcomes).chain(control).chain(regional).chain(statement).collect()
}

pub(crate) fn command(body: ControlBody) -> ControlCommand {
    ControlCommand { proposal_id: ProposalId(*b"0123456789abcdef"), region: virginia(), at: at(1), body }
}

pub(crate) fn register() -> ControlBody {
    let full =
        RegisterRegion { sealing_public_key: vec![7; 5], role: RegionRole::Full, signing_public_key: Vec::new() };
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
        on_demand_limit: 25,
    };
    let on_demand = StageMaterial { rotation_type: RotationType::OnDemand, next_rotation_at: None, ..stage.clone() };
    let create = CreateKeySet {
        key_id,
        account: account(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        first: Some((material_id, sealed(1))),
        initial: initial(),
    };
    let add = AddReplica {
        key_id,
        expected_epoch,
        replica: ireland(),
        boxes: BTreeMap::from([(material(1), sealed(1)), (material(2), sealed(2))]),
        initial: initial(),
        primary_tags: BTreeMap::new(),
    };
    let activate = ActivateMaterial {
        key_id,
        expected_epoch,
        material_id,
        without: BTreeSet::from([ireland()]),
        on_demand_limit: 25,
    };
    let create_external = CreateKeySet { origin: Origin::External, first: None, ..create.clone() };
    let add_external = AddReplica { boxes: BTreeMap::new(), ..add.clone() };
    let stage_limited = StageMaterial { on_demand_limit: 10, ..on_demand.clone() };
    let activate_limited = ActivateMaterial { on_demand_limit: 10, ..activate.clone() };
    let offer = OfferImportedMaterial { key_id, expected_epoch, material_id, description: "of 2026".to_owned() };
    let report = ReportImport { key_id, added_at: at(2), material_id, present: true };
    let move_to = UpdatePrimary { key_id, from: virginia(), to: ireland(), expected_epoch };
    let witness =
        RegisterRegion { sealing_public_key: vec![], role: RegionRole::Witness, signing_public_key: Vec::new() };
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
        ("create-key-set-external", ControlBody::CreateKeySet(create_external)),
        ("add-replica-external", ControlBody::AddReplica(add_external)),
        ("stage-material-limited", ControlBody::StageMaterial(stage_limited)),
        ("activate-material-limited", ControlBody::ActivateMaterial(activate_limited)),
        ("offer-imported-material", ControlBody::OfferImportedMaterial(offer)),
        ("report-import", ControlBody::ReportImport(report.clone())),
        ("report-import-absent", ControlBody::ReportImport(ReportImport { present: false, ..report })),
        ("withdraw-imported-material", ControlBody::WithdrawImportedMaterial { key_id, expected_epoch, material_id }),
    ]
}

fn signed_bodies() -> Vec<(&'static str, ControlBody)> {
    let countersign =
        CountersignCheckpoint { of: ireland(), sequence: 300, hash: [5; 32], signature: audit_signature(8) };
    let signing =
        RegisterRegion { sealing_public_key: vec![7; 5], role: RegionRole::Full, signing_public_key: vec![9; 4] };
    vec![
        ("register-region-signing", ControlBody::RegisterRegion(signing)),
        ("sign-checkpoint", ControlBody::SignCheckpoint(checkpoint(&[]))),
        ("countersign-checkpoint", ControlBody::CountersignCheckpoint(countersign)),
    ]
}

fn residency_bodies() -> Vec<(&'static str, ControlBody)> {
    let add_tagged = AddReplica {
        key_id: multi(),
        expected_epoch: 3,
        replica: ireland(),
        boxes: BTreeMap::new(),
        initial: initial(),
        primary_tags: initial().tags,
    };
    vec![
        ("add-replica-tagged", ControlBody::AddReplica(add_tagged)),
        ("put-residency-rules", ControlBody::PutResidencyRules(put_rules())),
    ]
}

fn audit_signature(byte: u8) -> AuditSignature {
    AuditSignature { at: at(3), key: [byte; 32], bytes: vec![byte; 4] }
}

fn checkpoint(witnesses: &[RegionName]) -> AuditCheckpoint {
    AuditCheckpoint {
        sequence: 300,
        hash: [5; 32],
        control_log_index: 7,
        signature: audit_signature(6),
        countersignatures: witnesses.iter().map(|region| (region.clone(), audit_signature(8))).collect(),
    }
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
        ("not-due", Refusal::NotDue),
        ("pending-rotation", Refusal::PendingRotation { pending: material(2) }),
        ("material-exists", Refusal::MaterialExists),
        ("material-not-found", Refusal::MaterialNotFound),
        ("incorrect-material", Refusal::IncorrectMaterial),
        ("import-missing", Refusal::ImportMissing),
        ("principal-exists", Refusal::PrincipalExists),
        ("principal-not-found", Refusal::PrincipalNotFound),
        ("access-key-exists", Refusal::AccessKeyExists),
        ("access-key-not-found", Refusal::AccessKeyNotFound),
        ("policy-not-found", Refusal::PolicyNotFound),
        ("identity-limit", Refusal::IdentityLimit),
        ("residency-forbidden", Refusal::ResidencyForbidden { rule: "eu-only".to_owned() }),
        ("residency-version", Refusal::ResidencyVersion { current: 3 }),
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
        signing_public_key: Vec::new(),
        former_signing_keys: Vec::new(),
    };
    let signing = RegionEntry {
        signing_public_key: vec![9; 4],
        former_signing_keys: vec![vec![7; 4], vec![8; 4]],
        ..entry.clone()
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
        ("region-signing", ControlChange::PutRegion(Arc::new(signing))),
        ("key-set", ControlChange::PutKeySet(Arc::new(key_set()))),
        ("key-set-activated-by", ControlChange::PutKeySet(Arc::new(key_set_activated_by(ireland())))),
        ("key-set-external", ControlChange::PutKeySet(Arc::new(external_key_set(vec![1, 2])))),
        ("key-set-external-new", ControlChange::PutKeySet(Arc::new(external_key_set(vec![])))),
        ("audit-checkpoints", ControlChange::PutCheckpoints(virginia(), Arc::new(vec![checkpoint(&[ireland()])]))),
        ("journal", ControlChange::PutJournal(Arc::new(journal_entry()))),
        ("recent-outcome", recent),
        ("residency-rules", ControlChange::PutResidencyRules(Arc::new(residency_rules()))),
        ("key-history", ControlChange::PutKeyHistory(Arc::new(history()))),
        ("key-history-deleted", ControlChange::PutKeyHistory(Arc::new(history_of_deleted_key()))),
    ]
}

fn key_set_activated_by(region: RegionName) -> KeySet {
    let mut set = key_set();
    for version in set.materials.iter_mut().filter(|version| version.rotation_type.is_some()) {
        version.activation.iter_mut().for_each(|activation| activation.by = Some(region.clone()));
    }
    set
}

fn journal_entry() -> JournalEntry {
    JournalEntry { index: 258, region: ireland(), change: SharedChange::UpdatePrimary }
}

fn put_rules() -> PutResidencyRules {
    let all = ResidencyRule {
        name: "everything".to_owned(),
        accounts: BTreeSet::new(),
        tag: None,
        keys: BTreeSet::new(),
        allow: BTreeSet::from([virginia(), ireland()]),
    };
    let one = ResidencyRule {
        name: "eu-only".to_owned(),
        accounts: BTreeSet::from([account()]),
        tag: Some(("data".to_owned(), "eu".to_owned())),
        keys: BTreeSet::from([multi(), single()]),
        allow: BTreeSet::from([ireland()]),
    };
    let accepted = BTreeSet::from([(multi(), virginia())]);
    PutResidencyRules { expected_version: 2, rules: vec![all, one], accepted }
}

fn residency_rules() -> ResidencyRules {
    let PutResidencyRules { expected_version, rules, accepted } = put_rules();
    ResidencyRules { version: expected_version + 1, put_at: at(4), put_by: virginia(), rules, accepted }
}

pub(crate) fn history() -> KeyHistory {
    let mark = |n: u64| Mark { index: n, at: at(n) };
    let holding =
        |region, n: u8, installed, ended| Holding { region, material_id: material(n), from: mark(1), installed, ended };
    KeyHistory {
        key_id: multi(),
        account: account(),
        reconstructed: false,
        dropped: 0,
        deleted: None,
        holdings: vec![
            holding(virginia(), 1, Some(mark(2)), None),
            holding(ireland(), 1, Some(mark(2)), Some((mark(3), HoldingEnd::ReplicaRemoved))),
            holding(ireland(), 2, None, Some((mark(4), HoldingEnd::ImportRemoved))),
            holding(ireland(), 3, None, Some((mark(5), HoldingEnd::Withdrawn))),
        ],
    }
}

fn history_of_deleted_key() -> KeyHistory {
    let deleted = Mark { index: 9, at: at(9) };
    let holdings = history().holdings.into_iter().take(1);
    let holdings = holdings.map(|h| Holding { ended: Some((deleted, HoldingEnd::KeyDeleted)), ..h });
    KeyHistory { reconstructed: true, dropped: 7, deleted: Some(deleted), holdings: holdings.collect(), ..history() }
}

/// What a Region signs.
pub(crate) fn statement() -> ResidencyStatement {
    ResidencyStatement {
        cluster_id: "example".to_owned(),
        region: ireland(),
        applied_index: 12,
        stated_at: at(12),
        history: history(),
        present: BTreeSet::from([material(1), material(2)]),
    }
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
        description: String::new(),
        imported_by: BTreeSet::new(),
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
            version(1, None, Some(Activation { at: at(1), without: BTreeSet::new(), by: None })),
            version(2, Some(RotationType::OnDemand), Some(Activation { at: at(3), without, by: None })),
            version(3, Some(RotationType::Automatic), None),
        ],
    }
}

/// A key set with imported material, the first version current and the second, if any, staged.
fn external_key_set(versions: Vec<u8>) -> KeySet {
    let version = |n: u8| MaterialVersion {
        material_id: material(n),
        created_at: at(n.into()),
        rotation_type: (n > 1).then_some(RotationType::OnDemand),
        boxes: BTreeMap::new(),
        activation: (n == 1).then(|| Activation { at: at(1), without: BTreeSet::new(), by: None }),
        description: format!("number {n}"),
        imported_by: if n == 1 { BTreeSet::from([virginia(), ireland()]) } else { BTreeSet::from([virginia()]) },
    };
    KeySet {
        origin: Origin::External,
        rotation: None,
        on_demand_rotations: 0,
        materials: versions.into_iter().map(version).collect(),
        ..key_set()
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
    let others = [
        ("alias", RegionalChange::PutAlias(Arc::new(alias))),
        ("material", material_row()),
        ("key-external", RegionalChange::PutKey(Arc::new(external_key_record()))),
        ("grant", RegionalChange::PutGrant(Arc::new(grant()))),
        ("grant-plain", RegionalChange::PutGrant(Arc::new(plain_grant()))),
        ("last-use", last_use_row()),
    ];
    keys.chain(others).collect()
}

/// A key whose first material is imported and expires, whose second is deleted, and whose third waits for its rotation.
fn external_key_record() -> KeyRecord {
    let version = |n: u8, import| LocalMaterial {
        material_id: material(n),
        created_at: at(n.into()),
        rotation: (n == 2).then(|| (RotationType::OnDemand, at(5))),
        import: Some(import),
    };
    let imported =
        ImportedMaterial { present: true, expires_at: Some(at(40)), description: "of 2026".to_owned(), pending: false };
    let deleted = ImportedMaterial { present: false, expires_at: None, ..imported.clone() };
    let waiting = ImportedMaterial { present: true, expires_at: None, description: String::new(), pending: true };
    KeyRecord {
        origin: Origin::External,
        materials: vec![version(1, imported), version(2, deleted), version(3, waiting)],
        rotation: None,
        ..key_record()
    }
}

pub(crate) fn grant() -> GrantRecord {
    let context = BTreeMap::from([("Department".to_owned(), "IT".to_owned()), ("Purpose".to_owned(), "å".to_owned())]);
    GrantRecord {
        key_id: single(),
        account: account(),
        grant_id: GrantId::from_bytes([0xab; 32]),
        name: Some("nightly-backup".to_owned()),
        created_at: at(3),
        grantee: GrantPrincipal::Service("backup.example.com".to_owned()),
        retiring: Some(GrantPrincipal::Arn("arn:aws:iam::444455556666:role/Keeper".to_owned())),
        issuing_account: AccountId::parse("444455556666").unwrap(),
        operations: BTreeSet::from([GrantOperation::Decrypt, GrantOperation::CreateGrant, GrantOperation::Decapsulate]),
        constraints: GrantConstraints {
            encryption_context_equals: Some(context),
            encryption_context_subset: Some(BTreeMap::new()),
            source_arn: Some("arn:aws:s3:::bucket".to_owned()),
        },
    }
}

fn plain_grant() -> GrantRecord {
    GrantRecord {
        name: None,
        grantee: GrantPrincipal::Arn("arn:aws:iam::111122223333:user/Worker".to_owned()),
        retiring: None,
        operations: BTreeSet::from([GrantOperation::Encrypt]),
        constraints: GrantConstraints::default(),
        ..grant()
    }
}

fn last_use_row() -> RegionalChange {
    let request_id = "7d5f6a3c-0b9e-4c51-9a0d-2f6f1f8c2c11".to_owned();
    let last_use = LastUse { operation: TrackedOperation::GenerateDataKey, at: at(8), request_id };
    RegionalChange::PutLastUse(single(), last_use)
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
            LocalMaterial { material_id: material(1), created_at: at(1), rotation: None, import: None },
            LocalMaterial { material_id: material(2), created_at: at(5), rotation: rotated, import: None },
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
