//! `meridian explain-access`: whether a principal may do something, and which statement decides.

use super::client::{ANSWER_TIMEOUT, Client, within};
use super::cluster::ClusterArgs;
use super::output::{self, Format};
use clap::Args;
use kms_proto::cluster::v1::{AccessDecision, DecidingStatement, ExplainAccessRequest, ExplainAccessResponse};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Show whether a principal may do something to a key, which statement or grant decides, or what is missing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meridian explain-access --principal arn:aws:iam::111122223333:user/alice --action kms:Decrypt \\
      --key alias/orders --context department=sales
  meridian explain-access --principal AKIAALICE --action kms:ReplicateKey --key alias/orders \\
      --fact kms:ReplicaRegion=eu-west-1 --region us-east-1
  meridian explain-access --principal AKIAALICE --action kms:ListKeys --output json
  meridian explain-access --principal arn:aws:iam::111122223333:role/operator --action kms:Decrypt \\
      --key alias/orders

Key policies, tags, aliases and grants differ from Region to Region, so the answer is that of one Region.
The request is supposed to come over TLS; tell its other circumstances with --fact, as in
--fact aws:SourceIp=203.0.113.7.")]
pub(crate) struct ExplainAccessArgs {
    /// ARN of a user, a role or a role session, or an access key ID.
    #[arg(long, value_name = "ARN|ACCESS_KEY")]
    principal: String,
    /// The action as policies name it, as in kms:Decrypt.
    #[arg(long)]
    action: String,
    /// Key ID, key ARN, alias name or alias ARN; not for actions that are about no key.
    #[arg(long)]
    key: Option<String>,
    /// A pair of the encryption context; may be repeated.
    #[arg(long = "context", value_name = "KEY=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,
    /// A condition key of the request with its value; may be repeated.
    #[arg(long = "fact", value_name = "KEY=VALUE", value_parser = pair)]
    facts: Vec<(String, String)>,
    /// Region to ask [default: the first of the cluster].
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

pub(crate) fn run(args: ExplainAccessArgs) -> anyhow::Result<()> {
    let client = Client::new(args.cluster.find()?)?;
    let region = match &args.region {
        Some(region) => client.known(region)?,
        None => client.regions().next().cloned().ok_or_else(|| anyhow::anyhow!("the cluster has no Region"))?,
    };
    let request = ExplainAccessRequest {
        principal: args.principal,
        action: args.action,
        key_id: args.key.unwrap_or_default(),
        encryption_context: args.context.into_iter().collect::<BTreeMap<_, _>>(),
        facts: args.facts.into_iter().collect::<BTreeMap<_, _>>(),
    };
    let explained = super::runtime()?.block_on(async {
        let mut access = client.access(&region)?;
        anyhow::Ok(within(&region, ANSWER_TIMEOUT, access.explain_access(request)).await?)
    })?;
    match args.output {
        Format::Json => output::json(&document(&explained)),
        Format::Table => {
            print(&explained);
            Ok(())
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected KEY=VALUE".to_owned()),
    }
}

fn document(explained: &ExplainAccessResponse) -> Value {
    let statement = |s: &DecidingStatement| json!({ "source": s.source, "policy": s.policy, "index": s.index, "sid": s.sid, "effect": s.effect });
    let decision = |d: &AccessDecision| {
        json!({
            "allowed": d.allowed,
            "resource": d.resource,
            "rule": d.rule,
            "statements": d.statements.iter().map(statement).collect::<Vec<_>>(),
            "grant_id": d.grant_id,
            "missing": d.missing,
        })
    };
    json!({
        "allowed": explained.allowed,
        "region": explained.region,
        "principal": explained.principal,
        "action": explained.action,
        "decisions": explained.decisions.iter().map(decision).collect::<Vec<_>>(),
        "notes": explained.notes,
    })
}

fn print(explained: &ExplainAccessResponse) {
    let verdict = if explained.allowed { "ALLOWED" } else { "DENIED" };
    let ExplainAccessResponse { principal, action, region, .. } = explained;
    output::line(format_args!("{verdict}   {action} by {principal} in {region}"));
    for decision in &explained.decisions {
        output::line("");
        output::line(format_args!("{:<11}{}", "Resource", decision.resource));
        output::line(format_args!("{:<11}{}", "Rule", decision.rule));
        for statement in &decision.statements {
            output::line(format_args!("{:<11}{}", "Statement", statement_words(statement)));
        }
        if !decision.grant_id.is_empty() {
            output::line(format_args!("{:<11}{}", "Grant", decision.grant_id));
        }
        if !decision.missing.is_empty() {
            output::line(format_args!("{:<11}{}", "Missing", decision.missing));
        }
    }
    for note in &explained.notes {
        output::line(format_args!("\nNote: {note}"));
    }
}

fn statement_words(statement: &DecidingStatement) -> String {
    let DecidingStatement { source, policy, index, sid, effect } = statement;
    let policy = if policy.is_empty() { String::new() } else { format!(" {policy}") };
    let sid = if sid.is_empty() { String::new() } else { format!(" ({sid})") };
    format!("{effect}: {source}{policy}, statement {index}{sid}")
}
