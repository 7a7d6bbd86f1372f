//! `DescribeCustomKeyStores`: none.

use super::page::Limits;
use crate::authorise::Resource;
use crate::{Authenticated, KmsError, Service};
use kms_policy::Action;

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DescribeCustomKeyStoresRequest {
    pub custom_key_store_id: Option<String>,
    pub custom_key_store_name: Option<String>,
    pub limit: Option<u32>,
    pub marker: Option<String>,
}

/// The response: no custom key store, and no further page.
#[derive(Clone, Copy, Debug)]
pub struct DescribeCustomKeyStoresResponse;

impl Service {
    /// `DescribeCustomKeyStores`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code; its texts are not verified.
    pub async fn describe_custom_key_stores(
        &self,
        request: Authenticated<DescribeCustomKeyStoresRequest>,
    ) -> Result<DescribeCustomKeyStoresResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.access(&caller, Action::DescribeCustomKeyStores).authorise(Resource::Account)?;
        Limits::KEYS.size(request.limit)?;
        match (request.custom_key_store_id, request.custom_key_store_name) {
            (Some(_), Some(_)) => Err(KmsError::service(
                "You cannot specify CustomKeyStoreId and CustomKeyStoreName in the same request.",
            )),
            (Some(named), None) | (None, Some(named)) => Err(KmsError::CustomKeyStoreNotFound(named)),
            // No page has ever ended with a marker.
            (None, None) if request.marker.is_some() => Err(KmsError::InvalidMarker),
            (None, None) => Ok(DescribeCustomKeyStoresResponse),
        }
    }
}
