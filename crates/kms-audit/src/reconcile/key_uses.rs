//! Every use of one key in every Region.

use crate::{Filter, Found, LogFiles, Search};
use kms_types::{KeyId, RegionName, Timestamp};
use std::io;
use std::iter::Peekable;

/// One use of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// In which Region.
    pub region: RegionName,
    /// The record.
    pub record: Found,
}

/// An iterator over the uses of a key in all Regions. It merges the logs by time: exactly where each log is in the
/// order of time, and otherwise as closely as one look ahead allows. Memory is one record for each Region.
#[derive(Debug)]
pub struct KeyUses {
    logs: Vec<(RegionName, Peekable<Search>)>,
}

impl KeyUses {
    /// Uses of a key in these logs, from a time on and before another.
    #[must_use]
    pub fn new(logs: Vec<LogFiles>, key: KeyId, from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        let filter = Filter { key: Some(key), from, to, ..Filter::default() };
        let searches = logs.into_iter().map(|files| {
            let region = files.log().region().clone();
            (region, Search::new(files, filter.clone()).peekable())
        });
        Self { logs: searches.collect() }
    }
}

impl Iterator for KeyUses {
    type Item = io::Result<KeyUse>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut earliest: Option<(Option<Timestamp>, usize)> = None;
        for (at, (_, search)) in self.logs.iter_mut().enumerate() {
            // An error comes before everything else, so that nobody takes the list for complete.
            let time = match search.peek() {
                None => continue,
                Some(Err(_)) => None,
                Some(Ok(found)) => Some(found.event.time),
            };
            if earliest.is_none_or(|(other, _)| time < other) {
                earliest = Some((time, at));
            }
        }
        let (region, search) = self.logs.get_mut(earliest?.1)?;
        let region = region.clone();
        search.next().map(|found| found.map(|record| KeyUse { region, record }))
    }
}
