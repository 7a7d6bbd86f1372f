//! `CreateCustomKeyStore` on the wire.

use super::WireOperation;
use super::custom_key_store::{check_choice, check_connection};
use crate::json::{CUSTOM_KEY_STORE_NAME, Members, TRUST_ANCHOR_CERTIFICATE, object};
use bytes::Bytes;
use kms_service::operations::create_custom_key_store::{CreateCustomKeyStoreRequest, CreateCustomKeyStoreResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = CreateCustomKeyStoreRequest;
    type Response = CreateCustomKeyStoreResponse;

    const SECRET_BODY: bool = true;

    fn decode(members: &mut Members<'_>) -> CreateCustomKeyStoreRequest {
        let custom_key_store_name = members.required_text("CustomKeyStoreName", &CUSTOM_KEY_STORE_NAME);
        members.check_text("TrustAnchorCertificate", &TRUST_ANCHOR_CERTIFICATE);
        check_choice(members, "CustomKeyStoreType", &["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]);
        check_connection(members);
        CreateCustomKeyStoreRequest { custom_key_store_name }
    }

    async fn call(
        service: &Service,
        request: Authenticated<CreateCustomKeyStoreRequest>,
    ) -> Result<CreateCustomKeyStoreResponse, KmsError> {
        service.create_custom_key_store(request).await
    }

    fn encode(response: &CreateCustomKeyStoreResponse) -> Bytes {
        object(128, |o| o.text("CustomKeyStoreId", &response.custom_key_store_id)).into()
    }
}
