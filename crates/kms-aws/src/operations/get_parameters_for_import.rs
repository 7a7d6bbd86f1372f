//! `GetParametersForImport` on the wire.

use super::WireOperation;
use crate::json::{KEY_ID, Members, base64_len, object};
use bytes::Bytes;
use kms_service::operations::get_parameters_for_import::{
    GetParametersForImportRequest, GetParametersForImportResponse,
};
use kms_service::{Authenticated, KmsError, Service};
use kms_types::{WrappingAlgorithm, WrappingKeySpec};

pub(super) struct Wire;

impl WireOperation for Wire {
    type Request = GetParametersForImportRequest;
    type Response = GetParametersForImportResponse;

    fn decode(members: &mut Members<'_>) -> GetParametersForImportRequest {
        GetParametersForImportRequest {
            key_id: members.required_text("KeyId", &KEY_ID),
            wrapping_algorithm: wrapping_algorithm(members),
            wrapping_key_spec: wrapping_key_spec(members),
        }
    }

    async fn call(
        service: &Service,
        request: Authenticated<GetParametersForImportRequest>,
    ) -> Result<GetParametersForImportResponse, KmsError> {
        service.get_parameters_for_import(request).await
    }

    fn encode(response: &GetParametersForImportResponse) -> Bytes {
        let blobs = base64_len(response.import_token.len()) + base64_len(response.public_key.len());
        object(blobs + 256, |o| {
            o.text("KeyId", &response.key_id);
            o.blob("ImportToken", &response.import_token);
            o.blob("PublicKey", &response.public_key);
            o.timestamp("ParametersValidTo", response.parameters_valid_to);
        })
        .into()
    }
}

/// Values of other partitions are read but not listed. The value that stands for a missing one is not used: the request
/// fails then.
fn wrapping_algorithm(members: &mut Members<'_>) -> WrappingAlgorithm {
    use WrappingAlgorithm as A;
    let listed = [A::RsaesPkcs1V15, A::RsaesOaepSha1, A::RsaesOaepSha256, A::RsaAesKeyWrapSha1, A::RsaAesKeyWrapSha256];
    members.require("WrappingAlgorithm");
    let chosen = members.choice("WrappingAlgorithm", &listed.map(A::as_str), |value| A::parse(value).ok());
    chosen.unwrap_or(A::RsaesOaepSha256)
}

fn wrapping_key_spec(members: &mut Members<'_>) -> WrappingKeySpec {
    use WrappingKeySpec as S;
    let listed = [S::Rsa2048, S::Rsa3072, S::Rsa4096];
    members.require("WrappingKeySpec");
    let chosen = members.choice("WrappingKeySpec", &listed.map(S::as_str), |value| S::parse(value).ok());
    chosen.unwrap_or(S::Rsa4096)
}
