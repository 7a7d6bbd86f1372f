//! The cluster's certificates: one authority per cluster, one certificate per Region, operator and principal.
//!
//! Who a certificate stands for is in its URI name (SPIFFE); see [`crate::tls::PeerIdentity`], which reads it.

use crate::files;
use kms_types::RegionName;
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Why certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PkiError {
    /// A name cannot stand in a certificate, or the cryptographic library failed.
    #[error("cannot make a certificate for {subject}")]
    Make {
        /// Whose certificate.
        subject: String,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
    /// The authority's key file cannot be read.
    #[error("cannot read the authority's key {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// The authority of one cluster, able to issue.
pub(crate) struct Authority {
    cluster_id: String,
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("cluster_id", &self.cluster_id).finish_non_exhaustive()
    }
}

/// A certificate with its private key, both PEM.
pub(crate) struct Issued {
    certificate_pem: String,
    key_pem: Zeroizing<String>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

/// The DNS name in a Region's certificate by which clients check that they reached that Region.
pub(crate) fn server_name(region: &RegionName) -> String {
    format!("{region}.meridian.internal")
}

/// The URI that names a Region of a cluster.
pub(crate) fn region_uri(cluster_id: &str, region: &RegionName) -> String {
    format!("spiffe://{cluster_id}/region/{region}")
}

/// The URI that names the operators of a cluster.
pub(crate) fn operator_uri(cluster_id: &str) -> String {
    format!("spiffe://{cluster_id}/operator")
}

/// The URI that names a principal of a cluster.
pub(crate) fn principal_uri(cluster_id: &str, name: &str) -> String {
    format!("spiffe://{cluster_id}/principal/{name}")
}

impl Authority {
    /// Makes a new authority and writes `ca.pem` and `ca-key.pem` into `directory`.
    ///
    /// # Errors
    /// [`PkiError`]; existing files are never overwritten.
    pub(crate) fn create(cluster_id: &str, directory: &Path) -> Result<Self, PkiError> {
        let made = |source| make_error("the cluster's authority", source);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(made)?;
        let params = authority_params(cluster_id);
        let certificate_pem = params.self_signed(&key).map_err(made)?.pem();
        let key_pem = Zeroizing::new(key.serialize_pem());
        write(&directory.join(CA_KEY), key_pem.as_bytes())?;
        write(&directory.join(CA_CERTIFICATE), certificate_pem.as_bytes())?;
        Ok(Self { cluster_id: cluster_id.to_owned(), certificate_pem, issuer: Issuer::new(params, key) })
    }

    /// Opens the authority that [`Authority::create`] wrote, to issue more certificates.
    ///
    /// # Errors
    /// [`PkiError`] when the files are missing or not an authority's.
    pub(crate) fn open(cluster_id: &str, directory: &Path) -> Result<Self, PkiError> {
        let read = |path: PathBuf| match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(source) => Err(PkiError::Read { path, source }),
        };
        let key_pem = Zeroizing::new(read(directory.join(CA_KEY))?);
        let certificate_pem = read(directory.join(CA_CERTIFICATE))?;
        let key = KeyPair::from_pem(&key_pem).map_err(|source| make_error("the cluster's authority", source))?;
        let issuer = Issuer::new(authority_params(cluster_id), key);
        Ok(Self { cluster_id: cluster_id.to_owned(), certificate_pem, issuer })
    }

    /// The authority's certificate, PEM.
    #[must_use]
    pub(crate) fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Issues the certificate of a Region's node, for serving and for calling other Regions. `hosts` are further names
    /// under which it is reached.
    ///
    /// # Errors
    /// [`PkiError::Make`].
    pub(crate) fn issue_region(&self, region: &RegionName, hosts: &[String]) -> Result<Issued, PkiError> {
        let mut names = vec![
            uri(&region_uri(&self.cluster_id, region))?,
            dns(&server_name(region))?,
            dns("localhost")?,
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ];
        for host in hosts {
            let name = host.parse().map_or_else(|_| dns(host), |address| Ok(SanType::IpAddress(address)))?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&format!("Region {region}"), names, usages)
    }

    /// Issues an operator's client certificate.
    ///
    /// # Errors
    /// [`PkiError::Make`].
    pub(crate) fn issue_operator(&self) -> Result<Issued, PkiError> {
        let names = vec![uri(&operator_uri(&self.cluster_id))?];
        self.issue("operator", names, vec![ExtendedKeyUsagePurpose::ClientAuth])
    }

    /// Issues a principal's client certificate.
    ///
    /// # Errors
    /// [`PkiError::Make`].
    pub(crate) fn issue_principal(&self, name: &str) -> Result<Issued, PkiError> {
        let names = vec![uri(&principal_uri(&self.cluster_id, name))?];
        self.issue(&format!("principal {name}"), names, vec![ExtendedKeyUsagePurpose::ClientAuth])
    }

    fn issue(
        &self,
        subject: &str,
        names: Vec<SanType>,
        usages: Vec<ExtendedKeyUsagePurpose>,
    ) -> Result<Issued, PkiError> {
        let made = |source| make_error(subject, source);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(made)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(&format!("Meridian {subject}"));
        params.subject_alt_names = names;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages;
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, LEAF_YEARS);
        let certificate_pem = params.signed_by(&key, &self.issuer).map_err(made)?.pem();
        Ok(Issued { certificate_pem, key_pem: Zeroizing::new(key.serialize_pem()) })
    }
}

impl Issued {
    /// Writes `<name>.pem` and `<name>-key.pem` into `directory`, the key readable by its owner alone.
    ///
    /// # Errors
    /// [`PkiError::Write`]; existing files are never overwritten.
    pub(crate) fn write(&self, directory: &Path, name: &str) -> Result<(), PkiError> {
        write(&directory.join(format!("{name}-key.pem")), self.key_pem.as_bytes())?;
        write(&directory.join(format!("{name}.pem")), self.certificate_pem.as_bytes())
    }
}

/// File of the authority's certificate.
pub(crate) const CA_CERTIFICATE: &str = "ca.pem";
/// File of the authority's private key. Nodes never need it.
pub(crate) const CA_KEY: &str = "ca-key.pem";

/// Validity of the authority's certificate.
const CA_YEARS: i32 = 20;
/// Validity of issued certificates.
const LEAF_YEARS: i32 = 5;

/// The same for creating and for opening, so that issued certificates name the same issuer.
fn authority_params(cluster_id: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(&format!("Meridian cluster {cluster_id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, CA_YEARS);
    params
}

/// From yesterday, so that clocks may differ, for a number of years.
fn set_validity(params: &mut CertificateParams, years: i32) {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let start = today.yesterday().unwrap_or(today);
    let month = u8::try_from(start.month()).unwrap_or(1);
    // Not later than the 28th: every year has that day.
    let day = u8::try_from(start.day()).unwrap_or(1).min(28);
    params.not_before = rcgen::date_time_ymd(i32::from(start.year()), month, day);
    params.not_after = rcgen::date_time_ymd(i32::from(start.year()) + years, month, day);
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, name);
    distinguished_name
}

fn uri(value: &str) -> Result<SanType, PkiError> {
    Ok(SanType::URI(ia5(value)?))
}

fn dns(value: &str) -> Result<SanType, PkiError> {
    Ok(SanType::DnsName(ia5(value)?))
}

fn ia5(value: &str) -> Result<Ia5String, PkiError> {
    Ia5String::try_from(value).map_err(|source| make_error(value, source))
}

fn make_error(subject: &str, source: rcgen::Error) -> PkiError {
    PkiError::Make { subject: subject.to_owned(), source }
}

fn write(path: &Path, contents: &[u8]) -> Result<(), PkiError> {
    files::create_private(path, contents).map_err(|source| PkiError::Write { path: path.to_owned(), source })
}
