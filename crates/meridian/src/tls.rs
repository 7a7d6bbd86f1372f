//! Mutual TLS within the cluster: TLS 1.3 only, every certificate issued by the cluster's own authority.

mod channel;
mod expiry;
mod identity;
mod incoming;

#[cfg(test)]
mod tests;

use crate::config::{ApiTls, TlsFiles};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use channel::channel;
pub(crate) use expiry::{CertificateEnd, certificate_ends};
pub(crate) use identity::PeerIdentity;
pub(crate) use incoming::{IncomingSettings, Peer, incoming};

/// Why TLS could not be set up from its files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A PEM file is missing or holds something else.
    #[error("cannot read {what} from {path}")]
    Pem {
        /// What was expected there.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// A file with no certificate in it.
    #[error("no certificate in {0}")]
    NoCertificate(PathBuf),
    /// The certificate and key do not fit together, or the library refuses them.
    #[error("the certificates cannot be used")]
    Unusable(#[source] rustls::Error),
    /// The authority's certificate cannot verify clients.
    #[error("the authority's certificate cannot be used")]
    Verifier(#[source] rustls::server::VerifierBuilderError),
}

/// A certificate chain with its key, and the authority that it and its counterparts must come from.
#[derive(Debug)]
pub(crate) struct Credentials {
    authority: Arc<RootCertStore>,
    /// The authority's certificates as they are.
    authority_chain: Vec<CertificateDer<'static>>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Credentials {
    /// Reads the three PEM files.
    ///
    /// # Errors
    /// [`TlsError`] names the file.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        let mut authority = RootCertStore::empty();
        let authority_chain = certificates(&files.ca)?;
        for certificate in &authority_chain {
            authority.add(certificate.clone()).map_err(TlsError::Unusable)?;
        }
        let authority = Arc::new(authority);
        Ok(Self { authority, authority_chain, chain: certificates(&files.cert)?, key: private_key(&files.key)? })
    }

    /// For the gRPC listener: clients must have a certificate of the cluster's authority.
    ///
    /// # Errors
    /// [`TlsError`] when certificate and key do not fit together.
    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&self.authority), provider())
            .build()
            .map_err(TlsError::Verifier)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(TlsError::Unusable)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .map_err(TlsError::Unusable)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }

    /// For calling gRPC services of the cluster.
    ///
    /// # Errors
    /// [`TlsError`] when certificate and key do not fit together.
    pub(crate) fn client_config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(TlsError::Unusable)?
            .with_root_certificates(Arc::clone(&self.authority))
            .with_client_auth_cert(self.chain.clone(), self.key.clone_key())
            .map_err(TlsError::Unusable)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }
}

/// For the AWS KMS API's listener: callers authenticate by signature, so no client certificate is asked for.
///
/// # Errors
/// [`TlsError`] names the file that cannot be used.
pub(crate) fn api_server_config(files: &ApiTls) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(VERSIONS)
        .map_err(TlsError::Unusable)?
        .with_no_client_auth()
        .with_single_cert(certificates(&files.cert)?, private_key(&files.key)?)
        .map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

static VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// Named instead of taken from the process, so that no other library's choice of provider changes ours.
fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = |source| TlsError::Pem { what: "certificates", path: path.to_owned(), source };
    let found: Vec<_> = CertificateDer::pem_file_iter(path).map_err(pem)?.collect::<Result<_, _>>().map_err(pem)?;
    if found.is_empty() { Err(TlsError::NoCertificate(path.to_owned())) } else { Ok(found) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|source| TlsError::Pem {
        what: "a private key",
        path: path.to_owned(),
        source,
    })
}
