//! The residency report: each Region's signed statement, checked against the Region directory, and what they say together.

use super::super::Failure;
use super::super::client::{ANSWER_TIMEOUT, Client, within};
use super::super::describe::time;
use super::super::output::{self, Format};
use super::any_region;
use crate::signatures::RegionKeys;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kms_audit::{Signature, SigningKeyId, Verifier as _};
use kms_core::control::{Holding, KeyHistory};
use kms_crypto::SigningPublicKey;
use kms_proto::cluster::v1 as pb;
use kms_proto::control_codec::{ResidencyStatement, STATEMENT_LABEL, decode_statement};
use kms_types::RegionName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// Version of a saved report.
const FORMAT: u32 = 1;
/// Longest report that is read, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// A saved report. What it says is in the statements; the rest repeats it for people and programs and proves nothing.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Report {
    format: u32,
    key_id: String,
    #[serde(default)]
    holdings: Value,
    statements: Vec<Signed>,
    /// Regions of the cluster without a statement.
    unsigned: Vec<String>,
}

/// A Region's statement and its signature, in Base64.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    region: String,
    statement: String,
    signing_key_id: String,
    signature: String,
}

/// Collects the statements of all Regions, checks them and prints the report.
pub(super) async fn report(client: &Client, key: &str, format: Format) -> anyhow::Result<()> {
    let keys = signing_keys(client).await?;
    let (mut signed, mut unsigned, mut last) = (Vec::new(), Vec::new(), None);
    for region in client.regions() {
        let mut service = client.residency(region)?;
        let request = pb::StateHistoryRequest { key_id: key.to_owned() };
        match within(region, ANSWER_TIMEOUT, service.state_history(request)).await {
            Ok(answer) => signed.push(encode(region, &answer)),
            Err(failure) => {
                unsigned.push(region.to_string());
                last = Some(match last {
                    None => failure,
                    Some(before) => Failure::or_more_telling(before, failure),
                });
            }
        }
    }
    if signed.is_empty() {
        return Err(last.unwrap_or_else(|| Failure::unavailable("no Region answers")).into());
    }
    let statements = check(&keys, client.cluster_id(), None, &signed)?;
    let newest = newest(&statements)?;
    let (key_id, holdings) = (newest.history.key_id.to_string(), holdings_json(&newest.history));
    let report = Report { format: FORMAT, key_id, holdings, statements: signed, unsigned };
    match format {
        Format::Json => output::json(&report),
        Format::Table => {
            print(&newest.history, &statements, &report.unsigned);
            Ok(())
        }
    }
}

/// Checks a saved report against the Region directory of the cluster.
pub(super) async fn verify(client: &Client, path: &Path, format: Format) -> anyhow::Result<()> {
    let wrong = |reason: String| Failure::failed(format!("{}: {reason}", path.display()));
    if std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len() > FILE_BYTES_MAX {
        return Err(wrong("is too long for a report".to_owned()).into());
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let report: Report = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if report.format != FORMAT {
        return Err(wrong("is a report of another version".to_owned()).into());
    }
    let keys = signing_keys(client).await?;
    let statements = check(&keys, client.cluster_id(), Some(&report.key_id), &report.statements)?;
    let newest = newest(&statements)?;
    if report.holdings != holdings_json(&newest.history) {
        return Err(wrong("its holdings are not those that the Regions signed".to_owned()).into());
    }
    match format {
        Format::Json => output::json(&json!({
            "key_id": report.key_id,
            "signed_by": statements.iter().map(|s| s.region.as_str()).collect::<Vec<_>>(),
            "agree": statements.iter().all(|s| s.history == newest.history),
        })),
        Format::Table => {
            print(&newest.history, &statements, &report.unsigned);
            Ok(())
        }
    }
}

async fn signing_keys(client: &Client) -> anyhow::Result<RegionKeys> {
    let region = any_region(client).await?;
    let mut service = client.residency(&region)?;
    let answer = within(&region, ANSWER_TIMEOUT, service.list_signing_keys(pb::ListSigningKeysRequest {})).await?;
    let mut keys = RegionKeys::default();
    for key in answer.keys {
        // A key of a kind that this version does not know checks nothing.
        if let (Ok(region), Ok(public)) =
            (RegionName::parse(&key.region), SigningPublicKey::from_bytes(&key.public_key))
        {
            keys.add(region, public);
        }
    }
    Ok(keys)
}

fn encode(region: &RegionName, answer: &pb::StateHistoryResponse) -> Signed {
    Signed {
        region: region.to_string(),
        statement: BASE64_STANDARD.encode(&answer.statement),
        signing_key_id: BASE64_STANDARD.encode(&answer.signing_key_id),
        signature: BASE64_STANDARD.encode(&answer.signature),
    }
}

/// The statements, each from the Region that it is listed under, of this cluster, about one key, and signed.
fn check(
    keys: &RegionKeys,
    cluster_id: &str,
    key_id: Option<&str>,
    signed: &[Signed],
) -> Result<Vec<ResidencyStatement>, Failure> {
    let statements = signed.iter().map(|signed| {
        let refused = |what: &str| Failure::failed(format!("the statement of Region {} {what}", signed.region));
        let bytes = |text: &String| BASE64_STANDARD.decode(text).map_err(|_form| refused("is not Base64"));
        let statement_bytes = bytes(&signed.statement)?;
        let key: [u8; 32] =
            bytes(&signed.signing_key_id)?.try_into().map_err(|_length| refused("names no signing key"))?;
        let signature = Signature { key: SigningKeyId::from_bytes(key), bytes: bytes(&signed.signature)? };
        let statement =
            decode_statement(&statement_bytes).map_err(|error| refused(&format!("cannot be read: {error}")))?;
        if statement.region.as_str() != signed.region || statement.cluster_id != cluster_id {
            return Err(refused("is of another Region or cluster"));
        }
        if !keys.verify(&statement.region, &[STATEMENT_LABEL, &statement_bytes].concat(), &signature) {
            return Err(refused("is not signed by that Region"));
        }
        if key_id.is_some_and(|key_id| statement.history.key_id.to_string() != key_id) {
            return Err(refused("is about another key"));
        }
        Ok(statement)
    });
    let statements: Vec<_> = statements.collect::<Result<_, _>>()?;
    match statements.first() {
        Some(first) if statements.iter().any(|s| s.history.key_id != first.history.key_id) => {
            Err(Failure::failed("the statements are about different keys"))
        }
        _ => Ok(statements),
    }
}

fn newest(statements: &[ResidencyStatement]) -> Result<&ResidencyStatement, Failure> {
    let newest = statements.iter().max_by_key(|statement| statement.applied_index);
    newest.ok_or_else(|| Failure::failed("the report has no statement"))
}

fn holdings_json(history: &KeyHistory) -> Value {
    let one = |h: &Holding| {
        json!({
            "region": h.region.as_str(),
            "material_id": h.material_id.to_string(),
            "from_index": h.from.index,
            "from_ms": h.from.at.millis(),
            "installed_index": h.installed.map(|mark| mark.index),
            "installed_ms": h.installed.map(|mark| mark.at.millis()),
            "until_index": h.ended.map(|(mark, _)| mark.index),
            "until_ms": h.ended.map(|(mark, _)| mark.at.millis()),
            "ended": h.ended.map(|(_, end)| end.as_str()),
        })
    };
    history.holdings.iter().map(one).collect()
}

fn print(history: &KeyHistory, statements: &[ResidencyStatement], unsigned: &[String]) {
    output::line(format_args!("Key {} of account {}", history.key_id, history.account));
    let rows = history.holdings.iter().map(|h| {
        let dash = || "-".to_owned();
        let until = h.ended.map_or_else(dash, |(mark, end)| format!("{} ({})", time(mark.at.millis()), end.as_str()));
        let installed = h.installed.map_or_else(dash, |mark| time(mark.at.millis()));
        let material: String = h.material_id.to_string().chars().take(16).collect();
        vec![material, h.region.to_string(), time(h.from.at.millis()), installed, until]
    });
    output::line(output::table(&["MATERIAL", "REGION", "FROM", "INSTALLED", "UNTIL"], rows));
    if history.reconstructed {
        output::line("The key is older than its history: holdings that ended before are not known.");
    }
    if history.dropped > 0 {
        output::line(format_args!("{} older holdings that have ended are not listed any more.", history.dropped));
    }
    if let Some(deleted) = history.deleted {
        output::line(format_args!("Deleted {}", time(deleted.at.millis())));
    }
    for statement in statements {
        let agrees = if statement.history == *history { "" } else { "; its history differs" };
        output::line(format_args!(
            "Signed by {} at log index {}; it has {} versions in its store{agrees}",
            statement.region,
            statement.applied_index,
            statement.present.len()
        ));
    }
    for region in unsigned {
        output::line(format_args!("Not signed by {region}"));
    }
}
