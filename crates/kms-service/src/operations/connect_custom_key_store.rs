//! `ConnectCustomKeyStore`. There are no custom key stores here, so there is none to connect.

use crate::authorise::Resource;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ConnectCustomKeyStoreRequest {
    pub custom_key_store_id: String,
}

/// The response, which is empty.
#[derive(Clone, Copy, Debug)]
pub struct ConnectCustomKeyStoreResponse;

impl Service {
    /// `ConnectCustomKeyStore`.
    ///
    /// # Errors
    /// [`KmsError::CustomKeyStoreNotFound`] for whoever may ask.
    pub async fn connect_custom_key_store(
        &self,
        request: Authenticated<ConnectCustomKeyStoreRequest>,
    ) -> Result<ConnectCustomKeyStoreResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.access(&caller, Action::ConnectCustomKeyStore).authorise(Resource::Account)?;
        Err(KmsError::CustomKeyStoreNotFound(request.custom_key_store_id))
    }
}
