//! `meridian audit verify`.

use super::places::Logs;
use crate::cli::Failure;
use crate::cli::output::{self, Format};
use kms_audit::{Evidence, Report, verify};
use serde_json::{Value, json};

pub(super) fn run(logs: &Logs, format: Format) -> anyhow::Result<()> {
    let verifier = logs.witnesses.verifier();
    let mut reports = Vec::new();
    for log in &logs.logs {
        let checkpoints = logs.checkpoints_of(log.files.log());
        let evidence = Evidence { start: log.start, heads: &[], checkpoints: &checkpoints, verifier: &verifier };
        reports.push(verify(&log.files, &evidence)?);
    }
    let wrong: u64 = reports.iter().map(|report| report.findings_total).sum();
    match format {
        Format::Json => output::json(&reports.iter().map(as_json).collect::<Vec<_>>())?,
        Format::Table => {
            output::line(table(&reports));
            findings(&reports);
        }
    }
    if wrong == 0 {
        Ok(())
    } else {
        Err(Failure::failed(format!("{wrong} things are wrong with the audit log")).into())
    }
}

/// One line for each log.
pub(super) fn table(reports: &[Report]) -> String {
    let rows = reports.iter().map(|report| {
        vec![
            report.log.region().to_string(),
            report.records.to_string(),
            report.last.map_or_else(|| "-".to_owned(), |head| head.sequence.to_string()),
            report.checkpoints.to_string(),
            report.witnessed_to.map_or_else(|| "-".to_owned(), |sequence| sequence.to_string()),
            if report.is_clean() { "whole".to_owned() } else { format!("{} findings", report.findings_total) },
        ]
    });
    output::table(&["REGION", "RECORDS", "LAST", "CHECKPOINTS", "WITNESSED TO", "RESULT"], rows)
}

/// Every finding, by its place.
pub(super) fn findings(reports: &[Report]) {
    for report in reports {
        for finding in &report.findings {
            output::line(format_args!("{}: {finding}", report.log.region()));
        }
    }
}

pub(super) fn as_json(report: &Report) -> Value {
    json!({
        "region": report.log.region().as_str(),
        "records": report.records,
        "first": report.first,
        "last": report.last.map(|head| json!({ "sequence": head.sequence, "hash": format!("{:?}", head.hash) })),
        "checkpoints": report.checkpoints,
        "witnessed_to": report.witnessed_to,
        "findings_total": report.findings_total,
        "findings": report.findings.iter().map(|finding| json!({
            "day": finding.day.map(|day| day.to_string()),
            "line": finding.line,
            "sequence": finding.sequence,
            "text": finding.to_string(),
        })).collect::<Vec<_>>(),
    })
}
