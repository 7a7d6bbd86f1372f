//! `meridian rotation`: goes on with a rotation that a missing Region holds up.

use super::Failure;
use super::client::{CHANGE_TIMEOUT, Client, within};
use super::cluster::ClusterArgs;
use super::confirm::confirm;
use super::keys::{describe_key, summary};
use super::output::{self, Format};
use clap::{Args, Subcommand};
use kms_proto::cluster::v1::ActivateRotationRequest;
use serde_json::json;

/// Go on with a rotation that a missing Region holds up.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian keys describe alias/orders               shows what the rotation waits for
  meridian rotation activate alias/orders --without ap-southeast-1

The Regions that are left out cannot decrypt newer ciphertext until they have caught up; they answer with
an error that clients retry. The decision is recorded with the key.")]
pub(crate) struct RotationArgs {
    #[command(subcommand)]
    command: RotationCommand,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum RotationCommand {
    /// Encrypt with the staged material from now on, without waiting for some Regions.
    Activate {
        /// Key ID, key ARN, alias name or alias ARN.
        key: String,
        /// Region that is not waited for; may be repeated.
        #[arg(long, value_name = "REGION", required = true, value_delimiter = ',')]
        without: Vec<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) fn run(args: RotationArgs) -> anyhow::Result<()> {
    let client = Client::new(args.cluster.find()?)?;
    let RotationCommand::Activate { key, without, yes } = args.command;
    for region in &without {
        client.known(region)?;
    }
    let runtime = super::runtime()?;
    let (_, described) = runtime.block_on(describe_key(&client, None, &key))?;
    let key = summary(&described)?;
    if key.staged_material_id.is_empty() {
        return Err(Failure::failed(format!("no rotation of {} is in progress", key.key_id)).into());
    }
    let without_text = without.join(", ");
    let question = format!("Activate the new material of {} without {without_text}?", key.key_id);
    confirm(&question, yes)?;
    let primary = client.known(&key.primary_region)?;
    let request = ActivateRotationRequest { key_id: key.key_id.clone(), without_regions: without };
    let done = runtime.block_on(async {
        let mut operator = client.operator(&primary)?;
        anyhow::Ok(within(&primary, CHANGE_TIMEOUT, operator.activate_rotation(request)).await?)
    })?;
    match args.output {
        Format::Json => output::json(&json!({
            "key_id": key.key_id,
            "material_id": done.material_id,
            "without_regions": done.without_regions,
        })),
        Format::Table => {
            output::line(format_args!(
                "{} encrypts with material {} now; without {}.",
                key.key_id,
                done.material_id,
                if done.without_regions.is_empty() { "none".to_owned() } else { done.without_regions.join(", ") },
            ));
            Ok(())
        }
    }
}
