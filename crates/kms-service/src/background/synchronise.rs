//! Bringing this Region's rows of one multi-Region key in line with the control state; see `kms_core::reconcile`.

use super::Progress;
use crate::{ControlLogError, KmsError, Service};
use kms_core::control::{ActivateMaterial, ControlBody, HolderStatus, KeySet, Refusal, ReportImport};
use kms_core::reconcile::{Step, forbidden_step, next_step};
use kms_core::regional::{CreateReplica, InstallMaterial, RegionalBody};
use kms_types::{KeyId, KeyMaterialId, RegionName};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Most steps in one go: a few for a key and at most three for each of its material versions. Guards against two rules
/// that undo each other.
const STEPS_MAX: usize = 256;

impl Service {
    /// Takes step after step until the key is in line or has to wait for others.
    ///
    /// # Errors
    /// [`KmsError`] when a step fails; asking again later is always right.
    pub async fn synchronise(&self, key_id: &KeyId) -> Result<Progress, KmsError> {
        if !key_id.is_multi_region() {
            // No key set says anything about it.
            return Ok(Progress::Quiet);
        }
        for _ in 0..STEPS_MAX {
            let (set, step, forbidden) = self.directory().read(|regional, control| {
                let set = control.key_set(key_id).cloned();
                let record = regional.key(key_id).map(AsRef::as_ref);
                let step = next_step(self.region(), set.as_deref(), record);
                let forbidden = step.as_ref().and_then(|s| forbidden_step(self.region(), control, record, key_id, s));
                (set, step, forbidden.map(|rule| rule.name.clone()))
            });
            if let Some(rule) = forbidden {
                self.directory().note_refused_residency(*key_id, Some(&rule));
                return Ok(Progress::Waiting);
            }
            self.directory().note_refused_residency(*key_id, None);
            let Some(step) = step else { return Ok(Progress::Quiet) };
            if self.take_step(key_id, set, step).await? == Progress::Waiting {
                return Ok(Progress::Waiting);
            }
        }
        Err(KmsError::Internal)
    }

    async fn take_step(&self, key_id: &KeyId, set: Option<Arc<KeySet>>, step: Step) -> Result<Progress, KmsError> {
        match (step, set) {
            (Step::Destroy, _) | (_, None) => {
                self.once_certain(key_id, &Step::Destroy, RegionalBody::DestroyKey(*key_id)).await
            }
            (Step::CreateResource, Some(set)) => self.create_resource(&set).await,
            (Step::Install { materials, complete }, Some(set)) => self.install(&set, &materials, complete).await,
            (Step::ReportReady, Some(set)) => {
                let added_at = set.holders.get(self.region()).ok_or(KmsError::Internal)?.added_at;
                self.shared(ControlBody::ReplicaReady { key_id: *key_id, added_at }).await
            }
            (Step::StartDeletionClock { window_days }, Some(_)) => {
                let deletion_date = self.now().plus(self.config().day_length.days(window_days));
                self.local(RegionalBody::StartDeletionClock { key_id: *key_id, deletion_date }).await
            }
            (Step::DriveRotation(material), Some(set)) => self.drive_rotation(&set, material).await,
            (Step::ExpectMaterial(expected), Some(_)) => {
                self.local(RegionalBody::ExpectMaterial(Box::new(expected))).await
            }
            (Step::SettleMaterial(material_id), Some(_)) => {
                self.local(RegionalBody::SettleMaterial { key_id: *key_id, material_id }).await
            }
            (step @ Step::ForgetMaterial(material_id), Some(_)) => {
                let body = RegionalBody::ForgetMaterial { key_id: *key_id, material_id };
                self.once_certain(key_id, &step, body).await
            }
            (Step::ReportImport { material_id, present }, Some(set)) => {
                let added_at = set.holders.get(self.region()).ok_or(KmsError::Internal)?.added_at;
                let report = ReportImport { key_id: *key_id, added_at, material_id, present };
                self.shared(ControlBody::ReportImport(report)).await
            }
        }
    }

    /// Destroys what the key set has no place for any more. What is not there may also not be there *yet*, as in a control
    /// store that was lost and fills up again; what cannot be undone waits for a linearisable look.
    async fn once_certain(&self, key_id: &KeyId, step: &Step, body: RegionalBody) -> Result<Progress, KmsError> {
        match self.control().read_barrier(self.config().catch_up_deadline).await {
            Ok(_) => {}
            Err(ControlLogError::NoMajority { .. }) => return Ok(Progress::Waiting),
            Err(ControlLogError::Stopped) => return Err(KmsError::Internal),
        }
        let now = self.directory().read(|regional, control| {
            let set = control.key_set(key_id).map(AsRef::as_ref);
            next_step(self.region(), set, regional.key(key_id).map(AsRef::as_ref))
        });
        if now.as_ref() == Some(step) { self.local(body).await } else { Ok(Progress::Quiet) }
    }

    async fn create_resource(&self, set: &KeySet) -> Result<Progress, KmsError> {
        let holder = set.holders.get(self.region()).ok_or(KmsError::Internal)?;
        let initial = match &holder.status {
            HolderStatus::Creating(initial) => initial.clone(),
            // The Region said that it was ready and has lost its rows since: an empty store under an old name.
            // What was independent is gone; the default policy keeps the key manageable.
            HolderStatus::Ready => kms_core::control::InitialProperties {
                policy: kms_policy::default_key_policy(&set.account),
                ..Default::default()
            },
        };
        let body = CreateReplica {
            key_id: set.key_id,
            account: set.account,
            spec: set.spec,
            usage: set.usage,
            origin: set.origin,
            created_at: holder.added_at,
            description: initial.description,
            policy: initial.policy,
            tags: initial.tags,
        };
        self.local(RegionalBody::CreateReplica(Box::new(body))).await
    }

    async fn install(&self, set: &KeySet, ids: &[KeyMaterialId], complete: bool) -> Result<Progress, KmsError> {
        let mut materials = Vec::with_capacity(ids.len());
        for id in ids {
            let version = set.material(id).ok_or(KmsError::Internal)?;
            let sealed = version.boxes.get(self.region()).ok_or(KmsError::Internal)?;
            let material = self.keyring().open(&set.key_id, id, set.spec, sealed)?;
            materials.push(self.keyring().wrap(&set.key_id, &material)?);
        }
        self.local(RegionalBody::InstallMaterial(InstallMaterial { key_id: set.key_id, materials, complete })).await
    }

    /// Asks every holder whether it has the staged material, and activates it when all have.
    async fn drive_rotation(&self, set: &KeySet, material: KeyMaterialId) -> Result<Progress, KmsError> {
        let missing = self.holders_without(set, &material).await;
        if !missing.is_empty() {
            return Ok(Progress::Waiting);
        }
        self.activate(set, material, BTreeSet::new()).await
    }

    /// Activates staged material; `without` names the Regions that an operator goes on without.
    pub(crate) async fn activate(
        &self,
        set: &KeySet,
        material_id: KeyMaterialId,
        without: BTreeSet<RegionName>,
    ) -> Result<Progress, KmsError> {
        self.shared(ControlBody::ActivateMaterial(ActivateMaterial {
            key_id: set.key_id,
            expected_epoch: set.epoch,
            material_id,
            without,
            on_demand_limit: self.config().quotas.on_demand_rotations_per_key,
        }))
        .await
    }

    /// The holding Regions that do not say that they have the material.
    pub(crate) async fn holders_without(&self, set: &KeySet, material: &KeyMaterialId) -> Vec<RegionName> {
        let asks = set.holders.keys().map(|region| async move {
            let report = self.peers().replica_report(region, &set.key_id, self.config().peer_deadline).await;
            let has_it = report.is_ok_and(|r| r.materials.contains(material));
            (!has_it).then(|| region.clone())
        });
        futures::future::join_all(asks).await.into_iter().flatten().collect()
    }

    async fn local(&self, body: RegionalBody) -> Result<Progress, KmsError> {
        match self.submit(body).await? {
            Ok(()) => Ok(Progress::Quiet),
            // A refusal means that the rows changed since they were read; the next look decides.
            Err(refusal) => {
                tracing::debug!(%refusal, "a step came too late");
                Ok(Progress::Quiet)
            }
        }
    }

    async fn shared(&self, body: ControlBody) -> Result<Progress, KmsError> {
        match self.propose(body).await {
            // A refusal that says that the rows changed since they were read; the next look decides.
            Ok(
                Ok(())
                | Err(Refusal::NotStaged | Refusal::KeyNotFound | Refusal::NoReplica | Refusal::MaterialNotFound),
            ) => Ok(Progress::Quiet),
            Ok(Err(refusal)) => {
                tracing::debug!(%refusal, "the control log refused a step");
                Ok(Progress::Waiting)
            }
            Err(KmsError::DependencyTimeout) => Ok(Progress::Waiting),
            Err(error) => Err(error),
        }
    }
}
