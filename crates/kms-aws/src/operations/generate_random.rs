//! `GenerateRandom` on the wire.

use super::WireOperation;
use super::generate_data_key::NUMBER_OF_BYTES;
use crate::json::{CUSTOM_KEY_STORE_ID, Members, delivered_len, secret_object};
use bytes::Bytes;
use kms_service::operations::generate_random::{GenerateRandomRequest, GenerateRandomResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = GenerateRandomRequest;
    type Response = GenerateRandomResponse;

    fn decode(members: &mut Members<'_>) -> GenerateRandomRequest {
        GenerateRandomRequest {
            recipient: members.recipient(),
            number_of_bytes: members.integer("NumberOfBytes", NUMBER_OF_BYTES),
            custom_key_store_id: members.text("CustomKeyStoreId", &CUSTOM_KEY_STORE_ID),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<GenerateRandomRequest>,
    ) -> Result<GenerateRandomResponse, KmsError> {
        service.generate_random(request).await
    }

    fn encode(response: &GenerateRandomResponse) -> Bytes {
        secret_object(delivered_len(&response.plaintext) + 64, |o| o.delivered("Plaintext", &response.plaintext))
    }
}
