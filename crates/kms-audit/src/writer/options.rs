//! What the writer needs from outside, and how it behaves.

use crate::{Head, Signer, Uuid, Volume};
use kms_types::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What the writer needs from outside.
#[derive(Clone)]
pub struct WriterPorts {
    /// The directory of the log.
    pub volume: Arc<dyn Volume>,
    /// The time, for records of the writer's own.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Draws the ID of a record of the writer's own.
    pub event_ids: Arc<dyn Fn() -> Uuid + Send + Sync>,
    /// Signs gap records.
    pub signer: Arc<dyn Signer>,
}

impl fmt::Debug for WriterPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriterPorts")
            .field("volume", &self.volume)
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}

/// How the writer behaves.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// What happens to requests that cannot be recorded.
    pub unrecordable: Unrecordable,
    /// Space that is kept for operators' actions on a full disk, in bytes; zero keeps none. The writer takes requests
    /// again when there is room for all of it. Default 16 MiB.
    pub reserve_bytes: u64,
    /// How often a writer in trouble tries again, and how often the head is noted: what a restart reads is what was
    /// written since. Default one second.
    pub interval: Duration,
    /// How long [`crate::AuditLog::append`] waits, and how long the device may take before requests are refused ahead
    /// of their work. Default ten seconds.
    pub deadline: Duration,
    /// Records that are known to have existed, from checkpoints or the Region's own store. A log without one of them
    /// is damaged.
    pub known_heads: Vec<Head>,
    /// Goes on with a damaged log, behind the last record that anybody knows of, and says so in the log. Default `false`.
    pub danger_go_on_after_damage: bool,
}

/// What happens to requests that cannot be recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unrecordable {
    /// They are refused (fail closed).
    #[default]
    Refuse,
    /// They go on, and a gap record counts them as soon as one can be written (fail open).
    DangerGoOn,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self {
            unrecordable: Unrecordable::default(),
            reserve_bytes: 16 * 1024 * 1024,
            interval: Duration::from_secs(1),
            deadline: Duration::from_secs(10),
            known_heads: Vec::new(),
            danger_go_on_after_damage: false,
        }
    }
}
