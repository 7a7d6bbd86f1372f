//! `DeleteImportedKeyMaterial`: destroys imported bytes in this Region. The same bytes can be imported again.

use super::external_origin::{check_external, shown_id};
use super::refused::{control_refused, regional_refused};
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::control::{ControlBody, Refusal};
use kms_core::regional::{RegionalBody, RegionalRefusal};
use kms_policy::Action;
use kms_types::{KeyMaterialId, KeySpec};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DeleteImportedKeyMaterialRequest {
    pub key_id: String,
    pub key_material_id: Option<KeyMaterialId>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DeleteImportedKeyMaterialResponse {
    pub key_id: Arc<str>,
    /// Of symmetric keys only: the material, or an empty text when none was ever imported.
    pub key_material_id: Option<String>,
}

impl Service {
    /// `DeleteImportedKeyMaterial`. Succeeds when there is nothing to delete. Material that waits for its rotation is
    /// taken back: on the primary of a multi-Region key, from all Regions.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn delete_imported_key_material(
        &self,
        request: Authenticated<DeleteImportedKeyMaterialRequest>,
    ) -> Result<DeleteImportedKeyMaterialResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let entry =
            self.resolve(&self.access(&caller, Action::DeleteImportedKeyMaterial), &request.key_id, Accept::KeyOnly)?;
        check_external(&entry)?;
        entry.check_state(KeyOperation::DeleteImportedKeyMaterial)?;
        let current = entry.record.current_material().map(|m| m.material_id);
        if let Some(material_id) = request.key_material_id.or(current) {
            self.delete_material(&entry, material_id).await?;
        }
        let deleted = request.key_material_id.or(current).and_then(|id| shown_id(&entry, id));
        let symmetric = entry.record.spec == KeySpec::SymmetricDefault;
        let shown = symmetric.then(|| deleted.map(|id| id.to_string()).unwrap_or_default());
        Ok(DeleteImportedKeyMaterialResponse { key_id: Arc::clone(&entry.arn_text), key_material_id: shown })
    }

    async fn delete_material(&self, entry: &KeyEntry, material_id: KeyMaterialId) -> Result<(), KmsError> {
        let key_id = entry.arn.key_id;
        let not_found = || KmsError::KeyMaterialNotFound { key: entry.arn.clone(), material_id };
        if entry.record.material(&material_id).is_none() {
            return Err(not_found());
        }
        let staged = entry.set.as_ref().filter(|set| set.staged().is_some_and(|m| m.material_id == material_id));
        if let Some(set) = staged.filter(|_| entry.is_primary()) {
            let expected_epoch = set.epoch;
            let body = ControlBody::WithdrawImportedMaterial { key_id, expected_epoch, material_id };
            match self.propose(body).await? {
                // It was taken back, or became current, at the same moment.
                Ok(()) | Err(Refusal::NotStaged | Refusal::MaterialNotFound) => {}
                Err(refusal) => return Err(control_refused(entry, self.region(), &refusal)),
            }
            // Destroys the bytes here; the other Regions do so when they hear of it.
            self.tell_key_set(&key_id).await;
            return Ok(());
        }
        let body = RegionalBody::DeleteImportedMaterial { key_id, material_id: Some(material_id) };
        match self.submit(body).await? {
            Ok(()) => {}
            Err(RegionalRefusal::MaterialNotFound) => return Err(not_found()),
            Err(refusal) => return Err(regional_refused(&entry.arn, &refusal)),
        }
        self.tell_key_set(&key_id).await;
        Ok(())
    }
}
