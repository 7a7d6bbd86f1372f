//! Calls to the other Regions: one channel per peer, a deadline on every call, whatever TCP thinks.

use crate::config::{ControlConfig, Member};
use crate::ports::PeerDialer;
use kms_proto::peer::v1 as pb;
use kms_proto::peer::v1::peer_client::PeerClient;
use kms_types::{KeyId, RegionName};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

/// Largest message that is taken: entries of 1 MiB, or one entry with the largest value of a store.
pub(crate) const MESSAGE_BYTES_MAX: usize = 18 * 1024 * 1024;

/// The peers of this node by their number.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    links: Arc<BTreeMap<u64, Link>>,
}

/// One peer.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) member: Member,
    client: PeerClient<Channel>,
}

/// Why a call gave no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No answer within the deadline; the call may have taken effect.
    #[error("no answer within {0:?}")]
    Deadline(Duration),
    /// No connection, or it broke; the call may have taken effect.
    #[error("the connection failed: {0}")]
    Unreachable(String),
    /// The peer refused the call.
    #[error("the peer refused: {0}")]
    Refused(String),
}

impl Links {
    pub(crate) fn new(config: &ControlConfig, dialer: &dyn PeerDialer) -> Self {
        let link = |member: &Member| {
            let client = PeerClient::new(dialer.channel(&member.region))
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .max_encoding_message_size(MESSAGE_BYTES_MAX);
            (member.node_id, Link { member: member.clone(), client })
        };
        Self { links: Arc::new(config.peers().map(link).collect()) }
    }

    pub(crate) fn get(&self, node_id: u64) -> Option<&Link> {
        self.links.get(&node_id)
    }

    pub(crate) fn by_region(&self, region: &RegionName) -> Option<&Link> {
        self.iter().find(|link| link.member.region == *region)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }
}

impl Link {
    /// A link to whatever listens at an address.
    #[cfg(test)]
    pub(crate) fn to(address: &'static str) -> Self {
        let region = RegionName::parse("eu-west-1").unwrap();
        let role = kms_core::control::RegionRole::Full;
        let channel = tonic::transport::Endpoint::from_static(address).connect_lazy();
        Self {
            member: Member { node_id: 2, region, address: address.to_owned(), role },
            client: PeerClient::new(channel),
        }
    }

    /// A client for one call.
    pub(crate) fn client(&self) -> PeerClient<Channel> {
        self.client.clone()
    }

    pub(crate) async fn probe(&self, founding: bool, deadline: Duration) -> Result<pb::ProbeResponse, CallError> {
        let mut client = self.client();
        within(deadline, client.probe(pb::ProbeRequest { founding })).await
    }

    pub(crate) async fn propose(&self, command: Vec<u8>, deadline: Duration) -> Result<pb::ProposeResponse, CallError> {
        let mut client = self.client();
        within(deadline, client.propose(pb::ProposeRequest { command: command.into() })).await
    }

    pub(crate) async fn read_index(&self, deadline: Duration) -> Result<pb::ReadIndexResponse, CallError> {
        let mut client = self.client();
        within(deadline, client.read_index(pb::ReadIndexRequest {})).await
    }

    pub(crate) async fn replica_report(
        &self,
        key_id: &KeyId,
        deadline: Duration,
    ) -> Result<pb::ReplicaReportResponse, CallError> {
        let mut client = self.client();
        let request = pb::ReplicaReportRequest { key_id: key_id.as_str().to_owned() };
        within(deadline, client.replica_report(request)).await
    }
}

/// Awaits a call for at most `deadline`. Dropping the call resets its stream, so that nothing piles up behind a peer
/// that does not answer.
pub(crate) async fn within<T>(
    deadline: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, CallError> {
    match tokio::time::timeout(deadline, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(CallError::from_status(&status)),
        Err(_elapsed) => Err(CallError::Deadline(deadline)),
    }
}

impl CallError {
    pub(crate) fn from_status(status: &Status) -> Self {
        let text = format!("{}: {}", status.code(), status.message());
        match status.code() {
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
            | Code::Aborted
            | Code::DataLoss
            | Code::Ok => Self::Unreachable(text),
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => Self::Refused(text),
        }
    }
}
