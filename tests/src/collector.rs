//! An OpenTelemetry collector that keeps what it gets.

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
pub use opentelemetry_proto::tonic::trace::v1::Span;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A collector on a free port, until it is dropped.
#[derive(Debug)]
pub struct Collector {
    /// What `--otlp-endpoint` takes.
    pub endpoint: String,
    exports: Exports,
    serving: JoinHandle<()>,
}

#[derive(Clone, Debug, Default)]
struct Exports(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Exports {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().expect("no test panicked here").push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let exports = Exports::default();
        let service = TraceServiceServer::new(exports.clone());
        let serving = tokio::spawn(async move {
            let router = tonic::transport::Server::builder().add_service(service);
            drop(router.serve_with_incoming(TcpListenerStream::new(listener)).await);
        });
        Self { endpoint, exports, serving }
    }

    /// Every span so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let exports = self.exports.0.lock().expect("no test panicked here");
        let resources = exports.iter().flat_map(|export| &export.resource_spans);
        resources.flat_map(|spans| &spans.scope_spans).flat_map(|spans| spans.spans.clone()).collect()
    }

    /// Everything that came, as bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let exports = self.exports.0.lock().expect("no test panicked here");
        exports.iter().flat_map(prost::Message::encode_to_vec).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Attributes of a span as texts.
#[must_use]
pub fn attributes(span: &Span) -> BTreeMap<String, String> {
    let text = |value: Option<Value>| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pairs = span.attributes.iter();
    pairs.map(|pair| (pair.key.clone(), text(pair.value.clone().and_then(|value| value.value)))).collect()
}
