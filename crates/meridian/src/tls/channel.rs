//! Calling another Region: a tonic channel over mutual TLS that reaches that Region and no other.

use super::PeerIdentity;
use crate::pki;
use hyper_util::rt::TokioIo;
use kms_types::RegionName;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};

/// Longest time for connecting, TLS handshake included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Unacknowledged data ends a connection after this time, whatever TCP's retransmission would do.
const TCP_USER_TIMEOUT_MS: u32 = 3_000;
/// Time between HTTP/2 pings, also on an idle connection, so that a silent Region is noticed.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(1);
/// Longest wait for the answer to a ping.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// A channel to the gRPC services of Region `expected` at `address` (`host:port`). It connects on first use and again
/// after a failure, and refuses a server whose certificate is not that Region's. Must be called within the runtime.
///
/// # Errors
/// Fails when `address` is not `host:port` or the Region's name cannot be a server name.
pub(crate) fn channel(
    address: &str,
    expected: &RegionName,
    cluster_id: &str,
    config: &Arc<ClientConfig>,
) -> Result<Channel, ChannelError> {
    let server_name = ServerName::try_from(pki::server_name(expected)).map_err(ChannelError::ServerName)?;
    // The scheme is plain because TLS is the connector's business.
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(ChannelError::Address)?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    let connector = Connector {
        address: address.into(),
        server_name,
        expected: PeerIdentity::Region(expected.clone()),
        cluster_id: cluster_id.into(),
        tls: TlsConnector::from(Arc::clone(config)),
    };
    Ok(endpoint.connect_with_connector_lazy(connector))
}

/// Why there can be no channel to an address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChannelError {
    /// Not `host:port`.
    #[error("the address cannot be dialled")]
    Address(#[source] tonic::transport::Error),
    /// The Region's name cannot be a server name.
    #[error("the Region's name cannot be a server name")]
    ServerName(#[source] rustls::pki_types::InvalidDnsNameError),
}

/// Settings of every connection within the cluster: small messages go at once, dead peers are noticed.
pub(super) fn tune(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    rustix::net::sockopt::set_tcp_user_timeout(socket, TCP_USER_TIMEOUT_MS)?;
    Ok(())
}

#[derive(Clone)]
struct Connector {
    address: Arc<str>,
    server_name: ServerName<'static>,
    expected: PeerIdentity,
    cluster_id: Arc<str>,
    tls: TlsConnector,
}

impl Connector {
    async fn connect(self) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
        let socket = TcpStream::connect(&*self.address).await?;
        tune(&socket)?;
        let stream = self.tls.connect(self.server_name, socket).await?;
        let identity = PeerIdentity::from_chain(stream.get_ref().1.peer_certificates(), &self.cluster_id)
            .map_err(|error| io::Error::new(io::ErrorKind::PermissionDenied, error))?;
        if identity != self.expected {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the server is another Region"));
        }
        Ok(TokioIo::new(stream))
    }
}

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}
