//! The files of one log: their names, their order, and their lines one after the other.

use crate::record::RECORD_BYTES_MAX;
use crate::{Day, LogName, Volume, VolumeFile};
use kms_types::RegionName;
use std::io;
use std::sync::Arc;

/// How much is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

const PREFIX: &str = "audit-";
const SUFFIX: &str = ".jsonl";

/// Name of the file of a day.
pub(crate) fn day_file(region: &RegionName, day: Day) -> String {
    format!("{PREFIX}{region}-{day}{SUFFIX}")
}

/// Name of the file that remembers the head, and that the writer locks.
pub(crate) fn head_file(region: &RegionName) -> String {
    format!("{PREFIX}{region}.head")
}

/// Name of the file that keeps space for operators.
pub(crate) fn reserve_file(region: &RegionName) -> String {
    format!("{PREFIX}{region}.reserve")
}

fn day_of(region: &RegionName, name: &str) -> Option<Day> {
    let rest = name.strip_prefix(PREFIX)?.strip_prefix(region.as_str())?.strip_prefix('-')?;
    Day::parse(rest.strip_suffix(SUFFIX)?)
}

/// Files of one log, oldest first.
#[derive(Clone, Debug)]
pub struct LogFiles {
    volume: Arc<dyn Volume>,
    log: LogName,
    days: Vec<Day>,
}

impl LogFiles {
    /// All files of a log that a volume has.
    ///
    /// # Errors
    /// When the volume cannot be listed.
    pub fn of(volume: Arc<dyn Volume>, log: LogName) -> io::Result<Self> {
        let mut days: Vec<Day> = volume.names()?.iter().filter_map(|name| day_of(log.region(), name)).collect();
        days.sort_unstable();
        Ok(Self { volume, log, days })
    }

    /// The files from one day on. Records never lie in the file of an earlier day than their own.
    #[must_use]
    pub fn starting(mut self, first: Day) -> Self {
        self.days.retain(|day| *day >= first);
        self
    }

    /// The files up to one day.
    #[must_use]
    pub fn ending(mut self, last: Day) -> Self {
        self.days.retain(|day| *day <= last);
        self
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &LogName {
        &self.log
    }

    /// The days that have a file, oldest first.
    #[must_use]
    pub fn days(&self) -> &[Day] {
        &self.days
    }

    /// Name of the file of a day.
    #[must_use]
    pub fn name(&self, day: Day) -> String {
        day_file(self.log.region(), day)
    }

    pub(crate) fn open(&self, day: Day) -> io::Result<Box<dyn VolumeFile>> {
        self.volume.open(&self.name(day))
    }

    /// Lines of one file, from an offset on.
    pub(crate) fn lines(&self, day: Day, offset: u64) -> io::Result<Lines> {
        Ok(Lines::new(self.open(day)?, offset))
    }
}

/// Reads lines with bounded memory.
#[derive(Debug)]
pub(crate) struct Lines {
    file: Box<dyn VolumeFile>,
    /// Place in the file of what comes next from it.
    read_to: u64,
    buffer: Vec<u8>,
    /// Where the unread part of the buffer begins.
    start: usize,
}

/// One line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Place of its first byte.
    pub(crate) offset: u64,
    /// Place behind it and its end of line.
    pub(crate) end: u64,
    /// Its bytes without the end of line, no more than a record can have.
    pub(crate) bytes: &'a [u8],
    pub(crate) kind: LineKind,
}

/// What a line is like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// It has its end.
    Whole,
    /// The file ends before the line does.
    Unfinished,
    /// It is longer than any record.
    TooLong,
}

impl Lines {
    pub(crate) fn new(file: Box<dyn VolumeFile>, offset: u64) -> Self {
        Self { file, read_to: offset, buffer: Vec::new(), start: 0 }
    }

    /// The next line; `None` at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        let offset = self.read_to - length(self.buffer.len() - self.start);
        let mut searched = self.start;
        let (end, kind) = loop {
            let unsearched = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = unsearched.iter().position(|b| *b == b'\n') {
                break (searched + at, LineKind::Whole);
            }
            if self.buffer.len() - self.start >= RECORD_BYTES_MAX {
                return self.skip_long_line(offset).map(Some);
            }
            let read = self.fill()?;
            searched = self.buffer.len() - read;
            if read == 0 {
                break (searched, LineKind::Unfinished);
            }
        };
        if kind == LineKind::Unfinished && end == self.start {
            return Ok(None);
        }
        let start = self.start;
        self.start = (end + 1).min(self.buffer.len());
        // A record's bound includes its end of line.
        let bounded = end.min(start + RECORD_BYTES_MAX - 1);
        let kind = if bounded < end { LineKind::TooLong } else { kind };
        let bytes = self.buffer.get(start..bounded).unwrap_or_default();
        let taken = length(self.start - start);
        Ok(Some(Line { offset, end: offset + taken, bytes, kind }))
    }

    /// Reads on behind what is there, and says how many bytes came.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let filled = self.buffer.len();
        self.buffer.resize(filled + CHUNK, 0);
        let read = self.file.read_at(self.buffer.get_mut(filled..).unwrap_or_default(), self.read_to)?;
        self.buffer.truncate(filled + read);
        self.read_to += length(read);
        Ok(read)
    }

    /// Drops the rest of a line that is longer than any record.
    fn skip_long_line(&mut self, offset: u64) -> io::Result<Line<'_>> {
        let mut kept: Vec<u8> = self.buffer.drain(..).skip(self.start).take(RECORD_BYTES_MAX - 1).collect();
        self.start = 0;
        // The buffer held no end of line; whatever it had beyond the bound is dropped with it.
        let mut taken = self.read_to - offset;
        loop {
            let read = self.fill()?;
            if let Some(at) = self.buffer.iter().position(|b| *b == b'\n') {
                taken += length(at + 1);
                self.buffer.drain(..=at);
                break;
            }
            taken += length(read);
            self.buffer.clear();
            if read == 0 {
                break;
            }
        }
        // The line stands before what was read beyond it.
        self.start = kept.len();
        kept.append(&mut self.buffer);
        self.buffer = kept;
        let bytes = self.buffer.get(..self.start).unwrap_or_default();
        Ok(Line { offset, end: offset + taken, bytes, kind: LineKind::TooLong })
    }
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryVolume;
    use proptest::prelude::*;

    fn log() -> LogName {
        LogName::new("dev-1", RegionName::parse("eu-west-1").unwrap()).unwrap()
    }

    fn read(content: &[u8]) -> Vec<(u64, u64, Vec<u8>, LineKind)> {
        let volume = MemoryVolume::new();
        volume.put("a", content);
        let mut lines = Lines::new(volume.open("a").unwrap(), 0);
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push((line.offset, line.end, line.bytes.to_vec(), line.kind));
        }
        found
    }

    #[test]
    fn a_line_that_is_too_long_is_told_and_skipped() {
        for extra in [0, 1, CHUNK, 3 * CHUNK] {
            let long = vec![b'x'; RECORD_BYTES_MAX + extra];
            let content = [b"a\n", long.as_slice(), b"\nb\n"].concat();
            let found = read(&content);
            assert_eq!(found.len(), 3, "{extra}");
            let end = length(long.len()) + 3;
            assert_eq!((found[1].0, found[1].1, found[1].3), (2, end, LineKind::TooLong), "{extra}");
            assert_eq!(found[2], (end, end + 2, b"b".to_vec(), LineKind::Whole), "{extra}");
            assert_eq!(read(&long)[0].3, LineKind::TooLong);
        }
    }

    #[test]
    fn files_of_other_logs_and_other_things_are_not_listed() {
        let volume = MemoryVolume::new();
        let ours = ["audit-eu-west-1-2026-11-23.jsonl", "audit-eu-west-1-2026-11-22.jsonl"];
        let others = [
            "audit-eu-west-1-2026-13-01.jsonl",
            "audit-eu-west-12026-11-22.jsonl",
            "audit-eu-west-12-2026-11-22.jsonl",
            "audit-us-east-1-2026-11-22.jsonl",
            "audit-eu-west-1.head",
            "audit-eu-west-1-2026-11-22.jsonl.gz",
        ];
        ours.iter().chain(&others).for_each(|name| volume.put(name, b""));
        let files = LogFiles::of(Arc::new(volume), log()).unwrap();
        let names: Vec<String> = files.days().iter().map(|day| files.name(*day)).collect();
        assert_eq!(names, [ours[1], ours[0]]);
        let later = files.clone().starting(Day::parse("2026-11-23").unwrap());
        assert_eq!((later.days().len(), files.ending(Day::parse("2026-11-21").unwrap()).days().len()), (1, 0));
    }

    proptest! {
        #[test]
        fn lines_put_together_again_are_the_file(parts in prop::collection::vec("[a\n]{0,5}|b{0,9}", 0..40), big in 0..2_usize) {
            let mut content = parts.concat().into_bytes();
            content.extend(std::iter::repeat_n(b'c', big * RECORD_BYTES_MAX / 2));
            let mut again = Vec::new();
            for (offset, end, bytes, kind) in read(&content) {
                prop_assert_eq!(offset, length(again.len()));
                again.extend(bytes);
                if kind == LineKind::Whole {
                    again.push(b'\n');
                }
                prop_assert!(end == length(again.len()) || kind == LineKind::TooLong);
            }
            prop_assert_eq!(again, content);
        }
    }
}
