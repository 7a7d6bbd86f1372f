//! `GenerateDataKeyPairWithoutPlaintext` on the wire.

use super::{WireOperation, generate_data_key_pair, whole};
use crate::json::{Members, base64_len, object};
use bytes::Bytes;
use kms_service::operations::generate_data_key_pair::GenerateDataKeyPairRequest;
use kms_service::operations::generate_data_key_pair_without_plaintext::GenerateDataKeyPairWithoutPlaintextResponse;
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = Option<GenerateDataKeyPairRequest>;
    type Response = GenerateDataKeyPairWithoutPlaintextResponse;

    fn decode(members: &mut Members<'_>) -> Option<GenerateDataKeyPairRequest> {
        generate_data_key_pair::decode(members)
    }

    async fn call(
        service: &Service,
        request: Authenticated<Option<GenerateDataKeyPairRequest>>,
    ) -> Result<GenerateDataKeyPairWithoutPlaintextResponse, KmsError> {
        service.generate_data_key_pair_without_plaintext(whole(request)?).await
    }

    fn encode(response: &GenerateDataKeyPairWithoutPlaintextResponse) -> Bytes {
        let blobs = base64_len(response.private_key_ciphertext_blob.len()) + base64_len(response.public_key.len());
        object(blobs + 512, |o| {
            o.blob("PrivateKeyCiphertextBlob", &response.private_key_ciphertext_blob);
            o.blob("PublicKey", &response.public_key);
            o.text("KeyId", &response.key_id);
            o.text("KeyPairSpec", response.key_pair_spec.as_str());
            o.text("KeyMaterialId", &response.key_material_id.to_string());
        })
        .into()
    }
}
