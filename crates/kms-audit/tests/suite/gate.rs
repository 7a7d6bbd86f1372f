//! A volume whose syncs wait for a word from the test.

use kms_audit::{MemoryVolume, Volume, VolumeFile};
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// The writer's side.
#[derive(Clone, Debug)]
pub(crate) struct GatedVolume {
    inner: MemoryVolume,
    ends: Arc<Ends>,
}

#[derive(Debug)]
struct Ends {
    entered: Sender<()>,
    released: Mutex<Receiver<()>>,
}

/// The test's side.
#[derive(Debug)]
pub(crate) struct Gate {
    /// Yields when a sync begins.
    pub(crate) entered: Receiver<()>,
    release: Sender<()>,
}

impl Gate {
    /// Lets so many syncs through.
    pub(crate) fn release(&self, syncs: usize) {
        (0..syncs).for_each(|_| self.release.send(()).unwrap());
    }

    /// Lets all syncs through, from now on.
    pub(crate) fn open(self) {}
}

pub(crate) fn gated(inner: MemoryVolume) -> (GatedVolume, Gate) {
    let ((entered, has_entered), (release, released)) = (channel(), channel());
    let ends = Arc::new(Ends { entered, released: Mutex::new(released) });
    (GatedVolume { inner, ends }, Gate { entered: has_entered, release })
}

impl GatedVolume {
    fn wrap(&self, file: Box<dyn VolumeFile>) -> Box<dyn VolumeFile> {
        Box::new(GatedFile { inner: file, ends: Arc::clone(&self.ends) })
    }
}

impl Volume for GatedVolume {
    fn names(&self) -> io::Result<Vec<String>> {
        self.inner.names()
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn VolumeFile>> {
        self.inner.open(name).map(|file| self.wrap(file))
    }

    fn open_or_create(&self, name: &str) -> io::Result<Box<dyn VolumeFile>> {
        self.inner.open_or_create(name).map(|file| self.wrap(file))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.inner.sync_names()
    }
}

#[derive(Debug)]
struct GatedFile {
    inner: Box<dyn VolumeFile>,
    ends: Arc<Ends>,
}

impl VolumeFile for GatedFile {
    fn length(&self) -> io::Result<u64> {
        self.inner.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.inner.write_at(bytes, offset)
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.inner.set_length(length)
    }

    fn allocate(&mut self, length: u64) -> io::Result<()> {
        self.inner.allocate(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        // A closed channel is an open gate.
        self.ends.entered.send(()).unwrap_or_default();
        self.ends.released.lock().unwrap().recv().unwrap_or_default();
        self.inner.sync()
    }

    fn try_lock(&mut self) -> io::Result<bool> {
        self.inner.try_lock()
    }
}
