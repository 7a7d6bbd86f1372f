//! `meridian dev`: a development cluster on this machine, and its environment for AWS tools.

use super::{Failure, output, signals};
use crate::config::{
    IDENTITY_LEASE_MIN, LogConfig, LogFormat, is_otlp_endpoint, load_principals, parse_duration, parse_quota,
};
use crate::dev::ports::{DEFAULT_BASE, REGIONS_MAX};
use crate::dev::{self, DevOptions, runtime_file};
use crate::telemetry;
use clap::{Args, Subcommand};
use kms_types::{DayLength, RegionName};
use std::path::PathBuf;
use tokio::time::Instant;

/// Run a whole cluster on this machine: three Regions, one endpoint for all, faults on demand.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  meridian dev                                      three Regions, gone at Ctrl-C
  meridian dev --data-dir ./cluster                 kept, and used again by the next start
  meridian dev --regions us-east-1,eu-west-1,ap-southeast-1,sa-east-1,eu-north-1
  meridian dev --latency 50 --day-length 1s         distant Regions; a year takes six minutes
  eval \"$(meridian dev env)\"                        then use the AWS CLI and any AWS SDK

Ports: BASE is the front door, which serves all Regions. Region i (1, 2, ...) has its KMS API on
BASE+10+i, gRPC on BASE+20+i, metrics and health on BASE+30+i."
)]
pub(crate) struct DevArgs {
    #[command(subcommand)]
    command: Option<DevCommand>,
    /// Keep the cluster here [default: a temporary directory, removed at the end].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Base of all port numbers; other commands find the cluster by it.
    #[arg(long, value_name = "BASE", default_value_t = DEFAULT_BASE)]
    port: u16,
    /// The Regions, at most nine.
    #[arg(long, value_delimiter = ',', value_name = "A,B,C", value_parser = region,
          default_value = "us-east-1,eu-west-1,ap-southeast-1")]
    regions: Vec<RegionName>,
    /// One-way latency between Regions in milliseconds: an answer from another Region takes twice as long.
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    latency: u64,
    /// How long a day of waiting and rotation periods lasts: 1s, 250ms, 24h [default: 24h].
    #[arg(long, value_name = "LENGTH", value_parser = day_length)]
    day_length: Option<String>,
    /// How long a Region that is cut off goes on honouring users and access keys of the directory: 10s, 1h [default: 1h].
    #[arg(long, value_name = "LENGTH", value_parser = identity_lease)]
    identity_lease: Option<String>,
    /// A quota of every Region other than AWS's: keys_per_account, aliases_per_key, grants_per_key or
    /// on_demand_rotations_per_key. May be repeated.
    #[arg(long = "quota", value_name = "NAME=NUMBER", value_parser = parse_quota)]
    quotas: Vec<(&'static str, u64)>,
    /// PEM root of simulated enclaves, believed beside AWS's. May be repeated.
    #[arg(long = "attestation-root", value_name = "FILE")]
    attestation_roots: Vec<PathBuf>,
    /// Send traces to an OpenTelemetry collector, as at http://127.0.0.1:4317.
    #[arg(long, value_name = "URL", value_parser = otlp_endpoint)]
    otlp_endpoint: Option<String>,
    /// Principals file instead of the development credentials.
    #[arg(long, value_name = "FILE")]
    principals: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum DevCommand {
    /// Print `export` lines with which AWS tools use the running development cluster.
    Env {
        /// Base port of the cluster.
        #[arg(long, value_name = "BASE", default_value_t = DEFAULT_BASE)]
        port: u16,
        /// Region to use [default: the cluster's first].
        #[arg(long, value_name = "REGION")]
        region: Option<String>,
    },
}

pub(crate) fn run(args: DevArgs, started: Instant) -> anyhow::Result<()> {
    if let Some(DevCommand::Env { port, region }) = args.command {
        return environment(port, region);
    }
    if args.regions.len() > REGIONS_MAX {
        return Err(Failure::usage(format!("at most {REGIONS_MAX} Regions are possible")).into());
    }
    let mut sorted = args.regions.clone();
    sorted.sort();
    if let Some(twice) = sorted.windows(2).find(|pair| pair.first() == pair.last()).and_then(<[_]>::first) {
        return Err(Failure::usage(format!("Region {twice} is named twice")).into());
    }
    telemetry::init(&LogConfig { format: LogFormat::Text, filter: "warn".to_owned() })?;
    let options = DevOptions {
        data_dir: args.data_dir,
        base_port: args.port,
        regions: args.regions,
        latency_ms: args.latency,
        attestation_roots: args.attestation_roots,
        day_length: args.day_length,
        identity_lease: args.identity_lease,
        quotas: args.quotas,
        otlp_endpoint: args.otlp_endpoint,
        principals: args.principals,
    };
    super::runtime()?.block_on(async {
        let shutdown = signals::cancelled_by_signals()?;
        dev::run(options, shutdown, started).await
    })
}

fn environment(port: u16, region: Option<String>) -> anyhow::Result<()> {
    let cluster = runtime_file::read(port)?.ok_or_else(|| super::cluster::none_running(port))?;
    let region = match region {
        Some(region) if cluster.regions.iter().any(|known| known.region == region) => region,
        Some(region) => return Err(Failure::failed(format!("there is no Region {region} in the cluster")).into()),
        None => cluster.regions.first().map(|first| first.region.clone()).unwrap_or_default(),
    };
    let principals = load_principals(&cluster.principals_file)?;
    let principal = principals.first().ok_or_else(|| Failure::configuration("the principals file is empty"))?;
    let exports = [
        ("AWS_ENDPOINT_URL", cluster.front_door.as_str()),
        ("AWS_ACCESS_KEY_ID", principal.access_key.as_str()),
        ("AWS_SECRET_ACCESS_KEY", principal.secret_key.expose()),
        ("AWS_REGION", region.as_str()),
        ("AWS_DEFAULT_REGION", region.as_str()),
    ];
    for (name, value) in exports {
        output::line(format_args!("export {name}={}", shell_quote(value)));
    }
    // A session token of another account would be sent along with these keys.
    output::line("unset AWS_SESSION_TOKEN AWS_PROFILE");
    Ok(())
}

fn shell_quote(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
    if value.chars().all(plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}

fn region(value: &str) -> Result<RegionName, String> {
    RegionName::parse(value).map_err(|_invalid| "not a Region name such as eu-west-1".to_owned())
}

fn otlp_endpoint(value: &str) -> Result<String, String> {
    let is_one = is_otlp_endpoint(value).then(|| value.to_owned());
    is_one.ok_or_else(|| "not an address such as http://127.0.0.1:4317".to_owned())
}

fn identity_lease(value: &str) -> Result<String, String> {
    match parse_duration(value) {
        Some(lease) if lease >= IDENTITY_LEASE_MIN => Ok(value.to_owned()),
        Some(_) => Err("must be 1s or more".to_owned()),
        None => Err("not a length of time such as 1h, 90s or 10s".to_owned()),
    }
}

fn day_length(value: &str) -> Result<String, String> {
    match parse_duration(value) {
        Some(length) if length >= DayLength::MIN => Ok(value.to_owned()),
        Some(_) => Err("must be 10ms or more".to_owned()),
        None => Err("not a length of time such as 24h, 1s or 250ms".to_owned()),
    }
}
