//! Which certificates may call which service, and which principal a certificate stands for.

use super::identity_of;
use crate::config::Principal;
use crate::tls::{Peer, PeerIdentity};
use kms_control::PeerRegion;
use kms_service::{Caller, Identity, Origin, RequestId};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use tonic::{Request, Status};

/// Admits the nodes of Regions and tells the peer service which Region calls.
pub(super) fn admit_regions(mut request: Request<()>) -> Result<Request<()>, Status> {
    match identity_of(&request)? {
        PeerIdentity::Region(region) => {
            request.extensions_mut().insert(PeerRegion(region));
            Ok(request)
        }
        PeerIdentity::Operator | PeerIdentity::Principal(_) => {
            Err(Status::permission_denied("only nodes of the cluster may call this service"))
        }
    }
}

/// An ID for a request that came over gRPC.
pub(super) fn new_request_id() -> RequestId {
    RequestId::from_random(*uuid::Uuid::new_v4().as_bytes())
}

/// Where a request came from; every connection here has TLS.
fn origin_of<T>(request: &Request<T>) -> Origin {
    let user_agent = request.metadata().get("user-agent").and_then(|agent| agent.to_str().ok());
    Origin { source_ip: address_of(request), secure_transport: true, user_agent: user_agent.map(Into::into) }
}

/// The address of the peer.
pub(super) fn address_of<T>(request: &Request<T>) -> Option<IpAddr> {
    request.extensions().get::<Peer>().and_then(|peer| peer.address)
}

/// Admits operators.
pub(super) fn admit_operators(request: Request<()>) -> Result<Request<()>, Status> {
    match identity_of(&request)? {
        PeerIdentity::Operator => Ok(request),
        PeerIdentity::Region(_) | PeerIdentity::Principal(_) => {
            Err(Status::permission_denied("only operators may call this service; use the operator certificate"))
        }
    }
}

/// The principals that have a certificate.
#[derive(Debug)]
pub(crate) struct CallerDirectory {
    by_uri: BTreeMap<String, Arc<Identity>>,
    /// Everybody, each with the access key as it signs requests.
    all: Vec<Arc<Identity>>,
    cluster_id: String,
}

impl CallerDirectory {
    /// Principals without a certificate cannot call over gRPC.
    pub(crate) fn new(cluster_id: &str, principals: Vec<Principal>) -> Self {
        let all =
            principals.iter().map(|principal| Arc::new(principal.identity(Some(&principal.access_key)))).collect();
        let by_uri = principals.into_iter().filter_map(|principal| {
            let identity = Arc::new(principal.identity(None));
            principal.certificate.map(|uri| (uri, identity))
        });
        Self { by_uri: by_uri.collect(), all, cluster_id: cluster_id.to_owned() }
    }

    /// The principal with this ARN or access key ID.
    pub(super) fn named(&self, name: &str) -> Option<Arc<Identity>> {
        let is = |identity: &&Arc<Identity>| *identity.arn == *name || identity.access_key_id.as_deref() == Some(name);
        self.all.iter().find(is).cloned()
    }

    /// The principal that a verified certificate stands for.
    pub(super) fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        match identity_of(request)? {
            PeerIdentity::Principal(name) => {
                let uri = format!("spiffe://{}/principal/{name}", self.cluster_id);
                let known = self.by_uri.get(&uri);
                let known = known.ok_or_else(|| Status::permission_denied("no principal has this certificate"))?;
                Ok(Caller { origin: origin_of(request), ..Caller::new(Arc::clone(known), new_request_id()) })
            }
            PeerIdentity::Region(_) | PeerIdentity::Operator => {
                Err(Status::permission_denied("only principals may call this operation; use a principal's certificate"))
            }
        }
    }
}
