//! `EnableKey`: puts a disabled key back to use.

use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::RegionalBody;
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct EnableKeyRequest {
    pub key_id: String,
}

impl Service {
    /// `EnableKey`. An automatic rotation that came due while the key was disabled follows at once.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn enable_key(&self, request: Authenticated<EnableKeyRequest>) -> Result<(), KmsError> {
        let Authenticated { caller, request } = request;
        let entry = self.resolve(&self.access(&caller, Action::EnableKey), &request.key_id, Accept::KeyOnly)?;
        entry.check_state(KeyOperation::EnableKey)?;
        self.change_key(&entry, RegionalBody::EnableKey(entry.arn.key_id)).await
    }
}
