//! `ConnectCustomKeyStore` on the wire.

use super::WireOperation;
use crate::json::{CUSTOM_KEY_STORE_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::connect_custom_key_store::{ConnectCustomKeyStoreRequest, ConnectCustomKeyStoreResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = ConnectCustomKeyStoreRequest;
    type Response = ConnectCustomKeyStoreResponse;

    fn decode(members: &mut Members<'_>) -> ConnectCustomKeyStoreRequest {
        ConnectCustomKeyStoreRequest {
            custom_key_store_id: members.required_text("CustomKeyStoreId", &CUSTOM_KEY_STORE_ID),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<ConnectCustomKeyStoreRequest>,
    ) -> Result<ConnectCustomKeyStoreResponse, KmsError> {
        service.connect_custom_key_store(request).await
    }

    fn encode(_: &ConnectCustomKeyStoreResponse) -> Bytes {
        object(2, |_| {}).into()
    }
}
