//! Attested recipients: a caller that runs in a Nitro enclave hands in an attestation document, and the secret part of the
//! answer is encrypted under the key in it, for the enclave alone.
//!
//! The document is verified before anything is decided, since policies may ask for its measurements. What is wrong with it is
//! a `ValidationException`; AWS's code and text are not verified.

use crate::authorise::Access;
use crate::operations::encrypt::Secret;
use crate::{Caller, KmsError, Service};
use kms_crypto::RecipientKey;
use kms_policy::Pairs;
use std::fmt;
use std::sync::Arc;

/// `Recipient` of a request. The one algorithm that there is goes without saying.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The attestation document, not yet verified.
    pub attestation_document: Vec<u8>,
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({} bytes)", self.attestation_document.len())
    }
}

/// The secret part of an answer, in one of the two forms that it leaves the service in.
#[derive(Clone, Debug)]
pub enum Delivered {
    /// In plaintext, for a request without a `Recipient`.
    Plaintext(Secret),
    /// `CiphertextForRecipient`, and then nothing in plaintext.
    ForRecipient(Vec<u8>),
}

impl Delivered {
    /// The plaintext, for whoever asked without a `Recipient`.
    #[must_use]
    pub const fn plaintext(&self) -> Option<&Secret> {
        match self {
            Self::Plaintext(secret) => Some(secret),
            Self::ForRecipient(_) => None,
        }
    }
}

/// A recipient whose document was verified.
pub(crate) struct Attested {
    measurements: Vec<(String, String)>,
    key: RecipientKey,
}

impl Service {
    /// Verifies the document of a request that has a recipient, and notes it on the caller's trail.
    ///
    /// # Errors
    /// [`KmsError::Validation`] says what is wrong with the document; [`KmsError::Throttled`] when too many wait already.
    pub(crate) async fn attested(
        &self,
        caller: &Caller,
        recipient: Option<Recipient>,
    ) -> Result<Option<Attested>, KmsError> {
        let Some(Recipient { attestation_document }) = recipient else { return Ok(None) };
        let (verifier, now) = (Arc::clone(&self.config().attestation), self.now());
        let verified = self.on_worker(move || verifier.verify(&attestation_document, now)).await?;
        let attestation = verified.map_err(invalid_document)?;
        let key = RecipientKey::from_der(attestation.public_key())
            .map_err(|_not_rsa| invalid_document("its public_key is not an RSA public key"))?;
        let measurements = attestation.measurements();
        caller.trail.attested(attestation);
        Ok(Some(Attested { measurements, key }))
    }

    /// Gives the secret part of an answer the form that the request asked for.
    ///
    /// # Errors
    /// [`KmsError::Internal`] when no random bytes are to be had.
    pub(crate) fn deliver(&self, attested: Option<&Attested>, secret: Secret) -> Result<Delivered, KmsError> {
        let Some(attested) = attested else { return Ok(Delivered::Plaintext(secret)) };
        let sealed = attested.key.seal(&secret.0, self.entropy());
        sealed.map(Delivered::ForRecipient).map_err(|_opaque| KmsError::Internal)
    }
}

impl<'a> Access<'a> {
    /// With the measurements of the recipient, if there is one.
    pub(crate) fn attested_by(self, attested: Option<&'a Attested>) -> Self {
        match attested {
            Some(attested) => self.with(|request| request.recipient_attestation(Pairs::of(&attested.measurements))),
            None => self,
        }
    }
}

fn invalid_document(reason: impl fmt::Display) -> KmsError {
    KmsError::service(format!("The attestation document in the request is not valid: {reason}."))
}
