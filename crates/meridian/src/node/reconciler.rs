//! The task that keeps this Region's rows in line with the control state, key by key.
//!
//! It learns which keys to look at from the control log's observer; it never learns what to do from there: each look
//! compares the two states. A key that waits for other Regions is looked at again after a while.

use super::identities::IdentityDesk;
use super::unacknowledged::Unacknowledged;
use kms_core::control::{ControlChange, ControlEffect, ControlState};
use kms_service::{Progress, Service};
use kms_types::KeyId;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Keys that are worked on at the same time.
const CONCURRENCY: usize = 16;
/// Pause before a key that waits for others is looked at again.
const WAITING_PAUSE: Duration = Duration::from_millis(250);
/// Pause before a key whose step failed is looked at again.
const FAILED_PAUSE: Duration = Duration::from_secs(1);

/// Keys that should be looked at.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    keys: Mutex<BTreeSet<KeyId>>,
    wake: Notify,
    /// Keys that changed since the audit log looked last; bounded by the keys there are.
    changed: Mutex<BTreeSet<KeyId>>,
}

impl Agenda {
    /// Adds keys.
    pub(crate) fn add(&self, keys: impl IntoIterator<Item = KeyId>) {
        self.keys.lock().extend(keys);
        self.wake.notify_one();
    }

    /// Notes keys whose audit records should be looked at.
    pub(crate) fn note_changed(&self, keys: impl IntoIterator<Item = KeyId>) {
        self.changed.lock().extend(keys);
    }

    /// Takes the keys that changed.
    pub(crate) fn take_changed(&self) -> BTreeSet<KeyId> {
        std::mem::take(&mut self.changed.lock())
    }

    /// How many keys wait to be looked at.
    pub(crate) fn len(&self) -> usize {
        self.keys.lock().len()
    }

    fn take(&self, most: usize, except: &BTreeSet<KeyId>) -> Vec<KeyId> {
        let mut keys = self.keys.lock();
        let taken: Vec<_> = keys.iter().filter(|k| !except.contains(k)).take(most).copied().collect();
        for key in &taken {
            keys.remove(key);
        }
        taken
    }
}

/// Publishes applied control commands and puts the keys they touch on the agenda.
#[derive(Debug)]
pub(crate) struct Observer {
    directory: Arc<kms_service::Directory>,
    agenda: Arc<Agenda>,
    identity: Arc<IdentityDesk>,
    unacknowledged: Arc<Unacknowledged>,
}

impl Observer {
    /// An observer for a directory; nothing else is needed to publish.
    pub(crate) fn new(
        directory: Arc<kms_service::Directory>,
        agenda: Arc<Agenda>,
        identity: Arc<IdentityDesk>,
        unacknowledged: Arc<Unacknowledged>,
    ) -> Self {
        Self { directory, agenda, identity, unacknowledged }
    }
}

impl kms_control::ControlObserver for Observer {
    fn applied(&self, index: u64, changes: &[ControlChange], effects: &[ControlEffect]) {
        self.directory.absorb_control(changes);
        self.unacknowledged.applied(index, changes);
        self.identity.applied(changes);
        let keys: Vec<KeyId> = effects
            .iter()
            .map(|effect| match effect {
                ControlEffect::Reconcile(key_id) | ControlEffect::PrimaryMoved { key_id, .. } => *key_id,
            })
            .collect();
        self.agenda.note_changed(keys.iter().copied());
        self.agenda.add(keys);
    }

    fn replaced(&self, _index: u64, state: &ControlState) {
        self.directory.replace_control(state.clone());
        self.identity.take_in();
        let keys = all_multi_region_keys(&self.directory);
        self.agenda.note_changed(keys.iter().copied());
        self.agenda.add(keys);
    }
}

/// Every multi-Region key that either state knows.
pub(crate) fn all_multi_region_keys(directory: &kms_service::Directory) -> Vec<KeyId> {
    directory.read(|regional, control| {
        let local = regional.keys_after(None).map(|record| record.key_id).filter(KeyId::is_multi_region);
        let shared = control.key_sets().map(|set| set.key_id);
        local.chain(shared).collect::<BTreeSet<_>>().into_iter().collect()
    })
}

/// Works on the agenda until shutdown.
pub(crate) async fn run(service: Arc<Service>, agenda: Arc<Agenda>, shutdown: CancellationToken) {
    let mut working = JoinSet::new();
    let mut in_flight = BTreeSet::new();
    let mut later: BTreeSet<(Instant, KeyId)> = BTreeSet::new();
    loop {
        let room = CONCURRENCY.saturating_sub(in_flight.len());
        for key_id in agenda.take(room, &in_flight) {
            in_flight.insert(key_id);
            let service = Arc::clone(&service);
            working.spawn(async move { (key_id, service.synchronise(&key_id).await) });
        }
        let next_due = later.first().map(|(at, _)| *at);
        let due = async {
            match next_due {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = agenda.wake.notified() => {}
            () = due => {
                let now = Instant::now();
                while later.first().is_some_and(|(at, _)| *at <= now) {
                    agenda.add(later.pop_first().map(|(_, key_id)| key_id));
                }
            }
            Some(finished) = working.join_next(), if !working.is_empty() => {
                if let Ok((key_id, result)) = finished {
                    in_flight.remove(&key_id);
                    match result {
                        Ok(Progress::Quiet) => {}
                        Ok(Progress::Waiting) => { later.insert((Instant::now() + WAITING_PAUSE, key_id)); }
                        Err(error) => {
                            tracing::warn!(%key_id, %error, "a key could not be brought in line; it is tried again");
                            later.insert((Instant::now() + FAILED_PAUSE, key_id));
                        }
                    }
                }
            }
        }
    }
}
