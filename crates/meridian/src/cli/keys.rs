//! `meridian keys`: the keys of a Region, and one key with its Regions, materials and rotation.

use super::client::{ANSWER_TIMEOUT, Client, within};
use super::cluster::ClusterArgs;
use super::output::{self, Format};
use super::{Failure, describe};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use kms_proto::cluster::v1::{DescribeKeyRequest, DescribeKeyResponse, KeySummary, ListKeysRequest};
use kms_types::RegionName;
use serde_json::{Value, json};

/// List the keys of a Region, or show one key: its Regions, its materials, and what a rotation waits for.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian keys list
  meridian keys list --region eu-west-1 --multi-region --output json
  meridian keys describe alias/orders
  meridian keys describe mrk-1234abcd12ab34cd56ef1234567890ab --region eu-west-1")]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Region to ask [default: the first that answers].
    #[arg(long, value_name = "REGION", global = true)]
    region: Option<String>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// List the keys of a Region.
    List {
        /// Only multi-Region keys.
        #[arg(long)]
        multi_region: bool,
    },
    /// Show one key.
    Describe {
        /// Key ID, key ARN, alias name or alias ARN.
        key: String,
    },
}

/// Keys per request.
const PAGE: u32 = 1000;
/// Most keys listed; more are for programs that page themselves.
const KEYS_MAX: usize = 100_000;

pub(crate) fn run(args: KeysArgs) -> anyhow::Result<()> {
    let client = Client::new(args.cluster.find()?)?;
    super::runtime()?.block_on(async {
        match args.command {
            KeysCommand::List { multi_region } => {
                let (region, keys) = list(&client, args.region.as_deref(), multi_region).await?;
                print_list(&region, &keys, args.output)
            }
            KeysCommand::Describe { key } => {
                let (region, described) = describe_key(&client, args.region.as_deref(), &key).await?;
                match args.output {
                    Format::Json => output::json(&described_json(&region, &described)),
                    Format::Table => describe::print(&region, &described),
                }
            }
        }
    })
}

/// Describes a key in the given Region, or in the first Region that answers and has it.
///
/// # Errors
/// The last Region's failure when none can say.
pub(super) async fn describe_key(
    client: &Client,
    region: Option<&str>,
    key: &str,
) -> anyhow::Result<(RegionName, DescribeKeyResponse)> {
    let mut last = Failure::unavailable("the cluster has no Region");
    for region in candidates(client, region)? {
        let request = DescribeKeyRequest { key_id: key.to_owned() };
        let mut operator = client.operator(&region)?;
        match within(&region, ANSWER_TIMEOUT, operator.describe_key(request)).await {
            Ok(described) => return Ok((region, described)),
            // "Not there" says more than "not reachable".
            Err(failure) => last = last.or_more_telling(failure),
        }
    }
    Err(last.into())
}

async fn list(client: &Client, region: Option<&str>, only: bool) -> anyhow::Result<(RegionName, Vec<KeySummary>)> {
    let mut last = Failure::unavailable("the cluster has no Region");
    for region in candidates(client, region)? {
        match list_all(client, &region, only).await {
            Ok(keys) => return Ok((region, keys)),
            Err(error) => last = error.downcast::<Failure>()?,
        }
    }
    Err(last.into())
}

async fn list_all(client: &Client, region: &RegionName, only: bool) -> anyhow::Result<Vec<KeySummary>> {
    let mut operator = client.operator(region)?;
    let mut keys: Vec<KeySummary> = Vec::new();
    while keys.len() < KEYS_MAX {
        let after_key_id = keys.last().map(|key| key.key_id.clone()).unwrap_or_default();
        let request = ListKeysRequest { limit: PAGE, after_key_id, multi_region_only: only };
        let page = within(region, ANSWER_TIMEOUT, operator.list_keys(request)).await?;
        let done = !page.truncated || page.keys.is_empty();
        keys.extend(page.keys);
        if done {
            break;
        }
    }
    Ok(keys)
}

fn candidates(client: &Client, region: Option<&str>) -> anyhow::Result<Vec<RegionName>> {
    Ok(match region {
        Some(region) => vec![client.known(region)?],
        None => client.regions().cloned().collect(),
    })
}

fn print_list(region: &RegionName, keys: &[KeySummary], format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        let keys: Vec<Value> = keys.iter().map(summary_json).collect();
        return output::json(&json!({ "region": region.as_str(), "keys": keys }));
    }
    let rows = keys.iter().map(|key| {
        let home = if key.multi_region { key.primary_region.clone() } else { "-".to_owned() };
        let replicas = if key.replica_regions.is_empty() { "-".to_owned() } else { key.replica_regions.join(",") };
        let aliases = if key.aliases.is_empty() { "-".to_owned() } else { key.aliases.join(",") };
        vec![key.key_id.clone(), key.key_state.clone(), key.key_spec.clone(), home, replicas, aliases]
    });
    output::line(output::table(&["KEY ID", "STATE", "SPEC", "PRIMARY", "REPLICAS", "ALIASES"], rows));
    let count = keys.len();
    output::note(format_args!("{count} {} in {region}", if count == 1 { "key" } else { "keys" }));
    Ok(())
}

fn summary_json(key: &KeySummary) -> Value {
    json!({
        "key_id": key.key_id,
        "account": key.account,
        "key_state": key.key_state,
        "key_spec": key.key_spec,
        "multi_region": key.multi_region,
        "primary_region": key.primary_region,
        "replica_regions": key.replica_regions,
        "epoch": key.epoch,
        "current_material_id": key.current_material_id,
        "staged_material_id": key.staged_material_id,
        "aliases": key.aliases,
    })
}

fn described_json(region: &RegionName, described: &DescribeKeyResponse) -> Value {
    let materials: Vec<Value> = described
        .materials
        .iter()
        .map(|material| {
            json!({
                "material_id": material.material_id,
                "state": material.state,
                "created_at_ms": material.created_at_ms,
                "activated_at_ms": material.activated_at_ms,
                "rotation_type": material.rotation_type,
                "without_regions": material.without_regions,
            })
        })
        .collect();
    let holders: Vec<Value> = described
        .holders
        .iter()
        .map(|holder| {
            json!({
                "region": holder.region,
                "primary": holder.primary,
                "status": holder.status,
                "has_staged_material": holder.has_staged_material,
            })
        })
        .collect();
    let rotation = described.rotation.as_ref().map(|rotation| {
        json!({
            "enabled": rotation.enabled,
            "period_days": rotation.period_days,
            "next_rotation_ms": rotation.next_rotation_ms,
            "on_demand_rotations": rotation.on_demand_rotations,
            "waits_for": rotation.waits_for,
        })
    });
    json!({
        "answered_by": region.as_str(),
        "applied_index": described.applied_index,
        "arn": described.arn,
        "description": described.description,
        "key": described.key.as_ref().map(summary_json),
        "materials": materials,
        "holders": holders,
        "rotation": rotation,
    })
}

/// The summary within a description; it is always there.
pub(super) fn summary(described: &DescribeKeyResponse) -> anyhow::Result<&KeySummary> {
    described.key.as_ref().context("the Region's answer has no key in it")
}
