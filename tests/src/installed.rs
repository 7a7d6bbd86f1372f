//! A cluster as an operator installs it: made by `meridian init`, one `meridian node` per Region, each on an address of its
//! own, TLS everywhere. Never outlives the test.

use crate::cli::{self, Answer};
use crate::cluster::{GUARDIAN, READY_DEADLINE, STOP_DEADLINE, dismiss_guardian, remove, wait};
use crate::http1::{self, RawRequest};
use crate::random::say;
use crate::sigv4::Signer;
use crate::{binary, eventually_within, ports};
use serde_json::Value;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Account of the administrator.
const ACCOUNT: &str = "111122223333";
/// Lines of each log that a failing test shows.
const TAIL_LINES: usize = 25;

/// A cluster from `meridian init`.
#[derive(Debug)]
pub struct Installed {
    work: PathBuf,
    base: u16,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    region: String,
    host: String,
    process: Option<Child>,
}

impl Installed {
    /// Makes and starts a cluster of these Regions and these witnesses, and waits until every node is ready.
    ///
    /// # Panics
    /// When a step fails, with what it printed.
    pub async fn start(regions: &[&str], witnesses: &[&str]) -> Self {
        let work = tempfile::Builder::new().prefix("meridian-test-").tempdir().expect("a directory can be made").keep();
        let base = ports::free_base();
        // All of 127.0.0.0/8 is this machine, so each Region has the same ports on an address of its own.
        let hosts = (2_u8..).map(|last| format!("127.0.0.{last}"));
        let nodes = regions.iter().chain(witnesses).zip(hosts);
        let nodes = nodes.map(|(region, host)| Node { region: (*region).to_owned(), host, process: None }).collect();
        let mut cluster = Self { work, base, nodes };
        cluster.init(regions.len());
        for index in 0..cluster.nodes.len() {
            cluster.bind_to_its_address(index);
            cluster.start_node(index);
        }
        for index in 0..cluster.nodes.len() {
            cluster.until_ready(index).await;
        }
        cluster
    }

    fn init(&self, regions: usize) {
        let out = self.directory();
        let mut arguments: Vec<String> =
            ["init", "--cluster-id", "installed", "--account", ACCOUNT, "--latency", "5"].map(str::to_owned).to_vec();
        arguments.extend(["--out".to_owned(), out.to_str().expect("a plain path").to_owned()]);
        for (name, offset) in [("--api-port", 11), ("--grpc-port", 21), ("--ops-port", 31)] {
            arguments.extend([name.to_owned(), (self.base + offset).to_string()]);
        }
        for (index, node) in self.nodes.iter().enumerate() {
            let name = if index < regions { "--region" } else { "--witness" };
            arguments.extend([name.to_owned(), format!("{}={}", node.region, node.host)]);
        }
        drop(cli::run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).done());
    }

    /// On machines of their own, nodes listen on every address; here they share one machine.
    fn bind_to_its_address(&self, index: usize) {
        let node = &self.nodes[index];
        let file = self.directory().join(&node.region).join("node.toml");
        let text = std::fs::read_to_string(&file).expect("init wrote the configuration");
        let bound =
            text.replace("0.0.0.0:", &format!("{}:", node.host)).replace("127.0.0.1:", &format!("{}:", node.host));
        assert_ne!(bound, text, "the configuration listens on every address");
        std::fs::write(&file, bound).expect("the configuration can be written");
    }

    fn start_node(&mut self, index: usize) {
        let directory = self.directory().join(&self.nodes[index].region);
        let log =
            File::options().create(true).append(true).open(directory.join("node.log")).expect("a file can be made");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", GUARDIAN, "sh"]).arg(&self.work).arg(binary::meridian());
        command.args(["node", "--config", "node.toml"]).current_dir(&directory);
        command.stdin(Stdio::piped()).stdout(log.try_clone().expect("a descriptor")).stderr(log);
        self.nodes[index].process = Some(command.spawn().expect("a shell can be run"));
    }

    async fn until_ready(&self, index: usize) {
        let address = format!("{}:{}", self.nodes[index].host, self.base + 31);
        let address: SocketAddr = address.parse().expect("an address");
        eventually_within(READY_DEADLINE, "a node is ready", || async {
            // Until it listens, there is nobody to ask.
            drop(tokio::net::TcpStream::connect(address).await.ok()?);
            (http1::get(&address.to_string(), "/readyz").await.status == 200).then_some(())
        })
        .await;
    }

    /// What `meridian init` wrote.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.work.join("cluster")
    }

    /// The data directory of a Region's node.
    #[must_use]
    pub fn data_dir(&self, region: &str) -> PathBuf {
        self.directory().join(region).join("data")
    }

    /// The log of a Region's node.
    #[must_use]
    pub fn log(&self, region: &str) -> String {
        std::fs::read_to_string(self.directory().join(region).join("node.log")).unwrap_or_default()
    }

    fn authority(&self) -> PathBuf {
        self.directory().join("ca").join("ca.pem")
    }

    fn index(&self, region: &str) -> usize {
        self.nodes.iter().position(|node| node.region == region).expect("a Region of the cluster")
    }

    /// `ip:port` of a Region's AWS API.
    #[must_use]
    pub fn api(&self, region: &str) -> String {
        format!("{}:{}", self.nodes[self.index(region)].host, self.base + 11)
    }

    /// `ip:port` of a Region's metrics and health.
    #[must_use]
    pub fn operations(&self, region: &str) -> String {
        format!("{}:{}", self.nodes[self.index(region)].host, self.base + 31)
    }

    /// Adds to the configuration of a Region that does not run.
    pub fn configure(&self, region: &str, more: &str) {
        let file = self.directory().join(region).join("node.toml");
        let text = std::fs::read_to_string(&file).expect("init wrote the configuration");
        std::fs::write(&file, text + more).expect("the configuration can be written");
    }

    /// Calls an operation as the administrator that `init` made, over TLS, and answers status and body.
    pub async fn call(&self, region: &str, operation: &str, body: &Value) -> (u16, Value) {
        let response = self.request(region, operation, body).send_tls(&self.api(region), &self.authority()).await;
        let body = if response.body.is_empty() { Value::Null } else { response.json() };
        (response.status, body)
    }

    /// The same, of an operation that has to succeed.
    pub async fn done(&self, region: &str, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.call(region, operation, body).await;
        assert_eq!(status, 200, "{operation} in {region}: {answer}");
        answer
    }

    /// What the API's port answers to a request without TLS; nothing when it just hangs up.
    pub async fn call_without_tls(&self, region: &str) -> Vec<u8> {
        let address = self.api(region);
        let mut socket = tokio::net::TcpStream::connect(&address).await.expect("the server accepts");
        let mut answer = Vec::new();
        let talk = async {
            // It may hang up in the middle.
            let request = format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n");
            let _written = socket.write_all(request.as_bytes()).await;
            let _read = socket.read_to_end(&mut answer).await;
        };
        tokio::time::timeout(STOP_DEADLINE, talk).await.expect("the server answers or hangs up");
        answer
    }

    fn request(&self, region: &str, operation: &str, body: &Value) -> RawRequest {
        RawRequest::signed(&self.api(region), &self.administrator(region), operation, body.to_string())
    }

    fn administrator(&self, region: &str) -> Signer {
        let file = self.directory().join(region).join("principals.toml");
        let text = std::fs::read_to_string(&file).expect("init wrote the principals");
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_prefix('='));
            line.expect("a principal").trim().trim_matches('"').to_owned()
        };
        let (access_key, secret_key) = (value("access_key"), value("secret_key"));
        Signer { access_key, secret_key, region: region.to_owned(), service: "kms".to_owned() }
    }

    /// Runs an operator's command against this cluster.
    pub async fn cli(&self, arguments: &[&str]) -> Answer {
        let file = self.directory().join("cluster.toml");
        let arguments = arguments.iter().copied().chain(["--cluster", file.to_str().expect("a plain path")]);
        let arguments: Vec<String> = arguments.map(str::to_owned).collect();
        let run = move || cli::run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        tokio::task::spawn_blocking(run).await.expect("the command was run")
    }

    /// Kills a Region's node as `kill -9` does.
    ///
    /// # Panics
    /// When the system does not end it.
    pub fn kill(&mut self, region: &str) {
        let index = self.index(region);
        end(&mut self.nodes[index]);
    }

    /// Starts a killed node again and waits until it is ready.
    pub async fn start_again(&mut self, region: &str) {
        let index = self.index(region);
        self.start_node(index);
        self.until_ready(index).await;
    }
}

fn end(node: &mut Node) {
    let Some(mut process) = node.process.take() else { return };
    // The watcher would take the whole cluster's directory along.
    dismiss_guardian(&mut process);
    drop(process.kill());
    wait(&mut process, STOP_DEADLINE).expect("a killed process ends");
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

impl Drop for Installed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for node in &self.nodes {
                say(&format!("---- {}\n{}", node.region, tail(&self.log(&node.region))));
            }
        }
        self.nodes.iter_mut().for_each(end);
        remove(&self.work);
    }
}
