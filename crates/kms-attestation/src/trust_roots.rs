//! The authorities whose attestation documents are believed.

use crate::certificates::root_is_usable;
use x509_parser::pem::Pem;

/// The root of the AWS Nitro Attestation PKI for AWS's commercial partition ("Verifying the root of trust" in the AWS Nitro
/// Enclaves User Guide, which has its SHA-256 fingerprint; a test compares).
const AWS_NITRO_ENCLAVES_G1: &str = include_str!("../roots/aws-nitro-enclaves-g1.pem");

/// Root certificates. The default has none, so that nothing is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustRoots(Vec<Vec<u8>>);

/// Why a PEM text holds no root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// There is no certificate in it, or something else than certificates.
    #[error("holds no PEM certificate")]
    NoCertificate,
    /// A certificate is not that of an authority with a P-384 key that may sign certificates.
    #[error("holds a certificate that is not one of a P-384 authority")]
    NoAuthority,
}

impl TrustRoots {
    /// AWS's root alone.
    ///
    /// # Errors
    /// [`RootError`] when the built-in certificate cannot be read, which a test rules out.
    pub fn aws() -> Result<Self, RootError> {
        Ok(Self(authorities(AWS_NITRO_ENCLAVES_G1.as_bytes())?))
    }

    /// With the certificates of a PEM text too: roots of simulators, of tests, of AWS's other partitions.
    ///
    /// # Errors
    /// [`RootError`]; every certificate must be that of a P-384 authority.
    pub fn with_pem(mut self, pem: &[u8]) -> Result<Self, RootError> {
        self.0.extend(authorities(pem)?);
        Ok(self)
    }

    /// Whether a DER certificate is one of them, byte by byte.
    pub(crate) fn contains(&self, der: &[u8]) -> bool {
        self.0.iter().any(|root| root == der)
    }
}

fn authorities(pem: &[u8]) -> Result<Vec<Vec<u8>>, RootError> {
    let mut found = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let block = block.map_err(|_malformed| RootError::NoCertificate)?;
        if block.label != "CERTIFICATE" {
            return Err(RootError::NoCertificate);
        }
        if !root_is_usable(&block.contents) {
            return Err(RootError::NoAuthority);
        }
        found.push(block.contents);
    }
    if found.is_empty() { Err(RootError::NoCertificate) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest;

    #[test]
    fn the_built_in_root_is_the_one_that_aws_documents() {
        let roots = TrustRoots::aws().unwrap();
        let [root] = roots.0.as_slice() else { panic!("one root is built in") };
        let fingerprint = hex::encode(digest::digest(&digest::SHA256, root));
        assert_eq!(fingerprint, "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b");
    }

    #[test]
    fn what_is_no_authority_is_no_root() {
        let aws = || TrustRoots::aws().unwrap();
        assert_eq!(aws().with_pem(b"nothing"), Err(RootError::NoCertificate));
        let other = AWS_NITRO_ENCLAVES_G1.replace("CERTIFICATE", "PUBLIC KEY");
        assert_eq!(aws().with_pem(other.as_bytes()), Err(RootError::NoCertificate));
        let system = kms_enclave_sim::NitroSystem::new();
        assert_eq!(aws().with_pem(system.signing_certificate_pem().as_bytes()), Err(RootError::NoAuthority));
        assert_eq!(aws().with_pem(system.root_pem().as_bytes()).unwrap().0.len(), 2);
    }
}
