//! Who is at the other end: read from the URI name of a certificate that TLS has already verified.

use kms_types::RegionName;
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;

/// The holder of a verified certificate of this cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PeerIdentity {
    /// The node of a Region; it may act for that Region only.
    Region(RegionName),
    /// An operator of the cluster.
    Operator,
    /// A principal, by name; the principals file says which.
    Principal(String),
}

/// Why a verified certificate names nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdentityError {
    /// The connection carries no certificate.
    #[error("the peer showed no certificate")]
    Missing,
    /// It is not a certificate that we can read.
    #[error("the peer's certificate cannot be parsed")]
    Unreadable,
    /// No URI name, or more than one: it would not be clear who is meant.
    #[error("the peer's certificate does not have exactly one URI name")]
    NotOneUri,
    /// The URI is of another cluster or has an unknown form.
    #[error("the peer's certificate names nobody in this cluster")]
    Foreign,
}

impl PeerIdentity {
    /// Reads the identity from a certificate chain whose first certificate is the peer's own.
    ///
    /// # Errors
    /// [`IdentityError`] when it does not name exactly one holder in this cluster.
    pub(crate) fn from_chain(chain: Option<&[CertificateDer<'_>]>, cluster_id: &str) -> Result<Self, IdentityError> {
        let certificate = chain.and_then(<[_]>::first).ok_or(IdentityError::Missing)?;
        Self::from_certificate(certificate, cluster_id)
    }

    /// Reads the identity from a certificate.
    ///
    /// # Errors
    /// [`IdentityError`] when it does not name exactly one holder in this cluster.
    pub(crate) fn from_certificate(der: &[u8], cluster_id: &str) -> Result<Self, IdentityError> {
        let (_, certificate) =
            x509_parser::parse_x509_certificate(der).map_err(|_invalid| IdentityError::Unreadable)?;
        let names = certificate.subject_alternative_name().map_err(|_invalid| IdentityError::Unreadable)?;
        let names = names.ok_or(IdentityError::NotOneUri)?;
        let mut uris = names.value.general_names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
        let (Some(uri), None) = (uris.next(), uris.next()) else { return Err(IdentityError::NotOneUri) };
        Self::from_uri(uri, cluster_id).ok_or(IdentityError::Foreign)
    }

    fn from_uri(uri: &str, cluster_id: &str) -> Option<Self> {
        let path = uri.strip_prefix("spiffe://")?.strip_prefix(cluster_id)?.strip_prefix('/')?;
        match path.split_once('/') {
            None if path == "operator" => Some(Self::Operator),
            Some(("region", region)) => RegionName::parse(region).ok().map(Self::Region),
            Some(("principal", name)) if !name.is_empty() && !name.contains('/') => {
                Some(Self::Principal(name.to_owned()))
            }
            None | Some(_) => None,
        }
    }
}
