//! The shape of `node.toml`, before any value is checked. Every knob states its default, range, and what breaks.

use serde::Deserialize;

/// The file as written. Everything is optional here so that the check can report all that is missing at once.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    /// Required. Region that this node serves, for example `eu-west-1`.
    pub(super) region: Option<String>,
    /// Required. 1 to 64 characters of `a-z 0-9 -`. Nodes of different clusters never talk to each other.
    pub(super) cluster_id: Option<String>,
    /// Required. 1 or more, unique in the cluster, never given to another node.
    pub(super) node_id: Option<u64>,
    /// Required. Losing it loses this Region's single-Region keys; back it up.
    pub(super) data_dir: Option<String>,
    /// Default `false`. Exactly one node of a new cluster founds it; two founders make two clusters.
    pub(super) bootstrap: Option<bool>,
    /// Default `24h`, 10 ms or more. Anything else is for practice: waiting periods shrink with it.
    pub(super) day_length: Option<String>,
    /// How long the directory of principals is trusted without word from a majority.
    #[serde(default)]
    pub(super) identity: RawIdentity,
    /// Optional.
    #[serde(default)]
    pub(super) attestation: RawAttestation,
    /// Required. Mode 0600.
    pub(super) principals_file: Option<String>,
    /// Required.
    pub(super) api: Option<RawApi>,
    /// Required.
    pub(super) grpc: Option<RawListen>,
    /// Required.
    pub(super) ops: Option<RawListen>,
    /// Required.
    pub(super) tls: Option<RawTls>,
    /// Required.
    pub(super) root_key: Option<RawRootKey>,
    /// Optional.
    #[serde(default)]
    pub(super) region_kek: RawRegionKek,
    /// Optional.
    #[serde(default)]
    pub(super) raft: RawRaft,
    /// Optional.
    #[serde(default)]
    pub(super) limits: RawLimits,
    /// Optional.
    #[serde(default)]
    pub(super) quotas: RawQuotas,
    /// Optional.
    #[serde(default)]
    pub(super) metrics: RawMetrics,
    /// Optional.
    #[serde(default)]
    pub(super) audit: RawAudit,
    /// Optional.
    #[serde(default)]
    pub(super) telemetry: RawTelemetry,
    /// Optional.
    #[serde(default)]
    pub(super) log: RawLog,
    /// Required: all members, this node included.
    #[serde(default, rename = "peer")]
    pub(super) peers: Vec<RawPeer>,
}

/// `[api]`: the AWS KMS API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawApi {
    /// Required. `ip:port`. Without `cert` and `key` it must be a loopback address.
    pub(super) listen: Option<String>,
    /// PEM certificate chain; together with `key`.
    pub(super) cert: Option<String>,
    /// PEM private key; together with `cert`.
    pub(super) key: Option<String>,
}

/// `[grpc]` and `[ops]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListen {
    /// Required. `ip:port`.
    pub(super) listen: Option<String>,
}

/// `[tls]`: mutual TLS of the gRPC services. All three required.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    pub(super) ca: Option<String>,
    pub(super) cert: Option<String>,
    pub(super) key: Option<String>,
}

/// `[root_key]`: exactly one of the two.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRootKey {
    /// File with 64 hexadecimal digits, mode 0600. Without it nothing in `data_dir` can be opened.
    pub(super) file: Option<String>,
    /// File whose first line is the passphrase, mode 0600.
    pub(super) passphrase_file: Option<String>,
}

/// `[region_kek]`: the key that wraps all material in this Region's store.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRegionKek {
    /// Default 90, 1 to 3,650. After so many days a new epoch begins and everything is wrapped anew; a day later the old one
    /// is destroyed. The bytes of deleted keys stay within reach of whoever has the disk and the root key until then.
    pub(super) rotation_days: Option<u64>,
}

/// `[raft]`: timing and sizes of the control log.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRaft {
    /// Default 150, 10 to 5,000. Above the round trip between Regions and a sync of their disks, else heartbeats count
    /// as unanswered.
    pub(super) heartbeat_ms: Option<u64>,
    /// Default 900, 50 to 60,000, at least 3 heartbeats. Too short: needless elections. Too long: slow failover.
    pub(super) election_timeout_min_ms: Option<u64>,
    /// Default 1,500, above the minimum, up to 120,000, at least 6 heartbeats. Half of it is the leader's lease. Too
    /// close to the minimum: split votes.
    pub(super) election_timeout_max_ms: Option<u64>,
    /// Default 10,000, 100 to 1,000,000. Small: snapshots all the time. Large: slow start and a long log.
    pub(super) snapshot_log_entries: Option<u64>,
}

/// `[limits]`: bounds on what clients may ask for at once.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    /// Default 4,096, 1 to 100,000. More than the open-file limit allows: connections fail.
    pub(super) api_connections_max: Option<u64>,
    /// Default 1,048,576, 65,536 to 16,777,216. Too small: large key policies are refused.
    pub(super) api_body_bytes_max: Option<u64>,
    /// Default 10,000, 100 to 120,000. Too short: changes fail when the majority is far away.
    pub(super) api_request_timeout_ms: Option<u64>,
    /// Default 1,024, 8 to 100,000. Too small: peers cannot connect.
    pub(super) grpc_connections_max: Option<u64>,
    /// Default 64, 1 to 4,096. Too small: slow clients delay peers.
    pub(super) grpc_handshakes_max: Option<u64>,
    /// Default 100,000, 100 to 10,000,000. Too small: hot keys are unwrapped again and again.
    pub(super) material_cache_entries: Option<u64>,
    /// Default 5,000, 0 to 60,000. Too short: requests in progress are cut at shutdown.
    pub(super) shutdown_grace_ms: Option<u64>,
}

/// `[quotas]`: AWS's adjustable quotas, for this Region. Keep them the same in every Region: who asks for a change of a
/// multi-Region key brings the quota of its own Region along. Lowering one takes nothing away.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQuotas {
    /// Default 100,000, 1 to 10,000,000. Each key takes memory, about a kilobyte.
    pub(super) keys_per_account: Option<u64>,
    /// Default 50, 1 to 10,000.
    pub(super) aliases_per_key: Option<u64>,
    /// Default 50,000, 1 to 1,000,000. Each grant takes memory, about a kilobyte; a decision looks at all grants of a key
    /// to its caller.
    pub(super) grants_per_key: Option<u64>,
    /// Default 25, 1 to 1,000. Each rotation adds material that is kept as long as the key.
    pub(super) on_demand_rotations_per_key: Option<u64>,
}

/// `[metrics]`: what `/metrics` tells.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMetrics {
    /// Default 100, 0 to 1,000. Most keys with series of their own, for the use of keys, for their lag and for their rotation;
    /// all others are counted together. Each takes about ten series in every Region.
    pub(super) key_series: Option<u64>,
}

/// `[audit]`: the audit log in `data_dir/audit`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAudit {
    /// Default `60s`, 100 ms or more. How often the Region signs the head of its log; other Regions countersign it. What
    /// came after the last checkpoint, nobody else vouches for. Each one costs three small entries of the control log.
    pub(super) checkpoint_interval: Option<String>,
    /// Default `false`. Lets requests go on when they cannot be recorded (fail open); a signed gap record counts them
    /// afterwards. Nobody will ever know what they did.
    pub(super) danger_go_on: Option<bool>,
    /// Default `false`. Opens a log that was damaged, behind the last record that anybody knows of, and says so in the log.
    pub(super) danger_go_on_after_damage: Option<bool>,
}

/// `[telemetry]`: traces of requests and of proposals to the control log, for an OpenTelemetry collector.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTelemetry {
    /// Default: none, no traces. `http://host:port` of an OTLP receiver over gRPC, such as `http://127.0.0.1:4317`. In the clear,
    /// so beside the node or on a network of its own; spans name operations, outcomes and request IDs.
    pub(super) otlp_endpoint: Option<String>,
    /// Default 1.0, 0.0 to 1.0. The part of the requests that is traced, for callers that bring no trace of their own; whether
    /// those are traced is theirs to say (`traceparent`).
    pub(super) sample_ratio: Option<f64>,
}

/// `[log]`: the log on standard error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    /// Default `json`; `json` or `text`.
    pub(super) format: Option<String>,
    /// Default `info`. A filter such as `info,openraft=warn`; `debug` costs throughput.
    pub(super) filter: Option<String>,
}

/// `[[peer]]`: one member of the cluster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPeer {
    /// Required, unique in the cluster.
    pub(super) region: Option<String>,
    /// Required, unique in the cluster.
    pub(super) node_id: Option<u64>,
    /// Required. `host:port` of its gRPC services, as this node dials them.
    pub(super) address: Option<String>,
    /// Default `region`; `region` or `witness`.
    pub(super) role: Option<String>,
}

/// `[attestation]`: who vouches for enclaves. AWS's root is built in and cannot be taken out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAttestation {
    /// Default none. PEM files with P-384 authorities that are believed as well. Whoever holds the key of one can claim to be
    /// any enclave: name those of simulators in development only.
    pub(super) roots: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIdentity {
    /// Default `1h`, 1 s or more. A Region that is cut off honours principals that were revoked meanwhile for this long,
    /// and none of the directory afterwards: shorter is stricter, longer keeps applications going through longer cuts.
    pub(super) lease: Option<String>,
}
