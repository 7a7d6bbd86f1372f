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

/// Enters this Region and its sealing key in the Region directory, unless they are there already.
pub(crate) async fn register(
    control: ControlNode,
    region: RegionName,
    sealing_public_key: Vec<u8>,
    shutdown: CancellationToken,
) {
    let role = if sealing_public_key.is_empty() { RegionRole::Witness } else { RegionRole::Full };
    while !is_registered(&control, &region, &sealing_public_key) {
        let body = RegisterRegion { sealing_public_key: sealing_public_key.clone(), role };
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

/// Whether the Region directory has this Region with this sealing key.
pub(crate) fn is_registered(control: &ControlNode, region: &RegionName, sealing_public_key: &[u8]) -> bool {
    control.state().region(region).is_some_and(|entry| entry.sealing_public_key == sealing_public_key)
}
