//! Faults on real processes, in release builds: outages under load, `kill -9` at random instants, partitions. What
//! clients saw is judged from outside, by histories and registers, never by the product's own code.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed step of a test is its result")]

mod audit;
mod durability;
mod history;
mod outage;
mod partitions;
mod register;

use kms_proto::kms::v1::kms_client::KmsClient;
use kms_proto::kms::v1::{PromoteRequest, PromoteResult};
use meridian_tests::Cluster;
use meridian_tests::mutual_tls::{Identity, connect};
use tokio::sync::{Mutex, MutexGuard};
use tonic::Status;
use tonic::transport::Channel;

/// Fault tests measure times and load the machine: one at a time.
async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// An operator's connection to a Region.
async fn operator(cluster: &Cluster, region: &str) -> Option<KmsClient<Channel>> {
    let identity = Identity::named(&cluster.data_dir(), "operator");
    let authority = cluster.data_dir().join("ca/ca.pem");
    Some(KmsClient::new(connect(&cluster.grpc(region), region, &authority, Some(&identity)).await.ok()?))
}

/// Plans a promotion and carries the plan out.
async fn promote(client: &mut KmsClient<Channel>, key_id: &str, to: &str) -> Result<PromoteResult, Status> {
    let mut request = PromoteRequest { key_id: key_id.to_owned(), to_region: to.to_owned(), plan_hash: String::new() };
    let planned = client.promote(request.clone()).await?.into_inner();
    request.plan_hash = planned.plan.unwrap_or_default().plan_hash;
    let promoted = client.promote(request).await?.into_inner();
    Ok(promoted.result.expect("a carried-out plan has a result"))
}
