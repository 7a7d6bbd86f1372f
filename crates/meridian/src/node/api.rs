//! The AWS KMS API's listener: HTTP/1.1 and HTTP/2, with TLS or on loopback. Bounds connections, body and time.

use super::metrics::RequestMetrics;
use crate::config::Limits;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use kms_aws::{Api, Connection, WireError};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Longest TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for the head of a request on an open connection; also ends idle connections.
const HEADER_TIMEOUT: Duration = Duration::from_secs(65);
/// Pause after a failed accept: the usual cause, too many open files, does not pass at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What answers requests and what counts them.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) api: Api,
    pub(crate) metrics: RequestMetrics,
}

/// Serves the API on `listener` until shutdown, then lets requests in progress finish within the grace period.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    api: Arc<Front>,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(limits.api_connections_max));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let place = tokio::select! {
            () = shutdown.cancelled() => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok((socket, address)) => (socket, address.ip()),
            Err(error) => {
                tracing::warn!(%error, "accepting an API connection failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (tls, api, watcher) = (tls.clone(), Arc::clone(&api), graceful.watcher());
        connections.spawn(async move {
            let _place = place;
            if let Err(error) = connection((socket, peer), tls, api, limits, watcher).await {
                tracing::debug!(%error, "an API connection ended");
            }
        });
    }
    if tokio::time::timeout(limits.shutdown_grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests in progress were cut off at shutdown");
    }
}

async fn connection(
    (socket, peer): (TcpStream, IpAddr),
    tls: Option<TlsAcceptor>,
    api: Arc<Front>,
    limits: Limits,
    watcher: hyper_util::server::graceful::Watcher,
) -> anyhow::Result<()> {
    socket.set_nodelay(true)?;
    let origin = Connection { peer, secure: tls.is_some() };
    match tls {
        Some(acceptor) => {
            let stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await??;
            http(stream, origin, api, limits, watcher).await
        }
        None => http(socket, origin, api, limits, watcher).await,
    }
}

async fn http<S>(
    stream: S,
    origin: Connection,
    api: Arc<Front>,
    limits: Limits,
    watcher: hyper_util::server::graceful::Watcher,
) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(origin);
        answer(Arc::clone(&api), limits, request)
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    watcher.watch(connection).await.map_err(|error| anyhow::anyhow!("{error}"))
}

/// Reads the body within its bounds and hands the request over.
async fn answer(
    api: Arc<Front>,
    limits: Limits,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let handled = async {
        match Limited::new(body, limits.api_body_bytes_max).collect().await {
            Ok(body) => api.api.handle(Request::from_parts(head, body.to_bytes())).await,
            Err(error) if error.is::<LengthLimitError>() => api.api.refuse(WireError::RequestEntityTooLarge),
            Err(_) => api.api.refuse(WireError::MalformedHttpRequest),
        }
    };
    let response = match tokio::time::timeout(limits.api_request_timeout, handled).await {
        Ok(response) => response,
        Err(_elapsed) => api.api.refuse(WireError::RequestTimeout),
    };
    api.metrics.record(&response, started.elapsed());
    Ok(response.map(Full::new))
}
