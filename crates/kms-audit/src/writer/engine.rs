//! What the writer's thread does, without the thread: every step is a call, so that tests can stop anywhere.
//!
//! Persist, then speak: a record is answered only after the sync that covers it. After a failure the writer refuses, cuts
//! off what it had not synced, and tries again until it can write a record of what happened.

use super::day_file::DayFile;
use super::head_note::{HeadFile, HeadNote, Unrecorded};
use super::opening::Opened;
use super::reserve::Reserve;
use super::trouble::{Trouble, TroubleKind};
use super::{AuditError, Pending, Priority, Receipt, Shared, Unrecordable, WriterOptions, WriterPorts};
use crate::{Chain, Day, Gap, Head, LogEvent, Record, ServiceEvent, ServiceRecord, Started};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

/// How much may be written before the head is noted anew, in bytes: this much a restart reads at most.
const NOTE_BYTES: u64 = 16 * 1024 * 1024;

pub(super) struct Engine {
    ports: WriterPorts,
    unrecordable: Unrecordable,
    chain: Chain,
    /// The last durable record.
    head: Head,
    /// The file that is written; `None` before the first record of all.
    file: Option<DayFile>,
    /// The day before which no file is opened again.
    day: Day,
    /// Put before the next record where the file does not end with a line.
    missing_line_end: bool,
    head_file: HeadFile,
    noted: Option<HeadNote>,
    reserve: Reserve,
    trouble: Option<Trouble>,
    unrecorded: Option<Unrecorded>,
    /// What the first record has to say, until it is written.
    started: Option<Started>,
    shared: Arc<Shared>,
    buffer: String,
}

impl Engine {
    /// Starts with a log that was found in order, and writes the first record. A failure to do so is trouble like any
    /// other.
    pub(super) fn start(ports: WriterPorts, options: &WriterOptions, opened: Opened, shared: Arc<Shared>) -> Self {
        let reserve = Reserve::new(Arc::clone(&ports.volume), opened.chain.log(), options.reserve_bytes);
        let mut engine = Self {
            ports,
            unrecordable: options.unrecordable,
            chain: opened.chain,
            head: opened.head,
            file: opened.file,
            day: opened.day,
            missing_line_end: opened.missing_line_end,
            head_file: opened.head_file,
            noted: None,
            reserve,
            trouble: None,
            unrecorded: opened.unrecorded,
            started: Some(opened.started),
            shared,
            buffer: String::new(),
        };
        if let Err(error) = engine.catch_up() {
            engine.fail(&error);
        }
        engine.publish();
        engine
    }

    /// Writes the records of a moment and answers them.
    pub(super) fn write(&mut self, group: Vec<Pending>) {
        let mut waiting = VecDeque::from(group);
        while let Some(first) = waiting.front() {
            if let Err(error) = self.admits(first.priority) {
                if let Some(pending) = waiting.pop_front() {
                    self.turn_away(pending, error);
                }
                continue;
            }
            self.write_day(&mut waiting);
        }
        if self.trouble.is_none() {
            self.own_up();
        }
        if self.bytes_since_note() > NOTE_BYTES {
            self.note_or_fail(false);
        }
        self.shared.count_group();
        self.publish();
    }

    /// Writes as many of the first records as belong into one file. After a failure they are still waiting.
    fn write_day(&mut self, waiting: &mut VecDeque<Pending>) {
        let mut day = None;
        let mut taken = VecDeque::new();
        while let Some(next) = waiting.front() {
            let its_day = next.record.day().max(self.day);
            // A late record goes into the file of the record before it, so that files follow each other as the chain does.
            let file_day = day.map_or(its_day, |day| its_day.max(day));
            if day.is_some_and(|day| day != file_day) || self.admits(next.priority).is_err() {
                break;
            }
            day = Some(file_day);
            taken.extend(waiting.pop_front());
        }
        let Some(day) = day else { return };
        match self.append(day, taken.iter().map(|pending| &pending.record)) {
            Ok(heads) => {
                self.shared.count_records(heads.len());
                self.publish();
                for (pending, head) in taken.into_iter().zip(heads) {
                    pending.answer(Ok(Receipt::Recorded(head)));
                }
            }
            Err(error) => {
                self.fail(&error);
                taken.append(waiting);
                *waiting = taken;
            }
        }
    }

    /// Chains, writes and syncs. Nothing has changed unless all of it went well.
    fn append<'a>(&mut self, day: Day, records: impl IntoIterator<Item = &'a Record>) -> io::Result<Vec<Head>> {
        self.open(day)?;
        self.buffer.clear();
        if self.missing_line_end {
            self.buffer.push('\n');
        }
        let mut head = self.head;
        let mut heads = Vec::new();
        for record in records {
            head = self.chain.seal(&head, day, record.body(), &mut self.buffer);
            heads.push(head);
        }
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.append(self.buffer.as_bytes())?;
        self.head = head;
        self.missing_line_end = false;
        Ok(heads)
    }

    /// Makes sure that the file of a day is open. The file before is complete and synced by then.
    fn open(&mut self, day: Day) -> io::Result<()> {
        if self.file.as_ref().is_some_and(|file| file.day() == day) {
            return Ok(());
        }
        if let Some(before) = &mut self.file {
            // Only a last file may have an unfinished end.
            before.cut_unfinished()?;
        }
        self.file = Some(DayFile::open(&*self.ports.volume, self.chain.log(), day, 0)?);
        self.day = day;
        Ok(())
    }

    fn admits(&self, priority: Priority) -> Result<(), AuditError> {
        self.trouble.as_ref().map_or(Ok(()), |trouble| trouble.kind.admits(priority))
    }

    /// Answers a record that cannot be written.
    fn turn_away(&mut self, pending: Pending, error: AuditError) {
        match self.unrecordable {
            Unrecordable::Refuse => {
                if let Some(trouble) = &mut self.trouble {
                    trouble.refused = trouble.refused.saturating_add(1);
                }
                pending.answer(Err(error));
            }
            Unrecordable::DangerGoOn => {
                self.unrecorded = Some(Unrecorded::and(self.unrecorded, pending.record.time()));
                pending.answer(Ok(Receipt::Unrecorded));
            }
        }
    }

    /// Takes note of a failure. A full disk gets the reserve once; when that is used up, nothing can be written.
    fn fail(&mut self, error: &io::Error) {
        let before = self.trouble.as_ref().map(|trouble| trouble.kind);
        let kind = match before {
            _ if !is_full(error) => TroubleKind::Device,
            None => TroubleKind::Full,
            Some(TroubleKind::Full | TroubleKind::Exhausted) => TroubleKind::Exhausted,
            Some(TroubleKind::Device) => TroubleKind::Full,
        };
        if kind == TroubleKind::Full {
            self.reserve.release();
        }
        match &mut self.trouble {
            Some(trouble) => trouble.kind = kind,
            None => self.trouble = Some(Trouble { kind, since: (self.ports.clock)(), refused: 0 }),
        }
        // The rest of a write that failed takes space and helps nobody; if it cannot be cut off now, it will be before the
        // next write.
        if let Some(file) = &mut self.file {
            file.cut_unfinished().unwrap_or_default();
        }
        // Whoever gets the refusal sees the state that explains it.
        self.publish();
        if before != Some(kind) {
            tracing::error!(%error, state = kind.as_str(), "the audit log cannot be written; requests are affected");
        }
    }

    /// What is due from time to time: another try when in trouble, otherwise a note of the head.
    pub(super) fn tick(&mut self) {
        if self.trouble.is_some() {
            self.recover();
        } else {
            self.own_up();
            self.note_or_fail(false);
        }
        self.publish();
    }

    /// Ends in good order.
    pub(super) fn stop(&mut self) {
        if self.trouble.is_none() {
            self.own_up();
        }
        if self.trouble.is_none() {
            let stopped = self.own_record(ServiceEvent::Log(LogEvent::Stopped));
            match self.append(stopped.day().max(self.day), [&stopped]) {
                Ok(_) => self.note_or_fail(true),
                Err(error) => self.fail(&error),
            }
        }
        self.publish();
    }

    /// Tries to get out of trouble: the reserve is whole again, and a record says what happened.
    fn recover(&mut self) {
        match self.catch_up() {
            Ok(()) => {
                tracing::info!("the audit log can be written again");
                self.trouble = None;
            }
            Err(error) => {
                match &mut self.trouble {
                    // Not all of the space is back. Some may be, so that operators may try again.
                    Some(trouble) if is_full(&error) && trouble.kind != TroubleKind::Device => {
                        trouble.kind = TroubleKind::Full;
                        self.reserve.release();
                    }
                    _ => self.fail(&error),
                }
                if self.noted.is_some_and(|noted| noted.unrecorded != self.unrecorded) {
                    // As good as it gets; the count is also kept in memory.
                    self.note(false).unwrap_or_default();
                }
            }
        }
    }

    /// Writes what the log owes its readers: that it was opened, what is missing, that it works again.
    fn catch_up(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.cut_unfinished()?;
        }
        // Before anything else, so that a later start knows what this writer found, and because a device that fails here
        // would let the same records be written over and over.
        self.note(false)?;
        self.reserve.hold()?;
        if let Some(started) = self.started {
            self.append_own(ServiceEvent::Log(LogEvent::Started(&started)))?;
            self.started = None;
        }
        if let Some(unrecorded) = self.unrecorded {
            self.append_gap(unrecorded)?;
        } else if let Some(Trouble { since, refused, .. }) = self.trouble {
            self.append_own(ServiceEvent::Log(LogEvent::Recovered { since, refused }))?;
        }
        self.note(false)
    }

    /// Writes a gap record for requests that went on while the queue was full.
    fn own_up(&mut self) {
        if let Some(more) = self.shared.take_unrecorded() {
            self.unrecorded = Some(Unrecorded::merged(self.unrecorded, more));
        }
        if let Some(unrecorded) = self.unrecorded
            && let Err(error) = self.append_gap(unrecorded)
        {
            self.fail(&error);
        }
    }

    fn append_gap(&mut self, unrecorded: Unrecorded) -> io::Result<()> {
        let Unrecorded { count, first, last, at_least } = unrecorded;
        let gap = Gap { unrecorded: count, at_least, first, last, after: self.head };
        let signature = self.ports.signer.sign(&gap.signed_bytes(self.chain.log())).ok();
        self.append_own(ServiceEvent::Log(LogEvent::Gap { gap: &gap, signature: signature.as_ref() }))?;
        self.unrecorded = None;
        Ok(())
    }

    fn append_own(&mut self, event: ServiceEvent<'_>) -> io::Result<()> {
        let record = self.own_record(event);
        self.append(record.day().max(self.day), [&record]).map(|_| self.shared.count_records(1))
    }

    fn own_record(&self, event: ServiceEvent<'_>) -> Record {
        let (event_id, time) = ((self.ports.event_ids)(), (self.ports.clock)());
        ServiceRecord { event_id, time, event, control_log_index: None }.record(self.chain.log().region())
    }

    fn note_or_fail(&mut self, clean: bool) {
        if let Err(error) = self.note(clean) {
            self.fail(&error);
        }
    }

    /// Notes the head, unless the last note says the same.
    fn note(&mut self, clean: bool) -> io::Result<()> {
        let (day, offset) = self.file.as_ref().map_or((self.day, 0), |file| (file.day(), file.end()));
        let note = HeadNote { day, offset, head: self.head, clean, unrecorded: self.unrecorded };
        if self.noted != Some(note) {
            self.head_file.write(&note)?;
            self.noted = Some(note);
        }
        Ok(())
    }

    fn bytes_since_note(&self) -> u64 {
        let noted = self.noted.map_or((self.day, 0), |note| (note.day, note.offset));
        self.file.as_ref().map_or(0, |file| if file.day() == noted.0 { file.end() - noted.1 } else { u64::MAX })
    }

    fn publish(&self) {
        self.shared.publish(self.trouble.as_ref(), self.head, self.unrecorded);
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
