//! `meridian.cluster.v1.Access`: explains decisions to operators.

use super::identity::CallerDirectory;
use super::status;
use crate::node::Handles;
use kms_policy::{Decision, StatementRef};
use kms_proto::cluster::v1 as pb;
use kms_proto::cluster::v1::access_server::Access;
use kms_service::{AccessQuestion, ExplainedDecision, Identity, IdentityKind, source_words};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// What an explanation says about a principal whom the Region does not honour at the moment.
const UNCONFIRMED: &str = "The directory of principals was not confirmed with a majority of Regions within the lease; \
                           until it is, this Region refuses every request of its principals.";

/// The service.
#[derive(Debug)]
pub(crate) struct AccessService {
    handles: Arc<Handles>,
    callers: Arc<CallerDirectory>,
}

impl AccessService {
    /// Explains the decisions of a node.
    pub(crate) fn new(handles: Arc<Handles>, callers: Arc<CallerDirectory>) -> Self {
        Self { handles, callers }
    }
}

#[tonic::async_trait]
impl Access for AccessService {
    async fn explain_access(
        &self,
        request: Request<pb::ExplainAccessRequest>,
    ) -> Result<Response<pb::ExplainAccessResponse>, Status> {
        let pb::ExplainAccessRequest { principal, action, key_id, encryption_context, facts } = request.into_inner();
        let identity = self
            .callers
            .named(&principal, self.handles.clock.now())
            .ok_or_else(|| Status::not_found(format!("no enabled principal has the ARN or access key {principal}")))?;
        let service = &self.handles.service;
        let question = AccessQuestion {
            identity: Arc::clone(&identity),
            action: action.clone(),
            key_id: Some(key_id).filter(|key_id| !key_id.is_empty()),
            encryption_context: encryption_context.into_iter().collect(),
            facts,
        };
        let mut explained = service.explain_access(&question).map_err(|error| status::from_kms(&error))?;
        if self.callers.is_unconfirmed(&identity) {
            explained.notes.push(UNCONFIRMED.to_owned());
        }
        explained.notes.extend(note_on_session(&identity, &principal));
        Ok(Response::new(pb::ExplainAccessResponse {
            allowed: explained.is_allowed(),
            region: service.region().to_string(),
            principal: identity.arn.to_string(),
            action,
            decisions: explained.decisions.iter().map(decision).collect(),
            notes: explained.notes,
        }))
    }
}

/// What an explanation leaves open about a session.
fn note_on_session(identity: &Identity, asked: &str) -> Option<String> {
    let IdentityKind::Session { role_arn, .. } = &identity.kind else { return None };
    let narrowed = "A session policy, if the session was started with one, narrows this further.";
    if **role_arn == *asked {
        let arn = &identity.arn;
        return Some(format!("The answer is that of a session {arn} that begins now. {narrowed}"));
    }
    Some(narrowed.to_owned())
}

fn decision(explained: &ExplainedDecision) -> pb::AccessDecision {
    let effect = match &explained.decision {
        Decision::Allowed(_) => "Allow",
        Decision::Denied(_) => "Deny",
    };
    pb::AccessDecision {
        allowed: explained.decision.is_allowed(),
        resource: explained.resource.clone(),
        rule: explained.rule.to_owned(),
        statements: explained.statements().map(|statement| deciding(statement, effect)).collect(),
        grant_id: explained.grant().map(|id| id.to_string()).unwrap_or_default(),
        missing: explained.missing.clone(),
    }
}

fn deciding(statement: &StatementRef, effect: &str) -> pb::DecidingStatement {
    let (source, policy) = source_words(&statement.source);
    pb::DecidingStatement {
        source: source.to_owned(),
        policy: policy.to_owned(),
        index: u32::try_from(statement.index).unwrap_or(u32::MAX),
        sid: statement.sid.as_deref().unwrap_or_default().to_owned(),
        effect: effect.to_owned(),
    }
}
