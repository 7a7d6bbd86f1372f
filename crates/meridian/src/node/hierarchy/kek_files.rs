//! The wrapped Region KEKs as files, one for each epoch.
//!
//! They are not in the store: what is removed from sled stays on the disk until its segment is rewritten, and a KEK that
//! is destroyed takes with it what it wrapped, such as the bytes of deleted keys. A file's own bytes can be overwritten.
//! On a disk that writes to other places than it is told to, they last until the disk erases them.

use kms_crypto::KekEpoch;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Longest file that is read; a wrapped KEK has about a hundred bytes.
const FILE_BYTES_MAX: u64 = 4096;
const SUFFIX: &str = ".kek";

/// The directory of the files.
#[derive(Clone, Debug)]
pub(crate) struct KekFiles {
    directory: PathBuf,
}

impl KekFiles {
    /// Opens the directory, made with mode 0700 when absent.
    ///
    /// # Errors
    /// Fails when it cannot be made or synced.
    pub(crate) fn open(data_dir: &Path) -> io::Result<Self> {
        let directory = data_dir.join("region-keks");
        if !directory.is_dir() {
            DirBuilder::new().mode(0o700).create(&directory)?;
            File::open(data_dir)?.sync_all()?;
        }
        Ok(Self { directory })
    }

    /// Every wrapped KEK. Removes what a crash left unfinished.
    ///
    /// # Errors
    /// Fails when a file cannot be read.
    pub(crate) fn read(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut wrapped = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "new") {
                fs::remove_file(&path)?;
            } else if fs::metadata(&path)?.len() <= FILE_BYTES_MAX {
                wrapped.push(fs::read(&path)?);
            } else {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a file of a Region KEK is too long"));
            }
        }
        Ok(wrapped)
    }

    /// Writes a wrapped KEK; it is on stable storage afterwards, whole or not at all.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub(crate) fn write(&self, epoch: KekEpoch, wrapped: &[u8]) -> io::Result<()> {
        let path = self.path(epoch);
        let new = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(wrapped)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(&self.directory)?.sync_all()
    }

    /// Overwrites a wrapped KEK and removes its file. No file is no error.
    ///
    /// # Errors
    /// Fails when the disk does.
    pub(crate) fn destroy(&self, epoch: KekEpoch) -> io::Result<()> {
        let path = self.path(epoch);
        let mut file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let length = usize::try_from(file.metadata()?.len().min(FILE_BYTES_MAX)).unwrap_or_default();
        file.write_all(&vec![0; length])?;
        file.sync_all()?;
        fs::remove_file(&path)?;
        File::open(&self.directory)?.sync_all()
    }

    fn path(&self, epoch: KekEpoch) -> PathBuf {
        self.directory.join(format!("{:010}{SUFFIX}", epoch.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_written_is_read_and_what_is_destroyed_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let files = KekFiles::open(directory.path()).unwrap();
        files.write(KekEpoch(1), b"one").unwrap();
        files.write(KekEpoch(2), b"two").unwrap();
        fs::write(directory.path().join("region-keks/0000000003.new"), b"half").unwrap();
        let again = KekFiles::open(directory.path()).unwrap();
        let mut read = again.read().unwrap();
        read.sort();
        assert_eq!(read, [b"one".to_vec(), b"two".to_vec()]);
        again.destroy(KekEpoch(1)).unwrap();
        again.destroy(KekEpoch(7)).unwrap();
        assert_eq!(again.read().unwrap(), [b"two".to_vec()]);
    }

    #[test]
    fn a_destroyed_file_is_overwritten_first() {
        let directory = tempfile::tempdir().unwrap();
        let files = KekFiles::open(directory.path()).unwrap();
        files.write(KekEpoch(1), b"wrapped").unwrap();
        // A second name keeps the bytes in sight after the first one is gone.
        let witness = directory.path().join("witness");
        fs::hard_link(files.path(KekEpoch(1)), &witness).unwrap();
        files.destroy(KekEpoch(1)).unwrap();
        assert_eq!(fs::read(witness).unwrap(), [0; 7]);
    }

    #[test]
    fn files_are_for_their_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let files = KekFiles::open(directory.path()).unwrap();
        files.write(KekEpoch(1), b"one").unwrap();
        for (path, mode) in [(files.directory.clone(), 0o700), (files.path(KekEpoch(1)), 0o600)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
        }
    }
}
