//! `CreateCustomKeyStore`. Keys live in this service's own store alone: it connects to no CloudHSM cluster and to no
//! external key store proxy.

use super::create_key::no_custom_key_stores;
use crate::authorise::Resource;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;

/// The request. Its other members only matter to a service that connects to such a store.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CreateCustomKeyStoreRequest {
    pub custom_key_store_name: String,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CreateCustomKeyStoreResponse {
    pub custom_key_store_id: String,
}

impl Service {
    /// `CreateCustomKeyStore`.
    ///
    /// # Errors
    /// [`KmsError::UnsupportedOperation`] for whoever may ask. AWS has no such answer to this operation; that a cluster
    /// or proxy was not found would send the caller looking for a mistake of their own.
    pub async fn create_custom_key_store(
        &self,
        request: Authenticated<CreateCustomKeyStoreRequest>,
    ) -> Result<CreateCustomKeyStoreResponse, KmsError> {
        self.access(&request.caller, Action::CreateCustomKeyStore).authorise(Resource::Account)?;
        Err(no_custom_key_stores())
    }
}
