//! A file of the twin: what readers see, what a sync has covered, and what lies between.

use super::{Draw, MemoryVolume, power_cut};
use crate::volume::VolumeFile;
use std::io;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

#[derive(Clone, Default)]
pub(super) struct Contents {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Changes since the last sync, in order.
    unsynced: Vec<Change>,
    /// Space that was taken ahead.
    allocated: u64,
}

#[derive(Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Length(length) => content.resize(*length, 0),
            Self::Write { offset, bytes } => write(content, *offset, bytes),
        }
    }
}

fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(offset..end) {
        place.copy_from_slice(bytes);
    }
}

impl Contents {
    pub(super) fn durable(content: Vec<u8>) -> Self {
        Self { live: content.clone(), durable: content, ..Self::default() }
    }

    pub(super) fn live(&self) -> &[u8] {
        &self.live
    }

    pub(super) fn taken(&self) -> u64 {
        length_of(&self.live).max(self.allocated)
    }

    /// The file after a power cut: each change is kept or lost, each sector of a write by itself.
    pub(super) fn after(&self, draw: &mut Draw) -> Self {
        let mut content = self.durable.clone();
        for change in &self.unsynced {
            match change {
                Change::Length(_) if draw.keeps() => change.apply(&mut content),
                Change::Length(_) => {}
                Change::Write { offset, bytes } => {
                    let first = SECTOR - offset % SECTOR;
                    let (head, rest) = bytes.split_at(first.min(bytes.len()));
                    let mut at = *offset;
                    for piece in std::iter::once(head).chain(rest.chunks(SECTOR)) {
                        if draw.keeps() {
                            write(&mut content, at, piece);
                        }
                        at += piece.len();
                    }
                }
            }
        }
        Self::durable(content)
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.live);
        self.unsynced.push(change);
    }
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_too_large| io::ErrorKind::FileTooLarge.into())
}

/// An open file. Its lock goes with it.
pub(super) struct MemoryFile {
    volume: MemoryVolume,
    id: u64,
    locked: bool,
}

impl MemoryFile {
    pub(super) const fn new(volume: MemoryVolume, id: u64) -> Self {
        Self { volume, id, locked: false }
    }

    fn with<T>(&self, read: impl FnOnce(&Contents) -> T) -> io::Result<T> {
        let state = self.volume.lock();
        state.readable()?;
        state.files.get(&self.id).map(read).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Takes one step that changes the file. `on_cut` is what a power cut in its midst leaves.
    fn step<T>(
        &self,
        on_cut: impl FnOnce(&mut Contents),
        change: impl FnOnce(&mut Contents, u64) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.volume.lock();
        let step = state.step();
        let free = state.free();
        let contents = state.files.get_mut(&self.id).ok_or(io::ErrorKind::NotFound)?;
        if step? {
            on_cut(contents);
            return Err(power_cut());
        }
        change(contents, free)
    }
}

impl std::fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryFile").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        if self.locked {
            self.volume.lock().locks.remove(&self.id);
        }
    }
}

impl VolumeFile for MemoryFile {
    fn length(&self) -> io::Result<u64> {
        self.with(|contents| length_of(&contents.live))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let offset = place(offset)?;
        self.with(|contents| {
            let rest = contents.live.get(offset..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
                to.copy_from_slice(from);
            }
            count
        })
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let offset = place(offset)?;
        let whole = || Change::Write { offset, bytes: bytes.to_vec() };
        self.step(
            |contents| contents.change(whole()),
            |contents, free| {
                let end = length_of(bytes) + u64::try_from(offset).unwrap_or(u64::MAX);
                let missing = end.saturating_sub(contents.taken()).saturating_sub(free);
                if missing == 0 {
                    contents.change(whole());
                    return Ok(());
                }
                let fits = bytes.len().saturating_sub(place(missing)?);
                let part = bytes.get(..fits).unwrap_or_default().to_vec();
                if !part.is_empty() {
                    contents.change(Change::Write { offset, bytes: part });
                }
                Err(io::ErrorKind::StorageFull.into())
            },
        )
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        let length = place(length)?;
        self.step(
            |contents| contents.change(Change::Length(length)),
            |contents, _free| {
                contents.change(Change::Length(length));
                contents.allocated = contents.allocated.min(length_of(&contents.live));
                Ok(())
            },
        )
    }

    fn allocate(&mut self, length: u64) -> io::Result<()> {
        let target = place(length)?;
        self.step(
            |_| (),
            |contents, free| {
                if length.saturating_sub(contents.taken()) > free {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                contents.allocated = contents.allocated.max(length);
                if contents.live.len() < target {
                    contents.change(Change::Length(target));
                }
                Ok(())
            },
        )
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.volume.lock();
        let step = state.step();
        let contents = state.files.get_mut(&self.id).ok_or(io::ErrorKind::NotFound)?;
        match step {
            Ok(false) => {
                for change in std::mem::take(&mut contents.unsynced) {
                    change.apply(&mut contents.durable);
                }
                Ok(())
            }
            // The power went first, and it is a draw what of it reached the disk.
            Ok(true) => Err(power_cut()),
            Err(error) => {
                // As Linux does: the pages count as written, and no later sync will write them.
                contents.unsynced.clear();
                Err(error)
            }
        }
    }

    fn try_lock(&mut self) -> io::Result<bool> {
        let free = self.volume.lock().locks.insert(self.id);
        self.locked |= free;
        Ok(free)
    }
}
