//! The audit log: records in CloudTrail's form, their hash chain, the writer that makes them durable, and everything that
//! reads them again: verification of one log, reconciliation of all Regions, search.
//!
//! Place in the system: the service builds a record of every request and every event, the binary owns the writer and
//! answers nobody before the record is on stable storage, and the command line verifies, reconciles and searches. Records,
//! chain and verification are pure; files are reached through one port, [`Volume`], and keys through two, [`Signer`] and
//! [`Verifier`].
//!
//! Invariants:
//! - No record can hold a plaintext, a ciphertext, a message, a signature, a MAC or a token: no member exists for it.
//! - A record that is acknowledged is on stable storage, in the chain, once.
//! - What cannot be recorded is refused, unless fail-open is configured; then a signed gap record owns up to it.
//! - A log that lost something acknowledged is not opened and never quietly continued.
//! - There is no async, no clock and no randomness here; times and IDs are handed in.

mod api_call;
mod calendar;
mod chain;
mod checkpoint;
mod decision;
mod elements;
mod event;
mod gap;
mod identity;
mod json;
mod log_files;
mod member;
mod operation;
mod reconcile;
mod record;
mod search;
mod service_event;
mod signing;
mod uuid;
mod verify;
mod volume;
mod writer;

pub use api_call::{ApiCall, Outcome, RequestOrigin};
pub use calendar::Day;
pub use chain::{CHAIN_BYTES_MAX, Chain, Head, LogName, RecordHash};
pub use checkpoint::{
    COUNTERSIGNATURES_MAX, Checkpoint, CheckpointFault, CheckpointLineError, Countersignature, SignedCheckpoint,
};
pub use decision::{Decision, Statement};
pub use elements::Elements;
pub use event::Event;
pub use gap::Gap;
pub use identity::{Identity, RoleIdentity, UserIdentity};
pub use log_files::LogFiles;
pub use member::Member;
pub use operation::{EventSource, Operation};
pub use reconcile::{
    ClusterEvidence, ControlFacts, Discrepancy, KeyUse, KeyUses, Obligation, Reconciliation, RegionLog, reconcile,
};
pub use record::{RECORD_BYTES_MAX, Record, Resource, Tls};
pub use search::{Cursor, Filter, Found, Page, PageBounds, Search, TAIL_RECORDS_MAX, WantedOutcome, tail, tail_while};
pub use service_event::{
    APPLY_CONTROL_CHANGE, Acknowledgement, LogEvent, MembershipChange, ServiceEvent, ServiceRecord, Started,
};
pub use signing::{SIGNATURE_BYTES_MAX, Signature, Signer, SignerError, SigningKeyId, Verifier};
pub use uuid::Uuid;
pub use verify::{Evidence, Finding, Flaw, Report, Start, verify};
pub use volume::{DiskVolume, MemoryVolume, PowerCut, Volume, VolumeFile};
pub use writer::{
    AuditError, AuditLog, Damage, LogState, OpenError, Priority, Receipt, RecordedCallback, Unrecordable,
    WriterOptions, WriterPorts, WriterStatus,
};
