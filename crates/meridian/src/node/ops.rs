//! The operations port: `/metrics`, `/healthz`, `/readyz`. Says nothing that is secret and changes nothing.

use super::{Handles, metrics};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Open connections; a scraper and a few people need no more.
const CONNECTIONS_MAX: usize = 64;
/// Longest time for the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves the operations port until shutdown.
pub(crate) async fn serve(
    listener: TcpListener,
    handles: Arc<Handles>,
    prometheus: PrometheusHandle,
    shutdown: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS_MAX {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = connections.join_next() => {}
            }
        }
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (handles, prometheus) = (Arc::clone(&handles), prometheus.clone());
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let response = answer(&handles, &prometheus, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
            if let Err(error) = builder.serve_connection(TokioIo::new(socket), service).await {
                tracing::debug!(%error, "an operations connection ended");
            }
        });
    }
}

fn answer(handles: &Handles, prometheus: &PrometheusHandle, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => {
            // Some series are gathered while others are set: both belong to one moment.
            let of_keys = metrics::observe(handles);
            text(StatusCode::OK, prometheus.render() + &of_keys)
        }
        (&Method::GET, "/healthz") => text(StatusCode::OK, "ok\n".into()),
        (&Method::GET, "/readyz") => match handles.not_ready() {
            None => text(StatusCode::OK, handles.ready_text().into()),
            Some(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
        },
        _ => text(StatusCode::NOT_FOUND, "try /metrics, /healthz or /readyz\n".into()),
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let plain = header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
