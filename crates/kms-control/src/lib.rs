//! The control log: openraft over tonic and `kms-store`; propose and read barrier.
//!
//! [`ControlNode`] is one Region's voice in it. It is the only crate that names openraft; everything above sees the
//! ports of `kms-service`. `OVERVIEW.md` beside this crate tells the write flow, the read flow, recovery and failures.
//!
//! Invariants:
//! - Nothing is acknowledged to a peer or a proposer before it is behind the store's barrier.
//! - The applied state and its position change in one batch; observers hear of it afterwards, in order.
//! - A command that this version cannot read halts the node; it is never skipped.
//! - A peer speaks for the Region of its certificate and for no other.

mod config;
mod error;
mod links;
mod log_store;
mod network;
mod node;
mod ports;
mod server;
mod snapshot;
mod state_machine;
mod types;
mod wire;

pub use config::{ControlConfig, Member};
pub use error::ControlError;
pub use log_store::LogStore;
pub use node::{ControlNode, ControlPorts, ControlRole, ControlStatus, PeerProbe};
pub use ports::{ControlObserver, LocalReplicas, PeerDialer, PeerRegion};
pub use server::PeerService;
pub use snapshot::StoredSnapshot;
pub use state_machine::{SnapshotBuilder, StateMachine};
pub use types::{CommandBytes, MemberNode, OutcomeBytes, TypeConfig};
