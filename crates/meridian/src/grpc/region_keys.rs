//! `meridian.cluster.v1.RegionKeys`: the Region's own key hierarchy, for operators.

use super::recording::{Recording, own};
use crate::node::Handles;
use kms_audit::Elements;
use kms_proto::cluster::v1 as pb;
use kms_proto::cluster::v1::region_keys_server::RegionKeys;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The service.
#[derive(Debug)]
pub(crate) struct RegionKeysService {
    handles: Arc<Handles>,
}

impl RegionKeysService {
    /// Answers for a node.
    pub(crate) fn new(handles: Arc<Handles>) -> Self {
        Self { handles }
    }
}

#[tonic::async_trait]
impl RegionKeys for RegionKeysService {
    async fn describe_keks(
        &self,
        _: Request<pb::DescribeKeksRequest>,
    ) -> Result<Response<pb::DescribeKeksResponse>, Status> {
        let status = self.handles.keks.status().map_err(|error| failed(&error))?;
        let epochs = status.epochs.iter();
        Ok(Response::new(pb::DescribeKeksResponse {
            epochs: epochs
                .map(|(epoch, began)| pb::KekEpoch { epoch: epoch.0, began_at_ms: began.map(|at| at.millis()) })
                .collect(),
            unfinished: status.unfinished,
            rewrapped: status.rewrapped,
            next_rotation_ms: status.next_at.map(|at| at.millis()),
        }))
    }

    async fn rotate_kek(
        &self,
        request: Request<pb::RotateKekRequest>,
    ) -> Result<Response<pb::RotateKekResponse>, Status> {
        let recording = Recording::begin(&self.handles, own("RotateRegionKek", false), &request, Elements::new())?;
        let begun = self.handles.keks.begin(request.into_inner().destroy_at_once).await;
        let answer = begun.map(|epoch| pb::RotateKekResponse { epoch: epoch.0 });
        recording.finish(answer.map_err(|error| failed(&error))).await
    }
}

/// What went wrong, for an operator: paths and reasons, never keys.
fn failed(error: &anyhow::Error) -> Status {
    Status::internal(format!("{error:#}"))
}
