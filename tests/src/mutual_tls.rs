//! A gRPC channel with a client certificate of one's choice, and certificates that are wrong on purpose.

use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

/// A certificate and its key in a cluster's directory.
#[derive(Clone, Debug)]
pub struct Identity {
    /// PEM certificate.
    pub certificate: PathBuf,
    /// PEM key.
    pub key: PathBuf,
}

impl Identity {
    /// `<directory>/<name>.pem` and `<directory>/<name>-key.pem`.
    #[must_use]
    pub fn named(directory: &Path, name: &str) -> Self {
        Self { certificate: directory.join(format!("{name}.pem")), key: directory.join(format!("{name}-key.pem")) }
    }
}

/// Connects to a Region's gRPC services and returns what the connection has to say: a channel that carries requests,
/// or the reason of its end. `identity` may be absent.
///
/// # Errors
/// When the connection or the handshake fails.
pub async fn connect(
    address: &str,
    region: &str,
    authority: &Path,
    identity: Option<&Identity>,
) -> Result<Channel, tonic::transport::Error> {
    let connector = TlsConnector::from(Arc::new(client_config(authority, identity)));
    let name = ServerName::try_from(format!("{region}.meridian.internal")).expect("a server name");
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    let address = address.to_owned();
    let dial = tower::service_fn(move |_: Uri| {
        let (connector, name, address) = (connector.clone(), name.clone(), address.clone());
        async move {
            let socket = TcpStream::connect(&address).await?;
            Ok::<_, std::io::Error>(TokioIo::new(connector.connect(name, socket).await?))
        }
    });
    endpoint.connect_timeout(Duration::from_secs(5)).timeout(Duration::from_secs(10)).connect_with_connector(dial).await
}

/// Trusts `authority` alone, and shows `identity` when there is one.
pub(crate) fn client_config(authority: &Path, identity: Option<&Identity>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority).expect("the authority's certificate can be read") {
        roots.add(certificate.expect("PEM")).expect("an authority");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = CertificateDer::pem_file_iter(&identity.certificate).expect("the certificate can be read");
            let chain = chain.map(|certificate| certificate.expect("PEM")).collect();
            let key = PrivateKeyDer::from_pem_file(&identity.key).expect("the key can be read");
            builder.with_client_auth_cert(chain, key).expect("the key is the certificate's")
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
