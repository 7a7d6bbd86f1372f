//! Where the logs are, and what is known about them besides their files.

use crate::cli::Failure;
use crate::cli::cluster::none_running;
use crate::dev::runtime_file;
use crate::witnesses::Witnesses;
use kms_audit::{Day, DiskVolume, LogFiles, LogName, SignedCheckpoint, Start};
use kms_types::RegionName;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the command line says about where to look.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) data_dir: Option<PathBuf>,
    pub(super) port: u16,
}

/// The logs of a cluster, and every copy of keys and checkpoints that lies beside them.
#[derive(Debug)]
pub(super) struct Logs {
    pub(super) logs: Vec<Log>,
    pub(super) witnesses: Witnesses,
}

/// One Region's log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) files: LogFiles,
    pub(super) start: Start,
}

impl Logs {
    /// Checkpoints of one log, in ascending order.
    pub(super) fn checkpoints_of(&self, log: &LogName) -> Vec<SignedCheckpoint> {
        let own = self.witnesses.checkpoints.iter().filter(|signed| signed.checkpoint.log == *log);
        let mut own: Vec<SignedCheckpoint> = own.cloned().collect();
        own.sort_by_key(|signed| (signed.checkpoint.head.sequence, signed.countersignatures.len()));
        // Of several copies of one checkpoint the one with the most witnesses.
        own.reverse();
        own.dedup_by_key(|signed| signed.checkpoint.head);
        own.reverse();
        own
    }
}

impl Source {
    /// Finds the logs.
    ///
    /// # Errors
    /// Fails when there are none, or what lies beside them cannot be read.
    pub(super) fn logs(&self) -> anyhow::Result<Logs> {
        let root = match &self.data_dir {
            Some(directory) => directory.clone(),
            None => runtime_file::read(self.port)?.ok_or_else(|| none_running(self.port))?.data_dir,
        };
        let mut directories: Vec<PathBuf> =
            [root.join("audit"), root.join("data/audit")].into_iter().filter(|path| path.is_dir()).collect();
        if directories.is_empty()
            && let Ok(entries) = std::fs::read_dir(&root)
        {
            let below = entries.filter_map(Result::ok).map(|entry| entry.path().join("data/audit"));
            directories.extend(below.filter(|path| path.is_dir()));
            directories.sort();
        }
        let mut logs = Logs { logs: Vec::new(), witnesses: Witnesses::default() };
        for directory in directories {
            let witnesses = Witnesses::read(&directory)?.ok_or_else(|| no_witnesses(&directory))?;
            let regions = regions_of(&directory)?;
            let cluster_id = witnesses.cluster_id.clone();
            for region in regions {
                let name = LogName::new(&cluster_id, region)?;
                let files = LogFiles::of(Arc::new(DiskVolume::new(directory.clone())), name)?;
                logs.logs.push(Log { files, start: Start::Origin });
            }
            logs.witnesses.cluster_id = cluster_id;
            logs.witnesses.merge(witnesses);
        }
        if logs.logs.is_empty() {
            return Err(Failure::unavailable(format!("there is no audit log in {}", root.display())).into());
        }
        Ok(logs)
    }
}

/// The log that some files in one directory belong to. Files from the middle of a log are checked from their first record.
///
/// # Errors
/// Fails when the names are not those of one Region's log, or the cluster is not known.
pub(super) fn of_files(files: &[PathBuf], cluster_id: Option<&str>) -> anyhow::Result<Logs> {
    let mut named = BTreeSet::new();
    let mut directories = BTreeSet::new();
    for file in files {
        if !file.is_file() {
            return Err(Failure::unavailable(format!("{} is no file", file.display())).into());
        }
        let name = file.file_name().and_then(|name| name.to_str()).and_then(parse_name);
        named.insert(name.ok_or_else(|| {
            Failure::usage(format!("{} is not named like an audit log: audit-REGION-DAY.jsonl", file.display()))
        })?);
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        directories.insert(parent.to_path_buf());
    }
    let regions: BTreeSet<&RegionName> = named.iter().map(|(region, _)| region).collect();
    let (Some(directory), 1, 1) = (directories.first(), directories.len(), regions.len()) else {
        return Err(Failure::usage("name files of one Region in one directory, or use --data-dir").into());
    };
    let days: Vec<Day> = named.iter().map(|(_, day)| *day).collect();
    let witnesses = Witnesses::read(directory)?;
    let cluster = cluster_id.or(witnesses.as_ref().map(|known| known.cluster_id.as_str()));
    let cluster = cluster.ok_or_else(|| no_witnesses(directory))?;
    let region = named.first().map(|(region, _)| region.clone()).ok_or_else(|| Failure::usage("name a file"))?;
    let all = LogFiles::of(Arc::new(DiskVolume::new(directory.clone())), LogName::new(cluster, region)?)?;
    let (Some(first), Some(last)) = (days.first().copied(), days.last().copied()) else {
        return Err(Failure::usage("name a file").into());
    };
    let files = all.clone().starting(first).ending(last);
    if files.days() != days {
        return Err(Failure::usage("name all files between the first and the last day, too").into());
    }
    let start = if all.days().first() == Some(&first) { Start::Origin } else { Start::Anywhere };
    let mut witnesses = witnesses.unwrap_or_default();
    if all.days().last() != Some(&last) {
        // What comes after these files is not missing from them.
        witnesses.checkpoints.clear();
    }
    Ok(Logs { logs: vec![Log { files, start }], witnesses })
}

fn no_witnesses(directory: &Path) -> Failure {
    Failure::unavailable(format!(
        "{} has no {}, which names the cluster and its keys; copy it from a Region, or give --cluster-id",
        directory.display(),
        crate::witnesses::FILE
    ))
}

fn regions_of(directory: &Path) -> anyhow::Result<BTreeSet<RegionName>> {
    let mut regions = BTreeSet::new();
    for entry in std::fs::read_dir(directory)? {
        if let Some((region, _)) = entry?.file_name().to_str().and_then(parse_name) {
            regions.insert(region);
        }
    }
    // A log whose files are all gone still has the note of its head.
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name();
        let region = name.to_str().and_then(|name| name.strip_prefix("audit-")?.strip_suffix(".head"));
        regions.extend(region.and_then(|region| RegionName::parse(region).ok()));
    }
    Ok(regions)
}

/// Region and day in the name of a file.
fn parse_name(name: &str) -> Option<(RegionName, Day)> {
    let rest = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
    let at = rest.len().checked_sub("2026-11-28".len())?;
    let (region, day) = (rest.get(..at)?.strip_suffix('-')?, rest.get(at..)?);
    Some((RegionName::parse(region).ok()?, Day::parse(day)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_tell_region_and_day() {
        let (region, day) = parse_name("audit-eu-west-1-2026-11-28.jsonl").unwrap();
        assert_eq!((region.as_str(), day.to_string().as_str()), ("eu-west-1", "2026-11-28"));
        for other in ["audit-eu-west-1.head", "audit--2026-11-28.jsonl", "audit-eu-west-1-2026-13-28.jsonl", "x.jsonl"]
        {
            assert_eq!(parse_name(other), None, "{other}");
        }
    }
}
