//! Random commands, outcomes and rows, all valid.

use crate::identity;
use kms_core::RotationSchedule;
use kms_core::control::{
    ActivateMaterial, Activation, AddReplica, ControlBody, ControlChange, ControlCommand, ControlOutcome, CreateKeySet,
    Holder, HolderStatus, Holding, HoldingEnd, InitialProperties, JournalEntry, KeyHistory, KeySet, Mark,
    MaterialVersion, OfferImportedMaterial, ProposalId, PutResidencyRules, RecentProposals, Refusal, RegionEntry,
    RegionRole, RegisterRegion, ReportImport, ResidencyRule, ResidencyRules, SealedBox, SetRotation, SharedChange,
    StageMaterial, UpdatePrimary,
};
use kms_core::regional::{
    AliasRecord, GrantConstraints, GrantPrincipal, GrantRecord, ImportedMaterial, KeyRecord, LastUse, Lifecycle,
    LocalMaterial, NewMaterial, RegionalChange, TrackedOperation,
};
use kms_types::{
    AccountId, AliasName, GrantId, GrantOperation, KeyId, KeyMaterialId, KeySpec, KeyUsage, Origin, RegionName,
    RotationType, Timestamp,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn command() -> impl Strategy<Value = ControlCommand> {
    (any::<[u8; 16]>(), region(), time(), body()).prop_map(|(id, region, at, body)| ControlCommand {
        proposal_id: ProposalId(id),
        region,
        at,
        body,
    })
}

fn body() -> impl Strategy<Value = ControlBody> {
    let register = (bytes(), role(), bytes()).prop_map(|(sealing_public_key, role, signing_public_key)| {
        ControlBody::RegisterRegion(RegisterRegion { sealing_public_key, role, signing_public_key })
    });
    let stage = (key(), any::<u64>(), material(), rotation_type(), boxes(), option::of(time()), limit()).prop_map(
        |(key_id, expected_epoch, material_id, rotation_type, boxes, next_rotation_at, on_demand_limit)| {
            #[rustfmt::skip]
            let stage = StageMaterial {
                key_id, expected_epoch, material_id, rotation_type, boxes, next_rotation_at, on_demand_limit,
            };
            ControlBody::StageMaterial(stage)
        },
    );
    let activate = (key(), any::<u64>(), material(), btree_set(region(), 0..3), limit()).prop_map(
        |(key_id, expected_epoch, material_id, without, on_demand_limit)| {
            let body = ActivateMaterial { key_id, expected_epoch, material_id, without, on_demand_limit };
            ControlBody::ActivateMaterial(body)
        },
    );
    let rotation = (key(), any::<u64>(), option::of(schedule())).prop_map(|(key_id, expected_epoch, schedule)| {
        ControlBody::SetRotation(SetRotation { key_id, expected_epoch, schedule })
    });
    let primary = (key(), region(), region(), any::<u64>()).prop_map(|(key_id, from, to, expected_epoch)| {
        ControlBody::UpdatePrimary(UpdatePrimary { key_id, from, to, expected_epoch })
    });
    prop_oneof![
        register,
        create(),
        add_replica(),
        (key(), time()).prop_map(|(key_id, added_at)| ControlBody::ReplicaReady { key_id, added_at }),
        (key(), time()).prop_map(|(key_id, added_at)| ControlBody::RemoveReplica { key_id, added_at }),
        key().prop_map(|key_id| ControlBody::DeleteKeySet { key_id }),
        stage,
        activate,
        rotation,
        primary,
        import_body(),
        identity::body(),
        residency_rules().prop_map(|rules| {
            let (expected_version, rules, accepted) = (rules.version, rules.rules, rules.accepted);
            ControlBody::PutResidencyRules(PutResidencyRules { expected_version, rules, accepted })
        }),
    ]
}

fn import_body() -> impl Strategy<Value = ControlBody> {
    let offer =
        (key(), any::<u64>(), material(), ".{0,12}").prop_map(|(key_id, expected_epoch, material_id, description)| {
            let body = OfferImportedMaterial { key_id, expected_epoch, material_id, description };
            ControlBody::OfferImportedMaterial(body)
        });
    let report = (key(), time(), material(), any::<bool>()).prop_map(|(key_id, added_at, material_id, present)| {
        ControlBody::ReportImport(ReportImport { key_id, added_at, material_id, present })
    });
    let withdraw = (key(), any::<u64>(), material()).prop_map(|(key_id, expected_epoch, material_id)| {
        ControlBody::WithdrawImportedMaterial { key_id, expected_epoch, material_id }
    });
    prop_oneof![offer, report, withdraw]
}

fn create() -> impl Strategy<Value = ControlBody> {
    (key(), account(), kind(), option::of((material(), sealed())), initial()).prop_map(
        |(key_id, account, (spec, usage, origin), first, initial)| {
            let create = CreateKeySet { key_id, account, spec, usage, origin, first, initial };
            ControlBody::CreateKeySet(create)
        },
    )
}

fn add_replica() -> impl Strategy<Value = ControlBody> {
    (key(), any::<u64>(), region(), btree_map(material(), sealed(), 0..4), initial(), initial()).prop_map(
        |(key_id, expected_epoch, replica, boxes, initial, primary)| {
            let primary_tags = primary.tags;
            ControlBody::AddReplica(AddReplica { key_id, expected_epoch, replica, boxes, initial, primary_tags })
        },
    )
}

pub(crate) fn outcome() -> impl Strategy<Value = ControlOutcome> {
    let plain = [
        Refusal::KeyNotFound,
        Refusal::KeyExists,
        Refusal::ReplicaExists,
        Refusal::NoReplica,
        Refusal::RegionUnknown,
        Refusal::ReplicasRemain,
        Refusal::RotationInProgress,
        Refusal::NotStaged,
        Refusal::BoxesMismatch,
        Refusal::RotationLimit,
        Refusal::NotRotatable,
        Refusal::AlreadyPrimary,
        Refusal::RoleMismatch,
        Refusal::Malformed,
        Refusal::NotDue,
        Refusal::MaterialExists,
        Refusal::MaterialNotFound,
        Refusal::IncorrectMaterial,
        Refusal::ImportMissing,
        Refusal::PrincipalExists,
        Refusal::PrincipalNotFound,
        Refusal::AccessKeyExists,
        Refusal::AccessKeyNotFound,
        Refusal::PolicyNotFound,
        Refusal::IdentityLimit,
    ];
    prop_oneof![
        Just(ControlOutcome::Done),
        select(plain.to_vec()).prop_map(ControlOutcome::Refused),
        region().prop_map(|primary| ControlOutcome::Refused(Refusal::NotPrimary { primary })),
        any::<u64>().prop_map(|current| ControlOutcome::Refused(Refusal::WrongEpoch { current })),
        material().prop_map(|pending| ControlOutcome::Refused(Refusal::PendingRotation { pending })),
        ".{0,12}".prop_map(|rule| ControlOutcome::Refused(Refusal::ResidencyForbidden { rule })),
        any::<u64>().prop_map(|current| ControlOutcome::Refused(Refusal::ResidencyVersion { current })),
    ]
}

pub(crate) fn control_row() -> impl Strategy<Value = ControlChange> {
    let entry = (region(), bytes(), role(), time(), bytes(), vec(bytes(), 0..4)).prop_map(
        |(region, sealing_public_key, role, registered_at, signing_public_key, former_signing_keys)| {
            ControlChange::PutRegion(Arc::new(RegionEntry {
                region,
                sealing_public_key,
                role,
                registered_at,
                signing_public_key,
                former_signing_keys,
            }))
        },
    );
    let recent = (any::<u64>(), any::<[u8; 16]>(), outcome()).prop_map(|(sequence, id, outcome)| {
        ControlChange::PutRecent { slot: RecentProposals::slot(sequence), sequence, id: ProposalId(id), outcome }
    });
    let journal = (any::<u64>(), region(), prop::sample::select(SharedChange::ALL.to_vec())).prop_map(
        |(index, region, change)| ControlChange::PutJournal(Arc::new(JournalEntry { index, region, change })),
    );
    prop_oneof![
        entry,
        recent,
        journal,
        identity::row(),
        key_set().prop_map(|set| ControlChange::PutKeySet(Arc::new(set))),
        residency_rules().prop_map(|rules| ControlChange::PutResidencyRules(Arc::new(rules))),
        history().prop_map(|history| ControlChange::PutKeyHistory(Arc::new(history))),
    ]
}

fn residency_rules() -> impl Strategy<Value = ResidencyRules> {
    let tag = option::of((".{0,4}", ".{0,4}"));
    let rule = (".{0,8}", btree_set(account(), 0..3), tag, btree_set(key(), 0..3), btree_set(region(), 0..3))
        .prop_map(|(name, accounts, tag, keys, allow)| ResidencyRule { name, accounts, tag, keys, allow });
    let accepted = btree_set((key(), region()), 0..3);
    (any::<u64>(), time(), region(), vec(rule, 0..3), accepted).prop_map(
        |(version, put_at, put_by, rules, accepted)| ResidencyRules { version, put_at, put_by, rules, accepted },
    )
}

fn history() -> impl Strategy<Value = KeyHistory> {
    let ends =
        vec![HoldingEnd::ReplicaRemoved, HoldingEnd::KeyDeleted, HoldingEnd::ImportRemoved, HoldingEnd::Withdrawn];
    let holding = (region(), material(), mark(), option::of(mark()), option::of((mark(), select(ends)))).prop_map(
        |(region, material_id, from, installed, ended)| Holding { region, material_id, from, installed, ended },
    );
    (key(), account(), any::<bool>(), any::<u64>(), option::of(mark()), vec(holding, 0..4)).prop_map(
        |(key_id, account, reconstructed, dropped, deleted, holdings)| KeyHistory {
            key_id,
            account,
            reconstructed,
            dropped,
            deleted,
            holdings,
        },
    )
}

fn mark() -> impl Strategy<Value = Mark> {
    (any::<u64>(), time()).prop_map(|(index, at)| Mark { index, at })
}

fn key_set() -> impl Strategy<Value = KeySet> {
    let holders = btree_map(region(), holder(), 1..4);
    let version = (time(), option::of(rotation_type()), sealed(), activation(), ".{0,4}", any::<bool>());
    let versions = btree_map(material(), version, 1..4);
    let numbers = (time(), 1..=u64::MAX, option::of(schedule()), any::<u32>());
    (key(), account(), kind(), holders, versions, numbers, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(key_id, account, (spec, usage, origin), holders, versions, numbers, primary, staged)| {
            let (created_at, epoch, rotation, on_demand_rotations) = numbers;
            let mut materials: Vec<_> = versions
                .into_iter()
                .map(|(material_id, (created_at, rotation_type, sealed, activation, description, imported))| {
                    let imports = origin == Origin::External;
                    let boxed = holders.keys().filter(|_| !imports).map(|region| (region.clone(), sealed.clone()));
                    let imported_by = holders.keys().filter(|_| imports && imported).cloned();
                    MaterialVersion {
                        material_id,
                        created_at,
                        rotation_type,
                        boxes: boxed.collect(),
                        activation: Some(activation),
                        description: if imports { description } else { String::new() },
                        imported_by: imported_by.collect(),
                    }
                })
                .collect();
            if staged && materials.len() > 1 {
                materials.last_mut().unwrap().activation = None;
            }
            let primary = primary.get(&holders.keys().collect::<Vec<_>>()).to_owned().clone();
            #[rustfmt::skip]
            let set = KeySet {
                key_id, account, spec, usage, origin, created_at, primary, epoch, holders, rotation,
                on_demand_rotations, materials,
            };
            set
        },
    )
}

pub(crate) fn regional_row() -> impl Strategy<Value = RegionalChange> {
    let alias =
        (account(), alias(), key(), time(), time()).prop_map(|(account, name, target, created_at, updated_at)| {
            RegionalChange::PutAlias(Arc::new(AliasRecord { account, name, target, created_at, updated_at }))
        });
    let wrapped = (key(), material(), bytes()).prop_map(|(key_id, material_id, wrapped)| {
        RegionalChange::PutMaterial(key_id, NewMaterial { material_id, wrapped })
    });
    let last_use = (key(), select(TrackedOperation::ALL.to_vec()), time(), ".{0,12}").prop_map(
        |(key_id, operation, at, request_id)| RegionalChange::PutLastUse(key_id, LastUse { operation, at, request_id }),
    );
    prop_oneof![record(), alias, wrapped, grant(), last_use]
}

fn grant() -> impl Strategy<Value = RegionalChange> {
    let who = (key(), account(), any::<[u8; 32]>().prop_map(GrantId::from_bytes), account());
    let what = (option::of(".{0,8}"), time(), btree_set(select(GrantOperation::ALL.to_vec()), 0..5));
    (who, what, principal(), option::of(principal()), constraints()).prop_map(
        |(who, (name, created_at, operations), grantee, retiring, constraints)| {
            let (key_id, account, grant_id, issuing_account) = who;
            #[rustfmt::skip]
            let grant = GrantRecord {
                key_id, account, grant_id, name, created_at, grantee, retiring, issuing_account, operations, constraints,
            };
            RegionalChange::PutGrant(Arc::new(grant))
        },
    )
}

fn principal() -> impl Strategy<Value = GrantPrincipal> {
    prop_oneof![".{0,12}".prop_map(GrantPrincipal::Arn), ".{0,12}".prop_map(GrantPrincipal::Service)]
}

fn constraints() -> impl Strategy<Value = GrantConstraints> {
    let context = || option::of(btree_map(".{0,4}", ".{0,4}", 0..3));
    (context(), context(), option::of(".{0,8}")).prop_map(
        |(encryption_context_equals, encryption_context_subset, source_arn)| GrantConstraints {
            encryption_context_equals,
            encryption_context_subset,
            source_arn,
        },
    )
}

fn record() -> impl Strategy<Value = RegionalChange> {
    let rotated = option::of((rotation_type(), time()));
    let local =
        (material(), time(), rotated, option::of(import())).prop_map(|(material_id, created_at, rotation, import)| {
            LocalMaterial { material_id, created_at, rotation, import }
        });
    let numbers = (time(), option::of(schedule()), any::<u32>());
    (key(), account(), kind(), initial(), lifecycle(), vec(local, 0..3), numbers).prop_map(
        |(key_id, account, (spec, usage, origin), initial, lifecycle, materials, numbers)| {
            let (created_at, rotation, on_demand_rotations) = numbers;
            let InitialProperties { policy, description, tags } = initial;
            #[rustfmt::skip]
            let record = KeyRecord {
                key_id, account, spec, usage, origin, created_at, description, policy, tags, lifecycle, materials,
                rotation, on_demand_rotations,
            };
            RegionalChange::PutKey(Arc::new(record))
        },
    )
}

fn import() -> impl Strategy<Value = ImportedMaterial> {
    (any::<bool>(), option::of(time()), ".{0,8}", any::<bool>()).prop_map(
        |(present, expires_at, description, pending)| ImportedMaterial { present, expires_at, description, pending },
    )
}

fn lifecycle() -> impl Strategy<Value = Lifecycle> {
    prop_oneof![
        Just(Lifecycle::Creating),
        Just(Lifecycle::Enabled),
        Just(Lifecycle::Disabled),
        (time(), any::<u32>())
            .prop_map(|(deletion_date, window_days)| Lifecycle::PendingDeletion { deletion_date, window_days }),
        any::<u32>().prop_map(|window_days| Lifecycle::PendingReplicaDeletion { window_days }),
    ]
}

fn holder() -> impl Strategy<Value = Holder> {
    let status = prop_oneof![Just(HolderStatus::Ready), initial().prop_map(HolderStatus::Creating)];
    (time(), status).prop_map(|(added_at, status)| Holder { added_at, status })
}

fn activation() -> impl Strategy<Value = Activation> {
    (time(), btree_set(region(), 0..3), option::of(region())).prop_map(|(at, without, by)| Activation {
        at,
        without,
        by,
    })
}

fn initial() -> impl Strategy<Value = InitialProperties> {
    let texts = btree_map(".{0,4}", ".{0,4}", 0..3);
    (".{0,12}", ".{0,12}", texts).prop_map(|(policy, description, tags): (_, _, BTreeMap<_, _>)| InitialProperties {
        policy,
        description,
        tags,
    })
}

fn kind() -> impl Strategy<Value = (KeySpec, KeyUsage, Origin)> {
    (select(KeySpec::ALL.to_vec()), select(KeyUsage::ALL.to_vec()), select(Origin::ALL.to_vec()))
}

fn key() -> impl Strategy<Value = KeyId> {
    (any::<[u8; 16]>(), any::<bool>())
        .prop_map(|(random, multi)| if multi { KeyId::multi_region(random) } else { KeyId::single_region(random) })
}

fn account() -> impl Strategy<Value = AccountId> {
    "[0-9]{12}".prop_map(|digits| AccountId::parse(&digits).unwrap())
}

fn alias() -> impl Strategy<Value = AliasName> {
    "alias/[a-zA-Z0-9/_-]{1,20}".prop_map(|name| AliasName::parse(&name).unwrap())
}

fn region() -> impl Strategy<Value = RegionName> {
    "[a-z]{2}-[a-z]{3,6}-[1-9]".prop_map(|name| RegionName::parse(&name).unwrap())
}

fn material() -> impl Strategy<Value = KeyMaterialId> {
    any::<[u8; 32]>().prop_map(KeyMaterialId::from_bytes)
}

fn sealed() -> impl Strategy<Value = SealedBox> {
    (region(), bytes()).prop_map(|(source, bytes)| SealedBox { source, bytes })
}

fn boxes() -> impl Strategy<Value = BTreeMap<RegionName, SealedBox>> {
    btree_map(region(), sealed(), 0..4)
}

fn limit() -> impl Strategy<Value = u32> {
    prop_oneof![Just(25), any::<u32>()]
}

fn schedule() -> impl Strategy<Value = RotationSchedule> {
    (any::<u32>(), time()).prop_map(|(period_days, next_at)| RotationSchedule { period_days, next_at })
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<u64>().prop_map(Timestamp::from_millis)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..40)
}

fn role() -> impl Strategy<Value = RegionRole> {
    select(vec![RegionRole::Full, RegionRole::Witness])
}

fn rotation_type() -> impl Strategy<Value = RotationType> {
    select(vec![RotationType::Automatic, RotationType::OnDemand])
}
