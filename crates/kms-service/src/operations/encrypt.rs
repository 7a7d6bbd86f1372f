//! `Encrypt`.

use super::key_use::{Named, asked, check_encryption};
use crate::error::Validation;
use crate::resolve::Accept;
use crate::{Authenticated, KeyEntry, KmsError, Service};
use kms_core::KeyOperation;
use kms_policy::Action;
use kms_types::{EncryptionAlgorithm, EncryptionContext, KeyMaterialId, KeySpec, limits};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The request.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct EncryptRequest {
    pub key_id: String,
    pub plaintext: Secret,
    pub encryption_context: EncryptionContext,
    pub grant_tokens: Vec<String>,
    pub encryption_algorithm: Option<EncryptionAlgorithm>,
    pub dry_run: bool,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct EncryptResponse {
    pub ciphertext_blob: Vec<u8>,
    pub key_id: Arc<str>,
    pub encryption_algorithm: EncryptionAlgorithm,
}

/// Bytes that are wiped when dropped and never shown.
#[derive(Clone, Default)]
pub struct Secret(pub Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

const OPERATION: Named = (KeyOperation::Encrypt, "Encrypt");

impl Service {
    /// `Encrypt`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn encrypt(&self, request: Authenticated<EncryptRequest>) -> Result<EncryptResponse, KmsError> {
        let Authenticated { caller, request } = request;
        Validation::check_length(request.plaintext.0.len(), "plaintext", limits::PLAINTEXT_BYTES_MAX)?;
        self.check_grant_tokens(&request.grant_tokens)?;
        let access = self
            .access(&caller, Action::Encrypt)
            .with_context(&request.encryption_context)
            .with(|r| r.encryption_algorithm(asked(request.encryption_algorithm)));
        let entry = self.resolve(&access, &request.key_id, Accept::Alias)?;
        let (algorithm, context) = (request.encryption_algorithm, &request.encryption_context);
        let algorithm = check_encryption(&entry, OPERATION, algorithm, context)?;
        check_plaintext(entry.record.spec, algorithm, request.plaintext.0.len())?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        let (ciphertext_blob, _) = self.seal_with(&entry, algorithm, context, &request.plaintext.0)?;
        self.note_use(&entry, &caller, OPERATION.0);
        Ok(EncryptResponse { ciphertext_blob, key_id: Arc::clone(&entry.arn_text), encryption_algorithm: algorithm })
    }

    /// Encrypts with a checked algorithm. A symmetric key also tells under which of its materials.
    pub(crate) fn seal_with(
        &self,
        entry: &KeyEntry,
        algorithm: EncryptionAlgorithm,
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, Option<KeyMaterialId>), KmsError> {
        if algorithm == EncryptionAlgorithm::SymmetricDefault {
            let (blob, material_id) = self.seal_under(entry, context, plaintext)?;
            return Ok((blob, Some(material_id)));
        }
        let sealed = self.key_pair(entry)?.encrypt(algorithm, plaintext, self.entropy());
        Ok((sealed.map_err(|_opaque| KmsError::Internal)?, None))
    }

    /// Encrypts under the current material of a symmetric key.
    pub(crate) fn seal_under(
        &self,
        entry: &KeyEntry,
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<(Vec<u8>, KeyMaterialId), KmsError> {
        let material_id = entry.current.ok_or(KmsError::KeyUnavailable)?;
        let cipher = self.keyring().cipher(&entry.arn.key_id, &material_id)?;
        let blob = cipher
            .encrypt(&entry.arn.key_id, &material_id, context, plaintext, self.entropy())
            .map_err(|_opaque| KmsError::Internal)?;
        Ok((blob, material_id))
    }
}

/// Checks that the plaintext fits the algorithm. That of a symmetric key fits whenever it fits a request.
pub(crate) fn check_plaintext(spec: KeySpec, algorithm: EncryptionAlgorithm, length: usize) -> Result<(), KmsError> {
    match oaep_max(spec, algorithm) {
        Some(max) if length > max => Err(KmsError::service(format!(
            "Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {max} bytes."
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Longest message of RSAES-OAEP: the modulus less two hashes and two bytes (RFC 8017 §7.1.1).
const fn oaep_max(spec: KeySpec, algorithm: EncryptionAlgorithm) -> Option<usize> {
    let modulus = match spec {
        KeySpec::Rsa2048 => 256,
        KeySpec::Rsa3072 => 384,
        KeySpec::Rsa4096 => 512,
        _ => return None,
    };
    match algorithm {
        EncryptionAlgorithm::RsaesOaepSha1 => Some(modulus - 2 * 20 - 2),
        EncryptionAlgorithm::RsaesOaepSha256 => Some(modulus - 2 * 32 - 2),
        EncryptionAlgorithm::SymmetricDefault | EncryptionAlgorithm::Sm2Pke => None,
    }
}
