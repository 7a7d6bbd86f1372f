//! The head file: where the log stood a moment ago, in two slots that are written in turn.
//!
//! A restart reads the log from there on, and misses records that were cut off before. Each slot is a line of
//! JSON of 1,024 bytes with a hash of its own: a slot that was torn while being written is not taken for the last word, and the
//! other one is still there. Writing in place needs no space, so that it also works on a full disk.

use crate::chain::parse_hex;
use crate::json::JsonLine;
use crate::log_files::head_file;
use crate::uuid::push_hex;
use crate::{Day, Head, LogName, RecordHash, Volume, VolumeFile};
use kms_types::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::io;

const VERSION: u64 = 1;
/// The label of a slot's hash.
const LABEL: &[u8] = b"meridian audit head v1\0";
/// Length of a slot, in bytes.
const SLOT: usize = 1024;
const SLOTS: u64 = 2;
const CHECK: &str = ",\"check\":\"";
const END: &str = "\"}";

/// Where the log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadNote {
    /// The file that is written.
    pub(crate) day: Day,
    /// Its length, in bytes.
    pub(crate) offset: u64,
    /// The last durable record.
    pub(crate) head: Head,
    /// Whether the writer ended in good order here.
    pub(crate) clean: bool,
    /// Requests that went on without a record, and that no gap record owns up to yet.
    pub(crate) unrecorded: Option<Unrecorded>,
}

/// Requests that went on without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unrecorded {
    pub(crate) count: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// Whether there may have been more.
    pub(crate) at_least: bool,
}

impl Unrecorded {
    /// One request more, or the first one.
    pub(crate) fn and(so_far: Option<Self>, time: Timestamp) -> Self {
        Self::merged(so_far, Self { count: 1, first: time, last: time, at_least: false })
    }

    /// Both together.
    pub(crate) fn merged(so_far: Option<Self>, more: Self) -> Self {
        so_far.map_or(more, |so_far| Self {
            count: so_far.count.saturating_add(more.count),
            first: so_far.first.min(more.first),
            last: so_far.last.max(more.last),
            at_least: so_far.at_least || more.at_least,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Slot<'a> {
    version: u64,
    #[serde(borrow)]
    cluster: Cow<'a, str>,
    #[serde(borrow)]
    region: Cow<'a, str>,
    generation: u64,
    #[serde(borrow)]
    day: Cow<'a, str>,
    offset: u64,
    sequence: u64,
    #[serde(borrow)]
    hash: Cow<'a, str>,
    clean: bool,
    unrecorded: u64,
    first_millis: u64,
    last_millis: u64,
    #[serde(rename = "check")]
    _check: serde::de::IgnoredAny,
}

/// The open head file, locked for this writer.
#[derive(Debug)]
pub(crate) struct HeadFile {
    file: Box<dyn VolumeFile>,
    log: LogName,
    generation: u64,
}

impl HeadFile {
    /// Opens and locks the file, and reads the newest note. `Ok(None)`: another writer has it.
    pub(crate) fn open(volume: &dyn Volume, log: &LogName) -> io::Result<Option<(Self, Option<HeadNote>)>> {
        let mut file = volume.open_or_create(&head_file(log.region()))?;
        if !file.try_lock()? {
            return Ok(None);
        }
        let length = SLOTS * u64::try_from(SLOT).unwrap_or_default();
        if file.length()? < length {
            file.allocate(length)?;
            file.sync()?;
            volume.sync_names()?;
        }
        let mut newest: Option<(u64, HeadNote)> = None;
        for slot in 0..SLOTS {
            let mut bytes = [0; SLOT];
            file.read_at(&mut bytes, offset(slot))?;
            if let Some(read) = decode(&bytes, log).filter(|read| newest.is_none_or(|newest| newest.0 < read.0)) {
                newest = Some(read);
            }
        }
        let generation = newest.as_ref().map_or(0, |(generation, _)| *generation);
        Ok(Some((Self { file, log: log.clone(), generation }, newest.map(|(_, note)| note))))
    }

    /// Writes a note over the older slot and syncs it.
    pub(crate) fn write(&mut self, note: &HeadNote) -> io::Result<()> {
        let generation = self.generation.saturating_add(1);
        self.file.write_at(&encode(&self.log, generation, note), offset(generation % SLOTS))?;
        self.file.sync()?;
        self.generation = generation;
        Ok(())
    }
}

fn offset(slot: u64) -> u64 {
    slot * u64::try_from(SLOT).unwrap_or_default()
}

fn encode(log: &LogName, generation: u64, note: &HeadNote) -> Vec<u8> {
    let mut line = JsonLine::open_line();
    line.number("version", VERSION);
    line.word("cluster", log.cluster());
    line.word("region", log.region().as_str());
    line.number("generation", generation);
    line.word("day", &note.day.to_string());
    line.number("offset", note.offset);
    line.number("sequence", note.head.sequence);
    line.hex("hash", note.head.hash.as_bytes());
    line.flag("clean", note.clean);
    let none = Timestamp::default();
    let (count, first, last) = note.unrecorded.map_or((0, none, none), |u| (u.count, u.first, u.last));
    line.number("unrecorded", count);
    line.number("firstMillis", first.millis());
    line.number("lastMillis", last.millis());
    let mut text = line.into_text();
    let check = check(&text);
    text.push_str(CHECK);
    check.iter().for_each(|byte| push_hex(&mut text, *byte));
    text.push_str(END);
    let mut bytes = text.into_bytes();
    bytes.resize(SLOT - 1, b' ');
    bytes.push(b'\n');
    bytes
}

fn decode(bytes: &[u8], log: &LogName) -> Option<(u64, HeadNote)> {
    let text = str::from_utf8(bytes).ok()?.strip_suffix('\n')?.trim_end_matches(' ');
    let (covered, check_hex) = text.strip_suffix(END)?.rsplit_once(CHECK)?;
    if parse_hex(check_hex.as_bytes())? != check(covered) {
        return None;
    }
    let slot: Slot<'_> = serde_json::from_str(text).ok()?;
    if slot.version != VERSION || slot.cluster != log.cluster() || slot.region != log.region().as_str() {
        return None;
    }
    let unrecorded = (slot.unrecorded > 0).then(|| Unrecorded {
        count: slot.unrecorded,
        first: Timestamp::from_millis(slot.first_millis),
        last: Timestamp::from_millis(slot.last_millis),
        // Whoever wrote this is gone, and may have let more requests pass since.
        at_least: true,
    });
    let note = HeadNote {
        day: Day::parse(&slot.day)?,
        offset: slot.offset,
        head: Head { sequence: slot.sequence, hash: RecordHash::parse(&slot.hash)? },
        clean: slot.clean,
        unrecorded,
    };
    Some((slot.generation, note))
}

fn check(covered: &str) -> [u8; 32] {
    Sha256::new_with_prefix(LABEL).chain_update(covered).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryVolume, PowerCut};
    use kms_types::RegionName;

    fn log() -> LogName {
        LogName::new("dev-1", RegionName::parse("eu-west-1").unwrap()).unwrap()
    }

    fn note(sequence: u64) -> HeadNote {
        HeadNote {
            day: Day::parse("2026-11-22").unwrap(),
            offset: 1000 * sequence,
            head: Head { sequence, hash: RecordHash::from_bytes([7; 32]) },
            clean: false,
            unrecorded: None,
        }
    }

    fn open(volume: &MemoryVolume) -> (HeadFile, Option<HeadNote>) {
        HeadFile::open(volume, &log()).unwrap().unwrap()
    }

    #[test]
    fn the_newest_note_is_read_back() {
        let volume = MemoryVolume::new();
        let (mut file, read) = open(&volume);
        assert_eq!(read, None);
        for sequence in 1..=5 {
            file.write(&note(sequence)).unwrap();
        }
        drop(file);
        assert_eq!(open(&volume).1, Some(note(5)));
    }

    #[test]
    fn a_torn_note_leaves_the_one_before() {
        let volume = MemoryVolume::new();
        let (mut file, _) = open(&volume);
        file.write(&note(1)).unwrap();
        file.write(&note(2)).unwrap();
        for step in 0..2 {
            let volume = volume.after(PowerCut::KeepsUnsynced);
            let (mut file, _) = open(&volume);
            volume.cut_power_at_step(step);
            assert!(file.write(&note(3)).is_err());
            for seed in 0..32 {
                let read = open(&volume.after(PowerCut::Tears(seed))).1.unwrap();
                assert!([note(2), note(3)].contains(&read), "step {step}, seed {seed}");
            }
        }
    }

    #[test]
    fn a_note_of_another_log_or_with_a_changed_byte_is_none() {
        let bytes = encode(&log(), 1, &note(1));
        assert_eq!(decode(&bytes, &log()), Some((1, note(1))));
        let other = LogName::new("dev-2", log().region().clone()).unwrap();
        assert_eq!(decode(&bytes, &other), None);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(decode(&changed, &log()), None, "byte {at}");
        }
    }

    #[test]
    fn a_second_writer_gets_no_lock() {
        let volume = MemoryVolume::new();
        let (_file, _) = open(&volume);
        assert!(HeadFile::open(&volume, &log()).unwrap().is_none());
    }

    #[test]
    fn requests_that_went_unrecorded_are_remembered_as_a_lower_bound() {
        let volume = MemoryVolume::new();
        let (mut file, _) = open(&volume);
        let time = Timestamp::from_millis;
        let unrecorded = Unrecorded::and(Some(Unrecorded::and(None, time(5))), time(3));
        file.write(&HeadNote { unrecorded: Some(unrecorded), ..note(1) }).unwrap();
        drop(file);
        let read = open(&volume).1.unwrap().unrecorded;
        assert_eq!(read, Some(Unrecorded { count: 2, first: time(3), last: time(5), at_least: true }));
    }
}
