//! `DeleteCustomKeyStore` on the wire.

use super::WireOperation;
use crate::json::{CUSTOM_KEY_STORE_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::delete_custom_key_store::{DeleteCustomKeyStoreRequest, DeleteCustomKeyStoreResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = DeleteCustomKeyStoreRequest;
    type Response = DeleteCustomKeyStoreResponse;

    fn decode(members: &mut Members<'_>) -> DeleteCustomKeyStoreRequest {
        DeleteCustomKeyStoreRequest {
            custom_key_store_id: members.required_text("CustomKeyStoreId", &CUSTOM_KEY_STORE_ID),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<DeleteCustomKeyStoreRequest>,
    ) -> Result<DeleteCustomKeyStoreResponse, KmsError> {
        service.delete_custom_key_store(request).await
    }

    fn encode(_: &DeleteCustomKeyStoreResponse) -> Bytes {
        object(2, |_| {}).into()
    }
}
