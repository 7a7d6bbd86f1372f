//! Records of what stops working and works again, as this Region sees it: another Region that does not answer, and its own
//! audit log while that still takes operators' records.
//!
//! Only what lasts is recorded, so that a link that flickers does not fill the log. What was reported is forgotten at a
//! restart; a fault that is still there is reported again then.

use super::Handles;
use super::audit::new_event_id;
use kms_audit::{Priority, ServiceEvent, ServiceRecord};
use kms_service::AuditSink as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Time between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long something must be as it is before it is reported: longer than an election or the restart of a node takes.
const SETTLED_AFTER: Duration = Duration::from_secs(5);

/// Another Region.
const PEER: &str = "Peer";
/// This Region's audit log.
const AUDIT_LOG: &str = "AuditLog";

/// What is looked at: the component and, of peers, the Region.
type Subject = (&'static str, String);

/// Records faults and recoveries until shutdown.
#[derive(Debug)]
pub(crate) struct Faults {
    handles: Arc<Handles>,
    watched: BTreeMap<Subject, Watched>,
}

impl Faults {
    pub(crate) const fn new(handles: Arc<Handles>) -> Self {
        Self { handles, watched: BTreeMap::new() }
    }

    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            self.look().await;
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    async fn look(&mut self) {
        let own = self.handles.service.region();
        let status = self.handles.control.status();
        let peers = status.peers.iter().filter(|peer| peer.region != *own);
        let mut seen: Vec<(Subject, Option<String>)> = peers
            .map(|peer| {
                let fault = (!peer.reachable).then(|| format!("{} does not answer.", peer.region));
                ((PEER, peer.region.to_string()), fault)
            })
            .collect();
        seen.push(((AUDIT_LOG, String::new()), self.handles.audit.refusal().map(|why| format!("{why}."))));
        let now = Instant::now();
        for (subject, fault) in seen {
            let watched = self.watched.entry(subject.clone()).or_default();
            let Some(news) = watched.look(fault.is_some(), now) else { continue };
            if record(&self.handles, &subject, fault.as_deref()).await {
                watched.reported = news;
            }
        }
    }
}

/// Records a fault, or the recovery when there is none; says whether that worked.
async fn record(handles: &Handles, (component, region): &Subject, fault: Option<&str>) -> bool {
    let well =
        if region.is_empty() { "Requests are recorded again.".to_owned() } else { format!("{region} answers again.") };
    let event = match fault {
        Some(text) => ServiceEvent::ReportFault { component, text },
        None => ServiceEvent::ReportRecovery { component, text: &well },
    };
    let record = ServiceRecord { event_id: new_event_id(), time: handles.clock.now(), event, control_log_index: None };
    let recorded = handles.audit.record(record.record(handles.service.region()), Priority::Operator).await;
    if let Err(error) = &recorded {
        tracing::debug!(%component, %error, "a fault or a recovery could not be recorded yet");
    }
    recorded.is_ok()
}

/// One thing that may be at fault.
#[derive(Debug, Default)]
struct Watched {
    /// Whether the last record about it was of a fault.
    reported: bool,
    /// Since when it is not as it was reported.
    differs_since: Option<Instant>,
}

impl Watched {
    /// Takes a look in; answers what is to be reported, once it has lasted.
    fn look(&mut self, at_fault: bool, now: Instant) -> Option<bool> {
        if at_fault == self.reported {
            self.differs_since = None;
            return None;
        }
        let since = *self.differs_since.get_or_insert(now);
        (now.duration_since(since) >= SETTLED_AFTER).then_some(at_fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lasts_is_reported_and_only_once() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut watched = Watched::default();
        assert_eq!(watched.look(true, after(0)), None);
        assert_eq!(watched.look(false, after(4)), None, "it flickers");
        assert_eq!(watched.look(true, after(6)), None, "the time begins anew");
        assert_eq!(watched.look(true, after(11)), Some(true));
        assert_eq!(watched.look(true, after(12)), Some(true), "not recorded yet");
        watched.reported = true;
        assert_eq!(watched.look(true, after(60)), None);
        assert_eq!(watched.look(false, after(61)), None);
        assert_eq!(watched.look(false, after(66)), Some(false));
    }
}
