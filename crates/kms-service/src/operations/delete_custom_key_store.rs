//! `DeleteCustomKeyStore`. There are no custom key stores here, so there is none to delete.

use crate::authorise::Resource;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DeleteCustomKeyStoreRequest {
    pub custom_key_store_id: String,
}

/// The response, which is empty.
#[derive(Clone, Copy, Debug)]
pub struct DeleteCustomKeyStoreResponse;

impl Service {
    /// `DeleteCustomKeyStore`.
    ///
    /// # Errors
    /// [`KmsError::CustomKeyStoreNotFound`] for whoever may ask.
    pub async fn delete_custom_key_store(
        &self,
        request: Authenticated<DeleteCustomKeyStoreRequest>,
    ) -> Result<DeleteCustomKeyStoreResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.access(&caller, Action::DeleteCustomKeyStore).authorise(Resource::Account)?;
        Err(KmsError::CustomKeyStoreNotFound(request.custom_key_store_id))
    }
}
