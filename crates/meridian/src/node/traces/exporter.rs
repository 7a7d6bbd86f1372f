//! Says in the log when the collector stops taking spans, and when it takes them again; not each time.

use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// See the module.
#[derive(Debug)]
pub(super) struct ReportingExporter {
    exporter: Otlp,
    fails: AtomicBool,
}

impl ReportingExporter {
    pub(super) const fn new(exporter: Otlp) -> Self {
        Self { exporter, fails: AtomicBool::new(false) }
    }
}

impl SpanExporter for ReportingExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let exported = self.exporter.export(batch).await;
        let failed_before = self.fails.swap(exported.is_err(), Ordering::Relaxed);
        match &exported {
            Err(error) if !failed_before => {
                tracing::warn!(%error, "the collector does not take spans; they are dropped")
            }
            Ok(()) if failed_before => tracing::info!("the collector takes spans again"),
            Err(_) | Ok(()) => {}
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
