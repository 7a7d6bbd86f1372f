//! The file that is being written: appends that either are on stable storage or did not happen.

use crate::log_files::day_file;
use crate::{Day, LogName, Volume, VolumeFile};
use std::io;

#[derive(Debug)]
pub(super) struct DayFile {
    day: Day,
    file: Box<dyn VolumeFile>,
    /// Length that is known to be on stable storage.
    end: u64,
    /// Whether there may be something behind `end`.
    dirty: bool,
}

impl DayFile {
    /// Opens the file of a day and keeps so many of its bytes.
    pub(super) fn open(volume: &dyn Volume, log: &LogName, day: Day, end: u64) -> io::Result<Self> {
        let file = volume.open_or_create(&day_file(log.region(), day))?;
        let dirty = file.length()? != end;
        // Its name must be durable before anything in it counts as durable.
        volume.sync_names()?;
        Ok(Self { day, file, end, dirty })
    }

    pub(super) const fn day(&self) -> Day {
        self.day
    }

    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    /// Writes behind the end and syncs. After an error the end is where it was.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.cut_unfinished()?;
        self.dirty = true;
        self.file.write_at(bytes, self.end)?;
        self.file.sync()?;
        self.dirty = false;
        self.end += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Removes what a failed write or a crash left behind the end. After a failed sync nobody knows which of its pages
    /// are on the disk, and no later sync writes them: they are cut off, and written again or never.
    pub(super) fn cut_unfinished(&mut self) -> io::Result<()> {
        if self.dirty {
            self.file.set_length(self.end)?;
            self.file.sync()?;
            self.dirty = false;
        }
        Ok(())
    }
}
