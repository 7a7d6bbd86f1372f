//! From the file as written to parsed types. Each check notes its mistake and goes on, so that all are reported.

mod quotas;

use super::raw::{RawApi, RawConfig, RawLimits, RawLog, RawPeer, RawRaft, RawRootKey, RawTelemetry, RawTls};
use super::{
    ApiTls, AuditConfig, Limits, LogConfig, LogFormat, NodeConfig, Peer, Problem, RaftConfig, Role, RootKeyProvider,
    TelemetryConfig, TlsFiles,
};
use kms_types::{DayLength, RegionName};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most members of one cluster. More voters make every commit slower and no failure more survivable.
const PEERS_MAX: usize = 15;

impl NodeConfig {
    /// Checks the text of a configuration file; relative paths start at `base`.
    pub(super) fn parse(text: &str, base: &Path) -> Result<Self, Vec<Problem>> {
        let raw: RawConfig = toml::from_str(text).map_err(|error| vec![syntax_problem(&error, text)])?;
        let mut check = Checker { base: base.to_owned(), problems: Vec::new() };
        let config = check.config(raw);
        match config {
            Some(config) if check.problems.is_empty() => Ok(config),
            Some(_) | None => Err(check.problems),
        }
    }
}

/// Lease on the directory of principals when the file names none.
const IDENTITY_LEASE_DEFAULT: Duration = Duration::from_secs(3_600);
/// Shortest lease: a confirmation takes a few round trips between Regions.
pub(crate) const IDENTITY_LEASE_MIN: Duration = Duration::from_secs(1);

/// Reads a length of time such as `24h`, `90m`, `30s` or `250ms`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(millis)?))
}

/// Whether a text is the address of an OTLP receiver: `http://host:port`, and nothing behind it.
pub(crate) fn is_otlp_endpoint(text: &str) -> bool {
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    let named = uri.host().is_some_and(|host| !host.is_empty()) && uri.port_u16().is_some_and(|port| port != 0);
    uri.scheme_str() == Some("http") && named && bare && !text.contains('@')
}

fn syntax_problem(error: &toml::de::Error, text: &str) -> Problem {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let place = line.map_or_else(|| "file".to_owned(), |line| format!("line {line}"));
    Problem::new(place, error.message())
}

/// Collects mistakes while values are read.
struct Checker {
    base: PathBuf,
    problems: Vec<Problem>,
}

impl Checker {
    fn config(&mut self, raw: RawConfig) -> Option<NodeConfig> {
        let region = self.region("region", raw.region);
        let cluster_id = self.cluster_id(raw.cluster_id);
        let node_id = self.node_id("node_id", raw.node_id);
        let data_dir = self.path("data_dir", raw.data_dir);
        let principals_file = self.path("principals_file", raw.principals_file);
        let attestation_roots = self.paths("attestation.roots", raw.attestation.roots);
        let day_length = self.day_length(raw.day_length);
        let identity_lease = self.identity_lease(raw.identity.lease);
        let api = self.api(raw.api);
        let grpc_listen = self.address("grpc.listen", raw.grpc.and_then(|grpc| grpc.listen));
        let ops_listen = self.address("ops.listen", raw.ops.and_then(|ops| ops.listen));
        let tls = self.tls(raw.tls);
        let root_key = self.root_key(raw.root_key);
        let kek_rotation_days = self.number("region_kek.rotation_days", raw.region_kek.rotation_days, 90, 1..=3_650);
        let raft = self.raft(&raw.raft);
        let limits = self.limits(&raw.limits);
        let quotas = self.quotas(&raw.quotas);
        let checkpoint_interval = self.checkpoint_interval(raw.audit.checkpoint_interval.as_deref());
        let key_series = self.count("metrics.key_series", raw.metrics.key_series, 100, 0..=1_000);
        let telemetry = self.telemetry(raw.telemetry);
        let log = self.log(raw.log);
        let peers = self.peers(raw.peers);
        if let (Some(region), Some(node_id), Some(peers)) = (&region, node_id, &peers) {
            self.own_entry(region, node_id, peers);
        }
        let (api_listen, api_tls) = api?;
        Some(NodeConfig {
            region: region?,
            cluster_id: cluster_id?,
            node_id: node_id?,
            data_dir: data_dir?,
            api_listen,
            api_tls,
            grpc_listen: grpc_listen?,
            ops_listen: ops_listen?,
            peers: peers?,
            bootstrap: raw.bootstrap.unwrap_or(false),
            root_key: root_key?,
            tls: tls?,
            principals_file: principals_file?,
            attestation_roots,
            day_length: day_length?,
            identity_lease: identity_lease?,
            kek_rotation_days: u32::try_from(kek_rotation_days).unwrap_or(u32::MAX),
            raft,
            limits,
            quotas,
            key_series,
            audit: AuditConfig {
                checkpoint_interval,
                danger_go_on: raw.audit.danger_go_on.unwrap_or_default(),
                danger_go_on_after_damage: raw.audit.danger_go_on_after_damage.unwrap_or_default(),
            },
            telemetry,
            log: log?,
        })
    }

    fn problem(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::new(key, message));
    }

    fn required<T>(&mut self, key: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.problem(key, "is missing");
        }
        value
    }

    fn region(&mut self, key: &str, value: Option<String>) -> Option<RegionName> {
        let value = self.required(key, value)?;
        match RegionName::parse(&value) {
            Ok(region) => Some(region),
            Err(_) => {
                self.problem(key, format!("`{value}` is not a Region name such as eu-west-1"));
                None
            }
        }
    }

    fn cluster_id(&mut self, value: Option<String>) -> Option<String> {
        let value = self.required("cluster_id", value)?;
        let shaped = (1..=64).contains(&value.len())
            && value.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        if !shaped {
            self.problem("cluster_id", "must be 1 to 64 characters of a-z, 0-9 and -");
            return None;
        }
        Some(value)
    }

    fn node_id(&mut self, key: &str, value: Option<u64>) -> Option<u64> {
        let value = self.required(key, value)?;
        if value == 0 {
            self.problem(key, "must be 1 or more");
            return None;
        }
        Some(value)
    }

    fn path(&mut self, key: &str, value: Option<String>) -> Option<PathBuf> {
        let value = self.required(key, value)?;
        if value.is_empty() {
            self.problem(key, "must not be empty");
            return None;
        }
        Some(self.base.join(value))
    }

    fn paths(&mut self, key: &str, values: Option<Vec<String>>) -> Vec<PathBuf> {
        let values = (1..).zip(values.unwrap_or_default());
        values.filter_map(|(number, value): (usize, _)| self.path(&format!("{key}[{number}]"), Some(value))).collect()
    }

    fn address(&mut self, key: &str, value: Option<String>) -> Option<SocketAddr> {
        let value = self.required(key, value)?;
        match value.parse() {
            Ok(address) => Some(address),
            Err(_) => {
                self.problem(key, format!("`{value}` is not an address such as 127.0.0.1:8711"));
                None
            }
        }
    }

    fn checkpoint_interval(&mut self, value: Option<&str>) -> Duration {
        const DEFAULT: Duration = Duration::from_secs(60);
        match value.map(parse_duration) {
            None => DEFAULT,
            Some(Some(interval)) if interval >= Duration::from_millis(100) => interval,
            Some(_) => {
                self.problem("audit.checkpoint_interval", "must be a length of time of 100ms or more, such as 60s");
                DEFAULT
            }
        }
    }

    fn day_length(&mut self, value: Option<String>) -> Option<DayLength> {
        let Some(value) = value else { return Some(DayLength::default()) };
        match parse_duration(&value) {
            Some(length) if length >= DayLength::MIN => Some(DayLength::new(length)),
            Some(_) => {
                self.problem("day_length", "must be 10ms or more");
                None
            }
            None => {
                self.problem("day_length", format!("`{value}` is not a length of time such as 24h, 1s or 250ms"));
                None
            }
        }
    }

    fn identity_lease(&mut self, value: Option<String>) -> Option<Duration> {
        let Some(value) = value else { return Some(IDENTITY_LEASE_DEFAULT) };
        match parse_duration(&value) {
            Some(lease) if lease >= IDENTITY_LEASE_MIN => Some(lease),
            Some(_) => {
                self.problem("identity.lease", "must be 1s or more");
                None
            }
            None => {
                self.problem("identity.lease", format!("`{value}` is not a length of time such as 1h, 90s or 24h"));
                None
            }
        }
    }

    fn api(&mut self, raw: Option<RawApi>) -> Option<(SocketAddr, Option<ApiTls>)> {
        let raw = self.required("api", raw)?;
        let listen = self.address("api.listen", raw.listen);
        let tls = match (raw.cert, raw.key) {
            (None, None) => None,
            (cert, key) => {
                let cert = self.path("api.cert", cert);
                let key = self.path("api.key", key);
                Some(ApiTls { cert: cert?, key: key? })
            }
        };
        let listen = listen?;
        if tls.is_none() && !listen.ip().is_loopback() {
            self.problem("api.listen", "is not a loopback address, so api.cert and api.key are required");
            return None;
        }
        Some((listen, tls))
    }

    fn tls(&mut self, raw: Option<RawTls>) -> Option<TlsFiles> {
        let raw = self.required("tls", raw)?;
        let ca = self.path("tls.ca", raw.ca);
        let cert = self.path("tls.cert", raw.cert);
        let key = self.path("tls.key", raw.key);
        Some(TlsFiles { ca: ca?, cert: cert?, key: key? })
    }

    fn root_key(&mut self, raw: Option<RawRootKey>) -> Option<RootKeyProvider> {
        let raw = self.required("root_key", raw)?;
        match (raw.file, raw.passphrase_file) {
            (Some(file), None) => self.path("root_key.file", Some(file)).map(RootKeyProvider::File),
            (None, Some(file)) => {
                let passphrase_file = self.path("root_key.passphrase_file", Some(file))?;
                Some(RootKeyProvider::Passphrase { passphrase_file })
            }
            (Some(_), Some(_)) | (None, None) => {
                self.problem("root_key", "needs exactly one of `file` and `passphrase_file`");
                None
            }
        }
    }

    fn number(&mut self, key: &str, value: Option<u64>, default: u64, range: RangeInclusive<u64>) -> u64 {
        let value = value.unwrap_or(default);
        if !range.contains(&value) {
            self.problem(key, format!("is {value}, must be {} to {}", range.start(), range.end()));
        }
        value
    }

    fn count(&mut self, key: &str, value: Option<u64>, default: u64, range: RangeInclusive<u64>) -> usize {
        usize::try_from(self.number(key, value, default, range)).unwrap_or(usize::MAX)
    }

    fn millis(&mut self, key: &str, value: Option<u64>, default: u64, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(key, value, default, range))
    }

    fn raft(&mut self, raw: &RawRaft) -> RaftConfig {
        let heartbeat = self.millis("raft.heartbeat_ms", raw.heartbeat_ms, 150, 10..=5_000);
        let min = self.millis("raft.election_timeout_min_ms", raw.election_timeout_min_ms, 900, 50..=60_000);
        let max = self.millis("raft.election_timeout_max_ms", raw.election_timeout_max_ms, 1_500, 60..=120_000);
        if min < heartbeat.saturating_mul(3) {
            self.problem("raft.election_timeout_min_ms", "must be at least three times raft.heartbeat_ms");
        }
        if max < heartbeat.saturating_mul(6) {
            self.problem("raft.election_timeout_max_ms", "must be at least six times raft.heartbeat_ms");
        }
        if max <= min {
            self.problem("raft.election_timeout_max_ms", "must be above raft.election_timeout_min_ms");
        }
        let entries = raw.snapshot_log_entries;
        RaftConfig {
            heartbeat,
            election_timeout_min: min,
            election_timeout_max: max,
            snapshot_log_entries: self.number("raft.snapshot_log_entries", entries, 10_000, 100..=1_000_000),
        }
    }

    fn limits(&mut self, raw: &RawLimits) -> Limits {
        let body = raw.api_body_bytes_max;
        let cache = raw.material_cache_entries;
        Limits {
            api_connections_max: self.count("limits.api_connections_max", raw.api_connections_max, 4_096, 1..=100_000),
            api_body_bytes_max: self.count("limits.api_body_bytes_max", body, 1_048_576, 65_536..=16_777_216),
            api_request_timeout: self.millis(
                "limits.api_request_timeout_ms",
                raw.api_request_timeout_ms,
                10_000,
                100..=120_000,
            ),
            grpc_connections_max: self.count(
                "limits.grpc_connections_max",
                raw.grpc_connections_max,
                1_024,
                8..=100_000,
            ),
            grpc_handshakes_max: self.count("limits.grpc_handshakes_max", raw.grpc_handshakes_max, 64, 1..=4_096),
            material_cache_entries: self.count("limits.material_cache_entries", cache, 100_000, 100..=10_000_000),
            shutdown_grace: self.millis("limits.shutdown_grace_ms", raw.shutdown_grace_ms, 5_000, 0..=60_000),
        }
    }

    fn telemetry(&mut self, raw: RawTelemetry) -> Option<TelemetryConfig> {
        let sample_ratio = raw.sample_ratio.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&sample_ratio) {
            self.problem("telemetry.sample_ratio", format!("is {sample_ratio}, must be 0.0 to 1.0"));
        }
        let otlp_endpoint = raw.otlp_endpoint?;
        if !is_otlp_endpoint(&otlp_endpoint) {
            let message = format!("`{otlp_endpoint}` is not an address such as http://127.0.0.1:4317");
            self.problem("telemetry.otlp_endpoint", message);
        }
        Some(TelemetryConfig { otlp_endpoint, sample_ratio })
    }

    fn log(&mut self, raw: RawLog) -> Option<LogConfig> {
        let format = match raw.format.as_deref() {
            None | Some("json") => Some(LogFormat::Json),
            Some("text") => Some(LogFormat::Text),
            Some(other) => {
                self.problem("log.format", format!("is `{other}`, must be json or text"));
                None
            }
        };
        let filter = raw.filter.unwrap_or_else(|| "info".to_owned());
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&filter) {
            self.problem("log.filter", error.to_string());
        }
        Some(LogConfig { format: format?, filter })
    }

    fn peers(&mut self, raw: Vec<RawPeer>) -> Option<Vec<Peer>> {
        if raw.is_empty() || raw.len() > PEERS_MAX {
            self.problem("peer", format!("1 to {PEERS_MAX} [[peer]] sections are needed, this node included"));
            return None;
        }
        let mut peers: Vec<Peer> = Vec::with_capacity(raw.len());
        for (index, raw) in raw.into_iter().enumerate() {
            let Some(peer) = self.peer(&format!("peer[{index}]"), raw) else { continue };
            if peers.iter().any(|other| other.region == peer.region) {
                self.problem(format!("peer[{index}].region"), format!("{} is named twice", peer.region));
            }
            if peers.iter().any(|other| other.node_id == peer.node_id) {
                self.problem(format!("peer[{index}].node_id"), format!("{} is given twice", peer.node_id));
            }
            peers.push(peer);
        }
        Some(peers)
    }

    fn peer(&mut self, key: &str, raw: RawPeer) -> Option<Peer> {
        let region = self.region(&format!("{key}.region"), raw.region);
        let node_id = self.node_id(&format!("{key}.node_id"), raw.node_id);
        let address = self.dial_address(&format!("{key}.address"), raw.address);
        let role = match raw.role.as_deref() {
            None | Some("region") => Some(Role::Region),
            Some("witness") => Some(Role::Witness),
            Some(other) => {
                self.problem(format!("{key}.role"), format!("is `{other}`, must be region or witness"));
                None
            }
        };
        Some(Peer { region: region?, node_id: node_id?, address: address?, role: role? })
    }

    fn dial_address(&mut self, key: &str, value: Option<String>) -> Option<String> {
        let value = self.required(key, value)?;
        let parts = value.rsplit_once(':');
        let valid = parts.is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains(['/', '@', ' ']) && port.parse::<u16>().is_ok_and(|port| port != 0)
        });
        if !valid {
            self.problem(key, format!("`{value}` is not host:port"));
            return None;
        }
        Some(value)
    }

    fn own_entry(&mut self, region: &RegionName, node_id: u64, peers: &[Peer]) {
        let found = peers.iter().any(|peer| peer.node_id == node_id && peer.region == *region);
        if !found {
            self.problem("peer", format!("none has region {region} and node_id {node_id}, which are this node's own"));
        }
    }
}
