//! `GenerateDataKeyPair` on the wire.

use super::{WireOperation, choices, whole};
use crate::json::{KEY_ID, Members, base64_len, delivered_len, secret_object};
use bytes::Bytes;
use kms_service::operations::generate_data_key_pair::{GenerateDataKeyPairRequest, GenerateDataKeyPairResponse};
use kms_service::{Authenticated, KmsError, Service};

pub(super) struct Wire;

/// Reads what GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext have in common.
pub(super) fn decode(members: &mut Members<'_>) -> Option<GenerateDataKeyPairRequest> {
    let encryption_context = members.context("EncryptionContext");
    let key_id = members.required_text("KeyId", &KEY_ID);
    let key_pair_spec = choices::key_pair_spec(members);
    let grant_tokens = members.grant_tokens();
    let dry_run = members.boolean("DryRun").unwrap_or_default();
    let key_pair_spec = key_pair_spec?;
    let recipient = None;
    Some(GenerateDataKeyPairRequest { encryption_context, key_id, key_pair_spec, grant_tokens, dry_run, recipient })
}

impl WireOperation for Wire {
    type Request = Option<GenerateDataKeyPairRequest>;
    type Response = GenerateDataKeyPairResponse;

    fn decode(members: &mut Members<'_>) -> Option<GenerateDataKeyPairRequest> {
        let recipient = members.recipient();
        Some(GenerateDataKeyPairRequest { recipient, ..decode(members)? })
    }

    async fn call(
        service: &Service,
        request: Authenticated<Option<GenerateDataKeyPairRequest>>,
    ) -> Result<GenerateDataKeyPairResponse, KmsError> {
        service.generate_data_key_pair(whole(request)?).await
    }

    fn encode(response: &GenerateDataKeyPairResponse) -> Bytes {
        let blobs = base64_len(response.private_key_ciphertext_blob.len())
            + delivered_len(&response.private_key_plaintext)
            + base64_len(response.public_key.len());
        secret_object(blobs + 512, |o| {
            o.blob("PrivateKeyCiphertextBlob", &response.private_key_ciphertext_blob);
            o.delivered("PrivateKeyPlaintext", &response.private_key_plaintext);
            o.blob("PublicKey", &response.public_key);
            o.text("KeyId", &response.key_id);
            o.text("KeyPairSpec", response.key_pair_spec.as_str());
            o.text("KeyMaterialId", &response.key_material_id.to_string());
        })
    }
}
