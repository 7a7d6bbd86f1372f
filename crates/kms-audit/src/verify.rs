//! Verification of one log: every record that was edited, removed, moved, inserted or cut off is named.
//!
//! It reads each line once and keeps a few numbers, however long the log is. The chain alone shows everything but a chain
//! that was cut short or written anew to its end; checkpoints and heads that the caller knows show that.

use crate::chain::SealedLine;
use crate::event::RawEvent;
use crate::log_files::{Line, LineKind, LogFiles};
use crate::{Chain, Day, Head, LogName, RecordHash, SignedCheckpoint, Verifier};
use claims::Claims;
use kms_types::RegionName;
use missing::Missing;
use std::io;

mod claims;
mod finding;
mod missing;

pub use finding::{Finding, Flaw};

/// Most findings that are listed; more are only counted.
const FINDINGS_MAX: usize = 10_000;

/// Where the files begin in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first record of the log.
    Origin,
    /// After a record that is known, such as the last one of an archive.
    After(Head),
    /// Anywhere: the first record is believed.
    Anywhere,
}

/// What is known about a log besides its files.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Where the files begin.
    pub start: Start,
    /// Records that are known to exist.
    pub heads: &'a [Head],
    /// Checkpoints of this log, in ascending order of sequence.
    pub checkpoints: &'a [SignedCheckpoint],
    /// Checks their signatures.
    pub verifier: &'a dyn Verifier,
}

/// What verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The log.
    pub log: LogName,
    /// Records that are what they were, at their place.
    pub records: u64,
    /// Sequence of the first record; `None` when there is none.
    pub first: Option<u64>,
    /// The last record in the chain.
    pub last: Option<Head>,
    /// Checkpoints that agree with the log.
    pub checkpoints: u64,
    /// Sequence of the last checkpoint that agrees: what comes after it is witnessed by nobody yet.
    pub witnessed_to: Option<u64>,
    /// What is wrong, in the order of the files; at most 10,000.
    pub findings: Vec<Finding>,
    /// How much is wrong.
    pub findings_total: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.findings_total == 0
    }
}

/// Verifies the files of a log.
///
/// # Errors
/// When a file cannot be read. What is wrong with the log is in the report.
pub fn verify(files: &LogFiles, evidence: &Evidence<'_>) -> io::Result<Report> {
    let mut verification = Verification::new(files.log(), evidence);
    verification.read(files, |_, _| ())?;
    Ok(verification.finish())
}

/// A verification in progress.
#[derive(Debug)]
pub(crate) struct Verification<'a> {
    chain: Chain,
    claims: Claims<'a>,
    missing: Missing,
    /// Sequence that comes next; `None` before the first record of files that begin anywhere.
    next: Option<u64>,
    /// What the next record may be chained to: the hash that the record before it has, and the one that it states.
    links: [RecordHash; 2],
    place: (Day, u64),
    report: Report,
}

impl<'a> Verification<'a> {
    pub(crate) fn new(log: &LogName, evidence: &Evidence<'a>) -> Self {
        let chain = Chain::new(log.clone());
        let origin = chain.origin();
        let (next, hash) = match evidence.start {
            Start::Origin => (Some(1), origin.hash),
            Start::After(head) => (Some(head.sequence.saturating_add(1)), head.hash),
            Start::Anywhere => (None, origin.hash),
        };
        let report = Report {
            log: log.clone(),
            records: 0,
            first: None,
            last: None,
            checkpoints: 0,
            witnessed_to: None,
            findings: Vec::new(),
            findings_total: 0,
        };
        let claims = Claims::new(log, evidence);
        // No line has been read yet, so that nobody sees this.
        let place = (Day::of(kms_types::Timestamp::default()), 0);
        Self { chain, claims, missing: Missing::default(), next, links: [hash; 2], place, report }
    }

    /// Reads all files, and shows every unharmed record to the caller.
    pub(crate) fn read(&mut self, files: &LogFiles, mut each: impl FnMut(&[u8], Head)) -> io::Result<()> {
        for day in files.days() {
            let mut lines = files.lines(*day, 0)?;
            self.place = (*day, 0);
            while let Some(line) = lines.next_line()? {
                self.place.1 += 1;
                if let Some(head) = self.line(&line) {
                    each(line.bytes, head);
                }
            }
        }
        Ok(())
    }

    /// Checks one line. Returns its place in the chain if it is unharmed and there.
    fn line(&mut self, line: &Line<'_>) -> Option<Head> {
        let Some(sealed) = SealedLine::parse(line.bytes) else {
            self.find(self.next, if line.kind == LineKind::Unfinished { Flaw::Unfinished } else { Flaw::NotARecord });
            return None;
        };
        match line.kind {
            LineKind::Whole => {}
            LineKind::Unfinished => {
                self.find(Some(sealed.sequence), Flaw::Unfinished);
                return None;
            }
            LineKind::TooLong => {
                self.find(self.next, Flaw::NotARecord);
                return None;
            }
        }
        let hash = self.chain.hash_of(&sealed);
        if hash == sealed.hash { self.genuine(&sealed) } else { self.altered(line.bytes, &sealed, hash) }
    }

    /// A line whose hash is not its own.
    fn altered(&mut self, bytes: &[u8], sealed: &SealedLine<'_>, hash: RecordHash) -> Option<Head> {
        let in_place =
            self.next.is_none() || self.links.contains(&sealed.previous) || Some(sealed.sequence) == self.next;
        let sequence = if in_place { self.next.unwrap_or(sealed.sequence) } else { sealed.sequence };
        let flaw = self.foreign(bytes, sealed).map_or(Flaw::Edited, |region| Flaw::Foreign { region });
        let stands_for_a_record = in_place && flaw == Flaw::Edited;
        self.find(Some(sequence), flaw);
        if stands_for_a_record {
            // The next record is chained to what this one was, or states to be.
            self.advance(sequence, [hash, sealed.hash]);
        }
        None
    }

    /// The Region whose record this is, if it is a genuine one of another Region.
    fn foreign(&self, bytes: &[u8], sealed: &SealedLine<'_>) -> Option<RegionName> {
        let region = RegionName::parse(&RawEvent::parse(bytes)?.region).ok()?;
        let log = LogName::new(self.report.log.cluster(), region.clone()).ok()?;
        (log != self.report.log && Chain::new(log).hash_of(sealed) == sealed.hash).then_some(region)
    }

    /// A line whose hash is its own. Is it where it belongs?
    fn genuine(&mut self, sealed: &SealedLine<'_>) -> Option<Head> {
        let sequence = sealed.sequence;
        if sealed.day != self.place.0 {
            self.find(Some(sequence), Flaw::OtherDay { day: sealed.day });
        }
        if let Some(next) = self.next {
            if sequence < next {
                let flaw = if self.missing.remove(sequence) { Flaw::Moved } else { Flaw::Repeated };
                self.find(Some(sequence), flaw);
                return None;
            }
            if sequence > next {
                self.miss(next, sequence - 1);
            } else if !self.links.contains(&sealed.previous) {
                self.find(Some(sequence), Flaw::Unlinked);
            }
        }
        self.advance(sequence, [sealed.hash; 2]);
        let head = Head { sequence, hash: sealed.hash };
        self.report.records += 1;
        self.report.first.get_or_insert(sequence);
        self.report.last = Some(head);
        for claim in self.claims.about(head) {
            match claim {
                Ok(()) => {}
                Err((sequence, flaw)) => self.find(Some(sequence), flaw),
            }
        }
        Some(head)
    }

    fn advance(&mut self, sequence: u64, links: [RecordHash; 2]) {
        self.next = Some(sequence.saturating_add(1));
        self.links = links;
    }

    /// Remembers records that are not where they should be; they may come later.
    fn miss(&mut self, from: u64, to: u64) {
        if let Some((from, to)) = self.missing.add(self.place, from, to) {
            self.find(Some(from), Flaw::Missing { from, to });
        }
    }

    fn find(&mut self, sequence: Option<u64>, flaw: Flaw) {
        let (day, line) = self.place;
        self.report(Finding { day: Some(day), line: Some(line), sequence, flaw });
    }

    fn report(&mut self, finding: Finding) {
        self.report.findings_total += 1;
        if self.report.findings.len() < FINDINGS_MAX {
            self.report.findings.push(finding);
        }
    }

    /// Says what was found.
    pub(crate) fn finish(mut self) -> Report {
        for (place, from, to) in std::mem::take(&mut self.missing).into_ranges() {
            let (day, line) = place;
            let flaw = Flaw::Missing { from, to };
            self.report(Finding { day: Some(day), line: Some(line), sequence: Some(from), flaw });
        }
        let end = self.next.unwrap_or(1);
        let (known, flaws) = self.claims.beyond(end);
        for (sequence, flaw) in flaws {
            self.report(Finding { day: None, line: None, sequence: Some(sequence), flaw });
        }
        if let Some(to) = known {
            let flaw = Flaw::CutOff { from: end, to };
            self.report(Finding { day: None, line: None, sequence: Some(end), flaw });
        }
        (self.report.checkpoints, self.report.witnessed_to) = self.claims.agreed();
        self.report.findings.sort_by_key(|finding| (finding.day.is_none(), finding.day, finding.line));
        self.report
    }
}
