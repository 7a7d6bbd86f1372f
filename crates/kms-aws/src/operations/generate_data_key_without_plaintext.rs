//! `GenerateDataKeyWithoutPlaintext` on the wire.

use super::{WireOperation, generate_data_key};
use crate::json::{Members, base64_len, object};
use bytes::Bytes;
use kms_service::operations::generate_data_key::GenerateDataKeyRequest;
use kms_service::operations::generate_data_key_without_plaintext::GenerateDataKeyWithoutPlaintextResponse;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = GenerateDataKeyRequest;
    type Response = GenerateDataKeyWithoutPlaintextResponse;

    fn decode(members: &mut Members<'_>) -> GenerateDataKeyRequest {
        generate_data_key::decode(members)
    }

    async fn call(
        service: &Service,
        request: Authenticated<GenerateDataKeyRequest>,
    ) -> Result<GenerateDataKeyWithoutPlaintextResponse, KmsError> {
        service.generate_data_key_without_plaintext(request).await
    }

    fn encode(response: &GenerateDataKeyWithoutPlaintextResponse) -> Bytes {
        object(base64_len(response.ciphertext_blob.len()) + 320, |o| {
            o.blob("CiphertextBlob", &response.ciphertext_blob);
            o.text("KeyId", &response.key_id);
            o.text("KeyMaterialId", &response.key_material_id.to_string());
        })
        .into()
    }
}
