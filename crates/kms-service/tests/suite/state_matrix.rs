//! The table of key states, seen through the operations: each is asked of a key in each state that a key comes into, and
//! is refused exactly where the table says, with the fault that it says.
//!
//! `Updating` and `Unavailable` are states that no key comes into here: the primary Region moves in one step, and there
//! are no custom key stores.

use super::support::management::TARGET;
use super::support::uses::{USES, kind_for, of_kind};
use super::support::{Cluster, admin};
use kms_core::regional::{CreateReplica, RegionalBody};
use kms_core::{KeyOperation, state_matrix};
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::disable_key::DisableKeyRequest;
use kms_service::operations::import_key_material::ImportKeyMaterialRequest;
use kms_service::operations::schedule_key_deletion::ScheduleKeyDeletionRequest;
use kms_service::{KmsError, RegionalLog};
use kms_types::{KeyId, KeySpec, KeyState, Origin};

const HERE: &str = "us-east-1";
/// Where the key is primary whose replica is being created.
const THERE: &str = "eu-west-1";

/// The operations that use no material; ImportKeyMaterial has an input of its own.
#[rustfmt::skip]
const MANAGEMENT: [KeyOperation; 31] = {
    use KeyOperation::*;
    [
        CancelKeyDeletion, CreateAlias, CreateGrant, DeleteAlias, DeleteImportedKeyMaterial, DescribeKey, DisableKey,
        DisableKeyRotation, EnableKey, EnableKeyRotation, GetKeyLastUsage, GetKeyPolicy, GetKeyRotationStatus,
        GetParametersForImport, ImportKeyMaterial, ListAliases, ListGrants, ListKeyPolicies, ListKeyRotations,
        ListResourceTags, PutKeyPolicy, ReplicateKey, RetireGrant, RevokeGrant, RotateKeyOnDemand, ScheduleKeyDeletion,
        TagResource, UntagResource, UpdateAlias, UpdateKeyDescription, UpdatePrimaryRegion,
    ]
};

/// A key in a state, and what an operation takes in beside it.
struct Case {
    cluster: Cluster,
    key_id: String,
    input: Vec<u8>,
    import: Option<ImportKeyMaterialRequest>,
}

/// What is to be tried: the operation, the state, and whether the key is multi-Region.
#[derive(Clone, Copy, Debug)]
struct Cell {
    operation: KeyOperation,
    state: KeyState,
}

impl Cell {
    /// Only primaries are replicated and moved, and other states than these take a key set too.
    fn is_multi_region(self) -> bool {
        matches!(self.operation, KeyOperation::ReplicateKey | KeyOperation::UpdatePrimaryRegion)
            || matches!(self.state, KeyState::PendingReplicaDeletion | KeyState::Creating)
    }

    /// Only keys for imported material take some.
    fn is_external(self) -> bool {
        use KeyOperation as O;
        self.state == KeyState::PendingImport
            || matches!(self.operation, O::DeleteImportedKeyMaterial | O::GetParametersForImport | O::ImportKeyMaterial)
    }

    /// What no key can be, or what is refused for another reason before its state is looked at.
    fn exists(self) -> bool {
        let (spec, _) = kind_for(self.operation);
        match (self.operation, self.state) {
            // Imported material is not rotated by schedule, whatever the state.
            (KeyOperation::EnableKeyRotation | KeyOperation::DisableKeyRotation, KeyState::PendingImport) => false,
            // A primary is not shown before it is usable.
            (KeyOperation::ReplicateKey | KeyOperation::UpdatePrimaryRegion, KeyState::Creating) => false,
            // A replica that waits for nothing but an import is not being created.
            (_, KeyState::Creating) => !self.is_external(),
            (_, KeyState::PendingImport) => spec.allows_origin(Origin::External),
            _ => true,
        }
    }

    async fn prepare(self) -> Case {
        let cluster = Cluster::new(&[HERE, THERE, TARGET]);
        if self.state == KeyState::Creating {
            return self.prepare_replica(cluster).await;
        }
        let external = self.is_external();
        let request = CreateKeyRequest {
            multi_region: self.is_multi_region(),
            origin: Some(if external { Origin::External } else { Origin::AwsKms }),
            ..of_kind(kind_for(self.operation))
        };
        let key_id = cluster.create(HERE, request).await.arn.key_id.to_string();
        cluster.settle().await;
        let import = self.import(&cluster, &key_id).await;
        let input = if external {
            self.foreign_input(&cluster, &key_id).await
        } else {
            cluster.input_for(HERE, self.operation, &key_id).await
        };
        self.give_alias(&cluster, &key_id).await;
        if matches!(self.operation, KeyOperation::RetireGrant | KeyOperation::RevokeGrant) && !external {
            cluster.manage((HERE, KeyOperation::CreateGrant), &admin(()).caller, &key_id).await.unwrap();
        }
        // A primary with replicas waits for them instead.
        let waits_alone = self.state == KeyState::PendingDeletion;
        if self.operation == KeyOperation::UpdatePrimaryRegion && !external && !waits_alone {
            cluster.replicate(HERE, &key_id, TARGET).await.unwrap();
            cluster.settle().await;
        }
        self.enter_state(&cluster, &key_id).await;
        Case { cluster, key_id, input, import }
    }

    /// Imports material where the state calls for some, and answers how to import it again.
    async fn import(self, cluster: &Cluster, key_id: &str) -> Option<ImportKeyMaterialRequest> {
        let again = self.operation == KeyOperation::ImportKeyMaterial;
        let present = self.state != KeyState::PendingImport;
        if !self.is_external() || !(again || present) {
            return None;
        }
        let door = cluster.door(HERE, key_id).await;
        if present {
            door.import(&[7; 32]).await.unwrap();
            cluster.settle().await;
        }
        Some(door.request(&[7; 32]))
    }

    async fn enter_state(self, cluster: &Cluster, key_id: &str) {
        let (service, key_id) = (cluster.at(HERE), key_id.to_owned());
        match self.state {
            KeyState::Disabled => service.disable_key(admin(DisableKeyRequest { key_id })).await.unwrap(),
            KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {
                if self.state == KeyState::PendingReplicaDeletion {
                    cluster.replicate(HERE, &key_id, THERE).await.unwrap();
                    cluster.settle().await;
                }
                let request = ScheduleKeyDeletionRequest { key_id, pending_window_in_days: None };
                service.schedule_key_deletion(admin(request)).await.unwrap();
            }
            _ => {}
        }
    }

    /// A replica whose Region has taken in the key resource and not yet the material.
    async fn prepare_replica(self, cluster: Cluster) -> Case {
        let request = CreateKeyRequest { multi_region: true, ..of_kind(kind_for(self.operation)) };
        let primary = cluster.create(THERE, request).await;
        let key_id = primary.arn.key_id.to_string();
        cluster.settle().await;
        let input = cluster.input_for(THERE, self.operation, &key_id).await;
        cluster.replicate(THERE, &key_id, HERE).await.unwrap();
        let body = CreateReplica {
            key_id: primary.arn.key_id,
            account: primary.account,
            spec: primary.key_spec,
            usage: primary.key_usage,
            origin: primary.origin,
            created_at: cluster.now(),
            description: String::new(),
            policy: kms_policy::default_key_policy(&primary.account),
            tags: Default::default(),
        };
        cluster.regional(HERE).submit(RegionalBody::CreateReplica(Box::new(body))).await.unwrap();
        self.give_alias(&cluster, &key_id).await;
        Case { cluster, key_id, input, import: None }
    }

    async fn give_alias(self, cluster: &Cluster, key_id: &str) {
        match self.operation {
            KeyOperation::DeleteAlias => cluster.give_alias(HERE, key_id).await,
            KeyOperation::UpdateAlias => {
                let other = cluster.key(HERE).await;
                cluster.give_alias(HERE, &other).await;
            }
            _ => {}
        }
    }

    /// Something that would be an input of the key if it had material.
    async fn foreign_input(self, cluster: &Cluster, key_id: &str) -> Vec<u8> {
        let (spec, usage) = kind_for(self.operation);
        let other = cluster.key_of(HERE, spec, usage).await;
        let mut input = cluster.input_for(HERE, self.operation, &other).await;
        if spec == KeySpec::SymmetricDefault && !input.is_empty() {
            // Its header names the key in bytes 5 to 20, after a byte for the form of the key ID.
            let digits: Vec<u8> = key_id.bytes().filter(u8::is_ascii_hexdigit).collect();
            for (byte, pair) in input[5..21].iter_mut().zip(digits.chunks(2)) {
                *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            }
        }
        input
    }

    async fn check(self) {
        let Case { cluster, key_id, input, import } = self.prepare().await;
        let entry = cluster.at(HERE).directory().key(&KeyId::parse(&key_id).unwrap()).unwrap();
        assert_eq!(entry.state(), self.state, "{self:?}");
        let (place, caller) = ((HERE, self.operation), admin(()).caller);
        let answer = if USES.contains(&self.operation) {
            cluster.perform(place, &caller, &key_id, &input, false).await
        } else if let (KeyOperation::ImportKeyMaterial, Some(request)) = (self.operation, import) {
            cluster.at(HERE).import_key_material(admin(request)).await.map(drop)
        } else {
            cluster.manage(place, &caller, &key_id).await
        };
        match state_matrix::check(self.operation, self.state) {
            Err(fault) => {
                let refused = KmsError::InvalidState { key: entry.arn.clone(), fault };
                assert_eq!(answer, Err(refused.clone()), "{self:?}");
                assert_eq!(refused.to_string(), format!("{} {fault}", entry.arn));
            }
            Ok(()) if self.state == KeyState::Enabled => assert_eq!(answer, Ok(()), "{self:?}"),
            // There may be another reason to refuse: the origin, or that there is no grant to end.
            Ok(()) => assert!(!matches!(answer, Err(KmsError::InvalidState { .. })), "{self:?}: {answer:?}"),
        }
    }
}

async fn check_state(state: KeyState) {
    for operation in USES.into_iter().chain(MANAGEMENT) {
        let cell = Cell { operation, state };
        if cell.exists() {
            cell.check().await;
        }
    }
}

#[tokio::test]
async fn enabled_keys_admit_what_the_table_says() {
    check_state(KeyState::Enabled).await;
}

#[tokio::test]
async fn disabled_keys_admit_what_the_table_says() {
    check_state(KeyState::Disabled).await;
}

#[tokio::test]
async fn keys_pending_deletion_admit_what_the_table_says() {
    check_state(KeyState::PendingDeletion).await;
}

#[tokio::test]
async fn primaries_that_wait_for_their_replicas_admit_what_the_table_says() {
    check_state(KeyState::PendingReplicaDeletion).await;
}

#[tokio::test]
async fn keys_pending_import_admit_what_the_table_says() {
    check_state(KeyState::PendingImport).await;
}

#[tokio::test]
async fn replicas_being_created_admit_what_the_table_says() {
    check_state(KeyState::Creating).await;
}
