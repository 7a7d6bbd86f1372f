//! `ImportKeyMaterial`: material that somebody else made, into a key of origin EXTERNAL.
//!
//! Bytes never leave the Region into which they are imported. Of a multi-Region key the key set says which material
//! belongs to it: the primary offers new material to the set, and every other Region imports the same bytes.

use super::external_origin::{check_external, check_takes_new_material, rotation_pending, shown_id};
use super::refused::{control_refused, regional_refused};
use crate::resolve::Accept;
use crate::{Authenticated, ControlLogError, KeyEntry, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::control::{ControlBody, KeySet, OfferImportedMaterial, Refusal};
use kms_core::regional::{ImportMaterial, RegionalBody, RegionalRefusal};
use kms_crypto::KeyMaterial;
use kms_policy::Action;
use kms_types::{ExpirationModel, ImportType, KeyMaterialId, KeySpec, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Latest end of imported material, from now. An absolute date of the caller's calendar, whatever a day of a waiting
/// period lasts here.
const VALID_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ImportKeyMaterialRequest {
    pub key_id: String,
    pub import_token: Vec<u8>,
    pub encrypted_key_material: Vec<u8>,
    pub valid_to: Option<Timestamp>,
    pub expiration_model: Option<ExpirationModel>,
    pub import_type: Option<ImportType>,
    pub key_material_description: Option<String>,
    pub key_material_id: Option<KeyMaterialId>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ImportKeyMaterialResponse {
    pub key_id: Arc<str>,
    /// Of symmetric keys only.
    pub key_material_id: Option<KeyMaterialId>,
}

impl Service {
    /// `ImportKeyMaterial`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn import_key_material(
        &self,
        request: Authenticated<ImportKeyMaterialRequest>,
    ) -> Result<ImportKeyMaterialResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let access = self
            .access(&caller, Action::ImportKeyMaterial)
            .with(|r| request.expiration_model.map_or(r, |model| r.expiration_model(model)))
            .with(|r| request.valid_to.map_or(r, |valid_to| r.valid_to(valid_to)));
        let entry = self.resolve(&access, &request.key_id, Accept::KeyOnly)?;
        check_external(&entry)?;
        entry.check_state(KeyOperation::ImportKeyMaterial)?;
        let expires_at = check_expiry(self.now(), &request)?;
        check_symmetric_members(&entry, &request)?;
        let material = self.open_import(&entry, &request)?;
        let material_id = material.material_id(&entry.arn.key_id);
        if request.key_material_id.is_some_and(|named| named != material_id) {
            return Err(KmsError::IncorrectKeyMaterial(
                "The key material does not have the key material ID in the request.",
            ));
        }
        let import_type = match &entry.set {
            Some(_) => {
                self.settle_in_set(&entry, &material_id, &request).await?;
                // By now the key set knows it, and says what it is.
                ImportType::ExistingKeyMaterial
            }
            None => request.import_type.unwrap_or(default_type(entry.record.materials.is_empty())),
        };
        let body = ImportMaterial {
            key_id: entry.arn.key_id,
            material: self.keyring().wrap(&entry.arn.key_id, &material)?,
            import_type,
            expires_at,
            description: request.key_material_description,
        };
        let imported = self.submit(RegionalBody::ImportMaterial(Box::new(body))).await?;
        imported.map_err(|refusal| import_refused(&entry, &material_id, &refusal))?;
        self.tell_key_set(&entry.arn.key_id).await;
        let key_material_id = shown_id(&entry, material_id);
        Ok(ImportKeyMaterialResponse { key_id: Arc::clone(&entry.arn_text), key_material_id })
    }

    /// Opens the token, unwraps the bytes, and reads them as material of the key's spec.
    fn open_import(&self, entry: &KeyEntry, request: &ImportKeyMaterialRequest) -> Result<KeyMaterial, KmsError> {
        let token = self.keyring().open_import_token(&request.import_token).ok_or(KmsError::InvalidImportToken)?;
        let parameters = token.parameters();
        if parameters.key_id != entry.arn.key_id {
            return Err(KmsError::InvalidImportToken);
        }
        if parameters.expires_at <= self.now() {
            return Err(KmsError::ExpiredImportToken);
        }
        let unwrapped = token.unwrap(&request.encrypted_key_material).map_err(|_opaque| KmsError::InvalidCiphertext)?;
        KeyMaterial::import(entry.record.spec, &unwrapped).map_err(|_form| {
            KmsError::IncorrectKeyMaterial("The key material is not valid for the KeySpec of the KMS key.")
        })
    }

    /// Makes sure that the material belongs to the key set, and that this Region knows it: new material is offered by the
    /// primary, everything else must be known already.
    async fn settle_in_set(
        &self,
        entry: &KeyEntry,
        material_id: &KeyMaterialId,
        request: &ImportKeyMaterialRequest,
    ) -> Result<(), KmsError> {
        let set = self.set_that_may_know(entry, material_id).await?;
        let version = set.material(material_id);
        // An offer that was committed before the bytes were stored is gone on with.
        let begun = version.is_some_and(|version| version.imported_by.is_empty());
        let is_new = match request.import_type {
            Some(given) => given == ImportType::NewKeyMaterial,
            // A replica waits for what its primary was given.
            None => set.materials.is_empty() && entry.is_primary(),
        };
        if is_new {
            check_takes_new_material(entry)?;
        }
        if is_new && !begun {
            self.offer(entry, &set, material_id, request).await?;
        } else if version.is_none() {
            return Err(unknown_material());
        }
        // Takes the version into this Region's record, as the background would a moment later.
        self.synchronise(&entry.arn.key_id).await?;
        Ok(())
    }

    /// The key set; as of now, if this Region has not heard of the material.
    async fn set_that_may_know(&self, entry: &KeyEntry, material_id: &KeyMaterialId) -> Result<Arc<KeySet>, KmsError> {
        let read = || self.directory().read(|_, control| control.key_set(&entry.arn.key_id).cloned());
        let gone = || KmsError::KeyNotFound(entry.arn.clone());
        let set = read().ok_or_else(gone)?;
        if set.material(material_id).is_some() {
            return Ok(set);
        }
        match self.control().read_barrier(self.config().catch_up_deadline).await {
            Ok(_) => read().ok_or_else(gone),
            Err(ControlLogError::NoMajority { .. }) => Err(KmsError::DependencyTimeout),
            Err(ControlLogError::Stopped) => Err(KmsError::Internal),
        }
    }

    async fn offer(
        &self,
        entry: &KeyEntry,
        set: &KeySet,
        material_id: &KeyMaterialId,
        request: &ImportKeyMaterialRequest,
    ) -> Result<(), KmsError> {
        let body = OfferImportedMaterial {
            key_id: set.key_id,
            expected_epoch: set.epoch,
            material_id: *material_id,
            description: request.key_material_description.clone().unwrap_or_default(),
        };
        match self.propose(ControlBody::OfferImportedMaterial(body)).await? {
            Ok(()) => Ok(()),
            Err(Refusal::PendingRotation { pending }) => Err(rotation_pending(entry, material_id, &pending)),
            Err(Refusal::MaterialExists) => Err(known_material()),
            Err(Refusal::IncorrectMaterial) => Err(unknown_material()),
            Err(refusal) => Err(control_refused(entry, self.region(), &refusal)),
        }
    }
}

/// New before anything was imported, existing afterwards.
const fn default_type(is_first: bool) -> ImportType {
    if is_first { ImportType::NewKeyMaterial } else { ImportType::ExistingKeyMaterial }
}

/// When the material is to be deleted. AWS's texts are not verified, but for a date that is missing.
fn check_expiry(now: Timestamp, request: &ImportKeyMaterialRequest) -> Result<Option<Timestamp>, KmsError> {
    let model = request.expiration_model.unwrap_or(ExpirationModel::KeyMaterialExpires);
    match (model, request.valid_to) {
        (ExpirationModel::KeyMaterialDoesNotExpire, None) => Ok(None),
        (ExpirationModel::KeyMaterialDoesNotExpire, Some(_)) => Err(KmsError::service(
            "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
        )),
        (ExpirationModel::KeyMaterialExpires, None) => {
            Err(KmsError::service("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"))
        }
        (ExpirationModel::KeyMaterialExpires, Some(date)) if date <= now => {
            Err(KmsError::service("The validTo date must be in the future"))
        }
        (ExpirationModel::KeyMaterialExpires, Some(date)) if date > now.plus(VALID_MAX) => {
            Err(KmsError::service("The validTo date must be within 365 days of the request"))
        }
        (ExpirationModel::KeyMaterialExpires, Some(date)) => Ok(Some(date)),
    }
}

/// Other keys than symmetric ones have one material for ever. AWS's texts are not verified.
fn check_symmetric_members(entry: &KeyEntry, request: &ImportKeyMaterialRequest) -> Result<(), KmsError> {
    let given = [
        ("ImportType", request.import_type.is_some()),
        ("KeyMaterialDescription", request.key_material_description.is_some()),
        ("KeyMaterialId", request.key_material_id.is_some()),
    ];
    if entry.record.spec != KeySpec::SymmetricDefault
        && let Some((name, _)) = given.into_iter().find(|(_, given)| *given)
    {
        return Err(KmsError::service(format!("{name} is supported only for symmetric encryption KMS keys.")));
    }
    if request.key_material_id.is_some() && request.import_type == Some(ImportType::NewKeyMaterial) {
        return Err(KmsError::service("You cannot specify a KeyMaterialId when the ImportType is NEW_KEY_MATERIAL."));
    }
    Ok(())
}

fn import_refused(entry: &KeyEntry, new: &KeyMaterialId, refusal: &RegionalRefusal) -> KmsError {
    match refusal {
        RegionalRefusal::PendingRotation { pending } => rotation_pending(entry, new, pending),
        RegionalRefusal::IncorrectMaterial if entry.record.material(new).is_some() => known_material(),
        RegionalRefusal::IncorrectMaterial => unknown_material(),
        other => regional_refused(&entry.arn, other),
    }
}

fn known_material() -> KmsError {
    KmsError::IncorrectKeyMaterial("The key material is already associated with the KMS key.")
}

fn unknown_material() -> KmsError {
    KmsError::IncorrectKeyMaterial("The key material is not the key material that was previously imported.")
}
