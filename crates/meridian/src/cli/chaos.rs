//! `meridian chaos`: faults in a running development cluster.

use super::output::{self, Format};
use super::{Failure, cluster};
use crate::dev::control::{self, ControlReply, ControlRequest};
use crate::dev::ports::DEFAULT_BASE;
use crate::dev::runtime_file;
use anyhow::Context as _;
use clap::{Args, Subcommand};

/// Inject faults into a running development cluster: processes that die or hang, links that fail or are slow.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian chaos kill us-east-1                     the Region is gone, as by kill -9
  meridian chaos restart us-east-1                  and is back
  meridian chaos isolate eu-west-1                  alive, but cut off from all other Regions
  meridian chaos partition 'us-east-1,eu-west-1|ap-southeast-1'
  meridian chaos latency 80                         every answer between Regions takes 160 ms more
  meridian chaos latency 0 --between us-east-1 eu-west-1
  meridian chaos heal && meridian chaos status

Partitions lose bytes silently, as real ones do. Your own requests to a Region are not affected by them.")]
pub(crate) struct ChaosArgs {
    #[command(subcommand)]
    command: ChaosCommand,
    /// Base port of the development cluster.
    #[arg(long, value_name = "BASE", default_value_t = DEFAULT_BASE, global = true)]
    port: u16,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum ChaosCommand {
    /// End a Region's process at once (SIGKILL).
    Kill { region: String },
    /// Let a Region's process hang (SIGSTOP).
    Pause { region: String },
    /// Let a paused process go on (SIGCONT).
    Resume { region: String },
    /// Start a Region's process, and wait until it is ready; a living one is ended first.
    Restart { region: String },
    /// Cut a Region off from all others.
    Isolate { region: String },
    /// Cut groups of Regions off from each other: A,B|C
    Partition {
        #[arg(value_name = "GROUPS")]
        groups: String,
    },
    /// End every isolation and partition. Latency stays.
    Heal,
    /// Set the one-way latency between Regions.
    Latency {
        /// One-way latency in milliseconds.
        #[arg(value_parser = clap::value_parser!(u64).range(0..=10_000))]
        ms: u64,
        /// Only between these two Regions.
        #[arg(long, num_args = 2, value_names = ["A", "B"])]
        between: Option<Vec<String>>,
    },
    /// Show processes and links.
    Status,
}

pub(crate) fn run(args: ChaosArgs) -> anyhow::Result<()> {
    let cluster = runtime_file::read(args.port)?.ok_or_else(|| cluster::none_running(args.port))?;
    let request = request(args.command)?;
    let reply = super::runtime()?
        .block_on(control::call(&cluster.control_socket, &request))
        .map_err(|error| Failure::unavailable(format!("{error:#}")))?;
    if args.output == Format::Json {
        output::json(&reply)?;
    }
    match (reply, args.output) {
        (ControlReply::Refused { message }, _) => Err(Failure::failed(message).into()),
        (_, Format::Json) => Ok(()),
        (ControlReply::Done { message }, Format::Table) => {
            output::line(message);
            Ok(())
        }
        (ControlReply::Status { regions, links }, Format::Table) => {
            let rows = regions.into_iter().map(|region| {
                let pid = region.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
                vec![region.region, region.state, pid, region.api, region.grpc, region.ops]
            });
            output::line(output::table(&["REGION", "PROCESS", "PID", "API", "GRPC", "OPERATIONS"], rows));
            output::line("");
            let rows = links.into_iter().map(|link| {
                let state = if link.blocked { "blocked" } else { "open" };
                vec![link.between.join(" <-> "), state.to_owned(), format!("{} ms", link.latency_ms)]
            });
            output::line(output::table(&["LINK", "STATE", "ONE-WAY LATENCY"], rows));
            Ok(())
        }
    }
}

fn request(command: ChaosCommand) -> anyhow::Result<ControlRequest> {
    Ok(match command {
        ChaosCommand::Kill { region } => ControlRequest::Kill { region },
        ChaosCommand::Pause { region } => ControlRequest::Pause { region },
        ChaosCommand::Resume { region } => ControlRequest::Resume { region },
        ChaosCommand::Restart { region } => ControlRequest::Restart { region },
        ChaosCommand::Isolate { region } => ControlRequest::Isolate { region },
        ChaosCommand::Partition { groups } => {
            let groups = groups.split('|').map(|group| {
                group.split(',').map(str::trim).filter(|region| !region.is_empty()).map(str::to_owned).collect()
            });
            ControlRequest::Partition { groups: groups.collect() }
        }
        ChaosCommand::Heal => ControlRequest::Heal,
        ChaosCommand::Latency { ms, between } => {
            let pair = |regions: Vec<String>| <[String; 2]>::try_from(regions).ok();
            let between = between.map(|regions| pair(regions).context("--between needs two Regions")).transpose()?;
            ControlRequest::Latency { ms, between }
        }
        ChaosCommand::Status => ControlRequest::Status,
    })
}
