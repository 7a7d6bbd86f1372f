//! One Region's KMS.

use crate::acknowledgements::Acknowledgements;
use crate::key_uses::UseBoard;
use crate::{
    Clock, ControlLog, ControlLogError, Directory, Keyring, KmsError, Peers, RegionalLog, RegionalLogError, Trail,
    Workers,
};
use kms_attestation::{AttestationVerifier, TrustRoots};
use kms_core::control::{ControlBody, ControlChange, ControlState, Refusal};
use kms_core::regional::{RegionalBody, RegionalChange, RegionalOutcome, RegionalRefusal};
use kms_crypto::Entropy;
use kms_types::{DayLength, RegionName, Timestamp, limits};
use std::sync::Arc;
use std::time::Duration;

/// Settings of the service.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// This Region.
    pub region: RegionName,
    /// How long a day of a waiting or rotation period lasts.
    pub day_length: DayLength,
    /// How much there may be of what.
    pub quotas: Quotas,
    /// From when on this Region has noted the use of keys.
    pub uses_tracked_since: Timestamp,
    /// Most keys with metrics of their own; the others are counted together. Default 100.
    pub key_series: usize,
    /// How long a Decrypt waits for the control log when it meets unknown material. Default 1 s.
    pub catch_up_deadline: Duration,
    /// How long other Regions may take to answer. Default 1 s.
    pub peer_deadline: Duration,
    /// Whose attestation documents are believed. Default nobody's.
    pub attestation: Arc<AttestationVerifier>,
}

impl ServiceConfig {
    /// The defaults for a Region.
    #[must_use]
    pub fn new(region: RegionName) -> Self {
        Self {
            region,
            day_length: DayLength::default(),
            quotas: Quotas::default(),
            uses_tracked_since: Timestamp::from_millis(0),
            key_series: 100,
            catch_up_deadline: Duration::from_secs(1),
            peer_deadline: Duration::from_secs(1),
            attestation: Arc::new(AttestationVerifier::new(TrustRoots::default())),
        }
    }
}

/// The quotas of AWS that can be adjusted, in this Region. The defaults are AWS's ("Resource quotas" in the AWS KMS
/// Developer Guide).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Most customer managed keys of one account, in every key state. Default 100,000.
    pub keys_per_account: usize,
    /// Most aliases of one key. Default 50.
    pub aliases_per_key: usize,
    /// Most grants on one key. Default 50,000.
    pub grants_per_key: usize,
    /// Most on-demand rotations of one key. Default 25.
    pub on_demand_rotations_per_key: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            keys_per_account: limits::KEYS_PER_ACCOUNT_MAX,
            aliases_per_key: limits::ALIASES_PER_KEY_MAX,
            grants_per_key: limits::GRANTS_PER_KEY_MAX,
            on_demand_rotations_per_key: limits::ON_DEMAND_ROTATIONS_MAX,
        }
    }
}

/// What the service works with; see `ports.rs`.
#[derive(Clone)]
#[expect(missing_docs, reason = "each port documents itself")]
pub struct Ports {
    pub control: Arc<dyn ControlLog>,
    pub regional: Arc<dyn RegionalLog>,
    pub peers: Arc<dyn Peers>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub workers: Arc<dyn Workers>,
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ports")
    }
}

/// One Region's KMS: every operation is a method, in a file of its own under `operations/`.
#[derive(Debug)]
pub struct Service {
    config: ServiceConfig,
    directory: Arc<Directory>,
    keyring: Arc<Keyring>,
    ports: Ports,
    acknowledgements: Acknowledgements,
    uses: UseBoard,
}

impl Service {
    /// Puts the parts together.
    #[must_use]
    pub fn new(config: ServiceConfig, directory: Arc<Directory>, keyring: Arc<Keyring>, ports: Ports) -> Self {
        let uses = UseBoard::new(config.key_series);
        Self { config, directory, keyring, ports, acknowledgements: Acknowledgements::default(), uses }
    }

    /// This Region.
    #[must_use]
    pub fn region(&self) -> &RegionName {
        &self.config.region
    }

    /// Settings.
    #[must_use]
    pub fn config(&self) -> &ServiceConfig {
        &self.config
    }

    /// The published state.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Publishes regional rows that are on stable storage, and forgets destroyed material.
    pub fn absorb_regional(directory: &Directory, keyring: &Keyring, changes: &[RegionalChange]) {
        directory.absorb_regional(changes);
        for change in changes {
            if let RegionalChange::DeleteMaterial(key_id, material_id) = change {
                keyring.forget(key_id, material_id);
            }
        }
    }

    /// Publishes control rows that are persisted.
    pub fn absorb_control(&self, changes: &[ControlChange]) {
        self.directory.absorb_control(changes);
    }

    /// Publishes a control state that came as a snapshot.
    pub fn replace_control(&self, control: ControlState) {
        self.directory.replace_control(control);
    }

    pub(crate) fn acknowledgements(&self) -> &Acknowledgements {
        &self.acknowledgements
    }

    pub(crate) fn use_board(&self) -> &UseBoard {
        &self.uses
    }

    pub(crate) fn keyring(&self) -> &Arc<Keyring> {
        &self.keyring
    }

    pub(crate) fn control(&self) -> &dyn ControlLog {
        self.ports.control.as_ref()
    }

    pub(crate) fn regional(&self) -> &dyn RegionalLog {
        self.ports.regional.as_ref()
    }

    pub(crate) fn peers(&self) -> &dyn Peers {
        self.ports.peers.as_ref()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        self.ports.entropy.as_ref()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Runs work that takes long on a worker thread and waits for its result. Work whose caller has gone is not begun.
    ///
    /// # Errors
    /// [`KmsError::Throttled`] when too much of it is waiting already.
    pub(crate) async fn on_worker<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KmsError> {
        let (reply, result) = futures::channel::oneshot::channel();
        let work = move || {
            if !reply.is_canceled() {
                // Nobody may be waiting any more by the time it is done.
                let _result = reply.send(work());
            }
        };
        self.ports.workers.submit(Box::new(work)).map_err(|_busy| KmsError::Throttled)?;
        result.await.map_err(|_gone| KmsError::Internal)
    }

    /// 16 random bytes, for a new key ID.
    pub(crate) fn random_id(&self) -> Result<[u8; 16], KmsError> {
        let mut id = [0; 16];
        self.entropy().fill(&mut id).map_err(|_invalid| KmsError::Internal)?;
        Ok(id)
    }

    /// Submits a regional command; a refusal comes back for the operation to put into AWS's words.
    pub(crate) async fn submit(&self, body: RegionalBody) -> Result<Result<(), RegionalRefusal>, KmsError> {
        match self.submit_for(body).await? {
            RegionalOutcome::Done | RegionalOutcome::GrantExists(_) => Ok(Ok(())),
            RegionalOutcome::Refused(refusal) => Ok(Err(refusal)),
        }
    }

    /// Submits a regional command and answers what came of it.
    pub(crate) async fn submit_for(&self, body: RegionalBody) -> Result<RegionalOutcome, KmsError> {
        self.regional().submit(body).await.map_err(|error| match error {
            RegionalLogError::Busy => KmsError::Throttled,
            RegionalLogError::Storage => KmsError::Internal,
        })
    }

    /// Proposes a control command, and notes on the request's trail where it took effect; a refusal comes back for the
    /// operation to put into AWS's words. What no request does has a trail that nobody reads.
    pub(crate) async fn propose(&self, trail: &Trail, body: ControlBody) -> Result<Result<(), Refusal>, KmsError> {
        match self.control().propose(body).await {
            Ok(committed) => Ok(trail.settled(committed)),
            Err(ControlLogError::NoMajority { .. }) => Err(KmsError::DependencyTimeout),
            Err(ControlLogError::Stopped) => Err(KmsError::Internal),
        }
    }
}
