//! What may not fit together in a cluster.

use crate::{CheckpointFault, RecordHash};
use kms_types::{RegionName, Timestamp};

/// One thing that does not fit. What is wrong within one log is in its report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Discrepancy {
    /// A Region has no log.
    #[error("there is no log of {region}")]
    NoLog {
        /// The Region.
        region: RegionName,
    },
    /// A Region's chain was written anew: it contradicts what the Region had signed and others had countersigned.
    #[error("the log of {region} was written anew somewhere after record {after} and up to record {by}")]
    Rewritten {
        /// The Region.
        region: RegionName,
        /// The last record before that a checkpoint still vouches for; zero when there is none.
        after: u64,
        /// The first record that contradicts a checkpoint.
        by: u64,
        /// The Regions that had countersigned that checkpoint.
        witnesses: Vec<RegionName>,
    },
    /// A Region has signed two different records with one sequence.
    #[error("{region} has signed two different records {sequence}: {} and {}", hashes[0], hashes[1])]
    Fork {
        /// The Region.
        region: RegionName,
        /// The sequence.
        sequence: u64,
        /// Both hashes; the first one has more witnesses.
        hashes: [RecordHash; 2],
    },
    /// A checkpoint proves nothing.
    #[error("a checkpoint of {region} at record {sequence} proves nothing: {fault}")]
    BadCheckpoint {
        /// The Region.
        region: RegionName,
        /// The sequence.
        sequence: u64,
        /// Why.
        fault: CheckpointFault,
    },
    /// A checkpoint is of a log that nobody handed in.
    #[error("a checkpoint of {region} at record {sequence} belongs to no log that was given")]
    StrayCheckpoint {
        /// The Region.
        region: RegionName,
        /// The sequence.
        sequence: u64,
    },
    /// Too few Regions vouch for a checkpoint.
    #[error("only {witnesses} Regions vouch for the checkpoint of {region} at record {sequence}")]
    Unwitnessed {
        /// The Region.
        region: RegionName,
        /// The sequence.
        sequence: u64,
        /// How many do.
        witnesses: usize,
    },
    /// A later checkpoint names an earlier index of the control log.
    #[error("the checkpoint of {region} at record {sequence} goes back in the control log")]
    ControlLogWentBack {
        /// The Region.
        region: RegionName,
        /// The sequence.
        sequence: u64,
    },
    /// A change was applied and has no record.
    #[error("{region} has no record of {event} for the change {index} of the control log")]
    UnrecordedChange {
        /// The Region.
        region: RegionName,
        /// Index of the change.
        index: u64,
        /// `eventName` of the record that is missing.
        event: String,
    },
    /// A record names a change that the control log does not have.
    #[error("record {sequence} of {region}, {event}, names the change {index}, which the control log does not have")]
    UnfoundedRecord {
        /// The Region.
        region: RegionName,
        /// Sequence of the record.
        sequence: u64,
        /// The index that it names.
        index: u64,
        /// Its `eventName`.
        event: String,
    },
    /// A change is recorded twice.
    #[error("record {sequence} of {region}, {event}, records the change {index} a second time")]
    RecordedTwice {
        /// The Region.
        region: RegionName,
        /// Sequence of the second record.
        sequence: u64,
        /// Index of the change.
        index: u64,
        /// Its `eventName`.
        event: String,
    },
    /// The Region says itself that requests went on without a record.
    #[error("record {sequence} of {region} owns up to {unrecorded} requests without a record")]
    Gap {
        /// The Region.
        region: RegionName,
        /// Sequence of the gap record.
        sequence: u64,
        /// How many requests.
        unrecorded: u64,
        /// Whether there may have been more.
        at_least: bool,
        /// Time of the first one.
        first: Timestamp,
        /// Time of the last one.
        last: Timestamp,
    },
    /// The Region says itself that it went on with a damaged log.
    #[error("record {sequence} of {region} says that an operator went on with a damaged log")]
    WentOnAfterDamage {
        /// The Region.
        region: RegionName,
        /// Sequence of the record that says so.
        sequence: u64,
    },
}
