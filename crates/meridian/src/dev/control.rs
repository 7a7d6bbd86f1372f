//! The control socket of a development cluster: one JSON request per line, one JSON reply per line.

use super::links::LinkStatus;
use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// What `meridian chaos` can ask for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum ControlRequest {
    /// SIGKILL to a Region's process.
    Kill { region: String },
    /// SIGSTOP.
    Pause { region: String },
    /// SIGCONT.
    Resume { region: String },
    /// Start a Region's process again and wait until it is ready.
    Restart { region: String },
    /// Block all links of a Region.
    Isolate { region: String },
    /// Block all links between groups.
    Partition { groups: Vec<Vec<String>> },
    /// Unblock all links.
    Heal,
    /// Set the one-way latency of all links or of one.
    Latency { ms: u64, between: Option<[String; 2]> },
    /// Say how everything is.
    Status,
}

/// The answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum ControlReply {
    /// It is done.
    Done { message: String },
    /// It cannot be done, and why.
    Refused { message: String },
    /// The answer to [`ControlRequest::Status`].
    Status { regions: Vec<RegionStatus>, links: Vec<LinkStatus> },
}

/// A Region's process.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RegionStatus {
    /// The Region.
    pub(crate) region: String,
    /// `running`, `paused`, `killed` (on request) or `died` (by itself).
    pub(crate) state: String,
    /// The process, while there is one.
    pub(crate) pid: Option<i32>,
    /// Address of the AWS KMS API.
    pub(crate) api: String,
    /// Address of the gRPC services.
    pub(crate) grpc: String,
    /// Address of metrics and health.
    pub(crate) ops: String,
}

/// A request on its way to the owner of the cluster.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request: ControlRequest,
    pub(super) reply: oneshot::Sender<ControlReply>,
}

/// The listening socket; ends with its connections when dropped.
#[derive(Debug)]
pub(super) struct ControlSocket {
    _tasks: JoinSet<()>,
}

/// Requests that wait for the owner. One person types them.
const CALLS_MAX: usize = 16;
/// Connections at one time.
const CONNECTIONS_MAX: usize = 32;
/// Longest request or reply.
const LINE_BYTES_MAX: u64 = 256 << 10;
/// Longest wait for a request after connecting.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for the reply; a restart waits for the node to be ready.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

/// Listens at `path`, for this user only, and hands requests to the receiver.
///
/// # Errors
/// Fails when the socket cannot be made.
pub(super) fn listen(path: &Path) -> anyhow::Result<(ControlSocket, mpsc::Receiver<Call>)> {
    // Left over by a process that was killed; one that is alive holds the ports and we never get here.
    if path.exists() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path).with_context(|| format!("cannot listen at {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let (sender, calls) = mpsc::channel(CALLS_MAX);
    let mut tasks = JoinSet::new();
    tasks.spawn(accept_loop(listener, sender));
    Ok((ControlSocket { _tasks: tasks }, calls))
}

/// Sends one request to the cluster at `path` and waits for the reply.
///
/// # Errors
/// Fails when the cluster cannot be reached or does not answer in time.
pub(crate) async fn call(path: &Path, request: &ControlRequest) -> anyhow::Result<ControlReply> {
    let stream = UnixStream::connect(path).await.context("the development cluster does not answer")?;
    let exchange = async {
        let mut stream = BufReader::new(stream);
        write_line(stream.get_mut(), request).await?;
        read_line(&mut stream).await
    };
    tokio::time::timeout(REPLY_TIMEOUT, exchange).await.context("the development cluster did not answer in time")?
}

async fn accept_loop(listener: UnixListener, calls: mpsc::Sender<Call>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) if connections.len() < CONNECTIONS_MAX => {
                let calls = calls.clone();
                connections.spawn(async move {
                    if let Err(error) = serve(stream, calls).await {
                        tracing::debug!(%error, "a control connection failed");
                    }
                });
            }
            Ok(_too_many) => {}
            Err(_error) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: UnixStream, calls: mpsc::Sender<Call>) -> anyhow::Result<()> {
    let own = rustix::process::getuid().as_raw();
    ensure!(stream.peer_cred()?.uid() == own, "another user's process connected");
    let mut stream = BufReader::new(stream);
    let request = tokio::time::timeout(REQUEST_TIMEOUT, read_line(&mut stream)).await?;
    let answer = match request {
        Ok(request) => {
            let (reply, answer) = oneshot::channel();
            calls.send(Call { request, reply }).await?;
            tokio::time::timeout(REPLY_TIMEOUT, answer).await??
        }
        Err(error) => ControlReply::Refused { message: format!("not a request: {error}") },
    };
    write_line(stream.get_mut(), &answer).await
}

async fn read_line<T: for<'de> Deserialize<'de>>(stream: &mut BufReader<UnixStream>) -> anyhow::Result<T> {
    let mut line = String::new();
    stream.take(LINE_BYTES_MAX).read_line(&mut line).await?;
    Ok(serde_json::from_str(&line)?)
}

async fn write_line(stream: &mut UnixStream, value: &impl Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    Ok(())
}
