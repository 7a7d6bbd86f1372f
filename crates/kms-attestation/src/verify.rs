//! The verification of a document: envelope, fields, chain, signature, age.

use crate::certificates::verify_chain;
use crate::cose::Sign1;
use crate::document::Document;
use crate::{AttestationError, Platform, Registers, TrustRoots};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use kms_types::Timestamp;
use std::time::Duration;

/// Longest document in bytes (`AttestationDocumentType` of the API model).
pub const DOCUMENT_BYTES_MAX: usize = 262_144;

/// How old a document may be, and how far ahead of this clock: an enclave asks for one just before it calls. AWS documents
/// no limit; that it has this one is not verified.
pub const DOCUMENT_AGE_MAX: Duration = Duration::from_secs(5 * 60);

/// What a verified document says. Only [`AttestationVerifier::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    module_id: String,
    platform: Platform,
    registers: Registers,
    public_key: Vec<u8>,
}

/// Verifies documents by the roots that it trusts.
#[derive(Clone, Debug)]
pub struct AttestationVerifier {
    roots: TrustRoots,
}

impl AttestationVerifier {
    /// Trusts these roots.
    #[must_use]
    pub const fn new(roots: TrustRoots) -> Self {
        Self { roots }
    }

    /// Verifies a document at a time. Takes one or two milliseconds of computation.
    ///
    /// # Errors
    /// [`AttestationError`] with the first thing that is wrong.
    pub fn verify(&self, document: &[u8], now: Timestamp) -> Result<Attestation, AttestationError> {
        if document.is_empty() || document.len() > DOCUMENT_BYTES_MAX {
            return Err(AttestationError::Length);
        }
        let envelope = Sign1::parse(document)?;
        let claimed = Document::parse(&envelope.payload)?;
        let root = claimed.bundle.first().ok_or(AttestationError::Field("cabundle"))?;
        if !self.roots.contains(root) {
            return Err(AttestationError::UntrustedRoot);
        }
        let key = verify_chain(&claimed.certificate, &claimed.bundle, now.millis())?;
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key)
            .verify(&envelope.signed_bytes()?, &envelope.signature)
            .map_err(|_differs| AttestationError::Signature)?;
        check_age(Timestamp::from_millis(claimed.timestamp), now)?;
        let Document { module_id, platform, registers, public_key, .. } = claimed;
        Ok(Attestation { module_id, platform, registers, public_key })
    }
}

fn check_age(made: Timestamp, now: Timestamp) -> Result<(), AttestationError> {
    if now.since(made) > DOCUMENT_AGE_MAX {
        return Err(AttestationError::TooOld);
    }
    if made.since(now) > DOCUMENT_AGE_MAX {
        return Err(AttestationError::FromTheFuture);
    }
    Ok(())
}

impl Attestation {
    /// The ID of the enclave, or of the instance with its TPM.
    #[must_use]
    pub fn module_id(&self) -> &str {
        &self.module_id
    }

    /// What is attested.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        self.platform
    }

    /// The platform configuration registers.
    #[must_use]
    pub const fn registers(&self) -> &Registers {
        &self.registers
    }

    /// The key that answers are encrypted under, as the enclave gave it: a DER `SubjectPublicKeyInfo` if it is as
    /// documented, which is not checked here.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// One register as conditions and records have it: lower-case hexadecimal.
    #[must_use]
    pub fn register(&self, number: u8) -> Option<String> {
        self.registers.get(&number).map(hex::encode)
    }

    /// What policies can ask, by the ends of the names of condition keys (AWS KMS Developer Guide, "Condition keys for
    /// attested platforms"): `ImageSha384`, which is register 0, and `PCR0` to `PCR31` of an enclave, `NitroTPMPCR0` to
    /// `NitroTPMPCR23` of an instance.
    #[must_use]
    pub fn measurements(&self) -> Vec<(String, String)> {
        let prefix = match self.platform {
            Platform::Enclave => "PCR",
            Platform::NitroTpm => "NitroTPMPCR",
        };
        let image = match self.platform {
            Platform::Enclave => self.register(0).map(|digest| ("ImageSha384".to_owned(), digest)),
            Platform::NitroTpm => None,
        };
        let registers =
            self.registers.iter().map(|(number, content)| (format!("{prefix}{number}"), hex::encode(content)));
        image.into_iter().chain(registers).collect()
    }
}
