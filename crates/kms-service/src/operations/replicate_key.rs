//! `ReplicateKey`: a replica of a multi-Region primary key in another Region of the cluster.
//!
//! The primary seals every material version to the replica's Region, and to no other, and commits the boxes with the new
//! holder; the replica's Region opens them and reports ready (`background/synchronise.rs`).

use super::create_key::bypass;
use super::initial_properties::ForNewKey;
use super::key_metadata::{KeyMetadata, MultiRegionConfiguration};
use super::refused::{control_refused, not_primary, unknown_region};
use crate::authorise::{Access, Resource};
use crate::{Authenticated, Caller, KeyEntry, KmsError, Service, Trail, resolve::Accept};
use kms_core::KeyOperation;
use kms_core::control::{AddReplica, ControlBody, InitialProperties, KeySet, Refusal, RegionRole, SealedBox};
use kms_policy::{Action, KeyFacts, MultiRegionKeyType, Pairs};
use kms_types::{KeyArn, KeyMaterialId, KeyState, RegionName};
use std::collections::BTreeMap;

/// How often the boxes are made anew because a rotation was staged meanwhile.
const ATTEMPTS: usize = 5;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ReplicateKeyRequest {
    pub key_id: String,
    pub replica_region: RegionName,
    pub policy: Option<String>,
    /// Conditions tell its absence from `false`.
    pub bypass_policy_lockout_safety_check: Option<bool>,
    pub description: Option<String>,
    pub tags: Vec<(String, String)>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ReplicateKeyResponse {
    pub replica_key_metadata: KeyMetadata,
    pub replica_policy: String,
    /// Absent from AWS's response when there are none.
    pub replica_tags: Vec<(String, String)>,
}

impl Service {
    /// `ReplicateKey`. Answers when the replica is committed; its Region makes it usable a moment later.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn replicate_key(
        &self,
        request: Authenticated<ReplicateKeyRequest>,
    ) -> Result<ReplicateKeyResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let replica_region = request.replica_region.as_str();
        let access = self.access(&caller, Action::ReplicateKey).with(|r| r.replica_region(replica_region));
        let entry = self.resolve(&access, &request.key_id, Accept::KeyOnly)?;
        let arn = KeyArn { region: request.replica_region.clone(), ..entry.arn.clone() };
        let create = self.authorise_replica(&caller, &entry, &request, &arn)?;
        check_is_multi_region_primary(&entry)?;
        entry.check_state(KeyOperation::ReplicateKey)?;
        self.check_replica_region(&entry, &request.replica_region)?;
        let initial = ForNewKey {
            policy: request.policy.as_deref(),
            bypass_lockout_check: request.bypass_policy_lockout_safety_check.unwrap_or_default(),
            description: request.description.as_deref(),
            tags: &request.tags,
        };
        let initial = initial.check(&create, &arn)?;
        self.check_replica_quota(&request.replica_region, &entry.arn.key_id).await?;
        self.add_replica(&caller.trail, &entry, &request.replica_region, &initial).await?;
        Ok(ReplicateKeyResponse {
            replica_key_metadata: self.new_replica(&entry, &request.replica_region, &initial),
            replica_policy: initial.policy,
            replica_tags: request.tags,
        })
    }

    /// The replica is created with the caller's own rights, in the replica's Region: identity policies decide, and no key
    /// policy there has a say yet. Answers the access for the key that is to be.
    fn authorise_replica<'a>(
        &'a self,
        caller: &'a Caller,
        entry: &KeyEntry,
        request: &'a ReplicateKeyRequest,
        arn: &KeyArn,
    ) -> Result<Access<'a>, KmsError> {
        let facts = KeyFacts { multi_region: Some(MultiRegionKeyType::Replica), ..entry.facts() };
        let to = |action| {
            self.access(caller, action)
                .with(|r| r.requested_region(request.replica_region.as_str()).key(facts))
                .with(|r| r.request_tags(Pairs::of(&request.tags)))
                .with(|r| bypass(r, request.bypass_policy_lockout_safety_check))
        };
        let create = to(Action::CreateKey);
        create.authorise(Resource::Account)?;
        if !request.tags.is_empty() {
            to(Action::TagResource).authorise(Resource::New(&arn.to_string()))?;
        }
        Ok(create)
    }

    /// AWS's codes for a wrong Region are not verified; its texts are, but for a Region that it does not know.
    fn check_replica_region(&self, entry: &KeyEntry, replica: &RegionName) -> Result<(), KmsError> {
        if replica == self.region() {
            return Err(KmsError::service(format!("{replica} cannot have a replica because it contains the primary.")));
        }
        let key_id = &entry.arn.key_id;
        let (role, is_holder) = self.directory().read(|_, control| {
            let role = control.region(replica).map(|line| line.role);
            (role, control.key_set(key_id).is_some_and(|set| set.is_held_by(replica)))
        });
        if is_holder {
            return Err(control_refused(entry, replica, &Refusal::ReplicaExists));
        }
        match role {
            Some(RegionRole::Full) => Ok(()),
            Some(RegionRole::Witness) => Err(unknown_region(replica)),
            None if partition(replica) != partition(self.region()) => Err(KmsError::service(
                "The replica key Region must be in the same AWS partition as the primary key Region.",
            )),
            None => Err(unknown_region(replica)),
        }
    }

    /// Commits the replica with a box for every material version there is at the commit.
    async fn add_replica(
        &self,
        trail: &Trail,
        entry: &KeyEntry,
        replica: &RegionName,
        initial: &InitialProperties,
    ) -> Result<(), KmsError> {
        let key_id = &entry.arn.key_id;
        for _ in 0..ATTEMPTS {
            let (set, line) = self
                .directory()
                .read(|_, control| (control.key_set(key_id).cloned(), control.region(replica).cloned()));
            let set = set.ok_or_else(|| KmsError::KeyNotFound(entry.arn.clone()))?;
            if set.primary != *self.region() {
                return Err(not_primary(entry));
            }
            let line = line.ok_or_else(|| unknown_region(replica))?;
            let body = AddReplica {
                key_id: *key_id,
                expected_epoch: set.epoch,
                replica: replica.clone(),
                boxes: self.boxes_for(&set, replica, &line.sealing_public_key).await?,
                initial: initial.clone(),
                primary_tags: self.tags_for_rules(entry),
            };
            match self.propose(trail, ControlBody::AddReplica(body)).await? {
                Ok(()) => return Ok(()),
                Err(Refusal::BoxesMismatch) => {}
                Err(refusal) => return Err(control_refused(entry, replica, &refusal)),
            }
        }
        Err(control_refused(entry, replica, &Refusal::BoxesMismatch))
    }

    /// Every material version of the key, staged one included, sealed to one Region.
    async fn boxes_for(
        &self,
        set: &KeySet,
        replica: &RegionName,
        public_key: &[u8],
    ) -> Result<BTreeMap<KeyMaterialId, SealedBox>, KmsError> {
        let mut boxes = BTreeMap::new();
        // Imported material is not copied: its owner imports it into each Region.
        if set.is_external() {
            return Ok(boxes);
        }
        for version in &set.materials {
            let (key_id, material_id) = (&set.key_id, &version.material_id);
            // Material of a rotation, or of the primary that was before, may still be on its way into this store.
            if !self.regional().await_material(key_id, material_id, self.config().catch_up_deadline).await {
                return Err(KmsError::DependencyTimeout);
            }
            let material = self.keyring().material(key_id, material_id)?;
            boxes.insert(*material_id, self.keyring().seal(key_id, &material, replica, public_key)?);
        }
        Ok(boxes)
    }

    /// The replica as it was committed: its Region has not taken it in yet.
    fn new_replica(&self, entry: &KeyEntry, replica: &RegionName, initial: &InitialProperties) -> KeyMetadata {
        let set = self.directory().read(|_, control| control.key_set(&entry.arn.key_id).cloned());
        let added_at = set.as_ref().and_then(|set| set.holders.get(replica)).map(|holder| holder.added_at);
        let replicas = set.iter().flat_map(|set| set.replicas().cloned()).collect();
        let record = &entry.record;
        KeyMetadata {
            arn: KeyArn { region: replica.clone(), ..entry.arn.clone() },
            account: record.account,
            creation_date: added_at.unwrap_or_else(|| self.now()),
            description: initial.description.clone(),
            key_usage: record.usage,
            key_state: KeyState::Creating,
            key_spec: record.spec,
            origin: record.origin,
            deletion_date: None,
            pending_deletion_window_in_days: None,
            current_key_material_id: None,
            expiration_model: None,
            valid_to: None,
            multi_region: Some(MultiRegionConfiguration {
                is_primary: false,
                primary: self.region().clone(),
                replicas,
            }),
        }
    }
}

/// Only a primary key has replicas. AWS's code for a single-Region key is not verified, its text is.
pub(crate) fn check_is_multi_region_primary(entry: &KeyEntry) -> Result<(), KmsError> {
    if !entry.record.is_multi_region() {
        return Err(KmsError::UnsupportedOperation(Some(format!("{} is not a multi-region key.", entry.arn))));
    }
    if entry.is_primary() { Ok(()) } else { Err(not_primary(entry)) }
}

/// The AWS partition that a Region's name belongs to.
fn partition(region: &RegionName) -> &'static str {
    match region.as_str() {
        name if name.starts_with("cn-") => "aws-cn",
        name if name.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}
