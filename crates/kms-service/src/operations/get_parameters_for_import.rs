//! `GetParametersForImport`: a public key to wrap key material with, and the token that goes with it.
//!
//! Nothing is stored: the token carries the private half of the wrapping key, protected under the Region KEK.

use super::external_origin::check_external;
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_core::KeyOperation;
use kms_crypto::ImportParameters;
use kms_policy::Action;
use kms_types::{KeySpec, Timestamp, WrappingAlgorithm, WrappingKeySpec};
use std::sync::Arc;

/// How long token and public key can be used, in days.
const VALID_DAYS: u32 = 1;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GetParametersForImportRequest {
    pub key_id: String,
    pub wrapping_algorithm: WrappingAlgorithm,
    pub wrapping_key_spec: WrappingKeySpec,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct GetParametersForImportResponse {
    pub key_id: Arc<str>,
    pub import_token: Vec<u8>,
    /// A DER `SubjectPublicKeyInfo`.
    pub public_key: Vec<u8>,
    pub parameters_valid_to: Timestamp,
}

impl Service {
    /// `GetParametersForImport`. The wrapping key is drawn on a worker thread; with too many of them wanted at once the
    /// caller is told to slow down.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn get_parameters_for_import(
        &self,
        request: Authenticated<GetParametersForImportRequest>,
    ) -> Result<GetParametersForImportResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let access = self
            .access(&caller, Action::GetParametersForImport)
            .with(|r| r.wrapping_algorithm(request.wrapping_algorithm).wrapping_key_spec(request.wrapping_key_spec));
        let entry = self.resolve(&access, &request.key_id, Accept::KeyOnly)?;
        check_external(&entry)?;
        entry.check_state(KeyOperation::GetParametersForImport)?;
        let (algorithm, spec) = (request.wrapping_algorithm, request.wrapping_key_spec);
        check_wrapping(&entry, algorithm, spec)?;
        let expires_at = self.now().plus(self.config().day_length.days(VALID_DAYS));
        let parameters = ImportParameters { key_id: entry.arn.key_id, algorithm, expires_at };
        let keyring = Arc::clone(self.keyring());
        let drawn = self.on_worker(move || keyring.import_token(&parameters, spec)).await??;
        Ok(GetParametersForImportResponse {
            key_id: Arc::clone(&entry.arn_text),
            import_token: drawn.token,
            public_key: drawn.public_key_der,
            parameters_valid_to: expires_at,
        })
    }
}

/// Checks that material of this kind can be wrapped so ("Importing key material step 2" in the AWS KMS Developer Guide).
/// AWS's code and texts are not verified.
fn check_wrapping(entry: &KeyEntry, algorithm: WrappingAlgorithm, spec: WrappingKeySpec) -> Result<(), KmsError> {
    use WrappingAlgorithm as A;
    let key_spec = entry.record.spec;
    let unsupported = |text: String| Err(KmsError::UnsupportedOperation(Some(text)));
    if algorithm == A::RsaesPkcs1V15 {
        return unsupported(format!("Wrapping algorithm {algorithm} is no longer supported."));
    }
    if algorithm == A::Sm2Pke || spec == WrappingKeySpec::Sm2 {
        return unsupported(format!(
            "Wrapping algorithm {algorithm} with wrapping key spec {spec} is not supported in this Region."
        ));
    }
    let direct = matches!(algorithm, A::RsaesOaepSha1 | A::RsaesOaepSha256);
    let rsa = matches!(key_spec, KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096);
    let too_long = key_spec == KeySpec::EccNistP521 && spec == WrappingKeySpec::Rsa2048;
    if direct && (rsa || too_long) {
        return unsupported(format!(
            "Wrapping algorithm {algorithm} with wrapping key spec {spec} cannot wrap key material of KeySpec {key_spec}."
        ));
    }
    Ok(())
}
