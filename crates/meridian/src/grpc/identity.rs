//! Which certificates may call which service, and which principal a certificate stands for.

use super::identity_of;
use crate::config::Principal;
use crate::tls::{Peer, PeerIdentity};
use kms_control::PeerRegion;
use kms_service::{Caller, Identities, Identity, Origin, RequestId};
use kms_types::Timestamp;
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
    Origin { source_ip: address_of(request), secure_transport: true, tls: None, user_agent: user_agent.map(Into::into) }
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
    /// Everybody of the principals file, each with the access key as it signs requests.
    all: Vec<Arc<Identity>>,
    directory: Arc<Identities>,
    cluster_id: String,
}

impl CallerDirectory {
    /// Principals without a certificate cannot call over gRPC.
    pub(crate) fn new(cluster_id: &str, principals: Vec<Principal>, directory: Arc<Identities>) -> Self {
        let all =
            principals.iter().map(|principal| Arc::new(principal.identity(Some(&principal.access_key)))).collect();
        let by_uri = principals.into_iter().filter_map(|principal| {
            let identity = Arc::new(principal.identity(None));
            principal.certificate.map(|uri| (uri, identity))
        });
        Self { by_uri: by_uri.collect(), all, directory, cluster_id: cluster_id.to_owned() }
    }

    /// Whom a certificate stands for; the principals file has the first say.
    fn find(&self, uri: &str) -> Result<Arc<Identity>, Status> {
        if let Some(known) = self.by_uri.get(uri) {
            return Ok(Arc::clone(known));
        }
        let known = self.directory.by_certificate(uri);
        let known = known.ok_or_else(|| Status::permission_denied("no principal has this certificate"))?;
        if !self.directory.lease().holds() {
            return Err(Status::unavailable("this Region could not confirm its directory of principals in time"));
        }
        Ok(known)
    }

    /// The principal with this ARN or access key ID, or a session of the role with this ARN that begins now; the principals
    /// file has the first say here, too.
    pub(super) fn named(&self, name: &str, now: Timestamp) -> Option<Arc<Identity>> {
        let is = |identity: &&Arc<Identity>| *identity.arn == *name || identity.access_key_id.as_deref() == Some(name);
        self.all.iter().find(is).cloned().or_else(|| self.directory.named(name, now))
    }

    /// Whether requests of this principal are refused for now, whatever policies say: it is one of the directory, and the
    /// lease on that is over.
    pub(super) fn is_unconfirmed(&self, identity: &Arc<Identity>) -> bool {
        !self.all.iter().any(|known| Arc::ptr_eq(known, identity)) && !self.directory.lease().holds()
    }

    /// The principal that a verified certificate stands for.
    pub(super) fn caller<T>(&self, request: &Request<T>) -> Result<Caller, Status> {
        match identity_of(request)? {
            PeerIdentity::Principal(name) => {
                let uri = format!("spiffe://{}/principal/{name}", self.cluster_id);
                Ok(Caller { origin: origin_of(request), ..Caller::new(self.find(&uri)?, new_request_id()) })
            }
            PeerIdentity::Region(_) | PeerIdentity::Operator => {
                Err(Status::permission_denied("only principals may call this operation; use a principal's certificate"))
            }
        }
    }
}
