//! The AWS KMS API's listener: HTTP/1.1 and HTTP/2, with TLS or on loopback. Bounds connections, body and time.

use super::metrics::RequestMetrics;
use super::traces::Traces;
use crate::config::Limits;
use bytes::Bytes;
use futures::future::Either;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use kms_aws::{Api, Operation, Outcome, WireError};
use kms_service::{Origin, TlsConnection};
use opentelemetry::trace::FutureExt as _;
use rustls::ProtocolVersion;
use std::convert::Infallible;
use std::net::SocketAddr;
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
    /// Absent when traces are off.
    pub(crate) traces: Option<Arc<Traces>>,
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
            Ok(accepted) => accepted,
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
    (socket, peer): (TcpStream, SocketAddr),
    tls: Option<TlsAcceptor>,
    api: Arc<Front>,
    limits: Limits,
    watcher: hyper_util::server::graceful::Watcher,
) -> anyhow::Result<()> {
    socket.set_nodelay(true)?;
    let origin = |tls: Option<TlsConnection>| Origin {
        source_ip: Some(peer.ip()),
        secure_transport: tls.is_some(),
        tls: tls.map(Arc::new),
        user_agent: None,
    };
    match tls {
        Some(acceptor) => {
            let stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(socket)).await??;
            let negotiated = negotiated(stream.get_ref().1);
            http(stream, (api, origin(Some(negotiated))), limits, watcher).await
        }
        None => http(socket, (api, origin(None)), limits, watcher).await,
    }
}

/// What the handshake came to. Names of rustls differ from IANA's for TLS 1.3 alone.
fn negotiated(connection: &rustls::ServerConnection) -> TlsConnection {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        Some(_) | None => "unknown",
    };
    let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("unknown");
    let cipher_suite = suite.strip_prefix("TLS13_").map_or_else(|| suite.into(), |rest| format!("TLS_{rest}").into());
    TlsConnection { version, cipher_suite }
}

async fn http<S>(
    stream: S,
    (api, origin): (Arc<Front>, Origin),
    limits: Limits,
    watcher: hyper_util::server::graceful::Watcher,
) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(Arc::clone(&api), origin.clone(), limits, request));
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

/// Reads the body within its bounds and hands the request over. Both together have one deadline.
async fn answer(
    api: Arc<Front>,
    origin: Origin,
    limits: Limits,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let started = Instant::now();
    let deadline = tokio::time::Instant::now() + limits.api_request_timeout;
    let request_id = api.api.request_id();
    let (mut head, body) = request.into_parts();
    let span = api.traces.as_ref().map(|traces| {
        let parent = head.headers.get("traceparent").and_then(|parent| parent.to_str().ok());
        traces.request(parent)
    });
    let body = Limited::new(body, limits.api_body_bytes_max).collect();
    let response = match tokio::time::timeout_at(deadline, body).await {
        Ok(Ok(body)) => {
            head.extensions.insert(origin);
            let handled = api.api.handle(request_id, Request::from_parts(head, body.to_bytes()));
            let handled = match &span {
                Some(span) => Either::Left(handled.with_context(span.context().clone())),
                None => Either::Right(handled),
            };
            match tokio::time::timeout_at(deadline, handled).await {
                Ok(response) => response,
                Err(_elapsed) => api.api.given_up(request_id),
            }
        }
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            api.api.refuse(request_id, origin, WireError::RequestEntityTooLarge).await
        }
        Ok(Err(_)) => api.api.refuse(request_id, origin, WireError::MalformedHttpRequest).await,
        Err(_elapsed) => api.api.refuse(request_id, origin, WireError::RequestTimeout).await,
    };
    api.metrics.record(&response, started.elapsed());
    if let (Some(span), Some(outcome)) = (&span, response.extensions().get::<Outcome>()) {
        let operation = outcome.operation.map_or("Unknown", Operation::name);
        span.answered(operation, Some(outcome.request_id.clone()), outcome.code);
    }
    Ok(response.map(Full::new))
}
