//! `meridian audit`: reads, checks and reconciles audit logs. It never writes. It needs no running Region, but can ask
//! one for its records.

mod online;
mod places;
mod reconcile;
mod records;
mod verify;

use super::Failure;
use super::client::Client;
use super::cluster::ClusterArgs;
use super::output::Format;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Read the audit logs, check that nothing was changed in them, and reconcile all Regions.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian audit tail                                the last records of every Region
  meridian audit tail --follow --cluster cluster.toml  and new ones as they come, asked of the Regions
  meridian audit search --key KEY --outcome denied   who was refused on this key, in every Region
  meridian audit verify --data-dir DIR               every edited, removed, moved or cut off record
  meridian audit verify audit-eu-west-1-2026-11-28.jsonl  copies of files, with witnesses.jsonl beside them
  meridian audit reconcile --data-dir DIR            all Regions against each other and their checkpoints
  meridian audit reconcile --key KEY                 and every use of one key in every Region

Every Region writes a chain of records into its data directory, in audit/. DIR is the directory of a
development cluster, of one of its Regions, or the data_dir of a node; without it, the development cluster
that runs at --port is read. A log that is being written may end in an unfinished line for a moment.

tail and search ask the running Regions instead of reading files with --cluster, --online or --follow. Every
Region records that it was asked.

Exit codes: 0 all is whole   1 something is wrong, and named   2 wrong command line   69 nothing to read")]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
    /// Directory of a development cluster, of a Region of it, or a node's data_dir.
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
    /// Ask the running Regions of the cluster instead of reading files. --cluster asks them, too.
    #[arg(long, global = true, conflicts_with = "data_dir")]
    online: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Show the last records.
    Tail {
        /// Most records of each Region.
        #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
        count: usize,
        /// Go on with new records as they come, until interrupted.
        #[arg(short, long, conflicts_with = "data_dir")]
        follow: bool,
        #[command(flatten)]
        filter: records::FilterArgs,
    },
    /// Show records by key, caller, operation, time and outcome, oldest first.
    Search {
        /// Most records of each Region.
        #[arg(long, value_name = "COUNT", default_value_t = 1000)]
        limit: usize,
        #[command(flatten)]
        filter: records::FilterArgs,
    },
    /// Check the chain of each log, and name every record that was edited, removed, moved, inserted or cut off.
    Verify {
        /// Files of one Region's log, in one directory; all logs of --data-dir when none is named.
        #[arg(value_name = "FILE", conflicts_with = "data_dir")]
        files: Vec<PathBuf>,
        /// Name of the cluster, if there is no witnesses.jsonl beside the files.
        #[arg(long, value_name = "ID")]
        cluster_id: Option<String>,
    },
    /// Check all Regions against each other, their countersigned checkpoints, and changes that all of them made.
    Reconcile {
        /// List every use of this key (key ID or ARN) as well.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// How many Regions must have countersigned a checkpoint, but for the newest ones. Default: one other Region, if
        /// there is one.
        #[arg(long, value_name = "COUNT")]
        witnesses: Option<usize>,
    },
}

pub(crate) fn run(args: AuditArgs) -> anyhow::Result<()> {
    let asks = args.online || args.cluster.names_file();
    let client = || Client::new(args.cluster.find()?);
    if args.data_dir.is_some() && args.cluster.names_file() {
        return Err(Failure::usage("--data-dir reads files, --cluster asks Regions: name one of them").into());
    }
    let source = places::Source { data_dir: args.data_dir, port: args.cluster.port() };
    match args.command {
        AuditCommand::Tail { count, follow: true, filter } => online::follow(&client()?, count, &filter, args.output),
        AuditCommand::Tail { count, filter, .. } if asks => online::tail(&client()?, count, &filter, args.output),
        AuditCommand::Search { limit, filter } if asks => online::search(&client()?, limit, &filter, args.output),
        AuditCommand::Verify { .. } | AuditCommand::Reconcile { .. } if asks => {
            Err(Failure::usage("verify and reconcile read files; use --data-dir").into())
        }
        AuditCommand::Tail { count, filter, .. } => records::tail(&source, count, &filter, args.output),
        AuditCommand::Search { limit, filter } => records::search(&source, limit, &filter, args.output),
        AuditCommand::Verify { files, cluster_id } => {
            let logs = if files.is_empty() { source.logs()? } else { places::of_files(&files, cluster_id.as_deref())? };
            verify::run(&logs, args.output)
        }
        AuditCommand::Reconcile { key, witnesses } => {
            reconcile::run(&source.logs()?, key.as_deref(), witnesses, args.output)
        }
    }
}
