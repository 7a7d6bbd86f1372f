//! `meridian audit tail` and `search` by asking the running Regions.

use super::records::{self, FilterArgs};
use crate::cli::client::{ANSWER_TIMEOUT, Client, failure, within};
use crate::cli::output::{self, Format};
use crate::cli::{Failure, runtime};
use kms_audit::{Day, Event, Found};
use kms_proto::cluster::v1::{AuditFilter, AuditPage, SearchAuditRequest, TailAuditRequest};
use kms_types::RegionName;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::Streaming;

/// Longest wait for the next page of a search: a Region ends each search within 20 seconds.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Records of followed Regions that wait to be printed.
const WAITING_MAX: usize = 64;

/// The last records of every Region.
pub(super) fn tail(client: &Client, count: usize, args: &FilterArgs, format: Format) -> anyhow::Result<()> {
    let filter = args.asked()?;
    runtime()?.block_on(async {
        let mut answers = Vec::new();
        for region in wanted(client, args)? {
            answers.push((region.clone(), last_of(client, &region, count, filter.clone()).await));
        }
        print(answers, format)
    })
}

/// Records that are looked for, in every Region.
pub(super) fn search(client: &Client, limit: usize, args: &FilterArgs, format: Format) -> anyhow::Result<()> {
    let filter = args.asked()?;
    runtime()?.block_on(async {
        let mut answers = Vec::new();
        for region in wanted(client, args)? {
            let answer = found_in(client, &region, limit, &filter).await;
            answers.push((region.clone(), answer));
        }
        print(answers, format)
    })
}

/// The last records and new ones as they come, until interrupted. Ends by itself when no Region is left.
pub(super) fn follow(client: &Client, count: usize, args: &FilterArgs, format: Format) -> anyhow::Result<()> {
    let request = TailAuditRequest { filter: Some(args.asked()?), count: bounded(count), follow: true };
    runtime()?.block_on(async {
        let (sender, mut records) = mpsc::channel(WAITING_MAX);
        let mut following = JoinSet::new();
        for region in wanted(client, args)? {
            let (mut audit, request, sender) = (client.audit(&region)?, request.clone(), sender.clone());
            following.spawn(async move {
                let ended = async {
                    let mut pages = within(&region, ANSWER_TIMEOUT, audit.tail_audit(request)).await?;
                    // New records may be long in coming; a Region that dies is noticed by keep-alive.
                    while let Some(page) = pages.message().await.map_err(|status| failure(&region, &status))? {
                        for record in page.records {
                            if sender.send(record).await.is_err() {
                                return Ok(());
                            }
                        }
                    }
                    Err(Failure::unavailable(format!("Region {region} has ended the stream")))
                };
                ended.await
            });
        }
        drop(sender);
        while let Some(record) = records.recv().await {
            print_one(&record, format);
        }
        let mut first = Ok(());
        while let Some(ended) = following.join_next().await {
            if let Err(error) = ended? {
                output::note(format_args!("meridian: {error}"));
                first = first.and(Err(error));
            }
        }
        Ok(first?)
    })
}

fn wanted(client: &Client, args: &FilterArgs) -> Result<Vec<RegionName>, Failure> {
    if let Some(region) = args.region() {
        client.known(region)?;
    }
    Ok(client.regions().filter(|region| args.admits(region)).cloned().collect())
}

async fn last_of(
    client: &Client,
    region: &RegionName,
    count: usize,
    filter: AuditFilter,
) -> anyhow::Result<Vec<String>> {
    let request = TailAuditRequest { filter: Some(filter), count: bounded(count), follow: false };
    let mut pages = within(region, ANSWER_TIMEOUT, client.audit(region)?.tail_audit(request)).await?;
    let mut records = Vec::new();
    while let Some(page) = next(region, &mut pages).await? {
        records.extend(page.records);
    }
    Ok(records)
}

/// Searches on until enough is found or the log has been seen: a Region looks for a while only at each call.
async fn found_in(
    client: &Client,
    region: &RegionName,
    limit: usize,
    filter: &AuditFilter,
) -> anyhow::Result<Vec<String>> {
    let mut audit = client.audit(region)?;
    let (mut records, mut after) = (Vec::new(), None);
    while records.len() < limit {
        let left = bounded(limit.saturating_sub(records.len()));
        let request = SearchAuditRequest { filter: Some(filter.clone()), limit: left, after: after.take() };
        let mut pages = within(region, ANSWER_TIMEOUT, audit.search_audit(request)).await?;
        while let Some(page) = next(region, &mut pages).await? {
            records.extend(page.records);
            after = page.next;
        }
        if after.is_none() {
            return Ok(records);
        }
    }
    output::note(format_args!("{region} may have more than {limit} such records; narrow the search or raise --limit"));
    Ok(records)
}

async fn next(region: &RegionName, pages: &mut Streaming<AuditPage>) -> Result<Option<AuditPage>, Failure> {
    match tokio::time::timeout(PAGE_TIMEOUT, pages.message()).await {
        Ok(page) => page.map_err(|status| failure(region, &status)),
        Err(_elapsed) => Err(Failure::unavailable(format!("Region {region} did not answer in time"))),
    }
}

/// Prints what was answered; fails if any Region did not.
fn print(answers: Vec<(RegionName, anyhow::Result<Vec<String>>)>, format: Format) -> anyhow::Result<()> {
    let (mut found, mut first) = (Vec::new(), Ok(()));
    for (region, answer) in answers {
        match answer {
            Ok(records) => {
                for record in records {
                    let unreadable = || Failure::failed(format!("Region {region} sent something that is no record"));
                    found.push(parse(record).ok_or_else(unreadable)?);
                }
            }
            Err(error) => {
                output::note(format_args!("meridian: {error}"));
                first = first.and(Err(error));
            }
        }
    }
    records::print(found, format)?;
    first
}

fn print_one(record: &str, format: Format) {
    match (format, Event::parse(record)) {
        (Format::Table, Some(event)) => output::line(records::row(&event).join("  ")),
        (Format::Table, None) | (Format::Json, _) => output::line(record),
    }
}

/// A record as from a file; where it stands there is the Region's business.
fn parse(text: String) -> Option<Found> {
    let event = Event::parse(&text)?;
    Some(Found { day: Day::of(event.time), offset: 0, text, event })
}

fn bounded(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
