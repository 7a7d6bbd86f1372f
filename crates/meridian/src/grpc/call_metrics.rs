//! Counts gRPC calls and how long they take: those that leave an audit record.

use metrics::{Counter, Histogram};
use std::time::Duration;

/// Calls of the data plane, for which series are there from the start.
const DATA_PLANE: [&str; 5] = ["Decrypt", "Encrypt", "GenerateDataKey", "GenerateRandom", "ReEncrypt"];

/// Counters of calls, each looked up once: recording a success takes no lock of the registry.
pub(crate) struct CallMetrics {
    successes: papaya::HashMap<&'static str, (Counter, Histogram)>,
}

impl std::fmt::Debug for CallMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallMetrics")
    }
}

impl CallMetrics {
    /// Registers the counters of the data plane; after `metrics::install`.
    pub(crate) fn new() -> Self {
        metrics::describe_counter!("meridian_grpc_calls_total", "Recorded gRPC calls by operation and outcome code");
        metrics::describe_histogram!("meridian_grpc_call_seconds", "Time from a recorded gRPC call to its answer");
        let calls = Self { successes: papaya::HashMap::new() };
        DATA_PLANE.into_iter().for_each(|operation| drop(calls.handles(operation)));
        calls
    }

    /// Counts one call; `code` is the error code of one that failed.
    pub(super) fn record(&self, operation: &'static str, code: Option<&str>, elapsed: Duration) {
        let (successes, latency) = self.handles(operation);
        latency.record(elapsed.as_secs_f64());
        match code {
            None => successes.increment(1),
            Some(code) => {
                let outcome = code.to_owned();
                metrics::counter!("meridian_grpc_calls_total", "operation" => operation, "outcome" => outcome)
                    .increment(1);
            }
        }
    }

    fn handles(&self, operation: &'static str) -> (Counter, Histogram) {
        let new = || {
            let labels = [("operation", operation), ("outcome", "Success")];
            let counter = metrics::counter!("meridian_grpc_calls_total", &labels);
            (counter, metrics::histogram!("meridian_grpc_call_seconds", "operation" => operation))
        };
        self.successes.pin().get_or_insert_with(operation, new).clone()
    }
}
