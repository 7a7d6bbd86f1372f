//! `meridian region`: what belongs to one Region alone, such as the epochs of its KEK.

use super::client::{ANSWER_TIMEOUT, CHANGE_TIMEOUT, Client, within};
use super::cluster::ClusterArgs;
use super::confirm::confirm;
use super::describe::time;
use super::output::{self, Format};
use clap::{Args, Subcommand};
use kms_proto::cluster::v1::{DescribeKeksRequest, DescribeKeksResponse, RotateKekRequest};
use kms_types::RegionName;
use serde_json::{Value, json};
use std::time::Duration;

/// Time between two looks at a rotation in progress.
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// Looks between two lines of progress.
const LOOKS_PER_LINE: u32 = 50;

/// Look after the keys of a Region's own hierarchy.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian region keks                               the epochs of the Region KEK, in every Region
  meridian region rotate-kek eu-west-1               begin a new epoch; the old one goes a day later
  meridian region rotate-kek eu-west-1 --destroy-old the old one goes as soon as everything is wrapped anew

The Region KEK wraps all key material in a Region's store. A deleted key is out of reach for good, even for
somebody with the disk and the root key, once the epoch that wrapped it is destroyed. Each Region also rotates
by schedule ([region_kek] rotation_days in node.toml). Requests go on meanwhile.")]
pub(crate) struct RegionArgs {
    #[command(subcommand)]
    command: RegionCommand,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum RegionCommand {
    /// Show the epochs of the Region KEK.
    Keks {
        /// Region; all of them when none is named.
        region: Option<String>,
    },
    /// Begin a new epoch of the Region KEK and wait until everything is wrapped anew.
    RotateKek {
        /// Region.
        region: String,
        /// Destroy the old epochs right after that. Import and grant tokens handed out before become invalid.
        #[arg(long)]
        destroy_old: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) fn run(args: RegionArgs) -> anyhow::Result<()> {
    let client = Client::new(args.cluster.find()?)?;
    let runtime = super::runtime()?;
    match args.command {
        RegionCommand::Keks { region } => {
            let regions = match region {
                Some(region) => vec![client.known(&region)?],
                None => client.regions().cloned().collect(),
            };
            runtime.block_on(show(&client, &regions, args.output))
        }
        RegionCommand::RotateKek { region, destroy_old, yes } => {
            let region = client.known(&region)?;
            if destroy_old {
                let question = format!("Destroy the old Region KEK of {region} and the tokens made under it?");
                confirm(&question, yes)?;
            }
            runtime.block_on(rotate(&client, &region, destroy_old, args.output))
        }
    }
}

async fn describe(client: &Client, region: &RegionName) -> anyhow::Result<DescribeKeksResponse> {
    let mut keys = client.region_keys(region)?;
    Ok(within(region, ANSWER_TIMEOUT, keys.describe_keks(DescribeKeksRequest {})).await?)
}

async fn show(client: &Client, regions: &[RegionName], format: Format) -> anyhow::Result<()> {
    let (mut answers, mut failure) = (Vec::new(), None);
    for region in regions {
        match describe(client, region).await {
            Ok(answer) => answers.push((region, answer)),
            Err(error) => {
                output::note(format_args!("meridian: {error}"));
                failure = failure.or(Some(error));
            }
        }
    }
    match format {
        Format::Json => output::json(&answers.iter().map(|(region, keks)| as_json(region, keks)).collect::<Vec<_>>())?,
        Format::Table => {
            let rows = answers.iter().flat_map(|(region, keks)| {
                keks.epochs.iter().enumerate().map(move |(index, epoch)| {
                    let newest = index + 1 == keks.epochs.len();
                    let state = match (newest, keks.unfinished) {
                        (true, _) => "wraps",
                        (false, true) => "being replaced",
                        (false, false) => "waits for its end",
                    };
                    let next = keks.next_rotation_ms.filter(|_| newest).map_or_else(|| "-".to_owned(), time);
                    let began = epoch.began_at_ms.map_or_else(|| "-".to_owned(), time);
                    vec![region.to_string(), epoch.epoch.to_string(), state.to_owned(), began, next]
                })
            });
            output::line(output::table(&["REGION", "EPOCH", "STATE", "BEGAN", "NEXT EPOCH"], rows));
        }
    }
    failure.map_or(Ok(()), Err)
}

async fn rotate(client: &Client, region: &RegionName, destroy_old: bool, format: Format) -> anyhow::Result<()> {
    let mut keys = client.region_keys(region)?;
    let request = RotateKekRequest { destroy_at_once: destroy_old };
    let begun = within(region, CHANGE_TIMEOUT, keys.rotate_kek(request)).await?;
    let mut looks = 0_u32;
    let keks = loop {
        let keks = describe(client, region).await?;
        if !(keks.unfinished || destroy_old && keks.epochs.len() > 1) {
            break keks;
        }
        looks = looks.saturating_add(1);
        if looks.is_multiple_of(LOOKS_PER_LINE) {
            output::note(format_args!("{} materials are wrapped anew so far …", keks.rewrapped));
        }
        tokio::time::sleep(LOOK_PAUSE).await;
    };
    match format {
        Format::Json => output::json(&as_json(region, &keks)),
        Format::Table => {
            let old = if destroy_old { "older ones are destroyed" } else { "older ones are destroyed in a day" };
            output::line(format_args!(
                "Everything in {region} is wrapped under epoch {} of its Region KEK; {old}.",
                begun.epoch
            ));
            Ok(())
        }
    }
}

fn as_json(region: &RegionName, keks: &DescribeKeksResponse) -> Value {
    json!({
        "region": region.as_str(),
        "epochs": keks.epochs.iter().map(|epoch| json!({
            "epoch": epoch.epoch,
            "began_at": epoch.began_at_ms.map(time),
        })).collect::<Vec<_>>(),
        "unfinished": keks.unfinished,
        "rewrapped": keks.rewrapped,
        "next_epoch_at": keks.next_rotation_ms.map(time),
    })
}
