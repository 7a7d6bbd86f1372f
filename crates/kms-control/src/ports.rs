//! What the control log needs from the binary.

use kms_core::control::{ControlChange, ControlEffect, ControlState};
use kms_service::ReplicaReport;
use kms_types::{KeyId, RegionName};
use tonic::transport::Channel;

/// Told of every applied entry, in order, after its rows are written (persist, then speak). Called on the state
/// machine's task: it must return quickly and must not wait for the control log.
pub trait ControlObserver: Send + Sync + std::fmt::Debug + 'static {
    /// The entry at `index` has been applied. Both lists are empty for entries that change nothing.
    fn applied(&self, index: u64, changes: &[ControlChange], effects: &[ControlEffect]);

    /// The whole state is another one now: at the start of the node, or after a snapshot was installed. `index` is the
    /// last applied one.
    fn replaced(&self, index: u64, state: &ControlState);
}

/// Reaches the other Regions.
pub trait PeerDialer: Send + Sync + std::fmt::Debug + 'static {
    /// A channel to a Region that connects when it is used, again after a failure, and to that Region only. Called
    /// once per Region of the configuration.
    fn channel(&self, region: &RegionName) -> Channel;
}

/// What this Region holds, for peers that ask.
pub trait LocalReplicas: Send + Sync + std::fmt::Debug + 'static {
    /// The replica of a key in this Region.
    fn report(&self, key_id: &KeyId) -> ReplicaReport;
}

/// The Region in a peer's certificate. The layer that ends TLS puts it into the request's extensions; without it every
/// call of the peer service is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRegion(pub RegionName);
