//! The tasks driven by the clock: what is due, and this Region's line in the directory.

use kms_control::ControlNode;
use kms_core::control::{ControlBody, RegionRole, RegisterRegion};
use kms_service::{ControlLog, Service};
use kms_types::RegionName;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest time between two looks at the clock, with days of ordinary length.
const TICK_MAX: Duration = Duration::from_secs(1);
/// Shortest, with days of a second and less.
const TICK_MIN: Duration = Duration::from_millis(20);
/// Pause before the Region is registered again after a failure.
const REGISTER_PAUSE: Duration = Duration::from_millis(100);

/// Does what is due until shutdown.
pub(crate) async fn run(service: Arc<Service>, shutdown: CancellationToken) {
    let tick = (service.config().day_length.days(1) / 20).clamp(TICK_MIN, TICK_MAX);
    let mut ticks = tokio::time::interval(tick);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            // What could not be done has been logged and stays due.
            _ = service.do_what_is_due() => {}
        }
    }
}

/// The line of this Region in the directory.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) region: RegionName,
    /// Encoded; empty on a witness, so that nothing can be sealed to it.
    pub(crate) sealing_public_key: Vec<u8>,
    /// Encoded.
    pub(crate) signing_public_key: Vec<u8>,
}

impl Registration {
    /// Whether the Region directory has this Region with these keys.
    pub(crate) fn is_done(&self, control: &ControlNode) -> bool {
        control.state().region(&self.region).is_some_and(|entry| {
            entry.sealing_public_key == self.sealing_public_key && entry.signing_public_key == self.signing_public_key
        })
    }
}

/// Enters this Region and its public keys in the Region directory, unless they are there already.
pub(crate) async fn register(control: ControlNode, line: Registration, shutdown: CancellationToken) {
    let role = if line.sealing_public_key.is_empty() { RegionRole::Witness } else { RegionRole::Full };
    while !line.is_done(&control) {
        let body = RegisterRegion {
            sealing_public_key: line.sealing_public_key.clone(),
            role,
            signing_public_key: line.signing_public_key.clone(),
        };
        let proposal = control.propose(ControlBody::RegisterRegion(body));
        let outcome = tokio::select! {
            () = shutdown.cancelled() => return,
            outcome = proposal => outcome,
        };
        match outcome {
            Ok(kms_core::control::ControlOutcome::Done) => return,
            Ok(kms_core::control::ControlOutcome::Refused(refusal)) => {
                tracing::error!(%refusal, "the cluster refuses this Region");
            }
            Err(error) => tracing::debug!(%error, "this Region could not be registered yet"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(REGISTER_PAUSE) => {}
        }
    }
}
