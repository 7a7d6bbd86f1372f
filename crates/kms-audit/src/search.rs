//! Finding records: by key, principal, operation, time and outcome, oldest first, with bounded memory.

use crate::event::{Event, RawEvent};
use crate::log_files::{LineKind, Lines, LogFiles};
use crate::{Day, RECORD_BYTES_MAX};
use kms_types::{KeyId, Timestamp};
use std::collections::VecDeque;
use std::io;

/// Most records that [`tail`] returns.
pub const TAIL_RECORDS_MAX: usize = 10_000;
/// Most text that [`tail`] returns, in bytes.
const TAIL_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How much of the end of a file is looked at first, in bytes; then four times as much, and so on.
const TAIL_WINDOW: u64 = 4 * 1024 * 1024;

/// What somebody looks for. The default is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Records about this key: the event touched it, or the caller named it.
    pub key: Option<KeyId>,
    /// Records of this caller: an ARN, a user name, a unique ID or an access key ID, as a whole.
    pub principal: Option<String>,
    /// Records with this `eventName`, in any case.
    pub operation: Option<String>,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Before this.
    pub to: Option<Timestamp>,
    /// Records with this outcome.
    pub outcome: Option<WantedOutcome>,
}

/// How an event ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedOutcome {
    /// Without an error.
    Success,
    /// With any error.
    Failure,
    /// The caller was not allowed to.
    Denied,
    /// With this `errorCode`, in any case.
    Code(String),
}

/// What a line is to a filter.
enum Read {
    Wanted(Box<Event>, String),
    Other,
    Unreadable,
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Day of its file.
    pub day: Day,
    /// Place of its first byte in the file.
    pub offset: u64,
    /// Its line.
    pub text: String,
    /// Its members.
    pub event: Event,
}

/// A place in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Day of the file.
    pub day: Day,
    /// Place in the file, in bytes.
    pub offset: u64,
}

impl Filter {
    /// The record in a line, if it is looked for. A line that is no record is told only when nothing rules it out before.
    fn read(&self, line: &[u8]) -> Read {
        let Ok(text) = str::from_utf8(line) else { return Read::Unreadable };
        // Key IDs are never escaped, so that most lines need no further look.
        if self.key.as_ref().is_some_and(|key| !text.contains(key.as_str())) {
            return Read::Other;
        }
        let Some(raw) = RawEvent::parse(line) else { return Read::Unreadable };
        if !self.admits(&raw) {
            return Read::Other;
        }
        raw.to_event().map_or(Read::Unreadable, |event| Read::Wanted(Box::new(event), text.to_owned()))
    }

    fn admits(&self, event: &RawEvent<'_>) -> bool {
        self.key.as_ref().is_none_or(|key| event.is_about(key))
            && self.principal.as_ref().is_none_or(|principal| event.is_by(principal))
            && self.operation.as_ref().is_none_or(|operation| event.name.eq_ignore_ascii_case(operation))
            && self.from.is_none_or(|from| event.time() >= from)
            && self.to.is_none_or(|to| event.time() < to)
            && self.outcome.as_ref().is_none_or(|outcome| outcome.admits(event.error_code.as_deref()))
    }
}

impl Found {
    /// The place behind the record.
    #[must_use]
    pub fn end(&self) -> Cursor {
        let line = u64::try_from(self.text.len()).unwrap_or(u64::MAX).saturating_add(1);
        Cursor { day: self.day, offset: self.offset.saturating_add(line) }
    }
}

impl WantedOutcome {
    /// Reads `success`, `failure`, `denied` or an error code.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "success" => Self::Success,
            "failure" => Self::Failure,
            "denied" => Self::Denied,
            _ => Self::Code(text.to_owned()),
        }
    }

    fn admits(&self, code: Option<&str>) -> bool {
        match self {
            Self::Success => code.is_none(),
            Self::Failure => code.is_some(),
            // STS and KMS name it differently.
            Self::Denied => matches!(code, Some("AccessDenied" | "AccessDeniedException" | "NotAuthorizedException")),
            Self::Code(wanted) => code.is_some_and(|code| code.eq_ignore_ascii_case(wanted)),
        }
    }
}

/// A search in progress: an iterator over what is found, oldest first.
#[derive(Debug)]
pub struct Search {
    files: LogFiles,
    filter: Filter,
    /// Files that are still to be read, oldest first.
    days: VecDeque<Day>,
    reading: Option<(Day, Lines)>,
    cursor: Option<Cursor>,
    unreadable: u64,
}

impl Search {
    /// Searches a log. Files of days before the filter's time are not read: no record lies in one.
    #[must_use]
    pub fn new(files: LogFiles, filter: Filter) -> Self {
        let files = match filter.from {
            Some(from) => files.starting(Day::of(from)),
            None => files,
        };
        let days = files.days().iter().copied().collect();
        Self { files, filter, days, reading: None, cursor: None, unreadable: 0 }
    }

    /// Searches on from a place, such as the end of an earlier search in a log that has grown since.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn resume(files: LogFiles, filter: Filter, cursor: Cursor) -> io::Result<Self> {
        let files = files.starting(cursor.day);
        let mut days: VecDeque<Day> = files.days().iter().copied().collect();
        let mut reading = None;
        if days.front() == Some(&cursor.day) {
            days.pop_front();
            reading = Some((cursor.day, files.lines(cursor.day, cursor.offset)?));
        }
        Ok(Self { files, filter, days, reading, cursor: Some(cursor), unreadable: 0 })
    }

    /// Behind the last whole line that was read; `None` before the first.
    #[must_use]
    pub const fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// Lines that were no records, as far as the filter looked at them.
    #[must_use]
    pub const fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// Searches on until the page is full, so many lines are read, or the log ends.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn page(&mut self, bounds: PageBounds) -> io::Result<Page> {
        let mut page = Page { found: Vec::new(), ended: false };
        let (mut bytes, mut lines) = (0, 0);
        while lines < bounds.lines {
            match self.step()? {
                Step::Found(found) => {
                    bytes += found.text.len();
                    page.found.push(*found);
                    if page.found.len() >= bounds.records || bytes >= bounds.bytes {
                        break;
                    }
                    lines += 1;
                }
                Step::Passed => lines += 1,
                // Not counted, or a page might end before it has come anywhere.
                Step::Turned => {}
                Step::Ended => {
                    page.ended = true;
                    break;
                }
            }
        }
        Ok(page)
    }

    fn next_found(&mut self) -> io::Result<Option<Found>> {
        loop {
            match self.step()? {
                Step::Found(found) => return Ok(Some(*found)),
                Step::Passed | Step::Turned => {}
                Step::Ended => return Ok(None),
            }
        }
    }

    /// Looks at the next line, or at the next file.
    fn step(&mut self) -> io::Result<Step> {
        let Some((day, lines)) = &mut self.reading else {
            let Some(day) = self.days.pop_front() else { return Ok(Step::Ended) };
            self.reading = Some((day, self.files.lines(day, 0)?));
            return Ok(Step::Turned);
        };
        let Some(line) = lines.next_line()? else {
            self.reading = None;
            return Ok(Step::Turned);
        };
        // An unfinished line is being written, and will be whole the next time.
        if line.kind == LineKind::Unfinished {
            return Ok(Step::Turned);
        }
        self.cursor = Some(Cursor { day: *day, offset: line.end });
        match self.filter.read(line.bytes) {
            Read::Wanted(event, text) => {
                return Ok(Step::Found(Box::new(Found { day: *day, offset: line.offset, text, event: *event })));
            }
            Read::Other => {}
            Read::Unreadable => self.unreadable += 1,
        }
        Ok(Step::Passed)
    }
}

/// What one look at a line came to.
enum Step {
    Found(Box<Found>),
    Passed,
    /// No whole line: the end of a file, or the beginning of the next.
    Turned,
    Ended,
}

/// Where a page ends, whatever comes first. At least one record always fits.
#[derive(Clone, Copy, Debug)]
pub struct PageBounds {
    /// Most records.
    pub records: usize,
    /// Text after which no further record is added, in bytes.
    pub bytes: usize,
    /// Most lines that are looked at.
    pub lines: usize,
}

/// A part of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Records in the order of the log; may be empty although there are more.
    pub found: Vec<Found>,
    /// Whether the log has been seen to its end.
    pub ended: bool,
}

impl Iterator for Search {
    type Item = io::Result<Found>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_found().transpose()
    }
}

/// The last records that are looked for, newest last: at most `count`, at most 10,000, and at most 64 MiB.
///
/// # Errors
/// When a file cannot be read.
pub fn tail(files: &LogFiles, filter: &Filter, count: usize) -> io::Result<Vec<Found>> {
    tail_while(files, filter, count, &|| true)
}

/// The same, for as long as `goes_on` says yes.
///
/// # Errors
/// When a file cannot be read; [`io::ErrorKind::TimedOut`] when it was not let go on to the end.
pub fn tail_while(
    files: &LogFiles,
    filter: &Filter,
    count: usize,
    goes_on: &dyn Fn() -> bool,
) -> io::Result<Vec<Found>> {
    let count = count.min(TAIL_RECORDS_MAX);
    let mut last = Tail { count, bytes: 0, found: VecDeque::new() };
    for day in files.days().iter().rev() {
        if last.is_full() || filter.from.is_some_and(|from| *day < Day::of(from)) {
            break;
        }
        let newer = std::mem::take(&mut last.found);
        let wanted = Tail { count: count - newer.len(), bytes: 0, found: VecDeque::new() };
        let mut of_day = tail_of_day((files, filter, goes_on), *day, wanted)?.found;
        of_day.extend(newer);
        last.found = of_day;
        last.bytes = last.found.iter().map(|found| found.text.len()).sum();
    }
    while last.bytes > TAIL_BYTES_MAX {
        last.pop();
    }
    Ok(last.found.into())
}

struct Tail {
    count: usize,
    bytes: usize,
    found: VecDeque<Found>,
}

impl Tail {
    fn is_full(&self) -> bool {
        self.found.len() >= self.count || self.bytes >= TAIL_BYTES_MAX
    }

    fn push(&mut self, found: Found) {
        self.bytes += found.text.len();
        self.found.push_back(found);
        while self.found.len() > self.count || self.bytes > TAIL_BYTES_MAX {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(oldest) = self.found.pop_front() {
            self.bytes -= oldest.text.len();
        }
    }
}

/// Looks at a growing end of one file until enough is found or the file has been seen.
fn tail_of_day(
    (files, filter, goes_on): (&LogFiles, &Filter, &dyn Fn() -> bool),
    day: Day,
    wanted: Tail,
) -> io::Result<Tail> {
    let length = files.open(day)?.length()?;
    let mut window = TAIL_WINDOW.max(u64::try_from(RECORD_BYTES_MAX).unwrap_or_default());
    loop {
        let mut last = Tail { count: wanted.count, bytes: 0, found: VecDeque::new() };
        let start = length.saturating_sub(window);
        let mut lines = files.lines(day, start)?;
        // The first line begins before the window, unless this is the whole file.
        let mut partial = start > 0;
        while let Some(line) = lines.next_line()? {
            if !goes_on() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if !partial
                && line.kind == LineKind::Whole
                && let Read::Wanted(event, text) = filter.read(line.bytes)
            {
                last.push(Found { day, offset: line.offset, text, event: *event });
            }
            partial = false;
        }
        if start == 0 || last.is_full() {
            return Ok(last);
        }
        window = window.saturating_mul(4);
    }
}
