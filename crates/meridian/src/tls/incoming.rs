//! Accepting TLS connections for tonic: bounded handshakes with a deadline, then a stream that knows its peer.

use super::PeerIdentity;
use rustls::ServerConfig;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::Connected;

/// How connections are taken in.
#[derive(Clone, Debug)]
pub(crate) struct IncomingSettings {
    /// The cluster that peers must belong to.
    pub(crate) cluster_id: String,
    /// Handshakes in progress at one time.
    pub(crate) handshakes_max: usize,
    /// Open connections.
    pub(crate) connections_max: usize,
    /// Longest handshake.
    pub(crate) handshake_timeout: Duration,
}

/// Connections of verified peers, for `serve_with_incoming`. Ends when the token is cancelled.
#[derive(Debug)]
pub(crate) struct Incoming {
    connections: mpsc::Receiver<TlsConnection>,
    // Dropping the set ends the accept loop and every handshake in progress.
    _tasks: JoinSet<()>,
}

/// Who a connection is from, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Whom its certificate stands for.
    pub(crate) identity: PeerIdentity,
    /// Its address.
    pub(crate) address: Option<IpAddr>,
}

/// A connection whose peer is known. Implements tonic's [`Connected`] with [`Peer`], so that handlers find it in the
/// request's extensions.
#[derive(Debug)]
pub(crate) struct TlsConnection {
    stream: TlsStream<TcpStream>,
    identity: PeerIdentity,
    _place: OwnedSemaphorePermit,
}

/// Accepts connections on `listener` until `shutdown` is cancelled.
pub(crate) fn incoming(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    settings: IncomingSettings,
    shutdown: CancellationToken,
) -> Incoming {
    let (sender, connections) = mpsc::channel(READY_MAX);
    let mut tasks = JoinSet::new();
    tasks.spawn(accept_loop(listener, TlsAcceptor::from(config), settings, sender, shutdown));
    Incoming { connections, _tasks: tasks }
}

/// Connections that have finished their handshake and wait for the server: it takes them at once.
const READY_MAX: usize = 16;
/// Pause after a failed accept: the usual cause, too many open files, does not pass at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

async fn accept_loop(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    settings: IncomingSettings,
    ready: mpsc::Sender<TlsConnection>,
    shutdown: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(settings.connections_max));
    let settings = Arc::new(settings);
    let mut handshakes = JoinSet::new();
    loop {
        // A place first: what cannot be served waits in the kernel's queue, not in our memory.
        let place = tokio::select! {
            () = shutdown.cancelled() => return,
            place = Arc::clone(&places).acquire_owned() => match place {
                Ok(place) => place,
                Err(_closed) => return,
            },
        };
        while handshakes.len() >= settings.handshakes_max {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _finished = handshakes.join_next() => {}
            }
        }
        while handshakes.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, _address)) => {
                let handshake = handshake(socket, acceptor.clone(), Arc::clone(&settings), place, ready.clone());
                handshakes.spawn(handshake);
            }
            Err(error) => {
                tracing::warn!(%error, "accepting a gRPC connection failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn handshake(
    socket: TcpStream,
    acceptor: TlsAcceptor,
    settings: Arc<IncomingSettings>,
    place: OwnedSemaphorePermit,
    ready: mpsc::Sender<TlsConnection>,
) {
    if let Err(error) = super::channel::tune(&socket) {
        tracing::debug!(%error, "a gRPC connection ended before its handshake");
        return;
    }
    let stream = match tokio::time::timeout(settings.handshake_timeout, acceptor.accept(socket)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::info!(%error, "a TLS handshake was refused");
            return;
        }
        Err(_elapsed) => {
            tracing::info!("a TLS handshake took too long");
            return;
        }
    };
    let identity = PeerIdentity::from_chain(stream.get_ref().1.peer_certificates(), &settings.cluster_id);
    match identity {
        Ok(identity) => {
            // Fails only when the server is gone, and then the connection may go too.
            drop(ready.send(TlsConnection { stream, identity, _place: place }).await);
        }
        Err(error) => tracing::warn!(%error, "a peer was turned away"),
    }
}

impl futures::Stream for Incoming {
    type Item = io::Result<TlsConnection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.connections.poll_recv(context).map(|connection| connection.map(Ok))
    }
}

impl Connected for TlsConnection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        let address = self.stream.get_ref().0.peer_addr().ok().map(|address| address.ip());
        Peer { identity: self.identity.clone(), address }
    }
}

impl AsyncRead for TlsConnection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for TlsConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
