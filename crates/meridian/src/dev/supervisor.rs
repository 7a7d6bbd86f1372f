//! The node processes of a development cluster: started, signalled, watched, ended.

use super::control::RegionStatus;
use super::data_dir::DataDir;
use super::ports::RegionPorts;
use crate::cli::output;
use anyhow::{Context as _, bail};
use kms_types::RegionName;
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal};
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// A Region as the supervisor is told to run it.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) region: RegionName,
    pub(super) config: PathBuf,
    pub(super) ports: RegionPorts,
}

/// What others see of a Region's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProcessState {
    /// Alive.
    Running,
    /// Stopped by SIGSTOP.
    Paused,
    /// Ended on request.
    Killed,
    /// Ended by itself.
    Died,
}

/// Owner of all node processes. Lives in the main task: a node is killed when the thread that started it ends.
#[derive(Debug)]
pub(super) struct Supervisor {
    program: PathBuf,
    nodes: Vec<Node>,
    exits: JoinSet<(usize, io::Result<ExitStatus>)>,
    states: watch::Sender<Vec<ProcessState>>,
}

#[derive(Debug)]
struct Node {
    plan: Plan,
    state: ProcessState,
    /// The process until it has been reaped. A descriptor, because a number may be given to another process.
    process: Option<(Pid, OwnedFd)>,
}

/// Time for a node to end in good order before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(6);
/// Time for the system to end a killed process.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

impl Supervisor {
    /// A supervisor with nothing started.
    ///
    /// # Errors
    /// Fails when this process's own program file is not known.
    pub(super) fn new(plans: Vec<Plan>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let node = |plan| Node { plan, state: ProcessState::Killed, process: None };
        let nodes: Vec<Node> = plans.into_iter().map(node).collect();
        let states = watch::Sender::new(nodes.iter().map(|node| node.state).collect());
        Ok(Self { program, nodes, exits: JoinSet::new(), states })
    }

    /// The Regions' states, in order.
    pub(super) fn watch(&self) -> watch::Receiver<Vec<ProcessState>> {
        self.states.subscribe()
    }

    /// Starts every node.
    ///
    /// # Errors
    /// Fails when a process cannot be started.
    pub(super) fn start_all(&mut self, data: &DataDir) -> anyhow::Result<()> {
        (0..self.nodes.len()).try_for_each(|index| self.start(index, data))
    }

    fn start(&mut self, index: usize, data: &DataDir) -> anyhow::Result<()> {
        let node = self.nodes.get_mut(index).context("no such node")?;
        let log = data.open_log(&node.plan.region)?;
        let child = Command::new(&self.program)
            .arg("node")
            .arg("--config")
            .arg(&node.plan.config)
            .arg("--parent-pid")
            .arg(std::process::id().to_string())
            // A group of its own: Ctrl-C at the terminal reaches the supervisor only, which then ends the nodes.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start the node of {}", node.plan.region))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let pid = pid.context("a node ended at once")?;
        // Not reaped yet, so the number is still this child's.
        let descriptor = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        node.process = Some((pid, descriptor));
        self.exits.spawn(wait(index, child));
        self.set_state(index, ProcessState::Running);
        Ok(())
    }

    /// Waits until a process has ended, and reports it if nobody asked for that. Never returns when none is alive.
    pub(super) async fn reap(&mut self) {
        let Some(ended) = self.exits.join_next().await else { return std::future::pending().await };
        let Ok((index, status)) = ended else { return };
        let Some(node) = self.nodes.get_mut(index) else { return };
        node.process = None;
        if node.state == ProcessState::Killed {
            return;
        }
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        let log = node.plan.config.with_file_name("node.log");
        output::note(format_args!(
            "Region {} ended by itself ({how}); see {} - `meridian chaos restart {}` starts it again",
            node.plan.region,
            log.display(),
            node.plan.region,
        ));
        self.set_state(index, ProcessState::Died);
    }

    /// The Regions that have ended by themselves.
    pub(super) fn died(&self) -> Vec<RegionName> {
        let died = self.nodes.iter().filter(|node| node.state == ProcessState::Died);
        died.map(|node| node.plan.region.clone()).collect()
    }

    /// Ends a Region's process at once, as `kill -9`.
    ///
    /// # Errors
    /// Fails for an unknown Region and for one that is not alive.
    pub(super) async fn kill(&mut self, region: &str) -> anyhow::Result<()> {
        let index = self.alive(region)?;
        self.set_state(index, ProcessState::Killed);
        self.signal(index, Signal::KILL)?;
        self.reaped(index, KILL_TIMEOUT).await
    }

    /// Stops a Region's process from running, as a machine that hangs.
    ///
    /// # Errors
    /// Fails for an unknown Region and for one that is not running.
    pub(super) fn pause(&mut self, region: &str) -> anyhow::Result<()> {
        let index = self.alive(region)?;
        if self.state(index) == Some(ProcessState::Paused) {
            bail!("Region {region} is paused already");
        }
        self.signal(index, Signal::STOP)?;
        self.set_state(index, ProcessState::Paused);
        Ok(())
    }

    /// Lets a paused process run again.
    ///
    /// # Errors
    /// Fails for an unknown Region and for one that is not paused.
    pub(super) fn resume(&mut self, region: &str) -> anyhow::Result<()> {
        let index = self.alive(region)?;
        if self.state(index) != Some(ProcessState::Paused) {
            bail!("Region {region} is not paused");
        }
        self.signal(index, Signal::CONT)?;
        self.set_state(index, ProcessState::Running);
        Ok(())
    }

    /// Starts a Region's process again; one that is alive is ended in good order first. Returns its operations address.
    ///
    /// # Errors
    /// Fails for an unknown Region and when the process cannot be ended or started.
    pub(super) async fn restart(&mut self, region: &str, data: &DataDir) -> anyhow::Result<std::net::SocketAddr> {
        let index = self.index(region)?;
        self.stop(index, Instant::now() + STOP_TIMEOUT).await?;
        self.start(index, data)?;
        Ok(self.nodes.get(index).context("no such node")?.plan.ports.ops)
    }

    /// Ends all processes: in good order within the deadline, then at once. Leaves none behind.
    pub(super) async fn stop_all(&mut self) {
        let deadline = Instant::now() + STOP_TIMEOUT;
        for index in 0..self.nodes.len() {
            self.ask_to_end(index);
        }
        for index in 0..self.nodes.len() {
            if let Err(error) = self.stop(index, deadline).await {
                tracing::warn!(%error, "a node could not be ended");
            }
        }
    }

    /// What is known of every Region.
    pub(super) fn status(&self) -> Vec<RegionStatus> {
        let status = |node: &Node| RegionStatus {
            region: node.plan.region.to_string(),
            state: node.state.word().to_owned(),
            pid: node.process.as_ref().map(|(pid, _)| pid.as_raw_nonzero().get()),
            api: node.plan.ports.api.to_string(),
            grpc: node.plan.ports.grpc.to_string(),
            ops: node.plan.ports.ops.to_string(),
        };
        self.nodes.iter().map(status).collect()
    }

    /// Ends one process: asks, waits until `deadline`, then kills.
    async fn stop(&mut self, index: usize, deadline: Instant) -> anyhow::Result<()> {
        if self.nodes.get(index).is_none_or(|node| node.process.is_none()) {
            return Ok(());
        }
        self.ask_to_end(index);
        let left = deadline.saturating_duration_since(Instant::now());
        if self.reaped(index, left).await.is_ok() {
            return Ok(());
        }
        self.signal(index, Signal::KILL)?;
        self.reaped(index, KILL_TIMEOUT).await
    }

    fn ask_to_end(&mut self, index: usize) {
        self.set_state(index, ProcessState::Killed);
        // A paused process gets its signals when it goes on. Errors mean that it has ended, which is what we want.
        drop(self.signal(index, Signal::TERM));
        drop(self.signal(index, Signal::CONT));
    }

    async fn reaped(&mut self, index: usize, timeout: Duration) -> anyhow::Result<()> {
        let waiting = async {
            while self.nodes.get(index).is_some_and(|node| node.process.is_some()) {
                self.reap().await;
            }
        };
        tokio::time::timeout(timeout, waiting).await.context("the process did not end in time")
    }

    fn signal(&self, index: usize, signal: Signal) -> anyhow::Result<()> {
        let process = self.nodes.get(index).and_then(|node| node.process.as_ref());
        let (_, descriptor) = process.context("the process has ended")?;
        Ok(rustix::process::pidfd_send_signal(descriptor, signal)?)
    }

    fn index(&self, region: &str) -> anyhow::Result<usize> {
        let found = self.nodes.iter().position(|node| node.plan.region.as_str() == region);
        found.with_context(|| {
            let known: Vec<&str> = self.nodes.iter().map(|node| node.plan.region.as_str()).collect();
            format!("there is no Region {region}; the cluster has {}", known.join(", "))
        })
    }

    fn alive(&self, region: &str) -> anyhow::Result<usize> {
        let index = self.index(region)?;
        match self.state(index) {
            Some(ProcessState::Running | ProcessState::Paused) => Ok(index),
            Some(ProcessState::Killed | ProcessState::Died) | None => {
                bail!("Region {region} is dead already; `meridian chaos restart {region}` starts it again")
            }
        }
    }

    fn state(&self, index: usize) -> Option<ProcessState> {
        self.nodes.get(index).map(|node| node.state)
    }

    fn set_state(&mut self, index: usize, state: ProcessState) {
        if let Some(node) = self.nodes.get_mut(index) {
            node.state = state;
        }
        self.states.send_replace(self.nodes.iter().map(|node| node.state).collect());
    }
}

impl ProcessState {
    const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Killed => "killed",
            Self::Died => "died",
        }
    }
}

async fn wait(index: usize, mut child: Child) -> (usize, io::Result<ExitStatus>) {
    (index, child.wait().await)
}
