//! One endpoint for all Regions: sends each request, unchanged, to the Region named in its credential scope.
//!
//! Nothing is verified here; the Region does that. The signature covers the `Host` header, so that header is kept.
//!
//! The client's address is not handed on: the front door listens on loopback alone, so client and front door have the same
//! one, and a header that a Region believed would let every client choose what `aws:SourceIp` is.

use super::scope;
use super::supervisor::ProcessState;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body_util::{Either, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use kms_types::RegionName;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connections at one time.
const CONNECTIONS_MAX: usize = 1024;
/// Largest request body: more than any KMS request has.
const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest wait for a Region to begin its answer; above the Regions' own limit.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for a connection to a Region on this machine.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest wait for a request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// Headers that concern one connection only (RFC 9110 §7.6.1).
const HOP_BY_HOP: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "te", "upgrade"];

type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// The listening endpoint; ends with its connections when dropped.
#[derive(Debug)]
pub(super) struct FrontDoor {
    _tasks: JoinSet<()>,
}

/// Where each Region's API is and how its process does.
#[derive(Debug)]
struct Routes {
    regions: Vec<(RegionName, SocketAddr)>,
    states: watch::Receiver<Vec<ProcessState>>,
    client: Client<HttpConnector, Limited<Incoming>>,
}

/// Serves on `listener` for these Regions, whose states come in the same order.
///
/// # Errors
/// Fails when the listener cannot be used.
pub(super) fn serve(
    listener: std::net::TcpListener,
    regions: Vec<(RegionName, SocketAddr)>,
    states: watch::Receiver<Vec<ProcessState>>,
) -> std::io::Result<FrontDoor> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    // Host comes from the request, as signed; the pool must not put its own there.
    let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).set_host(false).build(connector);
    let routes = Arc::new(Routes { regions, states, client });
    let mut tasks = JoinSet::new();
    tasks.spawn(accept_loop(listener, routes));
    Ok(FrontDoor { _tasks: tasks })
}

async fn accept_loop(listener: TcpListener, routes: Arc<Routes>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((socket, _)) => {
                while connections.try_join_next().is_some() {}
                let routes = Arc::clone(&routes);
                connections.spawn(async move {
                    serve_connection(socket, routes).await;
                    drop(place);
                });
            }
            Err(_error) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve_connection(socket: TcpStream, routes: Arc<Routes>) {
    drop(socket.set_nodelay(true));
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    server.http2().timer(TokioTimer::new()).keep_alive_interval(Some(HEADER_TIMEOUT));
    let service = service_fn(move |request| {
        let routes = Arc::clone(&routes);
        async move { Ok::<_, Infallible>(routes.answer(request).await) }
    });
    // Clients that go away in the middle are no news.
    drop(server.serve_connection(TokioIo::new(socket), service).await);
}

impl Routes {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let wanted = scope::region_of(request.headers(), request.uri().query());
        let Some((region, address)) = self.choose(wanted.as_deref()) else {
            return unavailable("No Region is running.".to_owned());
        };
        if self.is_down(&region) {
            return unavailable(format!("Region {region} is down."));
        }
        if request.body().size_hint().lower() > u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX) {
            return refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLargeException",
                "The request is too large.",
            );
        }
        let Some(request) = readdress(request, address) else {
            return refusal(StatusCode::BAD_REQUEST, "ValidationException", "The request target is not valid.");
        };
        match tokio::time::timeout(ANSWER_TIMEOUT, self.client.request(request)).await {
            Ok(Ok(response)) => response.map(Either::Left),
            Ok(Err(_error)) => unavailable(format!("Region {region} cannot be reached.")),
            Err(_elapsed) => unavailable(format!("Region {region} did not answer in time.")),
        }
    }

    /// The Region that was asked for, or else the first living one, which gives AWS's own error.
    fn choose(&self, wanted: Option<&str>) -> Option<(RegionName, SocketAddr)> {
        let named = wanted.and_then(|wanted| self.regions.iter().find(|(region, _)| region.as_str() == wanted));
        if let Some(found) = named {
            return Some(found.clone());
        }
        let states = self.states.borrow();
        let living = self.regions.iter().zip(states.iter()).find(|(_, state)| **state == ProcessState::Running);
        living.map(|(region, _)| region.clone())
    }

    fn is_down(&self, wanted: &RegionName) -> bool {
        let states = self.states.borrow();
        let state = self.regions.iter().zip(states.iter()).find(|((region, _), _)| region == wanted);
        match state.map(|(_, state)| *state) {
            // A paused Region is asked all the same: a hanging machine takes requests and does not answer.
            Some(ProcessState::Running | ProcessState::Paused) => false,
            Some(ProcessState::Killed | ProcessState::Died) | None => true,
        }
    }
}

/// The same request for another address. HTTP/2 has no `Host` header; the Region needs it to check the signature.
fn readdress(request: Request<Incoming>, address: SocketAddr) -> Option<Request<Limited<Incoming>>> {
    let (mut parts, body) = request.into_parts();
    if !parts.headers.contains_key(HOST) {
        let authority = parts.uri.authority()?;
        parts.headers.insert(HOST, HeaderValue::from_str(authority.as_str()).ok()?);
    }
    let path = parts.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    parts.uri = format!("http://{address}{path}").parse::<Uri>().ok()?;
    parts.version = Version::HTTP_11;
    for name in HOP_BY_HOP {
        parts.headers.remove(name);
    }
    Some(Request::from_parts(parts, Limited::new(body, BODY_BYTES_MAX)))
}

fn unavailable(message: String) -> Answer {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableException", &message)
}

/// An error in the form of AWS JSON 1.1, so that SDKs understand it.
fn refusal(status: StatusCode, code: &'static str, message: &str) -> Answer {
    let body = serde_json::json!({ "__type": code, "message": message }).to_string();
    let mut response = Response::new(Either::Right(Full::new(Bytes::from(body))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    headers.insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(code));
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}
