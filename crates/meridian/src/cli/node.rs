//! `meridian node`: runs one Region in this process.

use super::signals;
use crate::config::NodeConfig;
use crate::{hardening, node, telemetry};
use clap::Args;
use std::path::PathBuf;

/// Run one Region's node in the foreground until SIGTERM or Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian node --config /etc/meridian/node.toml
  meridian node --config node.toml --check        only check the file, list all mistakes

`meridian init` writes a node.toml, certificates and a root key per Region.")]
pub(crate) struct NodeArgs {
    /// Configuration file of the node.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Check the configuration and leave.
    #[arg(long)]
    check: bool,
    /// Process that owns this node; the node is killed when that process dies.
    #[arg(long, hide = true, value_name = "PID")]
    parent_pid: Option<i32>,
}

pub(crate) fn run(args: NodeArgs) -> anyhow::Result<()> {
    if let Some(parent) = args.parent_pid {
        // Before there are threads, and so before anything can outlive the parent.
        hardening::die_with_parent(parent)?;
    }
    let config = NodeConfig::load(&args.config)?;
    crate::config::load_principals(&config.principals_file)?;
    if args.check {
        super::output::line(format_args!("{} is correct.", args.config.display()));
        return Ok(());
    }
    telemetry::init(&config.log)?;
    hardening::harden_process();
    super::runtime()?.block_on(async {
        let shutdown = signals::cancelled_by_signals()?;
        node::run(config, shutdown).await
    })
}
