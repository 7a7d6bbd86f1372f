//! Control nodes in one process, on real loopback connections. Each node has one listener per calling node, so that the
//! listener knows which Region calls; in production the certificate says so.

#[path = "relay.rs"]
mod relay;

use kms_control::{
    ControlConfig, ControlError, ControlNode, ControlObserver, ControlPorts, ControlRole, LocalReplicas, Member,
    PeerDialer, PeerRegion,
};
use kms_core::control::{
    ControlBody, ControlChange, ControlEffect, ControlState, CreateKeySet, InitialProperties, ProposalId, RegionRole,
    RegisterRegion, SealedBox,
};
use kms_proto::peer::v1::peer_client::PeerClient;
use kms_service::{Clock, ControlLog, ReplicaAccess, ReplicaReport};
use kms_store::MemoryStore;
use kms_types::{
    AccountId, AliasName, KeyId, KeyMaterialId, KeySpec, KeyState, KeyUsage, Origin, RegionName, Timestamp,
};
pub use relay::Link;
use relay::Relay;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Status};

pub const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-1"];
/// Longest wait for anything in these tests; the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const ELECTION_MAX: Duration = Duration::from_millis(1_200);

pub fn region(index: usize) -> RegionName {
    RegionName::parse(REGIONS[index]).unwrap()
}

/// Three nodes with links between them.
pub struct Cluster {
    relays: BTreeMap<(usize, usize), Relay>,
    nodes: Vec<Option<Running>>,
    pub stores: Vec<Arc<MemoryStore>>,
    pub observers: Vec<Arc<Recorder>>,
    pub snapshot_log_entries: u64,
}

struct Running {
    node: ControlNode,
    /// The listener for each calling node.
    inbound: BTreeMap<usize, SocketAddr>,
    _servers: JoinSet<()>,
}

impl Cluster {
    /// Starts all three and waits for a leader that everybody knows.
    pub async fn start() -> Self {
        let mut cluster = Self::new().await;
        for index in 0..REGIONS.len() {
            cluster.start_node(index).await;
        }
        cluster.leader_among(&[0, 1, 2]).await;
        cluster
    }

    pub async fn new() -> Self {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        drop(tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init());
        let mut relays = BTreeMap::new();
        for from in 0..REGIONS.len() {
            for to in (0..REGIONS.len()).filter(|to| *to != from) {
                relays.insert((from, to), Relay::start().await);
            }
        }
        Self {
            relays,
            nodes: REGIONS.iter().map(|_| None).collect(),
            stores: REGIONS.iter().map(|_| Arc::new(MemoryStore::new())).collect(),
            observers: REGIONS.iter().map(|_| Arc::default()).collect(),
            snapshot_log_entries: 10_000,
        }
    }

    pub fn config(&self, index: usize) -> ControlConfig {
        let member = |index: usize| Member {
            node_id: index as u64 + 1,
            region: region(index),
            address: "loopback".into(),
            role: RegionRole::Full,
        };
        let members = (0..REGIONS.len()).map(member).collect();
        ControlConfig {
            heartbeat_ms: 100,
            election_min_ms: 800,
            election_max_ms: 1_200,
            snapshot_log_entries: self.snapshot_log_entries,
            ..ControlConfig::new("test".into(), region(index), index as u64 + 1, members, index == 0)
        }
    }

    /// Delays every link by half a round trip in each direction, for connections made from now on.
    pub fn slow_down(&self, round_trip: Duration) {
        self.relays.values().for_each(|relay| relay.delay(round_trip / 2));
    }

    pub async fn try_start(&self, index: usize) -> Result<ControlNode, ControlError> {
        let channels = (0..REGIONS.len()).filter(|to| *to != index).map(|to| {
            let uri = format!("http://{}", self.relays[&(index, to)].address);
            (region(to), Endpoint::from_shared(uri).unwrap().connect_lazy())
        });
        let ids = AtomicU64::new(0);
        let ports = ControlPorts {
            store: Arc::clone(&self.stores[index]) as _,
            dialer: Arc::new(Dialer(channels.collect())),
            observer: Arc::clone(&self.observers[index]) as _,
            local: Arc::new(Replicas(region(index))),
            clock: Arc::new(FixedClock),
            draw_proposal_id: Arc::new(move || proposal_id(index as u64, ids.fetch_add(1, Ordering::Relaxed))),
        };
        ControlNode::start(self.config(index), ports).await
    }

    pub async fn start_node(&mut self, index: usize) {
        self.observers[index] = Arc::default();
        let node = self.try_start(index).await.unwrap();
        let (mut inbound, mut servers) = (BTreeMap::new(), JoinSet::new());
        for from in (0..REGIONS.len()).filter(|from| *from != index) {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let caller = PeerRegion(region(from));
            let service = InterceptedService::new(node.peer_server(), move |mut request: Request<()>| {
                request.extensions_mut().insert(caller.clone());
                Ok::<_, Status>(request)
            });
            let serving = Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
            servers.spawn(async move {
                serving.await.unwrap();
            });
            inbound.insert(from, address);
            self.relays[&(from, index)].set(Link::Open(address));
        }
        self.nodes[index] = Some(Running { node, inbound, _servers: servers });
    }

    /// Ends a node without a word to the others; what its store has not made durable is lost.
    pub async fn kill(&mut self, index: usize) {
        let running = self.nodes[index].take().unwrap();
        for (&(_, to), relay) in &self.relays {
            if to == index {
                relay.set(Link::Down);
            }
        }
        self.stores[index] = Arc::new(self.stores[index].crash());
        running.node.shutdown().await;
    }

    /// Cuts a node off: connections stay open, and nothing arrives in either direction.
    pub fn isolate(&self, index: usize) {
        for (&(from, to), relay) in &self.relays {
            if from == index || to == index {
                relay.set(Link::BlackHole);
            }
        }
    }

    /// Opens every link between running nodes.
    pub fn heal(&self) {
        for (&(from, to), relay) in &self.relays {
            if let Some(running) = &self.nodes[to] {
                relay.set(Link::Open(running.inbound[&from]));
            }
        }
    }

    pub fn node(&self, index: usize) -> &ControlNode {
        &self.nodes[index].as_ref().unwrap().node
    }

    /// A client that calls node `to` as node `from` would.
    pub fn client_as(&self, from: usize, to: usize) -> PeerClient<Channel> {
        let address = self.nodes[to].as_ref().unwrap().inbound[&from];
        PeerClient::new(Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy())
    }

    /// Waits until exactly one of these nodes leads and the others of them follow it.
    pub async fn leader_among(&self, indices: &[usize]) -> usize {
        let agreed = || {
            let statuses: Vec<_> = indices.iter().map(|index| (*index, self.node(*index).status())).collect();
            let leaders: Vec<_> = statuses.iter().filter(|(_, status)| status.role == ControlRole::Leader).collect();
            let [(leader, _)] = leaders[..] else { return None };
            let agree = statuses.iter().all(|(_, status)| status.leader == Some(region(*leader)));
            // A deposed leader that cannot be reached is not among them; one whose lease has run out does not count.
            agree.then_some(*leader)
        };
        eventually("a leader", agreed).await
    }

    pub async fn register(&self, index: usize, key: u8) {
        let outcome = self.node(index).propose(register(key)).await;
        assert_eq!(outcome, Ok(kms_core::control::ControlOutcome::Done), "proposed in {}", region(index));
    }

    /// Waits until these nodes have applied the same state, and returns it.
    pub async fn same_state(&self, indices: &[usize]) -> Arc<ControlState> {
        eventually("the same state", || {
            let states: Vec<_> = indices.iter().map(|index| self.node(*index).state()).collect();
            states.windows(2).all(|pair| pair[0] == pair[1]).then(|| Arc::clone(&states[0]))
        })
        .await
    }
}

/// Polls a condition until it holds.
pub async fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    loop {
        ticks.tick().await;
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < until, "{what}: not within {PATIENCE:?}");
    }
}

pub fn proposal_id(node: u64, number: u64) -> ProposalId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&node.to_be_bytes());
    id[8..].copy_from_slice(&number.to_be_bytes());
    // A node that restarts in the same test must not repeat itself.
    static RUNS: AtomicU64 = AtomicU64::new(0);
    id[..6].copy_from_slice(&RUNS.fetch_add(1, Ordering::Relaxed).to_be_bytes()[2..]);
    ProposalId(id)
}

pub fn register(key: u8) -> ControlBody {
    ControlBody::RegisterRegion(RegisterRegion {
        sealing_public_key: vec![key; 32],
        role: RegionRole::Full,
        signing_public_key: Vec::new(),
    })
}

pub fn create_key(index: usize, number: u8) -> ControlBody {
    ControlBody::CreateKeySet(CreateKeySet {
        key_id: KeyId::multi_region([number; 16]),
        account: AccountId::parse("111122223333").unwrap(),
        spec: KeySpec::SymmetricDefault,
        usage: KeyUsage::EncryptDecrypt,
        origin: Origin::AwsKms,
        first: Some((
            KeyMaterialId::from_bytes([number; 32]),
            SealedBox { source: region(index), bytes: vec![number; 64] },
        )),
        initial: InitialProperties::default(),
    })
}

#[derive(Debug)]
struct Dialer(BTreeMap<RegionName, Channel>);

impl PeerDialer for Dialer {
    fn channel(&self, region: &RegionName) -> Channel {
        self.0[region].clone()
    }
}

/// Says that it holds every key, with its Region's name as evidence.
#[derive(Debug)]
struct Replicas(RegionName);

impl LocalReplicas for Replicas {
    fn report(&self, _key_id: &KeyId) -> ReplicaReport {
        let materials = vec![material_of(&self.0)];
        ReplicaReport {
            state: Some(KeyState::Enabled),
            materials,
            applied_index: 0,
            room: None,
            access: Some(access()),
        }
    }
}

/// What every Region says of who may do what to its replica.
pub fn access() -> ReplicaAccess {
    ReplicaAccess {
        policy: "{}".to_owned(),
        tags: [("team".to_owned(), "blue".to_owned())].into(),
        aliases: vec![AliasName::parse("alias/app").unwrap()],
    }
}

pub fn material_of(region: &RegionName) -> KeyMaterialId {
    let mut bytes = [0; 32];
    bytes[..region.as_str().len()].copy_from_slice(region.as_str().as_bytes());
    KeyMaterialId::from_bytes(bytes)
}

#[derive(Debug)]
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000)
    }
}

/// Folds what it is told into a state of its own, and notes how often the whole state was replaced.
#[derive(Debug, Default)]
pub struct Recorder {
    seen: Mutex<Seen>,
}

#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub state: ControlState,
    pub index: u64,
    pub replaced: u64,
}

impl Recorder {
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl ControlObserver for Recorder {
    fn applied(&self, index: u64, changes: &[ControlChange], _effects: &[ControlEffect]) {
        let mut seen = self.seen.lock().unwrap();
        assert!(index == seen.index + 1 || index == 0, "told of {index} after {}", seen.index);
        seen.index = index;
        for change in changes {
            seen.state.absorb(change);
        }
    }

    fn replaced(&self, index: u64, state: &ControlState) {
        let mut seen = self.seen.lock().unwrap();
        seen.index = index;
        seen.state = state.clone();
        seen.replaced += 1;
    }
}
