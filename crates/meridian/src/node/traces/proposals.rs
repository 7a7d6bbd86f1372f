//! Proposals to the control log as spans, below that of the request that makes them.

use super::Traces;
use kms_core::control::{ControlBody, ControlOutcome, SharedChange};
use kms_service::{Committed, ControlLog, ControlLogError, PortFuture};
use opentelemetry::trace::{Span as _, SpanKind, Status};
use opentelemetry::{Context, KeyValue};
use std::sync::Arc;
use std::time::Duration;

/// A control log whose proposals are traced. Only made when traces are on.
#[derive(Debug)]
pub(crate) struct TracedLog {
    log: Arc<dyn ControlLog>,
    traces: Arc<Traces>,
}

impl TracedLog {
    pub(crate) fn new(log: Arc<dyn ControlLog>, traces: Arc<Traces>) -> Self {
        Self { log, traces }
    }
}

impl ControlLog for TracedLog {
    fn propose(&self, body: ControlBody) -> PortFuture<'_, Result<Committed, ControlLogError>> {
        // The request's span is the current one while its future is polled; a schedule's proposal has none above it.
        let mut span = self.traces.begin("propose", SpanKind::Internal, &Context::current());
        // What the Regions merely report to each other has no name.
        let change = SharedChange::of(&body).map_or("Report", SharedChange::as_str);
        Box::pin(async move {
            let proposed = self.log.propose(body).await;
            span.set_attribute(KeyValue::new("meridian.change", change));
            span.set_attribute(KeyValue::new("cloud.region", self.traces.region.to_string()));
            let outcome = outcome(&proposed);
            span.set_attribute(KeyValue::new("meridian.outcome", outcome));
            if let Ok(Committed { index: Some(index), .. }) = &proposed {
                let index = i64::try_from(*index).unwrap_or(i64::MAX);
                span.set_attribute(KeyValue::new("meridian.control_log_index", index));
            }
            if outcome != DONE {
                span.set_status(Status::error(outcome));
            }
            proposed
        })
    }

    fn read_barrier(&self, deadline: Duration) -> PortFuture<'_, Result<u64, ControlLogError>> {
        self.log.read_barrier(deadline)
    }
}

const DONE: &str = "Success";

const fn outcome(proposed: &Result<Committed, ControlLogError>) -> &'static str {
    match proposed {
        Ok(Committed { outcome: ControlOutcome::Done, .. }) => DONE,
        Ok(Committed { outcome: ControlOutcome::Refused(_), .. }) => "Refused",
        Err(ControlLogError::NoMajority { .. }) => "NoMajority",
        Err(ControlLogError::Stopped) => "Stopped",
    }
}
