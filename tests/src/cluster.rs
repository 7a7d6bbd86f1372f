//! A development cluster of real processes, as `meridian dev` runs it, that never outlives the test.

use crate::aws::{self, Kms};
use crate::cli::{self, Answer};
use crate::random::say;
use crate::{binary, ports};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::File;
use std::io::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// First Region of the default cluster.
pub const US: &str = "us-east-1";
/// Second Region of the default cluster.
pub const EU: &str = "eu-west-1";
/// Third Region of the default cluster.
pub const AP: &str = "ap-southeast-1";
/// The Regions of the default cluster, in the order of their ports.
pub const REGIONS: [&str; 3] = [US, EU, AP];

/// Longest start on a machine that is busy with other tests.
pub(crate) const READY_DEADLINE: Duration = Duration::from_secs(60);
/// Longest end in good order.
pub(crate) const STOP_DEADLINE: Duration = Duration::from_secs(30);
/// Lines of each log that a failing test shows.
const TAIL_LINES: usize = 25;

/// Becomes the cluster's process, and leaves a watcher behind that kills it when the test is gone, however it went.
pub(crate) const GUARDIAN: &str = r#"
work=$1; shift
exec 3<&0 </dev/null
( read -r word <&3; [ "$word" = done ] || { kill -KILL $$; sleep 1; rm -rf "$work"; } ) >/dev/null 2>&1 &
exec "$@" 3<&-
"#;

/// How a cluster is started.
#[derive(Clone, Debug, Default)]
pub struct ClusterOptions {
    /// The Regions; the default three when empty.
    pub regions: Vec<String>,
    /// More arguments of `meridian dev`, such as `--day-length 1s`.
    pub arguments: Vec<String>,
    /// A `tar.gz` of the data directory to start on; a new one when absent.
    pub archive: Option<PathBuf>,
}

impl ClusterOptions {
    /// With more arguments for `meridian dev`.
    #[must_use]
    pub fn with(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { arguments, ..Self::default() }
    }
}

/// A running cluster, or one that was stopped and can start again. Killed and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    base: u16,
    work: PathBuf,
    options: ClusterOptions,
    process: Option<Child>,
    ready_ms: u64,
}

impl Cluster {
    /// Starts a cluster of the default Regions.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(ClusterOptions::default())
    }

    /// Starts a cluster and waits until it says that it is ready.
    ///
    /// # Panics
    /// When it does not within a minute, with what it printed.
    #[must_use]
    pub fn start_with(mut options: ClusterOptions) -> Self {
        if options.regions.is_empty() {
            options.regions = REGIONS.iter().map(|&region| region.to_owned()).collect();
        }
        let work = tempfile::Builder::new().prefix("meridian-test-").tempdir().expect("a directory can be made").keep();
        let mut cluster = Self { base: ports::free_base(), work, options, process: None, ready_ms: 0 };
        cluster.unpack();
        cluster.start_again();
        cluster
    }

    fn unpack(&self) {
        let Some(archive) = &self.options.archive else { return };
        std::fs::create_dir(self.data_dir()).expect("a directory can be made");
        let mut command = Command::new("tar");
        command.arg("--extract").arg("--file").arg(archive).arg("--directory").arg(self.data_dir());
        assert!(command.status().expect("tar can be run").success(), "{} is unpacked", archive.display());
    }

    /// Starts a stopped cluster on the same directory and ports.
    ///
    /// # Panics
    /// As [`Cluster::start_with`].
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the cluster runs already");
        let output = self.work.join("dev.log");
        let log = File::create(&output).expect("a file can be made");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", GUARDIAN, "sh"]).arg(&self.work).arg(binary::meridian()).arg("dev");
        command.arg("--data-dir").arg(self.data_dir()).args(["--port", &self.base.to_string()]);
        command.args(["--regions", &self.options.regions.join(",")]).args(&self.options.arguments);
        command.stdin(Stdio::piped()).stdout(log.try_clone().expect("a descriptor")).stderr(log);
        let started = Instant::now();
        self.process = Some(command.spawn().expect("a shell can be run"));
        loop {
            let printed = std::fs::read_to_string(&output).unwrap_or_default();
            if let Some(line) = printed.lines().find(|line| line.starts_with("Ready in ")) {
                let number = line.split(' ').nth(2).and_then(|number| number.parse().ok());
                self.ready_ms = number.expect("a time in milliseconds");
                return;
            }
            let ended = self.process.as_mut().and_then(|child| child.try_wait().expect("the child is ours"));
            assert!(ended.is_none(), "meridian dev ended ({ended:?}):\n{printed}");
            assert!(started.elapsed() < READY_DEADLINE, "meridian dev is not ready:\n{printed}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the cluster as Ctrl-C does and waits until it has ended.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn stop(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the cluster runs");
        kill_process(pid_of(&process), Signal::INT).expect("the cluster's process is alive");
        let status = wait(&mut process, STOP_DEADLINE).expect("the cluster ends when it is asked to");
        dismiss_guardian(&mut process);
        status
    }

    /// Kills the owner of the cluster as `kill -9` does.
    ///
    /// # Panics
    /// When the system does not end it.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        drop(process.kill());
        wait(&mut process, STOP_DEADLINE).expect("a killed process ends");
        dismiss_guardian(&mut process);
        // The system kills the nodes after their owner, which takes a moment.
        let started = Instant::now();
        while !ports::all_free(self.base) && started.elapsed() < STOP_DEADLINE {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The base of the cluster's ports.
    #[must_use]
    pub const fn base(&self) -> u16 {
        self.base
    }

    /// How long the cluster says that it took to be ready, in milliseconds.
    #[must_use]
    pub const fn ready_ms(&self) -> u64 {
        self.ready_ms
    }

    /// The Regions in the order of their ports.
    #[must_use]
    pub fn regions(&self) -> &[String] {
        &self.options.regions
    }

    /// What `meridian dev` got as `--data-dir`.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.work.join("data")
    }

    /// What `meridian dev` printed.
    #[must_use]
    pub fn printed(&self) -> String {
        std::fs::read_to_string(self.work.join("dev.log")).unwrap_or_default()
    }

    /// A Region's own directory.
    #[must_use]
    pub fn region_dir(&self, region: &str) -> PathBuf {
        self.data_dir().join(region)
    }

    /// The log of a Region's node.
    #[must_use]
    pub fn log(&self, region: &str) -> String {
        std::fs::read_to_string(self.region_dir(region).join("node.log")).unwrap_or_default()
    }

    /// `ip:port` of the front door.
    #[must_use]
    pub fn front_door(&self) -> String {
        format!("127.0.0.1:{}", self.base)
    }

    /// `ip:port` of a Region's AWS API.
    #[must_use]
    pub fn api(&self, region: &str) -> String {
        self.address(region, 10)
    }

    /// `ip:port` of a Region's gRPC services.
    #[must_use]
    pub fn grpc(&self, region: &str) -> String {
        self.address(region, 20)
    }

    /// `ip:port` of a Region's metrics and health.
    #[must_use]
    pub fn operations(&self, region: &str) -> String {
        self.address(region, 30)
    }

    fn address(&self, region: &str, offset: u16) -> String {
        let index = self.options.regions.iter().position(|known| known == region).expect("a Region of the cluster");
        let index = u16::try_from(index).expect("fewer than ten Regions");
        format!("127.0.0.1:{}", self.base + offset + index + 1)
    }

    /// A client of a Region by way of the front door.
    #[must_use]
    pub fn kms(&self, region: &str) -> Kms {
        aws::client(&format!("http://{}", self.front_door()), region)
    }

    /// A client of a Region's own endpoint.
    #[must_use]
    pub fn direct(&self, region: &str) -> Kms {
        aws::client(&format!("http://{}", self.api(region)), region)
    }

    /// A client of one Region's own endpoint with these credentials.
    #[must_use]
    pub fn direct_as(&self, region: &str, access_key: &str, secret_key: &str) -> Kms {
        aws::client_as(&format!("http://{}", self.api(region)), region, access_key, secret_key)
    }

    /// Runs a `meridian` command against this cluster.
    #[must_use]
    pub fn cli(&self, arguments: &[&str]) -> Answer {
        let base = self.base.to_string();
        cli::run(&[arguments, &["--port", &base]].concat())
    }

    /// Runs a command off the async threads.
    pub async fn cli_async(&self, arguments: &[&str]) -> Answer {
        let base = self.base.to_string();
        let arguments: Vec<String> = arguments.iter().copied().chain(["--port", &base]).map(str::to_owned).collect();
        let run = move || cli::run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        tokio::task::spawn_blocking(run).await.expect("the command was run")
    }

    /// Injects a fault that has to succeed.
    pub async fn chaos(&self, arguments: &[&str]) {
        drop(self.cli_async(&[&["chaos"], arguments].concat()).await.done());
    }

    /// What `meridian status --output json` says, leader or not.
    #[must_use]
    pub fn status(&self) -> Value {
        self.cli(&["status", "--output", "json"]).json()
    }

    /// The Region that leads the control log, once one does and all living Regions agree.
    pub async fn leader(&self) -> String {
        crate::eventually("a Region leads", || async {
            let status = self.cli_async(&["status", "--output", "json"]).await.json();
            let regions = status["regions"].as_array().expect("Regions").iter();
            let living: Vec<&Value> = regions.filter(|region| region["reachable"] == true).collect();
            let leader = living.iter().find(|region| region["raft_role"] == "leader")?["region"].as_str()?.to_owned();
            living.iter().all(|region| region["leader_region"] == leader.as_str()).then_some(leader)
        })
        .await
    }

    /// The process of a Region's node.
    #[must_use]
    pub fn pid(&self, region: &str) -> Option<i32> {
        let status = self.cli(&["chaos", "status", "--output", "json"]).done().json();
        let regions = status["regions"].as_array().expect("Regions");
        let found = regions.iter().find(|found| found["region"] == region).expect("a Region of the cluster");
        found["pid"].as_i64().map(|pid| i32::try_from(pid).expect("a process number"))
    }

    fn show_logs(&self) {
        say(&format!("---- meridian dev\n{}", self.printed()));
        for region in &self.options.regions {
            let log = self.log(region);
            let lines: Vec<&str> = log.lines().collect();
            say(&format!("---- {region}\n{}", lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
        }
        self.kill();
        remove(&self.work);
    }
}

/// A cluster that the tests of a file share; it lives until the test process ends.
#[derive(Debug)]
pub struct Shared(pub &'static Cluster);

impl Deref for Shared {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.show_logs();
        }
    }
}

fn pid_of(process: &Child) -> Pid {
    i32::try_from(process.id()).ok().and_then(Pid::from_raw).expect("a process number")
}

pub(crate) fn wait(process: &mut Child, deadline: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    while started.elapsed() < deadline {
        if let Some(status) = process.try_wait().expect("the child is ours") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// Tells the watcher that there is nothing left to kill.
pub(crate) fn dismiss_guardian(process: &mut Child) {
    if let Some(mut watcher) = process.stdin.take() {
        drop(watcher.write_all(b"done\n"));
    }
}

/// The nodes of a killed owner are killed by the system a moment later and may still write until then.
pub(crate) fn remove(directory: &Path) {
    for _ in 0..50 {
        if std::fs::remove_dir_all(directory).is_ok() || !directory.exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
