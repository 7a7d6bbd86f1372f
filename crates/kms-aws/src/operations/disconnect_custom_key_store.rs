//! `DisconnectCustomKeyStore` on the wire.

use super::WireOperation;
use crate::json::{CUSTOM_KEY_STORE_ID, Members, object};
use bytes::Bytes;
use kms_service::operations::disconnect_custom_key_store::{
    DisconnectCustomKeyStoreRequest, DisconnectCustomKeyStoreResponse,
};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = DisconnectCustomKeyStoreRequest;
    type Response = DisconnectCustomKeyStoreResponse;

    fn decode(members: &mut Members<'_>) -> DisconnectCustomKeyStoreRequest {
        DisconnectCustomKeyStoreRequest {
            custom_key_store_id: members.required_text("CustomKeyStoreId", &CUSTOM_KEY_STORE_ID),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<DisconnectCustomKeyStoreRequest>,
    ) -> Result<DisconnectCustomKeyStoreResponse, KmsError> {
        service.disconnect_custom_key_store(request).await
    }

    fn encode(_: &DisconnectCustomKeyStoreResponse) -> Bytes {
        object(2, |_| {}).into()
    }
}
