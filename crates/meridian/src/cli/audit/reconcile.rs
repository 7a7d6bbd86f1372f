//! `meridian audit reconcile`.

use super::places::Logs;
use super::records;
use super::verify;
use crate::cli::Failure;
use crate::cli::output::{self, Format};
use crate::signatures::RegionKeys;
use crate::witnesses::Journal;
use kms_audit::{
    APPLY_CONTROL_CHANGE, ClusterEvidence, ControlFacts, KeyUses, Obligation, RegionLog, SignedCheckpoint, reconcile,
};
use kms_types::{KeyId, KeyRef, RegionName};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long countersignatures may be on their way. They take a commit each; Regions that stop together leave their last
/// checkpoints without any.
const WITNESSES_WITHIN: Duration = Duration::from_secs(60);

pub(super) fn run(logs: &Logs, key: Option<&str>, witnesses: Option<usize>, format: Format) -> anyhow::Result<()> {
    let key = key.map(parse_key).transpose()?;
    let verifier = logs.witnesses.verifier();
    // The Regions that must have a log are those that have a key in the directory, whoever handed in what.
    let mut regions: BTreeSet<RegionName> = logs.witnesses.keys.iter().map(|(region, _)| region.clone()).collect();
    regions.extend(logs.logs.iter().map(|log| log.files.log().region().clone()));
    let regions: Vec<RegionName> = regions.into_iter().collect();
    let parts: Vec<RegionLog<'_>> =
        logs.logs.iter().map(|log| RegionLog { files: &log.files, start: log.start, heads: &[] }).collect();
    let checkpoints: Vec<_> = logs.logs.iter().flat_map(|log| logs.checkpoints_of(log.files.log())).collect();
    let facts = facts(logs, &checkpoints, &verifier);
    let result = reconcile(&ClusterEvidence {
        regions: &regions,
        logs: &parts,
        checkpoints: &checkpoints,
        countersignatures_min: witnesses.unwrap_or(usize::from(regions.len() > 1)),
        countersignatures_within: WITNESSES_WITHIN,
        verifier: &verifier,
        control: facts.as_ref(),
    })?;
    let uses = key.map(|key| KeyUses::new(logs.logs.iter().map(|log| log.files.clone()).collect(), key, None, None));
    let uses = uses.map(|uses| uses.collect::<std::io::Result<Vec<_>>>()).transpose()?;
    match format {
        Format::Json => output::json(&json!({
            "clean": result.is_clean(),
            "logs": result.reports.iter().map(verify::as_json).collect::<Vec<_>>(),
            "changes_recorded": result.changes_recorded,
            "discrepancies_total": result.discrepancies_total,
            "discrepancies": result.discrepancies.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "uses": uses.as_ref().map(|uses| {
                uses.iter().map(|used| records::as_json(&used.record)).collect::<Vec<_>>()
            }),
        }))?,
        Format::Table => {
            output::line(verify::table(&result.reports));
            verify::findings(&result.reports);
            result.discrepancies.iter().for_each(output::line);
            if let Some(uses) = &uses {
                output::line(records::table(uses.iter().map(|used| &used.record)));
            }
        }
    }
    if result.is_clean() {
        return Ok(());
    }
    let findings: u64 = result.reports.iter().map(|report| report.findings_total).sum();
    let total = findings.saturating_add(result.discrepancies_total);
    Err(Failure::failed(format!("the audit logs do not fit together: {total} things are wrong")).into())
}

/// What the copies of the journal oblige the Regions to have recorded; `None` when there is no such copy. A Region has promised
/// its records up to the index of its newest checkpoint; what is later may be on its way.
fn facts(logs: &Logs, checkpoints: &[SignedCheckpoint], verifier: &RegionKeys) -> Option<ControlFacts> {
    let Journal { from, to, changes } = &logs.witnesses.journal;
    if *to == 0 {
        return None;
    }
    let obligations = changes.iter().map(|(index, region)| Obligation {
        region: region.clone(),
        index: *index,
        event: APPLY_CONTROL_CHANGE.to_owned(),
    });
    let mut recorded_to: BTreeMap<RegionName, u64> =
        logs.logs.iter().map(|log| (log.files.log().region().clone(), 0)).collect();
    for signed in checkpoints.iter().filter(|signed| signed.check(verifier).is_ok()) {
        let promised = recorded_to.entry(signed.checkpoint.log.region().clone()).or_default();
        *promised = signed.checkpoint.control_log_index.max(*promised);
    }
    Some(ControlFacts { from: *from, to: *to, obligations: obligations.collect(), recorded_to })
}

fn parse_key(text: &str) -> anyhow::Result<KeyId> {
    match KeyRef::parse(text) {
        Ok(KeyRef::Id(key_id)) => Ok(key_id),
        Ok(KeyRef::Arn(arn)) => Ok(arn.key_id),
        Ok(KeyRef::Alias(_) | KeyRef::AliasArn(_)) | Err(_) => {
            Err(Failure::usage(format!("{text} is no key ID and no key ARN")).into())
        }
    }
}

/// The key that a filter names.
pub(super) fn key_of(text: Option<&str>) -> anyhow::Result<Option<KeyId>> {
    text.map(parse_key).transpose()
}
