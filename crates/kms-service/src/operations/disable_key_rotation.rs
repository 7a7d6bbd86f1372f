//! `DisableKeyRotation`: switches automatic rotation off; for a multi-Region key on the primary. A rotation in progress
//! goes on.

use super::rotate_key_on_demand::{check_is_primary, check_rotatable};
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DisableKeyRotationRequest {
    pub key_id: String,
}

impl Service {
    /// `DisableKeyRotation`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn disable_key_rotation(
        &self,
        request: Authenticated<DisableKeyRotationRequest>,
    ) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let entry =
            self.resolve(&self.access(&caller, Action::DisableKeyRotation), &request.key_id, Accept::KeyOnly)?;
        check_rotatable(&entry)?;
        entry.check_state(KeyOperation::DisableKeyRotation)?;
        check_is_primary(&entry)?;
        self.set_rotation(&entry, None).await
    }
}
