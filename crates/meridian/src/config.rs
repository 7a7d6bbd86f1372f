//! Configuration of one node: `node.toml`, read once, turned into parsed types, all mistakes reported together.
//!
//! Secrets are named by file path, never by value. This is also the one place that reads the process environment.

mod attestation_roots;
mod check;
mod environment;
mod principals;
mod problems;
mod quotas;
mod raw;
mod root_key;
mod template;

use kms_types::{DayLength, RegionName};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use attestation_roots::load_attestation_roots;
pub(crate) use check::{IDENTITY_LEASE_MIN, is_otlp_endpoint, parse_duration};
pub(crate) use environment::runtime_directory;
pub(crate) use principals::{Principal, load_principals};
pub(crate) use problems::{ConfigError, Problem};
pub(crate) use quotas::parse_quota;
pub(crate) use root_key::{create_root_key, read_passphrase, read_root_key};
pub(crate) use template::{NodeTemplate, quote, raft_timing_ms};

/// Everything a node needs to know before it starts.
#[derive(Clone, Debug)]
pub(crate) struct NodeConfig {
    /// Region that this node serves.
    pub(crate) region: RegionName,
    /// Name of the cluster; part of every certificate's identity.
    pub(crate) cluster_id: String,
    /// Number of this node in the control log's membership, 1 or more.
    pub(crate) node_id: u64,
    /// Directory of the store and the audit log; created when absent.
    pub(crate) data_dir: PathBuf,
    /// Address of the AWS KMS API.
    pub(crate) api_listen: SocketAddr,
    /// Certificate of the AWS KMS API; without one, it listens on loopback only.
    pub(crate) api_tls: Option<ApiTls>,
    /// Address of the gRPC services (mutual TLS).
    pub(crate) grpc_listen: SocketAddr,
    /// Address of `/metrics`, `/healthz` and `/readyz`.
    pub(crate) ops_listen: SocketAddr,
    /// All members of the cluster, this node included.
    pub(crate) peers: Vec<Peer>,
    /// Whether this node founds the cluster when its store is empty. Exactly one node of a cluster does.
    pub(crate) bootstrap: bool,
    /// Where the root key comes from.
    pub(crate) root_key: RootKeyProvider,
    /// Certificates of the gRPC services.
    pub(crate) tls: TlsFiles,
    /// File with the principals that may call this Region.
    pub(crate) principals_file: PathBuf,
    /// PEM files with authorities whose attestation documents are believed beside AWS's.
    pub(crate) attestation_roots: Vec<PathBuf>,
    /// How long a "day" of waiting and rotation periods lasts.
    pub(crate) day_length: DayLength,
    /// How long principals of the directory are honoured without word from a majority.
    pub(crate) identity_lease: Duration,
    /// Timing and sizes of the control log.
    pub(crate) raft: RaftConfig,
    /// Bounds on what clients may ask for at once.
    pub(crate) limits: Limits,
    /// How long an epoch of the Region KEK lasts, in days.
    pub(crate) kek_rotation_days: u32,
    /// How much there may be of what.
    pub(crate) quotas: kms_service::Quotas,
    /// Most keys with metrics of their own.
    pub(crate) key_series: usize,
    /// The audit log.
    pub(crate) audit: AuditConfig,
    /// Where traces go; nowhere unless configured.
    pub(crate) telemetry: Option<TelemetryConfig>,
    /// Form and detail of the log on standard error.
    pub(crate) log: LogConfig,
}

/// Export of traces.
#[derive(Clone, Debug)]
pub(crate) struct TelemetryConfig {
    /// Address of an OpenTelemetry collector's OTLP receiver over gRPC.
    pub(crate) otlp_endpoint: String,
    /// The part of the requests without a caller's trace that is traced, 0 to 1.
    pub(crate) sample_ratio: f64,
}

/// The audit log. What is dangerous is off unless an operator asks for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuditConfig {
    /// How often the Region signs the head of its log, if it has grown.
    pub(crate) checkpoint_interval: Duration,
    /// Requests go on without a record.
    pub(crate) danger_go_on: bool,
    /// A damaged log is opened all the same.
    pub(crate) danger_go_on_after_damage: bool,
}

impl NodeConfig {
    /// Reads and checks a configuration file. Relative paths in it are relative to the file's directory.
    ///
    /// # Errors
    /// [`ConfigError`] with every mistake that was found.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::one(path, Problem::new("file", format!("cannot be read: {error}"))))?;
        let base = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::parse(&text, base).map_err(|problems| ConfigError::new(path, problems))
    }
}

/// A member of the cluster as others reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its Region.
    pub(crate) region: RegionName,
    /// Its number in the control log's membership.
    pub(crate) node_id: u64,
    /// `host:port` of its gRPC services, as this node dials them.
    pub(crate) address: String,
    /// Whether it holds keys or only votes.
    pub(crate) role: Role,
}

/// What a member of the cluster does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Serves a Region: holds keys and votes.
    Region,
    /// Votes only; holds no key and can open no box.
    Witness,
}

/// Certificate and key of the AWS KMS API's listener.
#[derive(Clone, Debug)]
pub(crate) struct ApiTls {
    /// PEM file with the certificate chain.
    pub(crate) cert: PathBuf,
    /// PEM file with the private key.
    pub(crate) key: PathBuf,
}

/// Files for mutual TLS within the cluster.
#[derive(Clone, Debug)]
pub(crate) struct TlsFiles {
    /// PEM file with the certificate of the cluster's authority.
    pub(crate) ca: PathBuf,
    /// PEM file with the own certificate.
    pub(crate) cert: PathBuf,
    /// PEM file with the own private key.
    pub(crate) key: PathBuf,
}

/// Where the root key comes from.
#[derive(Clone, Debug)]
pub(crate) enum RootKeyProvider {
    /// A file that holds the key itself, as 64 hexadecimal digits.
    File(PathBuf),
    /// A passphrase, stretched with Argon2id.
    Passphrase {
        /// File whose first line is the passphrase.
        passphrase_file: PathBuf,
    },
}

/// Timing and sizes of the control log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RaftConfig {
    /// Time between heartbeats of the leader.
    pub(crate) heartbeat: Duration,
    /// Shortest silence after which a follower asks for an election.
    pub(crate) election_timeout_min: Duration,
    /// Longest such silence.
    pub(crate) election_timeout_max: Duration,
    /// A snapshot is taken after this many log entries.
    pub(crate) snapshot_log_entries: u64,
}

/// Bounds on what clients may ask for at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Open connections to the AWS KMS API.
    pub(crate) api_connections_max: usize,
    /// Bytes of one request body.
    pub(crate) api_body_bytes_max: usize,
    /// Longest time from a request's first byte to its answer.
    pub(crate) api_request_timeout: Duration,
    /// Open connections to the gRPC services.
    pub(crate) grpc_connections_max: usize,
    /// TLS handshakes in progress at one time.
    pub(crate) grpc_handshakes_max: usize,
    /// Unwrapped key materials kept in memory.
    pub(crate) material_cache_entries: usize,
    /// Longest time that requests in progress are given at shutdown.
    pub(crate) shutdown_grace: Duration,
}

/// Form and detail of the log on standard error.
#[derive(Clone, Debug)]
pub(crate) struct LogConfig {
    /// One JSON object per line, or text for people.
    pub(crate) format: LogFormat,
    /// A `tracing` filter such as `info` or `info,openraft=warn`.
    pub(crate) filter: String,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// One JSON object per line.
    Json,
    /// Text for people.
    Text,
}

#[cfg(test)]
mod tests;
