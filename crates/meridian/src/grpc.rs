//! The gRPC services of a node: data plane, operator's view and peers, over mutual TLS.
//!
//! Each service admits one kind of certificate: principals call the data plane, operators the cluster service, Regions
//! the peer service. A certificate that TLS verified but that is of another kind gets `PERMISSION_DENIED`.

mod access;
mod audit;
mod call_metrics;
mod cluster;
mod data_plane;
mod identity;
mod identity_service;
mod recording;
mod region_keys;
mod residency;
mod roles_service;
mod status;

use crate::config::{Limits, NodeConfig, Principal};
use crate::node::Handles;
use crate::tls::{self, Credentials, IncomingSettings, Peer, PeerIdentity};
use kms_proto::cluster::v1::access_server::AccessServer;
use kms_proto::cluster::v1::audit_server::AuditServer;
use kms_proto::cluster::v1::cluster_server::ClusterServer;
use kms_proto::cluster::v1::identity_server::IdentityServer;
use kms_proto::cluster::v1::region_keys_server::RegionKeysServer;
use kms_proto::cluster::v1::residency_server::ResidencyServer;
use kms_proto::cluster::v1::roles_server::RolesServer;
use kms_proto::kms::v1::kms_server::KmsServer;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server as TonicServer;

pub(crate) use call_metrics::CallMetrics;
pub(crate) use identity::CallerDirectory;

/// Longest TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest gRPC request; a promotion waits for an election in the worst case.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Streams that one connection may have open.
const STREAMS_MAX: u32 = 256;
/// Time between HTTP/2 pings to clients, so that connections of dead peers are closed.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// The gRPC server of a node, ready to serve.
#[derive(Debug)]
pub(crate) struct Server {
    handles: Arc<Handles>,
    callers: Arc<CallerDirectory>,
    tls: Arc<rustls::ServerConfig>,
    settings: IncomingSettings,
    limits: Limits,
}

impl Server {
    /// Prepares the server.
    ///
    /// # Errors
    /// Fails when the certificate and key do not fit together.
    pub(crate) fn new(
        config: &NodeConfig,
        handles: Arc<Handles>,
        principals: Vec<Principal>,
        credentials: &Credentials,
    ) -> anyhow::Result<Self> {
        let settings = IncomingSettings {
            cluster_id: config.cluster_id.clone(),
            handshakes_max: config.limits.grpc_handshakes_max,
            connections_max: config.limits.grpc_connections_max,
            handshake_timeout: HANDSHAKE_TIMEOUT,
        };
        let callers =
            Arc::new(CallerDirectory::new(&config.cluster_id, principals, Arc::clone(&handles.identity.identities)));
        Ok(Self { handles, callers, tls: credentials.server_config()?, settings, limits: config.limits })
    }

    /// Serves until shutdown, then lets calls in progress finish within the grace period.
    pub(crate) async fn serve(self, listener: TcpListener, shutdown: CancellationToken) {
        let incoming = tls::incoming(listener, self.tls, self.settings, shutdown.clone());
        let health = health_service(&self.handles).await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(kms_proto::FILE_DESCRIPTOR_SET)
            .build_v1();
        let reflection = match reflection {
            Ok(service) => service,
            Err(error) => {
                tracing::error!(%error, "the reflection service could not be built");
                return;
            }
        };
        let peers = tonic::service::interceptor::InterceptedService::new(
            self.handles.control.peer_server(),
            identity::admit_regions,
        );
        let operator = cluster::ClusterService::new(Arc::clone(&self.handles));
        let residency = residency::ResidencyService::new(Arc::clone(&self.handles));
        let access = access::AccessService::new(Arc::clone(&self.handles), Arc::clone(&self.callers));
        let identity = identity_service::IdentityService::new(Arc::clone(&self.handles));
        let roles = roles_service::RolesService::new(Arc::clone(&self.handles));
        let audit = audit::AuditService::new(Arc::clone(&self.handles), shutdown.clone());
        let region_keys = region_keys::RegionKeysService::new(Arc::clone(&self.handles));
        let data_plane = data_plane::DataPlane::new(Arc::clone(&self.handles), Arc::clone(&self.callers));
        let router = TonicServer::builder()
            .timeout(REQUEST_TIMEOUT)
            .max_concurrent_streams(STREAMS_MAX)
            .http2_keepalive_interval(Some(KEEP_ALIVE_INTERVAL))
            .http2_keepalive_timeout(Some(KEEP_ALIVE_INTERVAL))
            .tcp_nodelay(true)
            .add_service(KmsServer::new(data_plane))
            .add_service(ClusterServer::with_interceptor(operator, identity::admit_operators))
            .add_service(ResidencyServer::with_interceptor(residency, identity::admit_operators))
            .add_service(AccessServer::with_interceptor(access, identity::admit_operators))
            .add_service(IdentityServer::with_interceptor(identity, identity::admit_operators))
            .add_service(RolesServer::with_interceptor(roles, identity::admit_operators))
            .add_service(AuditServer::with_interceptor(audit, identity::admit_operators))
            .add_service(RegionKeysServer::with_interceptor(region_keys, identity::admit_operators))
            .add_service(peers)
            .add_service(health)
            .add_service(reflection);
        let stopping = shutdown.clone();
        let serving = router.serve_with_incoming_shutdown(incoming, async move { stopping.cancelled().await });
        let deadline = async {
            shutdown.cancelled().await;
            tokio::time::sleep(self.limits.shutdown_grace).await;
        };
        tokio::select! {
            served = serving => {
                if let Err(error) = served {
                    tracing::error!(%error, "the gRPC server ended");
                }
            }
            () = deadline => tracing::warn!("gRPC calls in progress were cut off at shutdown"),
        }
    }
}

/// `grpc.health.v1`: serving as long as the process is; readiness is `/readyz`.
async fn health_service(
    _handles: &Handles,
) -> tonic_health::pb::health_server::HealthServer<impl tonic_health::pb::health_server::Health> {
    let (reporter, service) = tonic_health::server::health_reporter();
    reporter.set_serving::<KmsServer<data_plane::DataPlane>>().await;
    service
}

/// The identity that TLS verified; every connection has one.
fn identity_of<T>(request: &tonic::Request<T>) -> Result<PeerIdentity, tonic::Status> {
    request
        .extensions()
        .get::<Peer>()
        .map(|peer| peer.identity.clone())
        .ok_or_else(|| tonic::Status::unauthenticated("no client certificate"))
}
