//! Finding the cluster that a command is about: a development cluster by its port, or any other by its cluster file.

use super::Failure;
use crate::config::TlsFiles;
use crate::dev::ports::DEFAULT_BASE;
use crate::dev::runtime_file;
use clap::Args;
use kms_types::RegionName;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Which cluster.
#[derive(Clone, Debug, Args)]
pub(crate) struct ClusterArgs {
    /// Base port of a development cluster on this machine.
    #[arg(long, value_name = "BASE", default_value_t = DEFAULT_BASE, global = true)]
    port: u16,
    /// Cluster file written by `meridian init`, instead of a development cluster.
    #[arg(long, value_name = "FILE", global = true, conflicts_with = "port")]
    cluster: Option<PathBuf>,
}

/// A cluster with the means to reach it as an operator.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// Its name.
    pub(crate) cluster_id: String,
    /// Regions and the `host:port` of their gRPC services.
    pub(crate) endpoints: Vec<(RegionName, String)>,
    /// The operator's certificate.
    pub(crate) tls: TlsFiles,
}

/// The cluster file. Relative paths start at its directory.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterFile {
    pub(crate) cluster_id: String,
    pub(crate) ca: PathBuf,
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    #[serde(rename = "endpoint")]
    pub(crate) endpoints: Vec<ClusterEndpoint>,
}

/// A Region in the cluster file.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterEndpoint {
    pub(crate) region: String,
    pub(crate) grpc: String,
}

impl ClusterArgs {
    /// The base port of the development cluster, if that is meant.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Whether a cluster file is named.
    pub(crate) const fn names_file(&self) -> bool {
        self.cluster.is_some()
    }

    /// The cluster that is meant.
    ///
    /// # Errors
    /// Fails when no such development cluster runs, or the cluster file is wrong.
    pub(crate) fn find(&self) -> anyhow::Result<Cluster> {
        match &self.cluster {
            Some(path) => from_file(path),
            None => {
                let running = runtime_file::read(self.port)?.ok_or_else(|| none_running(self.port))?;
                let endpoints = running.regions.iter().map(|region| (region.region.as_str(), region.grpc.as_str()));
                Ok(Cluster {
                    endpoints: parse_endpoints(endpoints)?,
                    cluster_id: running.cluster_id,
                    tls: TlsFiles { ca: running.ca, cert: running.operator_cert, key: running.operator_key },
                })
            }
        }
    }
}

/// No development cluster at this port.
pub(crate) fn none_running(port: u16) -> Failure {
    Failure::unavailable(format!("no development cluster is running at port {port}; start one with `meridian dev`"))
}

fn from_file(path: &Path) -> anyhow::Result<Cluster> {
    let wrong = |reason: String| Failure::configuration(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let file: ClusterFile = toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
    let base = path.parent().unwrap_or(Path::new("."));
    let endpoints = file.endpoints.iter().map(|endpoint| (endpoint.region.as_str(), endpoint.grpc.as_str()));
    let endpoints = parse_endpoints(endpoints).map_err(|error| wrong(error.to_string()))?;
    if endpoints.is_empty() {
        return Err(wrong("has no [[endpoint]] section".to_owned()).into());
    }
    let tls = TlsFiles { ca: base.join(file.ca), cert: base.join(file.cert), key: base.join(file.key) };
    Ok(Cluster { cluster_id: file.cluster_id, endpoints, tls })
}

fn parse_endpoints<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> anyhow::Result<Vec<(RegionName, String)>> {
    pairs
        .map(|(region, address)| {
            let name =
                RegionName::parse(region).map_err(|_invalid| anyhow::anyhow!("`{region}` is not a Region name"))?;
            Ok((name, address.to_owned()))
        })
        .collect()
}
