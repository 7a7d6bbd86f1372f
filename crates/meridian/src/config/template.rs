//! Writing a `node.toml`: for development clusters and for `meridian init`.

use super::Role;
use kms_types::RegionName;
use std::net::SocketAddr;

/// What a generated `node.toml` says; everything else keeps its default.
#[derive(Debug)]
pub(crate) struct NodeTemplate<'a> {
    /// Region of the node.
    pub(crate) region: &'a RegionName,
    /// Name of the cluster.
    pub(crate) cluster_id: &'a str,
    /// Number of the node.
    pub(crate) node_id: u64,
    /// Whether this node founds the cluster.
    pub(crate) bootstrap: bool,
    /// Directory of the store.
    pub(crate) data_dir: &'a str,
    /// Address of the AWS KMS API.
    pub(crate) api_listen: SocketAddr,
    /// Certificate and key files of the AWS KMS API.
    pub(crate) api_tls: Option<(&'a str, &'a str)>,
    /// Address of the gRPC services.
    pub(crate) grpc_listen: SocketAddr,
    /// Address of metrics and health.
    pub(crate) ops_listen: SocketAddr,
    /// Files of authority, certificate and key.
    pub(crate) tls: [&'a str; 3],
    /// File of the root key.
    pub(crate) root_key_file: &'a str,
    /// File of the principals.
    pub(crate) principals_file: &'a str,
    /// Files of authorities whose attestation documents are believed beside AWS's.
    pub(crate) attestation_roots: &'a [String],
    /// Length of a day as written, for example `1s`; absent for real days.
    pub(crate) day_length: Option<&'a str>,
    /// Lease on the directory of principals as written, for example `10s`; absent for the default.
    pub(crate) identity_lease: Option<&'a str>,
    /// Quotas that differ from AWS's defaults, by name.
    pub(crate) quotas: &'a [(&'static str, u64)],
    /// How often the audit log is signed, as written; absent for the default.
    pub(crate) checkpoint_interval: Option<&'a str>,
    /// Where traces go, as written; absent for nowhere.
    pub(crate) otlp_endpoint: Option<&'a str>,
    /// Heartbeat, shortest and longest election timeout in milliseconds.
    pub(crate) raft_ms: [u64; 3],
    /// `json` or `text`.
    pub(crate) log_format: &'a str,
    /// All members.
    pub(crate) peers: &'a [(RegionName, u64, String, Role)],
}

impl NodeTemplate<'_> {
    /// The file's text.
    #[must_use]
    pub(crate) fn render(&self) -> String {
        let mut text = String::from("# One Region's node. Relative paths start at this file's directory.\n");
        let mut line = |key: &str, value: String| text.extend([key, " = ", &value, "\n"]);
        line("region", quote(self.region.as_str()));
        line("cluster_id", quote(self.cluster_id));
        line("node_id", self.node_id.to_string());
        line("bootstrap", self.bootstrap.to_string());
        line("data_dir", quote(self.data_dir));
        line("principals_file", quote(self.principals_file));
        if let Some(length) = self.day_length {
            line("day_length", quote(length));
        }
        if let Some(lease) = self.identity_lease {
            line("\n[identity]\nlease", quote(lease));
        }
        if !self.attestation_roots.is_empty() {
            let roots: Vec<String> = self.attestation_roots.iter().map(|file| quote(file)).collect();
            line("\n[attestation]\nroots", format!("[{}]", roots.join(", ")));
        }
        line("\n[api]\nlisten", quote(&self.api_listen.to_string()));
        if let Some((cert, key)) = self.api_tls {
            line("cert", quote(cert));
            line("key", quote(key));
        }
        line("\n[grpc]\nlisten", quote(&self.grpc_listen.to_string()));
        line("\n[ops]\nlisten", quote(&self.ops_listen.to_string()));
        let [ca, cert, key] = self.tls;
        line("\n[tls]\nca", quote(ca));
        line("cert", quote(cert));
        line("key", quote(key));
        line("\n[root_key]\nfile", quote(self.root_key_file));
        let [heartbeat, min, max] = self.raft_ms;
        line("\n[raft]\nheartbeat_ms", heartbeat.to_string());
        line("election_timeout_min_ms", min.to_string());
        line("election_timeout_max_ms", max.to_string());
        if let Some(interval) = self.checkpoint_interval {
            line("\n[audit]\ncheckpoint_interval", quote(interval));
        }
        if let Some(endpoint) = self.otlp_endpoint {
            line("\n[telemetry]\notlp_endpoint", quote(endpoint));
        }
        line("\n[log]\nformat", quote(self.log_format));
        for (index, (name, value)) in self.quotas.iter().enumerate() {
            let name = if index == 0 { format!("\n[quotas]\n{name}") } else { (*name).to_owned() };
            line(&name, value.to_string());
        }
        for (region, node_id, address, role) in self.peers {
            line("\n[[peer]]\nregion", quote(region.as_str()));
            line("node_id", node_id.to_string());
            line("address", quote(address));
            let role = match role {
                Role::Region => "region",
                Role::Witness => "witness",
            };
            line("role", quote(role));
        }
        text
    }
}

/// Heartbeat, shortest and longest election timeout in milliseconds for a one-way latency between Regions: a heartbeat
/// is longer than the round trip with a sync of the disks; an election comes after four to seven that are missing, so
/// that a dead leader is replaced in about a second while the round trip is 100 ms.
#[must_use]
pub(crate) fn raft_timing_ms(one_way_ms: u64) -> [u64; 3] {
    let round_trip = one_way_ms.saturating_mul(2).min(2_000);
    let heartbeat = (round_trip + DISK_SYNC_MS).max(150);
    [heartbeat, heartbeat * 4, heartbeat * 7]
}

/// Time for a sync of a disk that others use too.
const DISK_SYNC_MS: u64 = 50;

/// A TOML string.
pub(crate) fn quote(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}
