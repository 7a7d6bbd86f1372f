//! `meridian audit tail` and `search`: records as they are, or their main members in a table.

use super::places::Source;
use super::reconcile::key_of;
use crate::cli::Failure;
use crate::cli::describe::time;
use crate::cli::output::{self, Format};
use clap::Args;
use kms_audit::{Event, Filter, Found, Search, WantedOutcome, tail as last_of};
use kms_proto::cluster::v1::AuditFilter;
use kms_types::{RegionName, Timestamp};
use serde_json::Value;

/// Which records.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
    /// Only this Region.
    #[arg(long)]
    region: Option<String>,
    /// About this key (key ID or ARN).
    #[arg(long)]
    key: Option<String>,
    /// Of this caller: an ARN, a user name, a unique ID or an access key ID.
    #[arg(long)]
    principal: Option<String>,
    /// Of this operation or event, such as Decrypt or RotateKey.
    #[arg(long)]
    operation: Option<String>,
    /// Not before this time (RFC 3339, such as 2026-11-28T17:00:00Z).
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// `success`, `failure`, `denied`, or an error code.
    #[arg(long)]
    outcome: Option<String>,
}

impl FilterArgs {
    fn filter(&self) -> anyhow::Result<Filter> {
        Ok(Filter {
            key: key_of(self.key.as_deref())?,
            principal: self.principal.clone(),
            operation: self.operation.clone(),
            from: self.from.as_deref().map(instant).transpose()?,
            to: self.to.as_deref().map(instant).transpose()?,
            outcome: self.outcome.as_deref().map(WantedOutcome::parse),
        })
    }

    /// The only Region that is wanted, if one is named.
    pub(super) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The same for a Region that is asked.
    pub(super) fn asked(&self) -> anyhow::Result<AuditFilter> {
        let filter = self.filter()?;
        Ok(AuditFilter {
            key_id: filter.key.map(|key| key.to_string()).unwrap_or_default(),
            principal: filter.principal.unwrap_or_default(),
            operation: filter.operation.unwrap_or_default(),
            from_ms: filter.from.map(Timestamp::millis),
            to_ms: filter.to.map(Timestamp::millis),
            outcome: self.outcome.clone().unwrap_or_default(),
        })
    }

    pub(super) fn admits(&self, region: &RegionName) -> bool {
        self.region.as_deref().is_none_or(|wanted| wanted == region.as_str())
    }
}

pub(super) fn tail(source: &Source, count: usize, args: &FilterArgs, format: Format) -> anyhow::Result<()> {
    let filter = args.filter()?;
    let mut found = Vec::new();
    for log in source.logs()?.logs.iter().filter(|log| args.admits(log.files.log().region())) {
        found.extend(last_of(&log.files, &filter, count)?);
    }
    print(found, format)
}

pub(super) fn search(source: &Source, limit: usize, args: &FilterArgs, format: Format) -> anyhow::Result<()> {
    let filter = args.filter()?;
    let mut found = Vec::new();
    for log in source.logs()?.logs.iter().filter(|log| args.admits(log.files.log().region())) {
        let mut records = Search::new(log.files.clone(), filter.clone());
        for record in records.by_ref().take(limit) {
            found.push(record?);
        }
        if records.next().is_some() {
            let region = log.files.log().region();
            output::note(format_args!(
                "{region} has more than {limit} such records; narrow the search or raise --limit"
            ));
        }
    }
    print(found, format)
}

pub(super) fn print(mut found: Vec<Found>, format: Format) -> anyhow::Result<()> {
    found.sort_by(|a, b| (a.event.time, &a.event.region).cmp(&(b.event.time, &b.event.region)));
    match format {
        Format::Json => output::json(&found.iter().map(as_json).collect::<Vec<_>>())?,
        Format::Table => output::line(table(&found)),
    }
    Ok(())
}

/// The main members of records.
pub(super) fn table<'a>(found: impl IntoIterator<Item = &'a Found>) -> String {
    let rows = found.into_iter().map(|found| row(&found.event));
    output::table(&["TIME", "REGION", "SEQUENCE", "EVENT", "PRINCIPAL", "ERROR", "RESOURCE"], rows)
}

/// The main members of one record.
pub(super) fn row(event: &Event) -> Vec<String> {
    vec![
        time(event.time.millis()),
        event.region.clone(),
        event.head.sequence.to_string(),
        event.name.clone(),
        event.principal.clone(),
        event.error_code.clone().unwrap_or_else(|| "-".to_owned()),
        event.resources.first().cloned().unwrap_or_else(|| "-".to_owned()),
    ]
}

/// A record as it stands in its file.
pub(super) fn as_json(found: &Found) -> Value {
    serde_json::from_str(&found.text).unwrap_or_else(|_| Value::String(found.text.clone()))
}

fn instant(text: &str) -> anyhow::Result<Timestamp> {
    let parsed: jiff::Timestamp = text
        .parse()
        .map_err(|_form| Failure::usage(format!("{text} is no time; write it like 2026-11-28T17:00:00Z")))?;
    let millis = u64::try_from(parsed.as_millisecond()).unwrap_or_default();
    Ok(Timestamp::from_millis(millis))
}
