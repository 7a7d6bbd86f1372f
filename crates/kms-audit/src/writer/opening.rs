//! Opening a log: from the noted head on, every record must continue the chain. An unfinished end is cut off; anything else that
//! is not as it should be is damage, and the log stays closed unless an operator decides otherwise.

use super::day_file::DayFile;
use super::head_note::{HeadFile, HeadNote, Unrecorded};
use super::{Damage, OpenError, WriterOptions, WriterPorts};
use crate::chain::SealedLine;
use crate::log_files::{LineKind, LogFiles};
use crate::record::RECORD_BYTES_MAX;
use crate::{Chain, Day, Head, LogName, Started};
use std::io;
use std::sync::Arc;

/// A log that can be continued.
pub(super) struct Opened {
    pub(super) chain: Chain,
    /// The last record.
    pub(super) head: Head,
    /// The file that it lies in.
    pub(super) file: Option<DayFile>,
    pub(super) day: Day,
    pub(super) missing_line_end: bool,
    pub(super) head_file: HeadFile,
    pub(super) unrecorded: Option<Unrecorded>,
    pub(super) started: Started,
}

/// Where a log ends.
struct End {
    head: Head,
    day: Day,
    offset: u64,
    dropped_bytes: u64,
    missing_line_end: bool,
}

pub(super) fn open(ports: &WriterPorts, log: &LogName, options: &WriterOptions) -> Result<Opened, OpenError> {
    let chain = Chain::new(log.clone());
    let opened = HeadFile::open(&*ports.volume, log).map_err(OpenError::io("open the head file of the audit log"))?;
    let (head_file, note) = opened.ok_or(OpenError::InUse)?;
    let files = LogFiles::of(Arc::clone(&ports.volume), log.clone());
    let files = files.map_err(OpenError::io("list the files of the audit log"))?;
    let today = Day::of((ports.clock)());
    let scan = Scan { chain: &chain, files: &files, known: &options.known_heads };
    let found = scan.end(note.as_ref(), today).map_err(OpenError::io("read the audit log"))?;
    let (end, went_on_after_damage_at) = match found {
        Ok(end) => (end, None),
        Err(damage) if !options.danger_go_on_after_damage => return Err(OpenError::Damaged(damage)),
        Err(damage) => {
            let end = scan.end_of_damaged(note.as_ref(), today).map_err(OpenError::io("read the damaged audit log"))?;
            tracing::error!(%damage, sequence = end.head.sequence, "going on with a damaged audit log");
            let sequence = end.head.sequence;
            (end, Some(sequence))
        }
    };
    let file = if files.days().contains(&end.day) {
        let file = DayFile::open(&*ports.volume, log, end.day, end.offset);
        Some(file.map_err(OpenError::io("open the file of the audit log"))?)
    } else {
        None
    };
    let started = Started {
        stopped_cleanly: note.is_none_or(|note| note.clean),
        dropped_bytes: end.dropped_bytes,
        went_on_after_damage_at,
    };
    Ok(Opened {
        head: end.head,
        file,
        day: end.day,
        missing_line_end: end.missing_line_end,
        head_file,
        unrecorded: note.and_then(|note| note.unrecorded),
        started,
        chain,
    })
}

struct Scan<'a> {
    chain: &'a Chain,
    files: &'a LogFiles,
    known: &'a [Head],
}

impl Scan<'_> {
    fn end(&self, note: Option<&HeadNote>, today: Day) -> io::Result<Result<End, Damage>> {
        let Some(note) = note else {
            let empty = self.last_with_content()?.is_none();
            let end =
                End { head: self.chain.origin(), day: today, offset: 0, dropped_bytes: 0, missing_line_end: false };
            return Ok(if empty { self.check_known(end) } else { Err(Damage::NoHead) });
        };
        if !self.is_at_its_place(note)? {
            return Ok(Err(Damage::HeadMismatch { sequence: note.head.sequence }));
        }
        let end = match self.follow(note)? {
            Ok(end) => end,
            Err(damage) => return Ok(Err(damage)),
        };
        if note.clean && (end.head != note.head || end.dropped_bytes > 0) {
            return Ok(Err(Damage::BeyondEnd { last: note.head.sequence }));
        }
        Ok(self.check_known(end))
    }

    /// Whether the noted record is there, right before the noted end.
    fn is_at_its_place(&self, note: &HeadNote) -> io::Result<bool> {
        let length = self.length(note.day)?;
        if note.offset == 0 {
            return Ok(true);
        }
        if length < note.offset {
            return Ok(false);
        }
        let file = self.files.open(note.day)?;
        let window = note.offset.min(u64::try_from(RECORD_BYTES_MAX).unwrap_or(u64::MAX));
        let mut bytes = vec![0; usize::try_from(window).unwrap_or(RECORD_BYTES_MAX)];
        file.read_at(&mut bytes, note.offset - window)?;
        let Some(lines) = bytes.strip_suffix(b"\n") else { return Ok(false) };
        let last = lines.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let read = SealedLine::parse(last);
        Ok(read.is_some_and(|line| {
            let head = Head { sequence: line.sequence, hash: line.hash };
            head == note.head && self.chain.hash_of(&line) == line.hash
        }))
    }

    /// Follows the chain from the note to its end.
    fn follow(&self, note: &HeadNote) -> io::Result<Result<End, Damage>> {
        let mut end =
            End { head: note.head, day: note.day, offset: note.offset, dropped_bytes: 0, missing_line_end: false };
        let last = self.last_with_content()?;
        for day in self.files.days().iter().copied().filter(|day| *day >= note.day) {
            let from = if day == note.day { note.offset } else { 0 };
            (end.day, end.offset) = (day, from);
            let mut lines = self.files.lines(day, from)?;
            while let Some(line) = lines.next_line()? {
                let read = SealedLine::parse(line.bytes).filter(|_| line.kind == LineKind::Whole);
                let Some(head) = read.and_then(|read| self.continued(&end, &read)) else {
                    if last.is_some_and(|last| last > day) {
                        return Ok(Err(Damage::Broken { last: end.head.sequence }));
                    }
                    end.dropped_bytes = self.length(day)? - end.offset;
                    return Ok(Ok(end));
                };
                if let Some(damage) = self.contradiction(&head) {
                    return Ok(Err(damage));
                }
                (end.head, end.offset) = (head, line.end);
            }
        }
        Ok(Ok(end))
    }

    /// The head with one more record, if that is its successor.
    fn continued(&self, end: &End, line: &SealedLine<'_>) -> Option<Head> {
        let follows = line.previous == end.head.hash
            && Some(line.sequence) == end.head.sequence.checked_add(1)
            && line.day == end.day
            && self.chain.hash_of(line) == line.hash;
        follows.then_some(Head { sequence: line.sequence, hash: line.hash })
    }

    fn check_known(&self, end: End) -> Result<End, Damage> {
        if let Some(damage) = self.contradiction(&end.head) {
            return Err(damage);
        }
        match self.known.iter().map(|known| known.sequence).max() {
            Some(known) if known > end.head.sequence => Err(Damage::Truncated { last: end.head.sequence, known }),
            Some(_) | None => Ok(end),
        }
    }

    fn contradiction(&self, head: &Head) -> Option<Damage> {
        let contradicts = |known: &&Head| known.sequence == head.sequence && known.hash != head.hash;
        self.known.iter().find(contradicts).map(|known| Damage::Contradicted { sequence: known.sequence })
    }

    /// Where to go on with a log that is damaged: behind everything that is there, and after the last record that the note,
    /// the caller or the last file knows of. Nothing is removed, and no sequence is used twice.
    fn end_of_damaged(&self, note: Option<&HeadNote>, today: Day) -> io::Result<End> {
        let mut head = self.chain.origin();
        let heads = note.iter().map(|note| note.head).chain(self.known.iter().copied());
        for known in heads {
            if known.sequence > head.sequence {
                head = known;
            }
        }
        let last = self.last_with_content()?;
        let day = self.files.days().last().copied().unwrap_or(today);
        let mut missing_line_end = false;
        if let Some(last) = last {
            let mut lines = self.files.lines(last, 0)?;
            while let Some(line) = lines.next_line()? {
                missing_line_end = last == day && line.kind == LineKind::Unfinished;
                let read = SealedLine::parse(line.bytes).filter(|read| self.chain.hash_of(read) == read.hash);
                if let Some(read) = read.filter(|read| read.sequence > head.sequence) {
                    head = Head { sequence: read.sequence, hash: read.hash };
                }
            }
        }
        Ok(End { head, day, offset: self.length(day)?, dropped_bytes: 0, missing_line_end })
    }

    fn last_with_content(&self) -> io::Result<Option<Day>> {
        for day in self.files.days().iter().rev() {
            if self.length(*day)? > 0 {
                return Ok(Some(*day));
            }
        }
        Ok(None)
    }

    /// Length of the file of a day; zero when there is none.
    fn length(&self, day: Day) -> io::Result<u64> {
        if self.files.days().contains(&day) { self.files.open(day)?.length() } else { Ok(0) }
    }
}
