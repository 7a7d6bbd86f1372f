//! One Region's node: builds every part in order and runs until shutdown.

mod api;
mod audit;
mod catch_up;
mod checkpoints;
mod events;
mod faults;
mod hierarchy;
mod identities;
mod kek_rotation;
mod last_uses;
mod local_replicas;
mod metrics;
mod ops;
mod peer_dialer;
mod reconciler;
mod regional_writer;
mod schedules;
mod store_trouble;
mod system;
mod traces;
mod unacknowledged;
mod watched_store;
mod workers;

use crate::config::{NodeConfig, Role};
use crate::signatures::RegionSigner;
use crate::{grpc, tls};
pub(crate) use audit::RegionAudit;
pub(crate) use audit::state_name as audit_state_name;
use catch_up::CaughtUp;
use checkpoints::Checkpoints;
use events::{Events, RecordedTo};
use faults::Faults;
use kek_rotation::{KekRotation, KekRotationParts};
use kms_control::{ControlConfig, ControlNode, ControlRole, Member};
use kms_core::control::{ProposalId, RegionRole};
use kms_service::{AttestationVerifier, Directory, Keyring, Ports, Service, ServiceConfig};
use kms_store::Store;
use reconciler::{Agenda, Observer};
use regional_writer::RegionalWriter;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store_trouble::StoreTrouble;
use system::{SystemClock, SystemEntropy};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
pub(crate) use traces::RequestSpan;
use traces::{TracedLog, Traces};
use unacknowledged::Unacknowledged;
use workers::WorkerThreads;

/// The running parts that listeners and operators ask.
#[derive(Debug)]
pub(crate) struct Handles {
    pub(crate) cluster_id: String,
    pub(crate) node_id: u64,
    pub(crate) started: Instant,
    pub(crate) service: Arc<Service>,
    pub(crate) control: ControlNode,
    pub(crate) agenda: Arc<Agenda>,
    pub(crate) clock: Arc<dyn kms_service::Clock>,
    /// This Region's line in the directory.
    pub(crate) registration: schedules::Registration,
    /// Signs in the name of this Region.
    pub(crate) signer: Arc<RegionSigner>,
    /// The audit log.
    pub(crate) audit: Arc<RegionAudit>,
    /// The Region KEKs.
    pub(crate) keks: Arc<KekRotation>,
    /// The directory of principals.
    pub(crate) identity: Arc<identities::IdentityDesk>,
    /// Whether the control log has been looked at since the start.
    pub(crate) caught_up: CaughtUp,
    /// Spans of requests; absent when traces are off.
    pub(crate) traces: Option<Arc<Traces>>,
    /// What is wrong with the store.
    pub(crate) store_trouble: Arc<StoreTrouble>,
    /// Changes that some Region may not have applied yet.
    pub(crate) unacknowledged: Arc<Unacknowledged>,
    /// When the certificates that the node uses end.
    pub(crate) certificates: Vec<tls::CertificateEnd>,
    /// Counters of gRPC calls.
    pub(crate) calls: grpc::CallMetrics,
}

impl Handles {
    /// Whether this node holds keys, or only votes.
    pub(crate) fn is_witness(&self) -> bool {
        self.registration.sealing_public_key.is_empty()
    }

    /// What a ready Region says of itself: it serves the principals of its file even when the lease on the directory is over.
    pub(crate) fn ready_text(&self) -> &'static str {
        if self.is_witness() || self.identity.identities.lease().holds() {
            return "ready\n";
        }
        "ready, but users of the directory are refused: it was not confirmed with a majority of Regions within the lease\n"
    }

    /// Why the Region should not get requests yet; `None` when it is ready.
    pub(crate) fn not_ready(&self) -> Option<&'static str> {
        if self.control.status().role == ControlRole::Stopped {
            return Some("the control log of this Region has stopped");
        }
        if !self.registration.is_done(&self.control) {
            return Some("this Region is not in the cluster's directory yet: it waits for a majority of Regions");
        }
        if let Some(reason) = self.audit.refusal() {
            return Some(reason);
        }
        if !self.caught_up.is_done() {
            return Some("this Region catches up with the control log");
        }
        None
    }
}

/// A Region that starts waits this many of its longest election timeouts for a leader before it is ready without one.
const CATCH_UP_ELECTIONS: u32 = 3;

/// Runs a node until `shutdown` is cancelled or a part fails for good.
///
/// # Errors
/// Fails when a part cannot start, or when storage or control log have stopped: the process must end then, so that
/// nothing is answered from a state that may not be durable.
pub(crate) async fn run(config: NodeConfig, shutdown: CancellationToken) -> anyhow::Result<()> {
    let started = Instant::now();
    let prometheus = metrics::install()?;
    // Listeners first: an address in use is told before anything is written.
    let api_listener = bind("api_listen", config.api_listen).await?;
    let grpc_listener = bind("grpc_listen", config.grpc_listen).await?;
    let ops_listener = bind("ops_listen", config.ops_listen).await?;
    let failed = CancellationToken::new();
    let parts = build(&config, started, &failed).await?;
    let handles = Arc::new(parts.handles);

    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(reconciler::run(Arc::clone(&handles.service), Arc::clone(&handles.agenda), stop.clone()));
    tasks.spawn(schedules::run(Arc::clone(&handles.service), stop.clone()));
    tasks.spawn(Arc::clone(&handles.keks).run(stop.clone()));
    tasks.spawn(last_uses::run(Arc::clone(&handles.service), stop.clone()));
    tasks.spawn(schedules::register(handles.control.clone(), handles.registration.clone(), stop.clone()));
    let audit_directory = audit::directory(&config.data_dir);
    let recorded_to = RecordedTo::default();
    let checkpoints =
        Checkpoints::new(Arc::clone(&handles), audit_directory, config.audit.checkpoint_interval, recorded_to.clone());
    tasks.spawn(checkpoints.run(stop.clone()));
    let events = Events::new(Arc::clone(&handles), Arc::clone(&parts.store), &config.data_dir, recorded_to)?;
    tasks.spawn(events.run(stop.clone()));
    tasks.spawn(Faults::new(Arc::clone(&handles)).run(stop.clone()));
    tasks.spawn(Arc::clone(&handles.store_trouble).run(Arc::clone(&handles), stop.clone()));
    if parts.role == Role::Region {
        let identities = Arc::clone(&handles.identity.identities);
        tasks.spawn(identities::confirm(handles.control.clone(), identities, stop.clone()));
        tasks.spawn(identities::keep_secrets(Arc::clone(&handles.service), stop.clone()));
    }
    let (catching_up, patience) = (Arc::clone(&handles), config.raft.election_timeout_max * CATCH_UP_ELECTIONS);
    let stopped = stop.clone();
    tasks.spawn(async move { catching_up.caught_up.run(&catching_up.control, patience, &stopped).await });
    tasks.spawn(ops::serve(ops_listener, Arc::clone(&handles), prometheus, stop.clone()));
    // A witness votes and nothing else: nobody can make or use keys in it.
    if parts.role == Role::Region {
        serve_api(&mut tasks, &config, api_listener, &parts.api, &stop)?;
    }
    let server = grpc::Server::new(&config, Arc::clone(&handles), parts.principals, &parts.credentials)?;
    tasks.spawn(server.serve(grpc_listener, stop.clone()));
    tracing::info!(region = %config.region, elapsed_ms = millis(started.elapsed()), "node started");

    let outcome = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        () = failed.cancelled() => Err(anyhow::anyhow!("the store of this Region has failed; see the log")),
        error = handles.control.stopped() => Err(error.into()),
    };
    // While records can still be written: the node may end for this.
    handles.store_trouble.record(&handles).await;
    tracing::info!(region = %config.region, "node stops");
    stop.cancel();
    let finished = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(config.limits.shutdown_grace + Duration::from_secs(1), finished).await.is_err() {
        tracing::warn!("some tasks did not end in time");
    }
    // After the last request.
    last_uses::save(&handles.service).await;
    handles.control.shutdown().await;
    if let Some(traces) = handles.traces.clone() {
        tokio::task::spawn_blocking(move || traces.stop()).await?;
    }
    outcome
}

struct Parts {
    store: Arc<dyn Store>,
    role: Role,
    handles: Handles,
    api: Arc<api::Front>,
    principals: Vec<crate::config::Principal>,
    credentials: tls::Credentials,
}

fn serve_api(
    tasks: &mut JoinSet<()>,
    config: &NodeConfig,
    listener: TcpListener,
    api: &Arc<api::Front>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let tls = config.api_tls.as_ref().map(tls::api_server_config).transpose()?;
    let acceptor = tls.map(tokio_rustls::TlsAcceptor::from);
    tasks.spawn(api::serve(listener, acceptor, Arc::clone(api), config.limits, stop.clone()));
    Ok(())
}

/// Builds the parts in the order in which they need each other.
async fn build(config: &NodeConfig, started: Instant, failed: &CancellationToken) -> anyhow::Result<Parts> {
    let clock: Arc<dyn kms_service::Clock> = Arc::new(SystemClock::default());
    let entropy: Arc<dyn kms_crypto::Entropy> = Arc::new(SystemEntropy);
    let credentials = tls::Credentials::load(&config.tls)?;
    let principals = crate::config::load_principals(&config.principals_file)?;

    let store_trouble = Arc::new(StoreTrouble::new(&audit::directory(&config.data_dir)));
    let store = store_trouble.open(&config.data_dir)?;
    let hierarchy = hierarchy::open(config, store.as_ref(), entropy.as_ref())?;
    let own = config.peers.iter().find(|peer| peer.node_id == config.node_id);
    let role = own.map_or(Role::Region, |peer| peer.role);
    let signer = Arc::new(RegionSigner::new(Arc::clone(&hierarchy.signing)));
    let registration = registration(config, role, &hierarchy, &signer);

    let directory = Arc::new(Directory::new(config.region.clone()));
    let agenda = Arc::new(Agenda::default());
    let RegionalParts { regional, keyring, keks } = start_regional(
        config,
        hierarchy,
        (Arc::clone(&store), Arc::clone(&clock), Arc::clone(&entropy)),
        (&directory, &agenda),
        failed,
    )?;
    let lease = Arc::new(kms_service::Lease::new(config.identity_lease, Arc::clone(&clock)));
    let known = aws_principals(&principals)?;
    let identity = Arc::new(identities::IdentityDesk::new(&directory, &keyring, lease, known));
    let unacknowledged = Arc::new(Unacknowledged::new(Arc::clone(&clock)));
    let observer =
        Observer::new(Arc::clone(&directory), Arc::clone(&agenda), Arc::clone(&identity), Arc::clone(&unacknowledged));
    let observer = Arc::new(observer);
    let control = start_control(config, &store, &credentials, &directory, observer, &clock).await?;
    agenda.add(reconciler::all_multi_region_keys(&directory));
    // Before anything is served: what cannot be recorded is not done.
    let known = checkpoints::known_heads(&control.state(), &config.region);
    let audit = Arc::new(RegionAudit::open(config, &signer, &clock, known)?);
    let traces = config.telemetry.as_ref().map(|to| Traces::start(to, &config.region, &config.cluster_id));
    let traces = traces.transpose()?.map(Arc::new);
    let ports = Ports {
        control: proposals(&control, traces.as_ref()),
        regional,
        peers: Arc::new(control.clone()),
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
        workers: Arc::new(WorkerThreads::start()?),
    };
    let service = Arc::new(Service::new(settings(config, store.as_ref(), clock.as_ref())?, directory, keyring, ports));
    let api = make_api(&service, &identity, Arc::clone(&clock), &audit);
    let api = Arc::new(api::Front { api, metrics: metrics::RequestMetrics::new(), traces: traces.clone() });
    let handles = Handles {
        cluster_id: config.cluster_id.clone(),
        node_id: config.node_id,
        started,
        service,
        control,
        agenda,
        clock,
        registration,
        signer,
        audit,
        keks,
        identity,
        caught_up: CaughtUp::default(),
        traces,
        store_trouble,
        unacknowledged,
        certificates: tls::certificate_ends(&credentials, config.api_tls.as_ref())?,
        calls: grpc::CallMetrics::new(),
    };
    Ok(Parts { store, role, handles, api, principals, credentials })
}

/// The control log as the service proposes to it, traced when traces are on.
fn proposals(control: &ControlNode, traces: Option<&Arc<Traces>>) -> Arc<dyn kms_service::ControlLog> {
    let log: Arc<dyn kms_service::ControlLog> = Arc::new(control.clone());
    match traces {
        Some(traces) => Arc::new(TracedLog::new(log, Arc::clone(traces))),
        None => log,
    }
}

/// This Region's line in the directory.
fn registration(
    config: &NodeConfig,
    role: Role,
    hierarchy: &hierarchy::Hierarchy,
    signer: &RegionSigner,
) -> schedules::Registration {
    schedules::Registration {
        region: config.region.clone(),
        // A witness names no sealing key, so that nothing can be sealed to it.
        sealing_public_key: match role {
            Role::Region => hierarchy.sealing.public().as_bytes().to_vec(),
            Role::Witness => Vec::new(),
        },
        signing_public_key: signer.public().as_bytes().to_vec(),
    }
}

/// The settings of the service.
fn settings(config: &NodeConfig, store: &dyn Store, clock: &dyn kms_service::Clock) -> anyhow::Result<ServiceConfig> {
    let mut settings = ServiceConfig::new(config.region.clone());
    settings.day_length = config.day_length;
    settings.quotas = config.quotas;
    settings.key_series = config.key_series;
    settings.uses_tracked_since = last_uses::tracked_since(store, clock)?;
    let roots = crate::config::load_attestation_roots(&config.attestation_roots)?;
    settings.attestation = Arc::new(AttestationVerifier::new(roots));
    Ok(settings)
}

/// The regional log and what works on this Region's store.
struct RegionalParts {
    regional: Arc<RegionalWriter>,
    keyring: Arc<Keyring>,
    keks: Arc<KekRotation>,
}

/// Starts the regional log over this Region's own keys.
fn start_regional(
    config: &NodeConfig,
    hierarchy: hierarchy::Hierarchy,
    sources: (Arc<dyn Store>, Arc<dyn kms_service::Clock>, Arc<dyn kms_crypto::Entropy>),
    published: (&Arc<Directory>, &Arc<Agenda>),
    failed: &CancellationToken,
) -> anyhow::Result<RegionalParts> {
    let (store, clock, entropy) = sources;
    let (directory, agenda) = published;
    let regional = RegionalWriter::start(
        Arc::clone(&store),
        Arc::clone(directory),
        Arc::clone(&clock),
        Arc::clone(agenda),
        failed.clone(),
    )?;
    let keyring = Arc::new(Keyring::new(
        (config.cluster_id.clone(), config.region.clone()),
        hierarchy.keks,
        hierarchy.sealing,
        Arc::clone(&entropy),
        Arc::clone(&regional) as Arc<dyn kms_service::RegionalLog>,
        config.limits.material_cache_entries,
    ));
    regional.attach(Arc::clone(&keyring));
    let keks = Arc::new(KekRotation::new(
        config.clone(),
        KekRotationParts {
            store: Arc::clone(&store),
            files: hierarchy.files,
            entropy: Arc::clone(&entropy),
            clock: Arc::clone(&clock),
            keyring: Arc::clone(&keyring),
            regional: Arc::clone(&regional),
        },
    ));
    Ok(RegionalParts { regional, keyring, keks })
}

/// Starts this Region's node of the control log and publishes its state.
async fn start_control(
    config: &NodeConfig,
    store: &Arc<dyn Store>,
    credentials: &tls::Credentials,
    directory: &Arc<Directory>,
    observer: Arc<Observer>,
    clock: &Arc<dyn kms_service::Clock>,
) -> anyhow::Result<ControlNode> {
    let role = |role| match role {
        Role::Region => RegionRole::Full,
        Role::Witness => RegionRole::Witness,
    };
    let member = |peer: &crate::config::Peer| Member {
        node_id: peer.node_id,
        region: peer.region.clone(),
        address: peer.address.clone(),
        role: role(peer.role),
    };
    let members = config.peers.iter().map(member).collect();
    let mut settings =
        ControlConfig::new(config.cluster_id.clone(), config.region.clone(), config.node_id, members, config.bootstrap);
    settings.heartbeat_ms = millis(config.raft.heartbeat);
    settings.election_min_ms = millis(config.raft.election_timeout_min);
    settings.election_max_ms = millis(config.raft.election_timeout_max);
    settings.snapshot_log_entries = config.raft.snapshot_log_entries;
    let dialer = Arc::new(peer_dialer::TlsDialer::new(config, credentials)?);
    let keys_per_account = config.quotas.keys_per_account;
    let local = Arc::new(local_replicas::LocalReplicas { directory: Arc::clone(directory), keys_per_account });
    let node = ControlNode::start(
        settings,
        kms_control::ControlPorts {
            store: Arc::clone(store),
            dialer,
            observer,
            local,
            clock: Arc::clone(clock),
            draw_proposal_id: Arc::new(|| ProposalId(*uuid::Uuid::new_v4().as_bytes())),
        },
    )
    .await?;
    Ok(node)
}

/// The principals of the file.
fn aws_principals(principals: &[crate::config::Principal]) -> anyhow::Result<kms_aws::Principals> {
    let principals = principals.iter().map(|principal| kms_aws::Principal {
        access_key: principal.access_key.clone(),
        secret: kms_aws::SecretKey::new(principal.secret_key.expose().to_owned()),
        identity: Arc::new(principal.identity(Some(&principal.access_key))),
    });
    Ok(kms_aws::Principals::new(principals)?)
}

fn make_api(
    service: &Arc<Service>,
    identity: &identities::IdentityDesk,
    clock: Arc<dyn kms_service::Clock>,
    audit: &Arc<RegionAudit>,
) -> kms_aws::Api {
    let request_ids: kms_aws::RequestIds = Arc::new(|| *uuid::Uuid::new_v4().as_bytes());
    let audit = Arc::clone(audit) as Arc<dyn kms_service::AuditSink>;
    kms_aws::Api::new(Arc::clone(service), Arc::clone(&identity.principals), clock, request_ids, audit)
}

async fn bind(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = format!("{setting} {address} cannot be listened on: {error}");
        crate::cli::Failure::unavailable(message).into()
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
