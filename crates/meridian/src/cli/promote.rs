//! `meridian promote`: moves a key's primary Region, also while the present one is down. Shows a plan first.

use super::Failure;
use super::client::{CHANGE_TIMEOUT, Client, within};
use super::cluster::ClusterArgs;
use super::confirm::confirm;
use super::output::{self, Format};
use anyhow::Context as _;
use clap::Args;
use kms_proto::kms::v1::{PromotePlan, PromoteRequest, PromoteResult};
use serde_json::{Value, json};

/// Move the primary Region of a multi-Region key to a Region that holds a replica.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian promote alias/orders --to eu-west-1              shows the plan, asks, then promotes
  meridian promote mrk-1234abcd12ab34cd56ef1234567890ab --to eu-west-1 --yes
  meridian promote alias/orders --to eu-west-1 --plan       only shows the plan

Works while the present primary Region is down, as long as a majority of Regions is up. Nothing that was
acknowledged is lost; the old primary Region becomes a replica by itself when it is back.")]
pub(crate) struct PromoteArgs {
    /// Key ID, key ARN, alias name or alias ARN.
    key: String,
    /// Region of the new primary.
    #[arg(long, value_name = "REGION")]
    to: String,
    /// Do not ask.
    #[arg(long, conflicts_with = "plan")]
    yes: bool,
    /// Show the plan and change nothing.
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

pub(crate) fn run(args: PromoteArgs) -> anyhow::Result<()> {
    let client = Client::new(args.cluster.find()?)?;
    // Any living Region can promote. The target is asked if it lives, and another one says why not if it does not.
    let target = client.known(&args.to)?;
    let runtime = super::runtime()?;
    let asked = runtime.block_on(client.living(&target))?;
    let ask = |plan_hash: String| {
        let request = PromoteRequest { key_id: args.key.clone(), to_region: args.to.clone(), plan_hash };
        let (client, asked) = (&client, &asked);
        async move {
            let mut keys = client.keys(asked)?;
            anyhow::Ok(within(asked, CHANGE_TIMEOUT, keys.promote(request)).await?)
        }
    };
    let plan = runtime.block_on(ask(String::new()))?.plan.context("the Region's answer has no plan in it")?;
    if args.plan || !plan.obstacles.is_empty() || args.output == Format::Table {
        show_plan(&plan, args.output)?;
    }
    if !plan.obstacles.is_empty() {
        return Err(Failure::failed(format!("cannot promote: {}", plan.obstacles.join("; "))).into());
    }
    if args.plan {
        return Ok(());
    }
    confirm(
        &format!("Move the primary of {} from {} to {}?", plan.key_id, plan.from_region, plan.to_region),
        args.yes,
    )?;
    let answer = runtime.block_on(ask(plan.plan_hash.clone()))?;
    let result = answer.result.context("the Region did not say whether it promoted")?;
    show_result(&plan, &result, args.output)
}

fn show_plan(plan: &PromotePlan, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(&json!({ "plan": plan_json(plan) }));
    }
    let none = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let caught_up = if plan.target_applied_index >= plan.committed_index {
        format!("yes ({} of {})", plan.target_applied_index, plan.committed_index)
    } else {
        format!("not yet ({} of {})", plan.target_applied_index, plan.committed_index)
    };
    let staged = if plan.staged_material_id.is_empty() { "none" } else { "yes; the new primary finishes it" };
    let facts = [
        ("Key", plan.key_id.clone()),
        ("Primary now", format!("{} (epoch {})", plan.from_region, plan.epoch)),
        ("Primary then", format!("{} (epoch {})", plan.to_region, plan.epoch.saturating_add(1))),
        ("Unreachable", none(&plan.unreachable_regions)),
        ("Caught up", caught_up),
        ("Rotation", staged.to_owned()),
        ("Would be lost", none(&plan.would_be_lost)),
        ("Obstacles", none(&plan.obstacles)),
    ];
    for (name, value) in facts {
        output::line(format_args!("{name:<14} {value}"));
    }
    Ok(())
}

fn show_result(plan: &PromotePlan, result: &PromoteResult, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(&json!({
            "plan": plan_json(plan),
            "result": {
                "epoch": result.epoch,
                "committed_index": result.committed_index,
                "duration_ms": result.duration_ms,
            },
        }));
    }
    output::line(format_args!(
        "\n{} is now the primary Region of {}: done in {} ms (epoch {}, log index {}).",
        plan.to_region, plan.key_id, result.duration_ms, result.epoch, result.committed_index,
    ));
    Ok(())
}

fn plan_json(plan: &PromotePlan) -> Value {
    json!({
        "key_id": plan.key_id,
        "from_region": plan.from_region,
        "to_region": plan.to_region,
        "epoch": plan.epoch,
        "committed_index": plan.committed_index,
        "target_applied_index": plan.target_applied_index,
        "unreachable_regions": plan.unreachable_regions,
        "would_be_lost": plan.would_be_lost,
        "staged_material_id": plan.staged_material_id,
        "obstacles": plan.obstacles,
        "plan_hash": plan.plan_hash,
    })
}
