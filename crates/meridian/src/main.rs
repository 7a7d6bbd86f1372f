//! The `meridian` binary: runs Regions, development clusters, and the commands with which people operate them.

mod cli;
mod config;
mod dev;
mod files;
mod grpc;
mod hardening;
mod node;
mod pki;
mod signatures;
mod telemetry;
mod tls;
mod witnesses;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
