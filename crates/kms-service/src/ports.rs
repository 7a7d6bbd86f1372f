//! What the service needs from outside; the binary provides it.

use kms_core::control::{ControlBody, ControlOutcome};
use kms_core::regional::{RegionalBody, RegionalOutcome};
use kms_types::{AliasName, KeyId, KeyMaterialId, KeyState, RegionName, Timestamp};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A boxed future, so that ports can be trait objects.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The control log as a proposer sees it.
pub trait ControlLog: Send + Sync + std::fmt::Debug {
    /// Proposes a command in this Region's name, waits until it is committed in a majority and applied here, and
    /// answers its outcome. The command takes effect at most once, however often it was sent.
    fn propose(&self, body: ControlBody) -> PortFuture<'_, Result<ControlOutcome, ControlLogError>>;

    /// Returns once this Region has applied everything that was committed when the call was made: what is read
    /// afterwards is linearisable.
    fn read_barrier(&self, deadline: Duration) -> PortFuture<'_, Result<u64, ControlLogError>>;
}

/// Why the control log gave no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlLogError {
    /// No majority, or no leader, within the deadline. The command may still take effect if `sent`.
    #[error("the control log has no majority of Regions within reach")]
    NoMajority {
        /// Whether the command had been handed to a leader.
        sent: bool,
    },
    /// The node is shutting down or has stopped for a fault.
    #[error("the control log of this Region has stopped")]
    Stopped,
}

/// The regional log: one writer, durable before it answers.
pub trait RegionalLog: Send + Sync + std::fmt::Debug {
    /// Applies a command and answers once it is on stable storage and published in the directory.
    fn submit(&self, body: RegionalBody) -> PortFuture<'_, Result<RegionalOutcome, RegionalLogError>>;

    /// The wrapped bytes of a material version, read from the store.
    ///
    /// # Errors
    /// [`RegionalLogError::Storage`] when the store fails.
    fn wrapped_material(&self, key_id: &KeyId, material: &KeyMaterialId) -> Result<Option<Vec<u8>>, RegionalLogError>;

    /// Waits until the Region's key resource exists and has the material installed; `false` when the deadline passes
    /// first.
    fn await_material<'a>(
        &'a self,
        key_id: &'a KeyId,
        material: &'a KeyMaterialId,
        deadline: Duration,
    ) -> PortFuture<'a, bool>;

    /// Waits until the Region has the key resource; `false` when the deadline passes first.
    fn await_key<'a>(&'a self, key_id: &'a KeyId, deadline: Duration) -> PortFuture<'a, bool>;
}

/// Why the regional log gave no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionalLogError {
    /// More changes are waiting than the queue admits; try again.
    #[error("too many changes are waiting to be written")]
    Busy,
    /// The store has failed or the node is shutting down.
    #[error("the store of this Region has stopped")]
    Storage,
}

/// The other Regions.
pub trait Peers: Send + Sync + std::fmt::Debug {
    /// What a Region says of its replica of a key. The Region's own name is allowed.
    fn replica_report<'a>(
        &'a self,
        region: &'a RegionName,
        key_id: &'a KeyId,
        deadline: Duration,
    ) -> PortFuture<'a, Result<ReplicaReport, PeerError>>;
}

/// A Region's word on its replica of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaReport {
    /// Key state there; `None` when the Region has no such key resource.
    pub state: Option<KeyState>,
    /// Material versions it has installed.
    pub materials: Vec<KeyMaterialId>,
    /// Control-log index that it has applied.
    pub applied_index: u64,
    /// Room for keys of the account that owns the key; `None` when the Region does not say.
    pub room: Option<KeyRoom>,
    /// What decides there who may do what to the replica; `None` without a key resource, and from a Region that does not
    /// say.
    pub access: Option<ReplicaAccess>,
}

/// What decides in a Region who may do what to its replica of a key: independent properties, which no other Region knows
/// (`docs/adr/0008-two-regions-one-decision.md`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaAccess {
    /// The key policy.
    pub policy: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Aliases.
    pub aliases: Vec<AliasName>,
}

/// How many keys an account has in a Region, and how many it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRoom {
    /// Keys in every state.
    pub count: u64,
    /// The Region's quota.
    pub quota: u64,
}

/// Why a Region gave no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// No answer within the deadline.
    #[error("the Region {0} does not answer")]
    Unreachable(RegionName),
    /// The Region is not part of the cluster.
    #[error("the Region {0} is not part of the cluster")]
    Unknown(RegionName),
}

/// The time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Work for a worker thread.
pub type Work = Box<dyn FnOnce() + Send>;

/// Threads for work that takes too long for a thread of the runtime, such as drawing an RSA key: up to a second.
pub trait Workers: Send + Sync + std::fmt::Debug {
    /// Has the work done on a thread of its own kind, soon. Does not wait.
    ///
    /// # Errors
    /// [`WorkersBusy`] when as much work is waiting as the queue admits.
    fn submit(&self, work: Work) -> Result<(), WorkersBusy>;
}

/// As much work is waiting as the queue admits; try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much work is waiting for a worker thread")]
pub struct WorkersBusy;
