//! `Decrypt`.

use super::encrypt::Secret;
use super::key_use::{Named, asked, check_encryption};
use crate::authorise::{Access, Resource, UNKNOWN_CIPHERTEXT};
use crate::resolve::Accept;
use crate::{Authenticated, ControlLogError, Delivered, KeyEntry, KmsError, Recipient, Service};
use kms_core::KeyOperation;
use kms_crypto::{BlobHeader, MessageCipher, parse_header};
use kms_policy::Action;
use kms_types::{EncryptionAlgorithm, EncryptionContext, KeyMaterialId, KeyRef};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DecryptRequest {
    /// Absent only with `ignore_ciphertext`.
    pub ciphertext_blob: Option<Vec<u8>>,
    pub encryption_context: EncryptionContext,
    pub grant_tokens: Vec<String>,
    pub key_id: Option<String>,
    pub encryption_algorithm: Option<EncryptionAlgorithm>,
    pub dry_run: bool,
    /// `DryRunModifiers` contains `IGNORE_CIPHERTEXT`.
    pub ignore_ciphertext: bool,
    pub recipient: Option<Recipient>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct DecryptResponse {
    pub key_id: Arc<str>,
    pub plaintext: Delivered,
    pub encryption_algorithm: EncryptionAlgorithm,
    /// Of symmetric keys, for a request without a recipient.
    pub key_material_id: Option<KeyMaterialId>,
}

/// A ciphertext opened under a key of this Region.
pub(crate) struct Opened {
    pub(crate) entry: Arc<KeyEntry>,
    pub(crate) plaintext: Secret,
    pub(crate) algorithm: EncryptionAlgorithm,
    /// Of symmetric keys.
    pub(crate) material_id: Option<KeyMaterialId>,
}

/// What a ciphertext-opening operation asks for.
pub(crate) struct OpenRequest<'a> {
    pub(crate) blob: &'a [u8],
    pub(crate) key_id: Option<&'a str>,
    pub(crate) context: &'a EncryptionContext,
    pub(crate) algorithm: Option<EncryptionAlgorithm>,
    pub(crate) operation: Named,
}

const OPERATION: Named = (KeyOperation::Decrypt, "Decrypt");

impl Service {
    /// `Decrypt`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn decrypt(&self, request: Authenticated<DecryptRequest>) -> Result<DecryptResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.check_grant_tokens(&request.grant_tokens)?;
        let attested = self.attested(&caller, request.recipient).await?;
        let access = self.access(&caller, Action::Decrypt).attested_by(attested.as_ref());
        if request.ignore_ciphertext {
            check_ignore_ciphertext(request.dry_run)?;
            let key_id = request.key_id.as_deref().ok_or_else(|| KmsError::service("KeyId is required."))?;
            let access = access
                .with_context(&request.encryption_context)
                .with(|r| r.encryption_algorithm(asked(request.encryption_algorithm)));
            let entry = self.resolve(&access, key_id, Accept::Alias)?;
            check_encryption(&entry, OPERATION, request.encryption_algorithm, &request.encryption_context)?;
            return Err(KmsError::DryRun);
        }
        let blob = request.ciphertext_blob.as_deref().unwrap_or_default();
        let opened = self
            .open_ciphertext(
                &access,
                &OpenRequest {
                    blob,
                    key_id: request.key_id.as_deref(),
                    context: &request.encryption_context,
                    algorithm: request.encryption_algorithm,
                    operation: OPERATION,
                },
            )
            .await?;
        if request.dry_run {
            return Err(KmsError::DryRun);
        }
        self.note_use(&opened.entry, &caller, OPERATION.0);
        Ok(DecryptResponse {
            key_id: Arc::clone(&opened.entry.arn_text),
            key_material_id: opened.material_id.filter(|_| attested.is_none()),
            plaintext: self.deliver(attested.as_ref(), opened.plaintext)?,
            encryption_algorithm: opened.algorithm,
        })
    }

    /// Finds the key that made a ciphertext and opens it, for a caller with this access, to which the context and the
    /// algorithm are added. Everything that is wrong with the ciphertext itself is the one
    /// error without detail.
    pub(crate) async fn open_ciphertext(
        &self,
        access: &Access<'_>,
        request: &OpenRequest<'_>,
    ) -> Result<Opened, KmsError> {
        let access = access.with_context(request.context).with(|r| r.encryption_algorithm(asked(request.algorithm)));
        let named = match request.key_id {
            Some(key_id) => match self.foreign_by_id(&access, key_id, request.blob) {
                Some(entry) => Some(entry),
                None => Some(self.resolve(&access, key_id, Accept::Alias)?),
            },
            None => None,
        };
        let asymmetric = request.algorithm.is_some_and(|named| named != EncryptionAlgorithm::SymmetricDefault);
        let named = match named {
            // A ciphertext of an asymmetric key says nothing of itself: it is what the request says it is.
            Some(entry) if asymmetric && entry.record.spec.is_asymmetric() => {
                return self.open_asymmetric(entry, request);
            }
            other => other,
        };
        let (algorithm, context) = (request.algorithm, request.context);
        let Ok(header) = parse_header(request.blob) else {
            // A key that opens no such ciphertext is the better explanation.
            if let Some(entry) = named {
                check_encryption(&entry, request.operation, algorithm, context)?;
            }
            return Err(KmsError::InvalidCiphertext);
        };
        let entry = match named {
            Some(entry) if entry.arn.key_id != header.key_id => return Err(KmsError::IncorrectKey),
            Some(entry) => entry,
            None => self.key_of_ciphertext(&access, &header)?,
        };
        let algorithm = check_encryption(&entry, request.operation, algorithm, context)?;
        let cipher = self.cipher_for(&entry, &header).await?;
        let plaintext = cipher.decrypt(request.blob, context).map_err(|_opaque| KmsError::InvalidCiphertext)?;
        Ok(Opened { entry, plaintext: Secret(plaintext), algorithm, material_id: Some(header.material_id) })
    }

    fn open_asymmetric(&self, entry: Arc<KeyEntry>, request: &OpenRequest<'_>) -> Result<Opened, KmsError> {
        let algorithm = check_encryption(&entry, request.operation, request.algorithm, request.context)?;
        let plaintext = self.key_pair(&entry)?.decrypt(algorithm, request.blob);
        let plaintext = plaintext.map_err(|_opaque| KmsError::InvalidCiphertext)?;
        Ok(Opened { entry, plaintext: Secret(plaintext), algorithm, material_id: None })
    }

    /// The key of another account that a request names by its bare ID: beside a ciphertext of that very key AWS takes it,
    /// while everywhere else such a key needs its ARN.
    fn foreign_by_id(&self, access: &Access<'_>, key_id: &str, blob: &[u8]) -> Option<Arc<KeyEntry>> {
        let Ok(KeyRef::Id(key_id)) = KeyRef::parse(key_id) else { return None };
        let entry = self.directory().key(&key_id).filter(|entry| entry.arn.account != access.caller().account())?;
        let made_it = parse_header(blob).is_ok_and(|header| header.key_id == key_id);
        // A denial is not the last word: the ID may mean a key of the caller's own account.
        if !made_it || !access.decide(Resource::Ciphertext(&entry)).is_allowed() {
            return None;
        }
        access.authorise(Resource::Ciphertext(&entry)).is_ok().then_some(entry)
    }

    fn key_of_ciphertext(&self, access: &Access<'_>, header: &BlobHeader) -> Result<Arc<KeyEntry>, KmsError> {
        match self.directory().key(&header.key_id) {
            Some(entry) => {
                access.authorise(Resource::Ciphertext(&entry))?;
                Ok(entry)
            }
            None => Err(KmsError::AccessDenied(UNKNOWN_CIPHERTEXT.to_owned())),
        }
    }

    /// The cipher of the material that made a ciphertext; catches up with the control log when it is not known here.
    async fn cipher_for(&self, entry: &KeyEntry, header: &BlobHeader) -> Result<Arc<MessageCipher>, KmsError> {
        let (key_id, material_id) = (&header.key_id, &header.material_id);
        if !entry.record.has_material(material_id) {
            self.catch_up(entry, material_id).await?;
        }
        Ok(self.keyring().cipher(key_id, material_id)?)
    }

    /// Makes sure that unknown material is really unknown before the ciphertext is called invalid. A Region that cannot
    /// reach the majority does not know, and says "try again".
    async fn catch_up(&self, entry: &KeyEntry, material_id: &KeyMaterialId) -> Result<(), KmsError> {
        if !entry.record.is_multi_region() {
            return Err(KmsError::InvalidCiphertext);
        }
        let key_id = &entry.arn.key_id;
        let deadline = self.config().catch_up_deadline;
        let known = || {
            self.directory()
                .read(|_, control| control.key_set(key_id).is_some_and(|s| s.material(material_id).is_some()))
        };
        if !known() {
            match self.control().read_barrier(deadline).await {
                Ok(_) if known() => {}
                Ok(_) => return Err(KmsError::InvalidCiphertext),
                Err(ControlLogError::NoMajority { .. }) => return Err(KmsError::KeyUnavailable),
                Err(ControlLogError::Stopped) => return Err(KmsError::Internal),
            }
        }
        if self.regional().await_material(key_id, material_id, deadline).await {
            Ok(())
        } else {
            Err(KmsError::KeyUnavailable)
        }
    }
}

/// `IGNORE_CIPHERTEXT` only makes sense for a dry run. AWS's text is not verified.
pub(crate) fn check_ignore_ciphertext(dry_run: bool) -> Result<(), KmsError> {
    if dry_run { Ok(()) } else { Err(KmsError::service("DryRunModifiers can only be used with DryRun.")) }
}
