//! `UpdateCustomKeyStore` on the wire.

use super::WireOperation;
use super::custom_key_store::check_connection;
use crate::json::{CUSTOM_KEY_STORE_ID, CUSTOM_KEY_STORE_NAME, Members, object};
use bytes::Bytes;
use kms_service::operations::update_custom_key_store::{UpdateCustomKeyStoreRequest, UpdateCustomKeyStoreResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = UpdateCustomKeyStoreRequest;
    type Response = UpdateCustomKeyStoreResponse;

    const SECRET_BODY: bool = true;

    fn decode(members: &mut Members<'_>) -> UpdateCustomKeyStoreRequest {
        let custom_key_store_id = members.required_text("CustomKeyStoreId", &CUSTOM_KEY_STORE_ID);
        members.check_text("NewCustomKeyStoreName", &CUSTOM_KEY_STORE_NAME);
        check_connection(members);
        UpdateCustomKeyStoreRequest { custom_key_store_id }
    }

    async fn call(
        service: &Service,
        request: Authenticated<UpdateCustomKeyStoreRequest>,
    ) -> Result<UpdateCustomKeyStoreResponse, KmsError> {
        service.update_custom_key_store(request).await
    }

    fn encode(_: &UpdateCustomKeyStoreResponse) -> Bytes {
        object(2, |_| {}).into()
    }
}
