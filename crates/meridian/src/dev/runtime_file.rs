//! How other commands find a running development cluster: a small file per base port, and the control socket beside.

use crate::config::runtime_directory;
use crate::files;
use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What `meridian dev` tells other commands about itself. Names files, holds no secret.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RuntimeFile {
    /// Version of this format.
    pub(crate) format: u32,
    /// The process that owns the cluster.
    pub(crate) pid: i32,
    /// Name of the cluster.
    pub(crate) cluster_id: String,
    /// Directory of the cluster.
    pub(crate) data_dir: PathBuf,
    /// Unix socket of `meridian chaos`.
    pub(crate) control_socket: PathBuf,
    /// URL of the front door.
    pub(crate) front_door: String,
    /// Certificate of the authority.
    pub(crate) ca: PathBuf,
    /// Operator's certificate.
    pub(crate) operator_cert: PathBuf,
    /// Operator's key.
    pub(crate) operator_key: PathBuf,
    /// File of the principals.
    pub(crate) principals_file: PathBuf,
    /// The Regions in the order of their ports.
    pub(crate) regions: Vec<RegionEndpoints>,
}

/// Addresses of one Region.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RegionEndpoints {
    /// The Region.
    pub(crate) region: String,
    /// `ip:port` of the AWS KMS API.
    pub(crate) api: String,
    /// `ip:port` of the gRPC services.
    pub(crate) grpc: String,
    /// `ip:port` of metrics and health.
    pub(crate) ops: String,
}

/// Version of the file's format.
pub(super) const FORMAT: u32 = 1;

/// The control socket of the cluster at `base`.
pub(super) fn socket_path(base: u16) -> PathBuf {
    runtime_directory().join(format!("dev-{base}.sock"))
}

fn file_path(base: u16) -> PathBuf {
    runtime_directory().join(format!("dev-{base}.json"))
}

/// Makes the runtime directory, or checks that the one that is there is safe to use.
///
/// # Errors
/// Fails when the directory is not ours alone.
pub(super) fn prepare_directory() -> anyhow::Result<()> {
    let directory = runtime_directory();
    files::create_private_directory(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    check_directory(&directory)
}

/// Writes the file of the cluster at `base`.
///
/// # Errors
/// Fails when the file cannot be written.
pub(super) fn write(base: u16, contents: &RuntimeFile) -> anyhow::Result<()> {
    let path = file_path(base);
    files::replace(&path, &serde_json::to_vec_pretty(contents)?, 0o600)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Removes the file and the socket of a cluster when dropped, however the cluster ended.
#[derive(Debug)]
pub(super) struct RemovedAtEnd {
    base: u16,
}

impl RemovedAtEnd {
    /// For the cluster at `base`, whose ports this process must hold already.
    pub(super) const fn new(base: u16) -> Self {
        Self { base }
    }
}

impl Drop for RemovedAtEnd {
    fn drop(&mut self) {
        for path in [file_path(self.base), socket_path(self.base)] {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(path = %path.display(), %error, "cannot remove a runtime file");
            }
        }
    }
}

/// Reads the file of the cluster at `base`; `None` when none is running.
///
/// # Errors
/// Fails when the file could have been written by somebody else, or cannot be read.
pub(crate) fn read(base: u16) -> anyhow::Result<Option<RuntimeFile>> {
    let directory = runtime_directory();
    if !directory.exists() {
        return Ok(None);
    }
    check_directory(&directory)?;
    let path = file_path(base);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    check_private(&path)?;
    let contents: RuntimeFile =
        serde_json::from_str(&text).with_context(|| format!("{} is not a runtime file", path.display()))?;
    ensure!(contents.format == FORMAT, "the running cluster is of another version of meridian");
    let alive =
        rustix::process::Pid::from_raw(contents.pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok());
    Ok(alive.then_some(contents))
}

/// A directory of somebody else could send our commands to another cluster.
fn check_directory(directory: &Path) -> anyhow::Result<()> {
    let metadata = std::fs::symlink_metadata(directory)?;
    ensure!(metadata.is_dir(), "{} is not a directory", directory.display());
    check_private(directory)
}

fn check_private(path: &Path) -> anyhow::Result<()> {
    let metadata = std::fs::symlink_metadata(path)?;
    let own = rustix::process::getuid().as_raw();
    if metadata.uid() != own || metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o7777;
        bail!("{} is not private to you (owner {}, mode {mode:04o})", path.display(), metadata.uid());
    }
    Ok(())
}
