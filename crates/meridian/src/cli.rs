//! The command line: what can be asked for, and how its outcome becomes an exit code.

mod audit;
mod chaos;
mod client;
mod cluster;
mod confirm;
mod describe;
mod dev;
mod exit;
mod explain_access;
mod identity;
mod init;
mod keys;
mod node;
pub(crate) mod output;
mod promote;
mod region;
mod residency;
mod rotation;
mod signals;
mod status;

#[cfg(test)]
mod tests;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

pub(crate) use exit::Failure;

/// Key management service for keys that live in several Regions, with the AWS KMS API.
#[derive(Debug, Parser)]
#[command(name = "meridian", version, max_term_width = 110, after_help = HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
Try it (three Regions on this machine, gone when you press Ctrl-C):
  meridian dev
  eval \"$(meridian dev env)\" && aws kms create-key --multi-region

Exit codes:
  0 done   1 refused or failed   2 wrong command line   64 wrong configuration file
  69 cluster, Region or majority unreachable   70 internal failure";

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev::DevArgs),
    Status(status::StatusArgs),
    Keys(keys::KeysArgs),
    Promote(promote::PromoteArgs),
    Rotation(rotation::RotationArgs),
    ExplainAccess(explain_access::ExplainAccessArgs),
    Identity(identity::IdentityArgs),
    Region(region::RegionArgs),
    Residency(residency::ResidencyArgs),
    Audit(audit::AuditArgs),
    Chaos(chaos::ChaosArgs),
    Init(init::InitArgs),
    Node(node::NodeArgs),
}

/// Runs the command line of this process.
pub(crate) fn main() -> ExitCode {
    let started = tokio::time::Instant::now();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version arrive here too, and are no failure. If printing fails there is nobody to tell.
            drop(error.print());
            return if error.use_stderr() { exit::Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    match run(arguments.command, started) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format_args!("meridian: {}", chain(&error)));
            exit::exit_of(&error).into()
        }
    }
}

fn run(command: Command, started: tokio::time::Instant) -> anyhow::Result<()> {
    match command {
        Command::Dev(args) => dev::run(args, started),
        Command::Status(args) => status::run(args),
        Command::Keys(args) => keys::run(args),
        Command::Promote(args) => promote::run(args),
        Command::Rotation(args) => rotation::run(args),
        Command::ExplainAccess(args) => explain_access::run(args),
        Command::Identity(args) => identity::run(args),
        Command::Region(args) => region::run(args),
        Command::Residency(args) => residency::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Chaos(args) => chaos::run(args),
        Command::Init(args) => init::run(args),
        Command::Node(args) => node::run(args),
    }
}

/// A runtime for commands that wait for the network.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// An error with its causes, each said once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}
