//! `UpdateKeyDescription`: replaces the description of a key, in this Region only.

use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::RegionalBody;
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct UpdateKeyDescriptionRequest {
    pub key_id: String,
    pub description: String,
}

impl Service {
    /// `UpdateKeyDescription`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn update_key_description(
        &self,
        request: Authenticated<UpdateKeyDescriptionRequest>,
    ) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let entry =
            self.resolve(&self.access(&caller, Action::UpdateKeyDescription), &request.key_id, Accept::KeyOnly)?;
        entry.check_state(KeyOperation::UpdateKeyDescription)?;
        self.change_key(&entry, RegionalBody::SetDescription(entry.arn.key_id, request.description)).await
    }
}
