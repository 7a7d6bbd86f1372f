//! One file per KMS operation, each reading top to bottom: resolve the key, authorise, check its state, do.
//!
//! A [`Service`] is one Region's KMS. It reads the published state through [`Directory`] without locks that requests
//! share, changes it through the ports [`RegionalLog`] and [`ControlLog`], and never names a transport: the AWS wire and
//! gRPC call the same functions. It knows no Raft, no storage engine and no JSON shapes.

mod acknowledgements;
mod audit;
mod authorise;
mod background;
mod caller;
mod compiled_policies;
mod directory;
mod entry;
mod error;
mod explain;
mod identities;
mod identity_admin;
mod key_generation;
mod key_grants;
mod key_uses;
mod keyring;
mod last_use;
mod lease;
mod operator;
mod ports;
mod promote;
mod recipient;
mod request_id;
mod residency;
mod resolve;
mod service;

pub mod operations;

pub use audit::{AuditDecision, AuditSink, audit_uuid};
pub use authorise::Authenticated;
pub use background::Progress;
pub use caller::{Caller, Identity, IdentityKind, Notes, Origin, TlsConnection, Trail};
pub use directory::Directory;
pub use entry::KeyEntry;
pub use error::{KmsError, Validation};
pub use explain::{AccessExplanation, AccessQuestion, ExplainedDecision, source_words};
pub use identities::{DirectoryKey, Identities, KnownRole};
pub use identity_admin::{IdentityError, NewPrincipal, NewRole};
pub use key_uses::{KeyUses, UseClass, UsesByClass};
pub use keyring::{Keks, Keyring, KeyringError};
pub use kms_attestation::{AttestationVerifier, RootError, TrustRoots};
pub use kms_core::StateFault;
pub use lease::{Lease, Moment};
pub use operator::FoundKey;
pub use ports::{
    Clock, Committed, ControlLog, ControlLogError, KeyRoom, PeerError, Peers, PortFuture, RegionalLog,
    RegionalLogError, ReplicaAccess, ReplicaReport, Work, Workers, WorkersBusy,
};
pub use promote::{PromoteError, PromotePlan, Promoted, Promoter};
pub use recipient::{Delivered, Recipient};
pub use request_id::RequestId;
pub use residency::ResidencyViolation;
pub use service::{Ports, Quotas, Service, ServiceConfig};
