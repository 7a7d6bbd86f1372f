//! The directory of principals in this node: taken in when the control log changes it, confirmed with the other Regions, its
//! secrets sealed to Regions that lack them, and its session token keys renewed.

use kms_control::ControlNode;
use kms_core::control::ControlChange;
use kms_service::{ControlLog as _, Directory, Identities, Keyring, Service};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest wait for one confirmation.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(2);
/// The lease is confirmed this often within its length, so that a lost answer does not end it.
const CONFIRMATIONS_PER_LEASE: u32 = 8;
/// Shortest and longest pause between confirmations.
const CONFIRM_PAUSE_MIN: Duration = Duration::from_millis(100);
const CONFIRM_PAUSE_MAX: Duration = Duration::from_secs(10);
/// Pause between two looks for Regions that lack secrets, and for a session token key that is due.
const SECRETS_PAUSE: Duration = Duration::from_secs(2);

/// Keeps what requests see of the directory of principals in line with the control state.
#[derive(Debug)]
pub(crate) struct IdentityDesk {
    pub(crate) directory: Arc<Directory>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) identities: Arc<Identities>,
    pub(crate) principals: Arc<kms_aws::Principals>,
}

impl IdentityDesk {
    /// An empty directory beside the principals of the file.
    pub(crate) fn new(
        directory: &Arc<Directory>,
        keyring: &Arc<Keyring>,
        lease: Arc<kms_service::Lease>,
        principals: kms_aws::Principals,
    ) -> Self {
        Self {
            directory: Arc::clone(directory),
            keyring: Arc::clone(keyring),
            identities: Arc::new(Identities::new(Arc::clone(&lease))),
            principals: Arc::new(principals.with_lease(lease)),
        }
    }

    /// Looks at applied changes, after they have been published.
    pub(crate) fn applied(&self, changes: &[ControlChange]) {
        if changes.iter().any(|change| matches!(change, ControlChange::Identity(_))) {
            self.take_in();
        }
    }

    /// Takes the whole directory in.
    pub(crate) fn take_in(&self) {
        let state = self.directory.read(|_, control| control.identities().clone());
        self.identities.rebuild(&state, &self.keyring);
        for id in self.identities.keys().keys().filter(|id| self.principals.is_bootstrap(id)) {
            tracing::warn!(access_key_id = %id, "the principals file has this access key too, and has the first say");
        }
        self.principals.take_in(&self.identities);
    }
}

/// Confirms the lease until shutdown: asks the leader, who asks a majority, what has been committed, and waits until that
/// is applied here.
pub(crate) async fn confirm(control: ControlNode, identities: Arc<Identities>, shutdown: CancellationToken) {
    let lease = identities.lease();
    let pause = (lease.length() / CONFIRMATIONS_PER_LEASE).clamp(CONFIRM_PAUSE_MIN, CONFIRM_PAUSE_MAX);
    loop {
        let asked = lease.moment();
        let answered = tokio::select! {
            () = shutdown.cancelled() => return,
            answered = control.read_barrier(CONFIRM_TIMEOUT) => answered,
        };
        let failed = answered.is_err();
        match answered {
            Ok(_) => lease.confirm(asked),
            Err(error) => tracing::debug!(%error, "the directory of principals was not confirmed"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            // What failed is asked again soon: a Region that starts or comes back waits for it.
            () = tokio::time::sleep(if failed { CONFIRM_PAUSE_MIN } else { pause }) => {}
        }
    }
}

/// Renews session token keys that are due and seals secrets to Regions that lack them, until shutdown.
pub(crate) async fn keep_secrets(service: Arc<Service>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(SECRETS_PAUSE) => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = look_at_secrets(&service) => {}
        }
    }
}

async fn look_at_secrets(service: &Service) {
    match service.renew_session_key().await {
        Ok(None) => {}
        Ok(Some(epoch)) => tracing::info!(epoch, "created a session token key"),
        Err(error) => tracing::debug!(%error, "a session token key could not be created yet"),
    }
    match service.reseal_secrets().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "sealed secrets of the directory to Regions that lacked them"),
        Err(error) => tracing::debug!(%error, "secrets of the directory could not be sealed yet"),
    }
}
