//! What the operations on imported key material share.

use super::refused::not_primary;
use crate::{KeyEntry, KmsError, Service};
use kms_types::{KeyId, KeyMaterialId, KeySpec, Origin};

impl Service {
    /// Brings this Region and the key set in line before the answer, so that whoever asks next sees it. What fails is
    /// tried again in the background.
    pub(crate) async fn tell_key_set(&self, key_id: &KeyId) {
        if let Err(error) = self.synchronise(key_id).await {
            tracing::warn!(%key_id, %error, "a key could not be brought in line with its key set; that is tried again");
        }
    }
}

/// Refuses keys whose material was made here.
pub(crate) fn check_external(entry: &KeyEntry) -> Result<(), KmsError> {
    if entry.record.origin == Origin::External { Ok(()) } else { Err(wrong_origin(entry)) }
}

/// `UnsupportedOperationException` of an operation for keys of the other origin.
pub(crate) fn wrong_origin(entry: &KeyEntry) -> KmsError {
    let text = format!("{} origin is {} which is not valid for this operation.", entry.arn, entry.record.origin);
    KmsError::UnsupportedOperation(Some(text))
}

/// `RotateKeyOnDemand` of a key with imported material, none of which waits for it.
pub(crate) fn nothing_pending(entry: &KeyEntry) -> KmsError {
    KmsError::MaterialState(format!("No available key material pending rotation for the key: {}.", entry.arn))
}

/// A second new material while one waits for its rotation.
pub(crate) fn rotation_pending(entry: &KeyEntry, new: &KeyMaterialId, pending: &KeyMaterialId) -> KmsError {
    KmsError::MaterialState(format!(
        "New key material (id: {new}) cannot be imported into KMS key {}, because another key material (id: {pending}) \
         is pending rotation.",
        entry.arn
    ))
}

/// New material of a multi-Region key comes in through its primary. AWS's code and text are not verified.
pub(crate) fn check_takes_new_material(entry: &KeyEntry) -> Result<(), KmsError> {
    if !entry.record.is_multi_region() || entry.is_primary() { Ok(()) } else { Err(not_primary(entry)) }
}

/// The material ID as responses show it: other keys than symmetric ones have one material for ever and show no ID.
pub(crate) fn shown_id(entry: &KeyEntry, material_id: KeyMaterialId) -> Option<KeyMaterialId> {
    (entry.record.spec == KeySpec::SymmetricDefault).then_some(material_id)
}
