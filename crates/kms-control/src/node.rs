//! One Region's voice in the control log.

mod bootstrap;
mod follow;
mod probes;
mod propose;
mod status;

use crate::ControlError;
use crate::config::ControlConfig;
use crate::links::Links;
use crate::log_store::LogStore;
use crate::network::Network;
use crate::ports::{ControlObserver, LocalReplicas, PeerDialer};
use crate::server::PeerService;
use crate::snapshot::Shelf;
use crate::state_machine::{Shared, StateMachine};
use crate::types::TypeConfig;
use kms_core::control::{ControlState, ProposalId};
use kms_proto::peer::v1::peer_server::PeerServer;
use kms_service::Clock;
use kms_store::{Keyspace, Store, WriteBatch};
use openraft::async_runtime::WatchReceiver;
use openraft::errors::Fatal;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use follow::LocalRefusal;
pub use status::{ControlRole, ControlStatus, PeerProbe};

/// openraft with our types.
pub(crate) type Raft = openraft::Raft<TypeConfig, StateMachine>;

/// Proposals of this Region in flight at one time; more wait, within their deadline.
const PROPOSALS_MAX: usize = 512;

/// Row of [`Keyspace::Node`] that says whose store it is.
const IDENTITY: &[u8] = b"raft/identity";

/// What a node needs from outside.
#[derive(Clone)]
pub struct ControlPorts {
    /// The node's store.
    pub store: Arc<dyn Store>,
    /// Reaches the other Regions.
    pub dialer: Arc<dyn PeerDialer>,
    /// Told of every applied entry.
    pub observer: Arc<dyn ControlObserver>,
    /// What this Region holds, for peers that ask.
    pub local: Arc<dyn LocalReplicas>,
    /// The time that goes into commands.
    pub clock: Arc<dyn Clock>,
    /// Draws the identity of a proposal; it must not repeat.
    pub draw_proposal_id: Arc<dyn Fn() -> ProposalId + Send + Sync>,
}

impl fmt::Debug for ControlPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPorts").field("store", &self.store).finish_non_exhaustive()
    }
}

/// A node of the control log. Cloning gives another handle on the same node.
#[derive(Clone)]
pub struct ControlNode {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: ControlConfig,
    pub(crate) raft: Raft,
    pub(crate) log: LogStore,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) links: Links,
    pub(crate) ports: ControlPorts,
    pub(crate) joining: Joining,
    probes: probes::ProbeBoard,
    permits: Semaphore,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Whether this node may take part in elections; see [`bootstrap`].
#[derive(Debug, Default)]
pub(crate) struct Joining {
    done: AtomicBool,
    /// Index that was committed when a leader first spoke to this node.
    pub(crate) target: tokio::sync::watch::Sender<Option<u64>>,
}

impl Joining {
    pub(crate) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }
}

impl ControlNode {
    /// Starts the node on its store: loads the state, tells the observer, and takes part. On the bootstrap node of a
    /// cluster that does not exist yet, founds it once every other member that is needed for certainty has answered.
    /// Must be called within a tokio runtime; does not wait for peers.
    ///
    /// # Errors
    /// [`ControlError`] when the configuration contradicts itself, the store is another node's or fails, or something in
    /// it cannot be read.
    pub async fn start(config: ControlConfig, ports: ControlPorts) -> Result<Self, ControlError> {
        config.check()?;
        claim_store(&config, &*ports.store)?;
        let raft_config = Arc::new(config.raft()?);
        let log = LogStore::open(Arc::clone(&ports.store))?;
        let tasks = TaskTracker::new();
        let machine = StateMachine::open(Arc::clone(&ports.store), Arc::clone(&ports.observer))?.tracked(&tasks);
        let (shared, shelf) = (machine.shared(), machine.shelf());
        let links = Links::new(&config, &*ports.dialer);
        let network = Network::new(&config, links.clone());
        let joined = log.has_joined()?;
        let joining = Joining { done: AtomicBool::new(joined), ..Joining::default() };
        let raft = openraft::Raft::build(config.node_id, raft_config, network, log.clone(), machine)
            .await
            .map_err(|fatal| stop_reason(&shared, &fatal))?;
        raft.runtime_config().elect(joined);
        raft.run();
        let inner = Arc::new(Inner {
            probes: probes::ProbeBoard::new(&config),
            permits: Semaphore::new(PROPOSALS_MAX),
            tasks,
            stop: CancellationToken::new(),
            config,
            raft,
            log,
            shelf,
            shared,
            links,
            ports,
            joining,
        });
        inner.spawn_tasks();
        Ok(Self { inner })
    }

    /// The state after the last entry applied here. The handle stays as it is while the state goes on; keep it for a
    /// short time, because the next change copies what is still held.
    #[must_use]
    pub fn state(&self) -> Arc<ControlState> {
        self.inner.shared.state()
    }

    /// Index of the last entry applied here; zero before the first.
    #[must_use]
    pub fn applied_index(&self) -> u64 {
        self.inner.shared.applied_index().borrow().unwrap_or_default()
    }

    /// The service that peers call. Requests must carry a [`crate::PeerRegion`] in their extensions.
    #[must_use]
    pub fn peer_server(&self) -> PeerServer<PeerService> {
        PeerService::server(&self.inner)
    }

    /// Returns when the control log has stopped for a fault, with the reason; never after [`ControlNode::shutdown`].
    pub async fn stopped(&self) -> ControlError {
        let mut metrics = self.inner.raft.metrics();
        loop {
            let running = metrics.borrow_watched().running_state.clone();
            if let Err(fatal) = running
                && !self.inner.stop.is_cancelled()
            {
                return stop_reason(&self.inner.shared, &fatal);
            }
            if metrics.changed().await.is_err() {
                if !self.inner.stop.is_cancelled() {
                    return stop_reason(&self.inner.shared, &Fatal::Stopped);
                }
                return std::future::pending().await;
            }
        }
    }

    /// Stops taking part and waits until every task has ended. What had been acknowledged is on stable storage.
    pub async fn shutdown(&self) {
        self.inner.stop.cancel();
        if let Err(error) = self.inner.raft.shutdown().await {
            tracing::warn!(%error, "the control log's task ended badly");
        }
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

impl Inner {
    fn spawn_tasks(self: &Arc<Self>) {
        let spawn = |task: futures::future::BoxFuture<'static, ()>| {
            let stop = self.stop.clone();
            self.tasks.spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = task => {}
                }
            });
        };
        for link in self.links.iter() {
            spawn(Box::pin(probes::probe_for_ever(Arc::clone(self), link.clone())));
        }
        spawn(Box::pin(bootstrap::found_cluster(Arc::clone(self))));
        spawn(Box::pin(bootstrap::join(Arc::clone(self))));
        spawn(Box::pin(follow::report_changes(Arc::clone(self))));
    }

    pub(crate) fn stop_reason(&self, fatal: &Fatal<TypeConfig>) -> ControlError {
        stop_reason(&self.shared, fatal)
    }
}

impl fmt::Debug for ControlNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlNode")
            .field("region", &self.inner.config.region)
            .field("node_id", &self.inner.config.node_id)
            .finish_non_exhaustive()
    }
}

fn stop_reason(shared: &Shared, fatal: &Fatal<TypeConfig>) -> ControlError {
    shared.fault().cloned().unwrap_or_else(|| ControlError::Raft(fatal.to_string()))
}

/// Writes whose store it is at the first start, and compares at every other.
fn claim_store(config: &ControlConfig, store: &dyn Store) -> Result<(), ControlError> {
    let expected = format!("node {} of {} in cluster {}", config.node_id, config.region, config.cluster_id);
    match store.get(Keyspace::Node, IDENTITY)? {
        Some(found) if found == expected.as_bytes() => Ok(()),
        Some(found) => {
            Err(ControlError::ForeignStore { found: String::from_utf8_lossy(&found).into_owned(), expected })
        }
        None => {
            let mut batch = WriteBatch::new();
            batch.put(IDENTITY, expected);
            store.write(Keyspace::Node, batch)?;
            Ok(store.barrier()?)
        }
    }
}
