//! Calling a cluster's gRPC services as an operator.

use super::cluster::Cluster;
use super::exit::{Exit, Failure};
use crate::tls::{Credentials, channel};
use kms_proto::cluster::v1::StatusRequest;
use kms_proto::cluster::v1::access_client::AccessClient;
use kms_proto::cluster::v1::audit_client::AuditClient;
use kms_proto::cluster::v1::cluster_client::ClusterClient;
use kms_proto::cluster::v1::identity_client::IdentityClient;
use kms_proto::cluster::v1::region_keys_client::RegionKeysClient;
use kms_proto::cluster::v1::residency_client::ResidencyClient;
use kms_proto::cluster::v1::roles_client::RolesClient;
use kms_proto::kms::v1::kms_client::KmsClient;
use kms_types::RegionName;
use rustls::ClientConfig;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

/// Longest wait for a Region's answer to a question.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// A living Region says so within milliseconds, wherever it is.
const LIVING_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for a change that needs a majority.
pub(super) const CHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections to the Regions of one cluster.
#[derive(Debug)]
pub(super) struct Client {
    cluster: Cluster,
    tls: Arc<ClientConfig>,
}

impl Client {
    /// Prepares connections; none is made yet.
    ///
    /// # Errors
    /// Fails when the operator's certificate cannot be used.
    pub(super) fn new(cluster: Cluster) -> anyhow::Result<Self> {
        let wrong = |error: crate::tls::TlsError| Failure::configuration(describe_error(&error));
        let tls = Credentials::load(&cluster.tls).map_err(wrong)?.client_config().map_err(wrong)?;
        Ok(Self { cluster, tls })
    }

    /// The Regions in order.
    pub(super) fn regions(&self) -> impl Iterator<Item = &RegionName> {
        self.cluster.endpoints.iter().map(|(region, _)| region)
    }

    /// The cluster's name.
    pub(super) fn cluster_id(&self) -> &str {
        &self.cluster.cluster_id
    }

    /// The Region of that name.
    ///
    /// # Errors
    /// Fails when the cluster has no such Region.
    pub(super) fn known(&self, region: &str) -> Result<RegionName, Failure> {
        self.regions().find(|known| known.as_str() == region).cloned().ok_or_else(|| {
            let known: Vec<&str> = self.regions().map(RegionName::as_str).collect();
            Failure::failed(format!("there is no Region {region}; the cluster has {}", known.join(", ")))
        })
    }

    /// The operator's service of one Region.
    ///
    /// # Errors
    /// Fails for an unknown Region or an address that cannot be dialled.
    pub(super) fn operator(&self, region: &RegionName) -> anyhow::Result<ClusterClient<Channel>> {
        Ok(ClusterClient::new(self.channel(region)?))
    }

    /// The service of one Region that explains decisions.
    ///
    /// # Errors
    /// Fails for an unknown Region or an address that cannot be dialled.
    pub(super) fn access(&self, region: &RegionName) -> anyhow::Result<AccessClient<Channel>> {
        Ok(AccessClient::new(self.channel(region)?))
    }

    /// The service that reads the audit log of one Region.
    ///
    /// # Errors
    /// Fails for an unknown Region or an address that cannot be dialled.
    pub(super) fn audit(&self, region: &RegionName) -> anyhow::Result<AuditClient<Channel>> {
        Ok(AuditClient::new(self.channel(region)?))
    }

    /// The directory of principals, by one Region.
    ///
    /// # Errors
    /// Fails for an unknown Region or an address that cannot be dialled.
    pub(super) fn identity(&self, region: &RegionName) -> anyhow::Result<IdentityClient<Channel>> {
        Ok(IdentityClient::new(self.channel(region)?))
    }

    /// The roles of the directory of principals, by one Region.
    ///
    /// # Errors
    /// Fails for an unknown Region or an address that cannot be dialled.
    pub(super) fn roles(&self, region: &RegionName) -> anyhow::Result<RolesClient<Channel>> {
        Ok(RolesClient::new(self.channel(region)?))
    }

    /// The service for the key hierarchy of one Region.
    ///
    /// # Errors
    /// Fails for an unknown Region or an address that cannot be dialled.
    pub(super) fn region_keys(&self, region: &RegionName) -> anyhow::Result<RegionKeysClient<Channel>> {
        Ok(RegionKeysClient::new(self.channel(region)?))
    }

    /// The residency service of one Region.
    ///
    /// # Errors
    /// Fails for an unknown Region or an address that cannot be dialled.
    pub(super) fn residency(&self, region: &RegionName) -> anyhow::Result<ResidencyClient<Channel>> {
        Ok(ResidencyClient::new(self.channel(region)?))
    }

    /// The key service of one Region.
    ///
    /// # Errors
    /// Fails for an unknown Region or an address that cannot be dialled.
    pub(super) fn keys(&self, region: &RegionName) -> anyhow::Result<KmsClient<Channel>> {
        Ok(KmsClient::new(self.channel(region)?))
    }

    /// The Region `preferred` if it answers, or else the first other one that does.
    ///
    /// # Errors
    /// Fails when no Region answers.
    pub(super) async fn living(&self, preferred: &RegionName) -> anyhow::Result<RegionName> {
        let mut asking = JoinSet::new();
        for region in self.regions().cloned() {
            let mut operator = self.operator(&region)?;
            asking.spawn(async move {
                let answer = within(&region, LIVING_TIMEOUT, operator.status(StatusRequest {})).await;
                answer.is_ok().then_some(region)
            });
        }
        let mut first = None;
        while let Some(answer) = asking.join_next().await {
            match answer? {
                Some(region) if region == *preferred => return Ok(region),
                Some(region) => first = first.or(Some(region)),
                None => {}
            }
        }
        Ok(first.ok_or_else(|| Failure::unavailable("no Region of the cluster answers"))?)
    }

    fn channel(&self, region: &RegionName) -> anyhow::Result<Channel> {
        let found = self.cluster.endpoints.iter().find(|(known, _)| known == region);
        let (_, address) = found.ok_or_else(|| Failure::failed(format!("there is no Region {region}")))?;
        Ok(channel(address, region, &self.cluster.cluster_id, &self.tls)?)
    }
}

/// Waits for an answer, at most `deadline`.
///
/// # Errors
/// A [`Failure`] that says which Region and what it said.
pub(super) async fn within<T>(
    region: &RegionName,
    deadline: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(deadline, call).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(failure(region, &status)),
        Err(_elapsed) => Err(Failure::unavailable(format!("Region {region} did not answer in time"))),
    }
}

/// A gRPC status as an exit code and a sentence.
pub(super) fn failure(region: &RegionName, status: &Status) -> Failure {
    let exit = match status.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted | Code::Aborted => {
            Exit::Unavailable
        }
        Code::Internal | Code::DataLoss | Code::Unknown => Exit::Internal,
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => Exit::Failed,
    };
    let code = status.metadata().get("x-meridian-error").and_then(|value| value.to_str().ok());
    let reason = describe_status(status);
    let code = code.map(|code| format!("{code}: ")).unwrap_or_default();
    Failure::new(exit, format!("Region {region}: {code}{reason}"))
}

/// A status that never left this machine has its reason in its sources.
fn describe_status(status: &Status) -> String {
    match std::error::Error::source(status) {
        Some(source) => describe_error(source),
        None => status.message().to_owned(),
    }
}

/// The innermost cause is the one that a person can act on.
fn describe_error(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = cause.source();
    }
    text
}
