//! `meridian residency`: which Regions may hold which keys, and where the material of a key has been.

mod report;
mod rule_file;

use super::Failure;
use super::client::{ANSWER_TIMEOUT, CHANGE_TIMEOUT, Client, within};
use super::cluster::ClusterArgs;
use super::describe::time;
use super::output::{self, Format};
use clap::{Args, Subcommand};
use kms_proto::cluster::v1 as pb;
use kms_types::RegionName;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Say which Regions may hold which keys, and report where key material has been.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian residency put rules.toml                  replace the rules; refused while keys violate them
  meridian residency put rules.toml --accept-existing  leave those keys where they are, on record
  meridian residency check rules.toml                what would violate these rules, in every Region
  meridian residency report alias/orders --output json > orders.json
  meridian residency verify orders.json

A rule file. Without a rule everything is allowed. A key must satisfy every rule that fits it; a rule fits
a key that fits all of its accounts, tag and keys, and without any of them it fits every key:
  [[rule]]
  name = \"eu-customers\"
  accounts = [\"111122223333\"]
  tag = { key = \"data\", value = \"eu\" }
  allow = [\"eu-west-1\", \"eu-central-1\"]")]
pub(crate) struct ResidencyArgs {
    #[command(subcommand)]
    command: ResidencyCommand,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t, global = true)]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum ResidencyCommand {
    /// Replace the rules of the cluster.
    Put {
        /// Rule file (TOML).
        file: PathBuf,
        /// Leave keys that violate the new rules where they are, and record it. Nothing is ever deleted.
        #[arg(long)]
        accept_existing: bool,
        /// Refuse when other rules than these are in force [default: those that are in force now].
        #[arg(long, value_name = "VERSION")]
        expect_version: Option<u64>,
    },
    /// Show the rules in force.
    Show,
    /// List keys that violate the rules, in every Region.
    Check {
        /// Rule file; the rules in force when none is named.
        file: Option<PathBuf>,
    },
    /// Report every Region that ever held each material version of a key, signed by the Regions.
    Report {
        /// Key ID, key ARN, alias name or alias ARN; a deleted key by ID or ARN.
        key: String,
    },
    /// Check the signatures of a report that was saved with `--output json`.
    Verify {
        /// The report.
        file: PathBuf,
    },
}

pub(crate) fn run(args: ResidencyArgs) -> anyhow::Result<()> {
    let client = Client::new(args.cluster.find()?)?;
    let format = args.output;
    super::runtime()?.block_on(async {
        match args.command {
            ResidencyCommand::Put { file, accept_existing, expect_version } => {
                put(&client, rule_file::read(&file)?, accept_existing, expect_version, format).await
            }
            ResidencyCommand::Show => show(&client, format).await,
            ResidencyCommand::Check { file } => {
                let rules = file.as_deref().map(rule_file::read).transpose()?;
                check(&client, rules, format).await
            }
            ResidencyCommand::Report { key } => report::report(&client, &key, format).await,
            ResidencyCommand::Verify { file } => report::verify(&client, &file, format).await,
        }
    })
}

/// A violation and the Region in which it is.
type Found = (RegionName, pb::RuleViolation);

async fn any_region(client: &Client) -> anyhow::Result<RegionName> {
    let preferred = client.regions().next().cloned();
    let preferred = preferred.ok_or_else(|| Failure::unavailable("the cluster has no Region"))?;
    client.living(&preferred).await
}

async fn in_force(client: &Client) -> anyhow::Result<pb::GetResidencyRulesResponse> {
    let region = any_region(client).await?;
    let mut service = client.residency(&region)?;
    Ok(within(&region, ANSWER_TIMEOUT, service.get_rules(pb::GetResidencyRulesRequest {})).await?)
}

/// Asks every Region. Answers what violates the rules, what is kept out, and which Regions did not answer.
async fn violations(
    client: &Client,
    rules: Option<&[pb::Rule]>,
) -> anyhow::Result<(Vec<Found>, Vec<Found>, Vec<RegionName>)> {
    let (mut found, mut refused, mut silent) = (Vec::new(), Vec::new(), Vec::new());
    for region in client.regions() {
        let rules = rules.map(|rules| pb::RuleList { rules: rules.to_vec() });
        let mut service = client.residency(region)?;
        match within(region, ANSWER_TIMEOUT, service.check_rules(pb::CheckResidencyRulesRequest { rules })).await {
            Ok(answer) => {
                if answer.truncated {
                    return Err(
                        Failure::failed(format!("Region {region} has too many keys that violate the rules")).into()
                    );
                }
                found.extend(answer.violations.into_iter().map(|violation| (region.clone(), violation)));
                refused.extend(answer.refused.into_iter().map(|violation| (region.clone(), violation)));
            }
            Err(failure) if failure.is_unavailable() => silent.push(region.clone()),
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok((found, refused, silent))
}

async fn put(
    client: &Client,
    rules: Vec<pb::Rule>,
    accept_existing: bool,
    expect_version: Option<u64>,
    format: Format,
) -> anyhow::Result<()> {
    let expected_version = match expect_version {
        Some(version) => version,
        None => in_force(client).await?.version,
    };
    let (found, _, silent) = violations(client, Some(&rules)).await?;
    if !silent.is_empty() {
        let names: Vec<_> = silent.iter().map(RegionName::as_str).collect();
        let names = names.join(", ");
        if !accept_existing {
            let said = format!("keys in Regions that do not answer cannot be checked: {names}");
            return Err(Failure::unavailable(said).into());
        }
        output::note(format_args!("meridian: keys with tags in {names} were not checked; run `residency check` later"));
    }
    if !found.is_empty() && !accept_existing {
        output::line(table(&found));
        let said = "existing keys violate the rules, nothing was changed; --accept-existing leaves them where they are";
        return Err(Failure::failed(said).into());
    }
    let accepted = found
        .iter()
        .map(|(region, violation)| pb::AcceptedKey { key_id: violation.key_id.clone(), region: region.to_string() });
    let request = pb::PutResidencyRulesRequest { expected_version, rules, accepted: accepted.collect() };
    let region = any_region(client).await?;
    let mut service = client.residency(&region)?;
    let version = within(&region, CHANGE_TIMEOUT, service.put_rules(request)).await?.version;
    match format {
        Format::Json => output::json(&json!({ "version": version, "accepted": as_json(&found) })),
        Format::Table => {
            output::line(format_args!("The residency rules are at version {version}; {} keys accepted.", found.len()));
            Ok(())
        }
    }
}

async fn show(client: &Client, format: Format) -> anyhow::Result<()> {
    let rules = in_force(client).await?;
    if format == Format::Json {
        let accepted = rules.accepted.iter().map(|a| json!({ "key_id": a.key_id, "region": a.region }));
        return output::json(&json!({
            "version": rules.version,
            "put_at_ms": rules.put_at_ms,
            "put_by": rules.put_by,
            "rules": rules.rules.iter().map(rule_file::as_json).collect::<Vec<_>>(),
            "accepted": accepted.collect::<Vec<_>>(),
        }));
    }
    if rules.version == 0 {
        output::line("There are no residency rules: every Region may hold every key.");
        return Ok(());
    }
    output::line(format_args!("Version {}, put {} through {}", rules.version, time(rules.put_at_ms), rules.put_by));
    let any = |texts: &[String]| if texts.is_empty() { "any".to_owned() } else { texts.join(",") };
    let rows = rules.rules.iter().map(|rule| {
        let tag = rule.tag.as_ref().map_or_else(|| "any".to_owned(), |tag| format!("{}={}", tag.key, tag.value));
        vec![rule.name.clone(), any(&rule.accounts), tag, any(&rule.keys), rule.allow.join(",")]
    });
    output::line(output::table(&["RULE", "ACCOUNTS", "TAG", "KEYS", "ALLOWED REGIONS"], rows));
    for accepted in &rules.accepted {
        output::line(format_args!("Accepted: {} in {}", accepted.key_id, accepted.region));
    }
    Ok(())
}

async fn check(client: &Client, rules: Option<Vec<pb::Rule>>, format: Format) -> anyhow::Result<()> {
    let (found, refused, silent) = violations(client, rules.as_deref()).await?;
    let names: Vec<_> = silent.iter().map(ToString::to_string).collect();
    match format {
        Format::Json => {
            output::json(&json!({ "violations": as_json(&found), "refused": as_json(&refused), "unreachable": names }))?
        }
        Format::Table if found.is_empty() => output::line("No key violates the rules."),
        Format::Table => output::line(table(&found)),
    }
    if format == Format::Table {
        for (region, violation) in &refused {
            output::line(format_args!("{region} keeps out {}: rule {}", violation.key_id, violation.rule));
        }
    }
    if !names.is_empty() {
        return Err(Failure::unavailable(format!("these Regions do not answer: {}", names.join(", "))).into());
    }
    if refused.is_empty() && found.iter().all(|(_, violation)| violation.accepted) {
        return Ok(());
    }
    Err(Failure::failed("keys violate the residency rules").into())
}

fn table(found: &[Found]) -> String {
    let rows = found.iter().map(|(region, violation)| {
        let accepted = if violation.accepted { "yes" } else { "no" };
        vec![region.to_string(), violation.key_id.clone(), violation.rule.clone(), accepted.to_owned()]
    });
    output::table(&["REGION", "KEY", "RULE", "ACCEPTED"], rows)
}

fn as_json(found: &[Found]) -> Vec<Value> {
    let one = |(region, v): &Found| json!({ "region": region.as_str(), "key_id": v.key_id, "rule": v.rule, "accepted": v.accepted });
    found.iter().map(one).collect()
}
