//! The twin of a directory, in memory: it can be full, break, tear writes and lose its power, all repeatably.

use super::{Volume, VolumeFile};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod file;

use file::{Contents, MemoryFile};

/// A directory in memory. Clones are the same directory.
#[derive(Clone, Default)]
pub struct MemoryVolume {
    state: Arc<Mutex<State>>,
}

/// What a power cut leaves of writes that no sync covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerCut {
    /// Nothing.
    LosesUnsynced,
    /// Everything, as after `kill -9`.
    KeepsUnsynced,
    /// Some sectors and not others, drawn from a seed, in any order.
    Tears(u64),
}

#[derive(Default)]
struct State {
    files: BTreeMap<u64, Contents>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    next_file: u64,
    locks: BTreeSet<u64>,
    /// Bytes for all files together.
    capacity: Option<u64>,
    broken: bool,
    /// Changing calls and syncs so far.
    steps: u64,
    fail_at_step: Option<u64>,
    cut_at_step: Option<u64>,
    cut: bool,
}

impl MemoryVolume {
    /// An empty directory without bounds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bounds the bytes of all files; `None` takes the bound away. What lies there already stays.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity = bytes;
    }

    /// Bytes that all files take.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.lock().used()
    }

    /// Makes every write and sync fail as a broken device does, or mends it.
    pub fn set_broken(&self, broken: bool) {
        self.lock().broken = broken;
    }

    /// Makes one later write or sync fail; the next one is step zero.
    pub fn fail_at_step(&self, step: u64) {
        let mut state = self.lock();
        state.fail_at_step = Some(state.steps + step);
    }

    /// Cuts the power during a later write or sync; the next one is step zero. Everything fails from then on.
    pub fn cut_power_at_step(&self, step: u64) {
        let mut state = self.lock();
        state.cut_at_step = Some(state.steps + step);
    }

    /// Whether the power is cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.lock().cut
    }

    /// Writes and syncs so far: the steps at which power can be cut.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.lock().steps
    }

    /// The directory as found after the power came back.
    #[must_use]
    pub fn after(&self, cut: PowerCut) -> Self {
        let state = self.lock();
        let mut draw = Draw::of(cut);
        let mut names = state.durable_names.clone();
        let changed: BTreeSet<&String> = state.names.keys().chain(state.durable_names.keys()).collect();
        for name in changed {
            let (old, new) = (state.durable_names.get(name), state.names.get(name));
            if old != new && draw.keeps() {
                match new {
                    Some(file) => names.insert(name.clone(), *file),
                    None => names.remove(name),
                };
            }
        }
        let linked: BTreeSet<u64> = names.values().copied().collect();
        let survivors = state.files.iter().filter(|(id, _)| linked.contains(id));
        let files = survivors.map(|(id, contents)| (*id, contents.after(&mut draw))).collect();
        let (durable_names, next_file) = (names.clone(), state.next_file);
        let state = State { files, names, durable_names, next_file, capacity: state.capacity, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Content of a file as a reader sees it; `None` when there is none.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.lock();
        let file = state.names.get(name)?;
        state.files.get(file).map(|contents| contents.live().to_vec())
    }

    /// Puts a file there, durable at once, as an intruder or an earlier process would.
    pub fn put(&self, name: &str, content: &[u8]) {
        let mut state = self.lock();
        let id = state.create(name);
        state.durable_names.insert(name.to_owned(), id);
        state.files.insert(id, Contents::durable(content.to_vec()));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryVolume").field("files", &self.lock().names.len()).finish_non_exhaustive()
    }
}

impl State {
    fn create(&mut self, name: &str) -> u64 {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        self.next_file += 1;
        self.names.insert(name.to_owned(), self.next_file);
        self.files.insert(self.next_file, Contents::default());
        self.next_file
    }

    fn used(&self) -> u64 {
        let linked = self.names.values().filter_map(|id| self.files.get(id));
        linked.map(Contents::taken).sum()
    }

    /// Space that is left for a file to take more.
    fn free(&self) -> u64 {
        self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used()))
    }

    /// Counts a change or sync. `Ok(true)`: the power goes while it is under way.
    fn step(&mut self) -> io::Result<bool> {
        let step = self.steps;
        self.steps += 1;
        if self.cut {
            return Err(power_cut());
        }
        if self.cut_at_step == Some(step) {
            self.cut = true;
            return Ok(true);
        }
        if self.broken || self.fail_at_step == Some(step) { Err(device_error()) } else { Ok(false) }
    }

    fn readable(&self) -> io::Result<()> {
        if self.cut { Err(power_cut()) } else { Ok(()) }
    }
}

fn power_cut() -> io::Error {
    io::Error::other("the power is cut")
}

/// `EIO`.
fn device_error() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl Volume for MemoryVolume {
    fn names(&self) -> io::Result<Vec<String>> {
        let state = self.lock();
        state.readable()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn VolumeFile>> {
        let state = self.lock();
        state.readable()?;
        let id = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(MemoryFile::new(self.clone(), id)))
    }

    fn open_or_create(&self, name: &str) -> io::Result<Box<dyn VolumeFile>> {
        let mut state = self.lock();
        if !state.names.contains_key(name) && state.step()? {
            return Err(power_cut());
        }
        let id = state.create(name);
        drop(state);
        Ok(Box::new(MemoryFile::new(self.clone(), id)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        if state.step()? {
            return Err(power_cut());
        }
        state.names.remove(name);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = self.lock();
        if state.step()? {
            return Err(power_cut());
        }
        state.durable_names = state.names.clone();
        Ok(())
    }
}

/// Decides what of the unsynced survives.
struct Draw {
    cut: PowerCut,
    state: u64,
}

impl Draw {
    const fn of(cut: PowerCut) -> Self {
        let state = match cut {
            PowerCut::Tears(seed) => seed,
            PowerCut::LosesUnsynced | PowerCut::KeepsUnsynced => 0,
        };
        Self { cut, state }
    }

    fn keeps(&mut self) -> bool {
        match self.cut {
            PowerCut::LosesUnsynced => false,
            PowerCut::KeepsUnsynced => true,
            PowerCut::Tears(_) => {
                // SplitMix64 (Steele, Lea and Flood, 2014).
                self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (mixed ^ (mixed >> 31)) & 1 == 1
            }
        }
    }
}

#[cfg(test)]
mod tests;
