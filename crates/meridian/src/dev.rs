//! `meridian dev`: a whole cluster on this machine. One process per Region, a front door, and links that can fail.
//!
//! This process owns everything: node processes, relays between them, control socket and front door. When it ends, by
//! whatever cause, nothing of the cluster is left running.

mod banner;
pub(crate) mod control;
mod data_dir;
mod front_door;
mod links;
pub(crate) mod ports;
mod ready;
mod relay;
pub(crate) mod runtime_file;
mod scope;
mod supervisor;

#[cfg(test)]
mod tests;

use crate::cli::{Failure, output};
use crate::config::{NodeTemplate, Role, load_attestation_roots, load_principals, raft_timing_ms};
use anyhow::Context as _;
use control::{Call, ControlReply, ControlRequest};
use data_dir::DataDir;
use kms_types::RegionName;
use links::Links;
use ports::{RegionPorts, Reservation};
use runtime_file::{RegionEndpoints, RuntimeFile};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use supervisor::{Plan, Supervisor};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a development cluster is started with.
#[derive(Clone, Debug)]
pub(crate) struct DevOptions {
    /// Directory to keep the cluster in; a temporary one when absent.
    pub(crate) data_dir: Option<PathBuf>,
    /// Base of all port numbers.
    pub(crate) base_port: u16,
    /// The Regions.
    pub(crate) regions: Vec<RegionName>,
    /// One-way latency between Regions in milliseconds.
    pub(crate) latency_ms: u64,
    /// Files of authorities whose attestation documents are believed beside AWS's.
    pub(crate) attestation_roots: Vec<PathBuf>,
    /// Length of a day as written, already checked.
    pub(crate) day_length: Option<String>,
    /// Lease on the directory of principals as written, already checked.
    pub(crate) identity_lease: Option<String>,
    /// Quotas that differ from AWS's defaults, by name.
    pub(crate) quotas: Vec<(&'static str, u64)>,
    /// Where traces go, already checked.
    pub(crate) otlp_endpoint: Option<String>,
    /// Principals file instead of the development credentials.
    pub(crate) principals: Option<PathBuf>,
}

/// Longest start of the whole cluster.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a restarted node.
const RESTART_TIMEOUT: Duration = Duration::from_secs(30);

/// Runs a development cluster until `shutdown`; `started` is when the command began.
///
/// # Errors
/// Fails with a sentence for people when the cluster cannot start. Nothing is left running in any case.
pub(crate) async fn run(options: DevOptions, shutdown: CancellationToken, started: Instant) -> anyhow::Result<()> {
    let data = DataDir::open(options.data_dir.as_deref(), &options.regions)?;
    let outcome = with_data(&options, &data, shutdown, started).await;
    let closed = data.close();
    outcome.and(closed)
}

async fn with_data(
    options: &DevOptions,
    data: &DataDir,
    shutdown: CancellationToken,
    started: Instant,
) -> anyhow::Result<()> {
    let regions = region_ports(options, data)?;
    let names: Vec<_> = regions.iter().map(|(region, ports)| (region.to_string(), *ports)).collect();
    let reservation = Reservation::take(options.base_port, &names)?;
    // Bound while all ports are held, so that no relay gets one of them.
    let targets: Vec<_> = regions.iter().map(|(region, ports)| (region.clone(), ports.grpc)).collect();
    let links = Links::start(&targets, Duration::from_millis(options.latency_ms)).await?;
    let principals = principals_file(options, data)?;
    let plans = write_configs(options, data, &regions, &links, &principals)?;
    runtime_file::prepare_directory()?;
    let _files = runtime_file::RemovedAtEnd::new(options.base_port);
    let (_socket, calls) = control::listen(&runtime_file::socket_path(options.base_port))?;
    let mut supervisor = Supervisor::new(plans)?;
    let apis = regions.iter().map(|(region, ports)| (region.clone(), ports.api)).collect();
    let _front_door = front_door::serve(reservation.into_front_door(), apis, supervisor.watch())?;
    let runtime = describe(options, data, &regions, principals);
    runtime_file::write(options.base_port, &runtime)?;

    let mut cluster = Cluster { data, links: &links, supervisor: &mut supervisor, calls, shutdown };
    let outcome = cluster.serve(&runtime, &regions, started).await;
    supervisor.stop_all().await;
    outcome
}

/// The parts of a running cluster that the main task owns.
struct Cluster<'a> {
    data: &'a DataDir,
    links: &'a Links,
    supervisor: &'a mut Supervisor,
    calls: mpsc::Receiver<Call>,
    shutdown: CancellationToken,
}

impl Cluster<'_> {
    async fn serve(
        &mut self,
        runtime: &RuntimeFile,
        regions: &[(RegionName, RegionPorts)],
        started: Instant,
    ) -> anyhow::Result<()> {
        self.supervisor.start_all(self.data)?;
        if !self.all_ready(regions).await? {
            return Ok(());
        }
        banner::print(runtime, started.elapsed())?;
        let mut restarts = JoinSet::new();
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => break,
                () = self.supervisor.reap() => {}
                Some(call) = self.calls.recv() => self.answer(call, &mut restarts).await,
                Some(_finished) = restarts.join_next() => {}
            }
        }
        output::note("Stopping all Regions.");
        Ok(())
    }

    /// Waits until every Region is ready; `false` when asked to stop before that.
    async fn all_ready(&mut self, regions: &[(RegionName, RegionPorts)]) -> anyhow::Result<bool> {
        let mut waiting = JoinSet::new();
        for (region, ports) in regions.iter().cloned() {
            waiting.spawn(async move { (region, ready::wait_ready(ports.ops, READY_TIMEOUT).await) });
        }
        while !waiting.is_empty() {
            tokio::select! {
                () = self.shutdown.cancelled() => return Ok(false),
                () = self.supervisor.reap() => {
                    if let Some(region) = self.supervisor.died().first() {
                        return Err(self.start_failure(region, "ended before it was ready"));
                    }
                }
                Some(ready) = waiting.join_next() => {
                    let (region, ready) = ready?;
                    if !ready {
                        return Err(self.start_failure(&region, "was not ready in time"));
                    }
                }
            }
        }
        Ok(true)
    }

    /// The end of the node's log is the reason; a temporary directory takes it away.
    fn start_failure(&self, region: &RegionName, what: &str) -> anyhow::Error {
        let log = std::fs::read_to_string(self.data.region_file(region, "node.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n  ");
        Failure::failed(format!("Region {region} {what}. The end of its log:\n  {tail}")).into()
    }

    async fn answer(&mut self, call: Call, restarts: &mut JoinSet<()>) {
        if let ControlRequest::Restart { region } = &call.request {
            match self.supervisor.restart(region, self.data).await {
                Ok(operations) => {
                    restarts.spawn(report_restart(region.clone(), operations, call.reply));
                }
                Err(error) => reply(call.reply, refused(&error)),
            }
            return;
        }
        let answer = self.act(call.request).await.unwrap_or_else(|error| refused(&error));
        reply(call.reply, answer);
    }

    async fn act(&mut self, request: ControlRequest) -> anyhow::Result<ControlReply> {
        let message = match request {
            ControlRequest::Kill { region } => {
                self.supervisor.kill(&region).await?;
                format!("Region {region} is dead (SIGKILL).")
            }
            ControlRequest::Pause { region } => {
                self.supervisor.pause(&region)?;
                format!("Region {region} is paused (SIGSTOP).")
            }
            ControlRequest::Resume { region } => {
                self.supervisor.resume(&region)?;
                format!("Region {region} runs again (SIGCONT).")
            }
            ControlRequest::Restart { region } => format!("Region {region} is not restarted here."),
            ControlRequest::Isolate { region } => {
                self.links.isolate(&region)?;
                format!("Region {region} is cut off from all other Regions.")
            }
            ControlRequest::Partition { groups } => {
                self.links.partition(&groups)?;
                let groups: Vec<String> = groups.iter().map(|group| group.join(",")).collect();
                format!("The groups {} cannot reach each other.", groups.join(" | "))
            }
            ControlRequest::Heal => {
                self.links.heal();
                "All links work.".to_owned()
            }
            ControlRequest::Latency { ms, between } => {
                self.links.set_latency(Duration::from_millis(ms), between.as_ref())?;
                let place = between.map_or("all Regions".to_owned(), |[left, right]| format!("{left} and {right}"));
                format!("Between {place}, each direction takes {ms} ms more.")
            }
            ControlRequest::Status => {
                let (regions, links) = (self.supervisor.status(), self.links.status());
                return Ok(ControlReply::Status { regions, links });
            }
        };
        Ok(ControlReply::Done { message })
    }
}

async fn report_restart(region: String, operations: SocketAddr, answer: oneshot::Sender<ControlReply>) {
    let message = if ready::wait_ready(operations, RESTART_TIMEOUT).await {
        ControlReply::Done { message: format!("Region {region} is ready.") }
    } else {
        ControlReply::Refused { message: format!("Region {region} was started but is not ready; see its node.log") }
    };
    reply(answer, message);
}

fn refused(error: &anyhow::Error) -> ControlReply {
    ControlReply::Refused { message: format!("{error:#}") }
}

/// The one who asked may have gone away; that is its own affair.
fn reply(to: oneshot::Sender<ControlReply>, answer: ControlReply) {
    drop(to.send(answer));
}

fn region_ports(options: &DevOptions, data: &DataDir) -> anyhow::Result<Vec<(RegionName, RegionPorts)>> {
    let ports = |(index, region): (usize, &RegionName)| {
        let ports = ports::region_ports(options.base_port, index)?;
        Some((region.clone(), ports))
    };
    let all: Option<Vec<_>> = data.regions().iter().enumerate().map(ports).collect();
    all.with_context(|| format!("there is no room for all ports above {}", options.base_port))
}

fn principals_file(options: &DevOptions, data: &DataDir) -> anyhow::Result<PathBuf> {
    let path = match &options.principals {
        Some(path) => std::path::absolute(path)?,
        None => data.file("principals.toml"),
    };
    load_principals(&path)?;
    Ok(path)
}

fn write_configs(
    options: &DevOptions,
    data: &DataDir,
    regions: &[(RegionName, RegionPorts)],
    links: &Links,
    principals: &std::path::Path,
) -> anyhow::Result<Vec<Plan>> {
    let mut plans = Vec::with_capacity(regions.len());
    let principals = text(principals)?;
    load_attestation_roots(&options.attestation_roots)?;
    let roots = options.attestation_roots.iter().map(|file| text(&std::path::absolute(file)?));
    let roots = roots.collect::<anyhow::Result<Vec<String>>>()?;
    for (node_id, (region, ports)) in (1_u64..).zip(regions) {
        // This node dials the others through its own relays, and itself directly.
        let peer = |(peer_id, (peer, at)): (u64, &(RegionName, RegionPorts))| {
            let address = links.address(region, peer).unwrap_or(at.grpc);
            (peer.clone(), peer_id, address.to_string(), Role::Region)
        };
        let peers: Vec<_> = (1_u64..).zip(regions).map(peer).collect();
        let config = data.write_node_config(&NodeTemplate {
            region,
            cluster_id: data.cluster_id(),
            node_id,
            bootstrap: node_id == 1,
            data_dir: "data",
            api_listen: ports.api,
            api_tls: None,
            grpc_listen: ports.grpc,
            ops_listen: ports.ops,
            tls: ["../ca/ca.pem", "node.pem", "node-key.pem"],
            root_key_file: "root.key",
            principals_file: &principals,
            attestation_roots: &roots,
            day_length: options.day_length.as_deref(),
            identity_lease: options.identity_lease.as_deref(),
            quotas: &options.quotas,
            checkpoint_interval: Some("2s"),
            otlp_endpoint: options.otlp_endpoint.as_deref(),
            raft_ms: raft_timing_ms(options.latency_ms),
            log_format: "text",
            peers: &peers,
        })?;
        plans.push(Plan { region: region.clone(), config, ports: *ports });
    }
    Ok(plans)
}

fn describe(
    options: &DevOptions,
    data: &DataDir,
    regions: &[(RegionName, RegionPorts)],
    principals_file: PathBuf,
) -> RuntimeFile {
    let endpoints = |(region, ports): &(RegionName, RegionPorts)| RegionEndpoints {
        region: region.to_string(),
        api: ports.api.to_string(),
        grpc: ports.grpc.to_string(),
        ops: ports.ops.to_string(),
    };
    RuntimeFile {
        format: runtime_file::FORMAT,
        pid: i32::try_from(std::process::id()).unwrap_or_default(),
        cluster_id: data.cluster_id().to_owned(),
        data_dir: data.path().to_owned(),
        control_socket: runtime_file::socket_path(options.base_port),
        front_door: format!("http://{}", ports::loopback(options.base_port)),
        ca: data.authority(),
        operator_cert: data.file("operator.pem"),
        operator_key: data.file("operator-key.pem"),
        principals_file,
        regions: regions.iter().map(endpoints).collect(),
    }
}

fn text(path: &std::path::Path) -> anyhow::Result<String> {
    let text = path.to_str().with_context(|| format!("{} is not a UTF-8 path", path.display()))?;
    Ok(text.to_owned())
}
