//! Traces for an OpenTelemetry collector, off unless `[telemetry] otlp_endpoint` names one.
//!
//! A request is a span, and each proposal to the control log that it makes is a span below it. A span says the operation, the outcome,
//! the Region and the request ID, and nothing else: no key, no principal, no parameter of the request. Spans wait in a
//! bounded queue; what does not fit, or what the collector does not take in time, is dropped.

mod exporter;
mod proposals;

use crate::config::TelemetryConfig;
use exporter::ReportingExporter;
use kms_types::RegionName;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, Span as SdkSpan,
};
use std::time::Duration;

pub(crate) use proposals::TracedLog;

/// Spans that wait for the collector; more are dropped.
const QUEUE_SPANS: usize = 4_096;
/// Spans of one export.
const BATCH_SPANS: usize = 512;
/// Longest time that a span waits for others to be exported with.
const BATCH_DELAY: Duration = Duration::from_secs(1);
/// Longest export, and longest flush at the end of the node.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);
/// Header of the caller's span (W3C Trace Context). `tracestate` is left out: it is text of the caller's.
const PARENT: &str = "traceparent";

/// Makes spans and exports them.
#[derive(Debug)]
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    region: RegionName,
}

/// The span of a request in progress. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct RequestSpan {
    context: Context,
    region: RegionName,
}

/// What a header of the caller says of its span.
struct Parent<'a>(&'a str);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == PARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT]
    }
}

impl Traces {
    /// Starts the export. Within a tokio runtime; the collector need not be there yet.
    ///
    /// # Errors
    /// Fails for an endpoint that cannot be dialled.
    pub(crate) fn start(config: &TelemetryConfig, region: &RegionName, cluster_id: &str) -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(config.otlp_endpoint.clone())
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        let batch = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE_SPANS)
            .with_max_export_batch_size(BATCH_SPANS)
            .with_scheduled_delay(BATCH_DELAY)
            .build();
        let exporter = ReportingExporter::new(exporter);
        let resource = Resource::builder_empty()
            .with_service_name("meridian")
            .with_attributes([
                KeyValue::new("cloud.region", region.to_string()),
                KeyValue::new("meridian.cluster_id", cluster_id.to_owned()),
            ])
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batch).build())
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        let tracer = provider.tracer("meridian");
        Ok(Self { provider, tracer, region: region.clone() })
    }

    /// Begins the span of a request, below that of the caller if it names one.
    pub(crate) fn request(&self, parent: Option<&str>) -> RequestSpan {
        let root = Context::new();
        let above = match parent {
            Some(parent) => TraceContextPropagator::new().extract_with_context(&root, &Parent(parent)),
            None => root,
        };
        let span = self.begin("request", SpanKind::Server, &above);
        RequestSpan { context: above.with_span(span), region: self.region.clone() }
    }

    fn begin(&self, name: &'static str, kind: SpanKind, above: &Context) -> SdkSpan {
        self.tracer.build_with_context(SpanBuilder::from_name(name).with_kind(kind), above)
    }

    /// Exports what waits and ends. What the collector does not take in time is dropped. Blocks.
    pub(crate) fn stop(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(EXPORT_TIMEOUT) {
            tracing::debug!(%error, "the last spans could not be exported");
        }
    }
}

impl RequestSpan {
    /// What runs below the span.
    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    /// Says how the request went. `code` is `None` for success.
    pub(crate) fn answered(&self, operation: &'static str, request_id: Option<String>, code: Option<&str>) {
        let span = self.context.span();
        if !span.is_recording() {
            return;
        }
        span.update_name(operation);
        span.set_attributes([
            KeyValue::new("rpc.method", operation),
            KeyValue::new("cloud.region", self.region.to_string()),
            KeyValue::new("meridian.outcome", code.unwrap_or("Success").to_owned()),
        ]);
        if let Some(request_id) = request_id {
            span.set_attribute(KeyValue::new("meridian.request_id", request_id));
        }
        if let Some(code) = code {
            span.set_status(Status::error(code.to_owned()));
        }
    }
}
