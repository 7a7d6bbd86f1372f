//! Space that is kept for operators' actions: a file of zeros that is given back when the disk is full.

use crate::log_files::reserve_file;
use crate::{LogName, Volume};
use std::io;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Reserve {
    volume: Arc<dyn Volume>,
    name: String,
    bytes: u64,
    held: bool,
}

impl Reserve {
    /// A reserve that is not held yet.
    pub(super) fn new(volume: Arc<dyn Volume>, log: &LogName, bytes: u64) -> Self {
        Self { volume, name: reserve_file(log.region()), bytes, held: false }
    }

    /// Takes the whole space, or none of it.
    pub(super) fn hold(&mut self) -> io::Result<()> {
        if self.held || self.bytes == 0 {
            return Ok(());
        }
        let taken = self.volume.open_or_create(&self.name).and_then(|mut file| {
            file.allocate(self.bytes)?;
            file.sync()
        });
        if taken.is_err() {
            // A part of it would help nobody. What cannot be removed now will be when it is given back.
            self.volume.remove(&self.name).unwrap_or_default();
        }
        taken?;
        self.held = true;
        Ok(())
    }

    /// Gives the space back. Whatever this yields is better than nothing, so that a failure is none.
    pub(super) fn release(&mut self) {
        self.held = false;
        if let Err(error) = self.volume.remove(&self.name).and_then(|()| self.volume.sync_names()) {
            tracing::warn!(%error, "the reserve of the audit log could not be given back");
        }
    }
}
