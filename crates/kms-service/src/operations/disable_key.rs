//! `DisableKey`: takes a key out of use, in this Region only.

use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::RegionalBody;
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DisableKeyRequest {
    pub key_id: String,
}

impl Service {
    /// `DisableKey`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn disable_key(&self, request: Authenticated<DisableKeyRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let entry = self.resolve(&self.access(&caller, Action::DisableKey), &request.key_id, Accept::KeyOnly)?;
        entry.check_state(KeyOperation::DisableKey)?;
        self.change_key(&entry, RegionalBody::DisableKey(entry.arn.key_id)).await
    }
}
