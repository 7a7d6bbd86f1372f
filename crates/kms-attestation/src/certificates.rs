//! The chain from a trusted root to the certificate that signs a document ("Nitro Enclaves Attestation Process" §3.2.3).
//!
//! rustls-webpki finds the path and checks signatures, names, times and path lengths. It leaves the usage of keys and the
//! root's own constraints to others; these are checked here.

use crate::AttestationError;
use rustls_pki_types::{CertificateDer, UnixTime};
use std::time::Duration;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert};
use x509_parser::certificate::X509Certificate;

/// Bytes of an uncompressed point on P-384 (SEC 1 §2.3.3).
const P384_POINT_BYTES: usize = 97;

/// Verifies that `leaf` may sign documents by the word of `bundle`, whose first certificate is a trusted root, at a time in
/// milliseconds since the Unix epoch. Answers the leaf's public key, a point on P-384.
pub(crate) fn verify_chain(leaf: &[u8], bundle: &[Vec<u8>], now_millis: u64) -> Result<Vec<u8>, AttestationError> {
    let (root, intermediates) = bundle.split_first().ok_or(AttestationError::Field("cabundle"))?;
    let seconds = now_millis / 1000;
    check_root(root, intermediates.len(), seconds)?;
    for intermediate in intermediates {
        if !is_authority(&read(intermediate)?) {
            return Err(AttestationError::Chain);
        }
    }
    let root = CertificateDer::from(root.as_slice());
    let anchor = anchor_from_trusted_cert(&root).map_err(|_unusable| AttestationError::Chain)?;
    let intermediates: Vec<_> = intermediates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let leaf_der = CertificateDer::from(leaf);
    let end = EndEntityCert::try_from(&leaf_der).map_err(|_malformed| AttestationError::Chain)?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    end.verify_for_usage(
        &[webpki::aws_lc_rs::ECDSA_P384_SHA384],
        &[anchor],
        &intermediates,
        time,
        AnyPurpose,
        None,
        None,
    )
    .map_err(|error| refusal(&error))?;
    signing_key(&read(leaf)?)
}

/// Whether a root can be trusted at all: a certificate of an authority with a P-384 key.
pub(crate) fn root_is_usable(der: &[u8]) -> bool {
    read(der).is_ok_and(|root| is_authority(&root) && point(&root).is_some())
}

/// The root is believed for its bytes; that it still may be used is for its own certificate to say.
fn check_root(der: &[u8], authorities_below: usize, seconds: u64) -> Result<(), AttestationError> {
    let root = read(der)?;
    let within = i64::try_from(seconds).is_ok_and(|seconds| {
        let validity = root.validity();
        (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&seconds)
    });
    if !within {
        return Err(AttestationError::Expired);
    }
    let constraints = root.basic_constraints().ok().flatten();
    let path_length = constraints.and_then(|constraints| constraints.value.path_len_constraint);
    let short_enough =
        path_length.is_none_or(|allowed| usize::try_from(allowed).is_ok_and(|allowed| authorities_below <= allowed));
    if is_authority(&root) && short_enough { Ok(()) } else { Err(AttestationError::Chain) }
}

fn read(der: &[u8]) -> Result<X509Certificate<'_>, AttestationError> {
    match x509_parser::parse_x509_certificate(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) | Err(_) => Err(AttestationError::Chain),
    }
}

/// `cA`, and `keyCertSign` among the usages (§3.2.3.2, §3.2.3.3).
fn is_authority(certificate: &X509Certificate<'_>) -> bool {
    let usage = certificate.key_usage().ok().flatten();
    certificate.is_ca() && usage.is_some_and(|usage| usage.value.key_cert_sign())
}

/// The key of the certificate that signs: no authority, `digitalSignature` among the usages.
fn signing_key(leaf: &X509Certificate<'_>) -> Result<Vec<u8>, AttestationError> {
    let usage = leaf.key_usage().ok().flatten();
    let may_sign = usage.is_some_and(|usage| usage.value.digital_signature());
    let constraints = leaf.basic_constraints().ok().flatten();
    let is_end = constraints.is_none_or(|found| !found.value.ca && found.value.path_len_constraint.is_none());
    point(leaf).filter(|_| may_sign && is_end).ok_or(AttestationError::Chain)
}

/// The public key as an uncompressed point, if it looks like one on P-384. Whether it lies on the curve is checked by
/// whoever verifies with it.
fn point(certificate: &X509Certificate<'_>) -> Option<Vec<u8>> {
    let point = &certificate.public_key().subject_public_key.data;
    (point.len() == P384_POINT_BYTES).then(|| point.to_vec())
}

/// Documents say nothing of extended key usages, so they are not looked at.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// Times are the one thing that a caller can mend by asking for a new document, so they are told apart.
const fn refusal(error: &webpki::Error) -> AttestationError {
    match error {
        webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => AttestationError::Expired,
        _ => AttestationError::Chain,
    }
}
