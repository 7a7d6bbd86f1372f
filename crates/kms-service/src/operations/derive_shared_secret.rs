//! `DeriveSharedSecret`: the raw secret of a key agreement, from the key and a peer's public key.

use super::encrypt::Secret;
use super::key_use::{Named, check_algorithm, check_use};
use crate::resolve::Accept;
use crate::{Authenticated, Delivered, KmsError, Recipient, Service};
use kms_core::KeyOperation;
use kms_policy::Action;
use kms_types::{KeyAgreementAlgorithm, KeyUsage, Origin};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DeriveSharedSecretRequest {
    pub key_id: String,
    pub key_agreement_algorithm: KeyAgreementAlgorithm,
    /// The peer's, as a DER `SubjectPublicKeyInfo` (RFC 5280).
    pub public_key: Vec<u8>,
    pub grant_tokens: Vec<String>,
    pub dry_run: bool,
    pub recipient: Option<Recipient>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DeriveSharedSecretResponse {
    pub key_id: Arc<str>,
    pub shared_secret: Delivered,
    pub key_agreement_algorithm: KeyAgreementAlgorithm,
    pub key_origin: Origin,
}

const OPERATION: Named = (KeyOperation::DeriveSharedSecret, "DeriveSharedSecret");

impl Service {
    /// `DeriveSharedSecret`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text; [`KmsError::InvalidPublicKey`] when the peer's key is not one of the
    /// key's own curve.
    pub async fn derive_shared_secret(
        &self,
        request: Authenticated<DeriveSharedSecretRequest>,
    ) -> Result<DeriveSharedSecretResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.check_grant_tokens(&request.grant_tokens)?;
        let attested = self.attested(&caller, request.recipient).await?;
        let access = self
            .access(&caller, Action::DeriveSharedSecret)
            .attested_by(attested.as_ref())
            .with(|r| r.key_agreement_algorithm(request.key_agreement_algorithm));
        let entry = self.resolve(&access, &request.key_id, Accept::Alias)?;
        check_use(&entry, OPERATION, KeyUsage::KeyAgreement)?;
        let algorithm = request.key_agreement_algorithm;
        check_algorithm(&entry, &algorithm, entry.record.spec.key_agreement_algorithms())?;
        let secret = self.key_pair(&entry)?.derive_shared_secret(&request.public_key);
        let secret = secret.map_err(|_opaque| KmsError::InvalidPublicKey)?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        self.note_use(&entry, &caller, OPERATION.0);
        Ok(DeriveSharedSecretResponse {
            key_id: Arc::clone(&entry.arn_text),
            shared_secret: self.deliver(attested.as_ref(), Secret(secret))?,
            key_agreement_algorithm: algorithm,
            key_origin: entry.record.origin,
        })
    }
}
