//! `DisconnectCustomKeyStore`. There are no custom key stores here, so there is none to disconnect.

use crate::authorise::Resource;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DisconnectCustomKeyStoreRequest {
    pub custom_key_store_id: String,
}

/// The response, which is empty.
#[derive(Clone, Copy, Debug)]
pub struct DisconnectCustomKeyStoreResponse;

impl Service {
    /// `DisconnectCustomKeyStore`.
    ///
    /// # Errors
    /// [`KmsError::CustomKeyStoreNotFound`] for whoever may ask.
    pub async fn disconnect_custom_key_store(
        &self,
        request: Authenticated<DisconnectCustomKeyStoreRequest>,
    ) -> Result<DisconnectCustomKeyStoreResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.access(&caller, Action::DisconnectCustomKeyStore).authorise(Resource::Account)?;
        Err(KmsError::CustomKeyStoreNotFound(request.custom_key_store_id))
    }
}
