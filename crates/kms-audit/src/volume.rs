//! The port to the file system: one directory of files, which is all that a log needs.

use std::fmt;
use std::io;

mod disk;
mod memory;

pub use disk::DiskVolume;
pub use memory::{MemoryVolume, PowerCut};

/// A directory. Files in it are named without a path.
pub trait Volume: Send + Sync + fmt::Debug {
    /// Names of all files, in any order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens a file for reading.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is none, and whatever else the system says.
    fn open(&self, name: &str) -> io::Result<Box<dyn VolumeFile>>;

    /// Opens a file for reading and writing; creates it for its owner alone (mode 0600) when there is none.
    ///
    /// # Errors
    /// Whatever the system says.
    fn open_or_create(&self, name: &str) -> io::Result<Box<dyn VolumeFile>>;

    /// Removes a file. One that is not there is no error.
    ///
    /// # Errors
    /// Whatever the system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes creations and removals survive a power cut.
    ///
    /// # Errors
    /// Whatever the system says.
    fn sync_names(&self) -> io::Result<()>;
}

/// An open file.
pub trait VolumeFile: Send + fmt::Debug {
    /// Its length in bytes.
    ///
    /// # Errors
    /// Whatever the system says.
    fn length(&self) -> io::Result<u64>;

    /// Reads bytes at an offset; fewer than asked for only at the end of the file.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all bytes at an offset. After an error any part of them may have been written.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] when there is no space, and whatever else the system says.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Cuts the file, or lengthens it with zeros.
    ///
    /// # Errors
    /// Whatever the system says.
    fn set_length(&mut self, length: u64) -> io::Result<()>;

    /// Takes space for the file up to a length, so that writing there needs none.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] when there is no space, and whatever else the system says.
    fn allocate(&mut self, length: u64) -> io::Result<()>;

    /// Makes content and length survive a power cut. What was written before a failed sync may be lost even if a later one
    /// succeeds.
    ///
    /// # Errors
    /// Whatever the system says.
    fn sync(&mut self) -> io::Result<()>;

    /// Takes the lock of the file until this value is dropped; `false` when another holder has it.
    ///
    /// # Errors
    /// Whatever the system says.
    fn try_lock(&mut self) -> io::Result<bool>;
}
