//! A directory on disk.

use super::{Volume, VolumeFile};
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

/// A directory that exists already; whoever makes it gives it mode 0700.
#[derive(Clone, Debug)]
pub struct DiskVolume {
    directory: PathBuf,
}

impl DiskVolume {
    /// The volume of a directory.
    #[must_use]
    pub const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }
}

impl Volume for DiskVolume {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn VolumeFile>> {
        Ok(Box::new(DiskFile(File::open(self.directory.join(name))?)))
    }

    fn open_or_create(&self, name: &str) -> io::Result<Box<dyn VolumeFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        Ok(Box::new(DiskFile(options.open(self.directory.join(name))?)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(self.directory.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn sync_names(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }
}

#[derive(Debug)]
struct DiskFile(File);

/// Bytes that are written at once where the file system cannot allocate.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

impl DiskFile {
    fn fill_with_zeros(&self, length: u64) -> io::Result<()> {
        let mut offset = self.0.metadata()?.len();
        while offset < length {
            let step = usize::try_from(length - offset).unwrap_or(usize::MAX).min(ZEROS.len());
            let written = self.0.write_at(ZEROS.get(..step).unwrap_or_default(), offset)?;
            offset += u64::try_from(written).unwrap_or_default();
        }
        self.0.sync_data()
    }
}

impl VolumeFile for DiskFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset + u64::try_from(filled).unwrap_or_default()) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn set_length(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn allocate(&mut self, length: u64) -> io::Result<()> {
        match fallocate(&self.0, FallocateFlags::empty(), 0, length) {
            // `NOSYS` and `OPNOTSUPP` come from file systems that have no such call.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.fill_with_zeros(length),
            other => other.map_err(io::Error::from),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        // fdatasync: content, and of the rest only what is needed to read it back, such as the length.
        self.0.sync_data()
    }

    fn try_lock(&mut self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
