//! Roles and session token keys, as operators change them. Every change is in the audit log, with the names that IAM's own
//! events have where there is one.

use super::identity_service::{from_identity, iam_path, invalid, missing_in, policy_name, status_word};
use super::recording::{Recording, own};
use crate::node::Handles;
use kms_audit::{Elements, Member};
use kms_core::control::identity::{PrincipalChange, RoleChange, RoleEntry, SessionKeyEntry};
use kms_proto::cluster::v1 as pb;
use kms_proto::cluster::v1::roles_server::Roles;
use kms_service::NewRole;
use kms_types::{AccountId, IamName, RoleId};
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// The service.
#[derive(Debug)]
pub(crate) struct RolesService {
    handles: Arc<Handles>,
}

impl RolesService {
    /// Answers for a node.
    pub(crate) fn new(handles: Arc<Handles>) -> Self {
        Self { handles }
    }

    fn begin<T>(
        &self,
        name: &'static str,
        request: &Request<T>,
        shown: Elements<'static>,
    ) -> Result<Recording, Status> {
        Recording::begin(&self.handles, own(name, false), request, shown)
    }

    async fn create(&self, request: pb::CreateRoleRequest) -> Result<pb::Role, Status> {
        let pb::CreateRoleRequest { role, path, trust, max_session_seconds, tags } = request;
        let (id, path, tags) = (role_id(role)?, iam_path(&path)?, tags.into_iter().collect());
        let new = NewRole { id, path, trust, max_session_seconds, tags };
        let created = self.handles.service.create_role(new).await;
        created.map(|entry| described(&entry)).map_err(|error| from_identity(&error))
    }

    async fn change(&self, role: Option<pb::RoleName>, change: RoleChange) -> Result<pb::Role, Status> {
        let id = role_id(role)?;
        let service = &self.handles.service;
        service.change_role(id.clone(), change).await.map_err(|error| from_identity(&error))?;
        service.role(&id).map(|entry| described(&entry)).map_err(|error| from_identity(&error))
    }

    async fn change_common(&self, role: Option<pb::RoleName>, change: PrincipalChange) -> Result<pb::Role, Status> {
        self.change(role, RoleChange::Principal(change)).await
    }

    async fn delete(&self, role: pb::RoleName) -> Result<pb::DeleteRoleResponse, Status> {
        let deleted = self.handles.service.delete_role(role_id(Some(role))?).await;
        deleted.map(|()| pb::DeleteRoleResponse {}).map_err(|error| from_identity(&error))
    }
}

#[tonic::async_trait]
impl Roles for RolesService {
    async fn create_role(&self, request: Request<pb::CreateRoleRequest>) -> Result<Response<pb::Role>, Status> {
        let asked = request.get_ref();
        let mut shown = of_role(asked.role.as_ref())
            .text(Member::PATH, asked.path.clone())
            .text(Member::ASSUME_ROLE_POLICY_DOCUMENT, asked.trust.clone());
        if let Some(seconds) = asked.max_session_seconds {
            shown = shown.number(Member::MAX_SESSION_DURATION, seconds.into());
        }
        let tags = asked.tags.iter().map(|(key, value)| (key.clone(), value.clone()));
        let recording = self.begin("CreateRole", &request, shown.pairs(Member::TAGS, tags))?;
        let outcome = self.create(request.into_inner()).await;
        recording.finish(outcome).await
    }

    async fn list_roles(
        &self,
        request: Request<pb::ListRolesRequest>,
    ) -> Result<Response<pb::ListRolesResponse>, Status> {
        let account = match request.into_inner().account.as_str() {
            "" => None,
            text => Some(AccountId::parse(text).map_err(|_invalid| invalid("an account is twelve digits"))?),
        };
        let roles = self.handles.service.directory().read(|_, control| {
            let roles = control.identities().roles();
            roles.filter(|r| account.is_none_or(|account| r.id.account == account)).map(|r| described(r)).collect()
        });
        Ok(Response::new(pb::ListRolesResponse { roles }))
    }

    async fn describe_role(&self, request: Request<pb::RoleName>) -> Result<Response<pb::Role>, Status> {
        let found = self.handles.service.role(&role_id(Some(request.into_inner()))?);
        found.map(|entry| Response::new(described(&entry))).map_err(|error| from_identity(&error))
    }

    async fn enable_role(&self, request: Request<pb::EnableRoleRequest>) -> Result<Response<pb::Role>, Status> {
        let asked = request.get_ref();
        let shown = of_role(asked.role.as_ref()).text(Member::STATUS, status_word(asked.enabled));
        let recording = self.begin("UpdateRole", &request, shown)?;
        let request = request.into_inner();
        let outcome = self.change_common(request.role, PrincipalChange::Enabled(request.enabled)).await;
        recording.finish(outcome).await
    }

    async fn delete_role(&self, request: Request<pb::RoleName>) -> Result<Response<pb::DeleteRoleResponse>, Status> {
        let recording = self.begin("DeleteRole", &request, of_role(Some(request.get_ref())))?;
        let outcome = self.delete(request.into_inner()).await;
        recording.finish(outcome).await
    }

    async fn put_role_trust(&self, request: Request<pb::PutRoleTrustRequest>) -> Result<Response<pb::Role>, Status> {
        let asked = request.get_ref();
        let shown = of_role(asked.role.as_ref()).text(Member::POLICY_DOCUMENT, asked.document.clone());
        let recording = self.begin("UpdateAssumeRolePolicy", &request, shown)?;
        let request = request.into_inner();
        let outcome = self.change(request.role, RoleChange::Trust(request.document)).await;
        recording.finish(outcome).await
    }

    async fn set_role_max_session(
        &self,
        request: Request<pb::SetRoleMaxSessionRequest>,
    ) -> Result<Response<pb::Role>, Status> {
        let asked = request.get_ref();
        let seconds = asked.max_session_seconds;
        let shown = of_role(asked.role.as_ref()).number(Member::MAX_SESSION_DURATION, seconds.into());
        let recording = self.begin("UpdateRole", &request, shown)?;
        let outcome = self.change(request.into_inner().role, RoleChange::MaxSessionSeconds(seconds)).await;
        recording.finish(outcome).await
    }

    async fn put_role_policy(&self, request: Request<pb::PutRolePolicyRequest>) -> Result<Response<pb::Role>, Status> {
        let asked = request.get_ref();
        let shown = of_role(asked.role.as_ref())
            .text(Member::POLICY_NAME, asked.policy_name.clone())
            .text(Member::POLICY_DOCUMENT, asked.document.clone());
        let recording = self.begin("PutRolePolicy", &request, shown)?;
        let pb::PutRolePolicyRequest { role, policy_name: name, document } = request.into_inner();
        let outcome = match policy_name(&name) {
            Ok(name) => self.change_common(role, PrincipalChange::PutPolicy(name, document)).await,
            Err(status) => Err(status),
        };
        recording.finish(outcome).await
    }

    async fn delete_role_policy(
        &self,
        request: Request<pb::DeleteRolePolicyRequest>,
    ) -> Result<Response<pb::Role>, Status> {
        let asked = request.get_ref();
        let shown = of_role(asked.role.as_ref()).text(Member::POLICY_NAME, asked.policy_name.clone());
        let recording = self.begin("DeleteRolePolicy", &request, shown)?;
        let pb::DeleteRolePolicyRequest { role, policy_name: name } = request.into_inner();
        let outcome = match policy_name(&name) {
            Ok(name) => self.change_common(role, PrincipalChange::DeletePolicy(name)).await,
            Err(status) => Err(status),
        };
        recording.finish(outcome).await
    }

    async fn put_role_boundary(
        &self,
        request: Request<pb::PutRoleBoundaryRequest>,
    ) -> Result<Response<pb::Role>, Status> {
        let asked = request.get_ref();
        let shown = of_role(asked.role.as_ref()).text(Member::PERMISSIONS_BOUNDARY, asked.document.clone());
        let recording = self.begin("PutRolePermissionsBoundary", &request, shown)?;
        let request = request.into_inner();
        let outcome = self.change_common(request.role, PrincipalChange::Boundary(Some(request.document))).await;
        recording.finish(outcome).await
    }

    async fn delete_role_boundary(&self, request: Request<pb::RoleName>) -> Result<Response<pb::Role>, Status> {
        let recording = self.begin("DeleteRolePermissionsBoundary", &request, of_role(Some(request.get_ref())))?;
        let outcome = self.change_common(Some(request.into_inner()), PrincipalChange::Boundary(None)).await;
        recording.finish(outcome).await
    }

    async fn rotate_session_key(
        &self,
        request: Request<pb::RotateSessionKeyRequest>,
    ) -> Result<Response<pb::RotateSessionKeyResponse>, Status> {
        let end_sessions = request.get_ref().end_sessions;
        let shown = Elements::new().flag(Member::END_SESSIONS, end_sessions);
        let mut recording = self.begin("RotateSessionKey", &request, shown)?;
        let outcome = self.handles.service.rotate_session_key(end_sessions).await;
        if let Ok(epoch) = &outcome {
            recording.answered(Elements::new().number(Member::EPOCH, *epoch));
        }
        let outcome = outcome.map(|epoch| pb::RotateSessionKeyResponse { epoch });
        recording.finish(outcome.map_err(|error| from_identity(&error))).await
    }

    async fn list_session_keys(
        &self,
        _: Request<pb::ListSessionKeysRequest>,
    ) -> Result<Response<pb::ListSessionKeysResponse>, Status> {
        let session_keys = self.handles.service.directory().read(|_, control| {
            let keys = control.identities().session_keys();
            let one = |key: &Arc<SessionKeyEntry>| pb::SessionKey {
                epoch: key.epoch,
                created_at_ms: key.created_at.millis(),
                missing_in: missing_in(&key.boxes, control),
            };
            keys.map(one).collect()
        });
        Ok(Response::new(pb::ListSessionKeysResponse { session_keys }))
    }
}

/// The role of a request, as its record shows it.
fn of_role(role: Option<&pb::RoleName>) -> Elements<'static> {
    role.map_or_else(Elements::new, |role| {
        let shown = Elements::new().text(Member::ACCOUNT_ID, role.account.clone());
        shown.text(Member::ROLE_NAME, role.name.clone())
    })
}

fn described(entry: &RoleEntry) -> pb::Role {
    pb::Role {
        role: Some(pb::RoleName { account: entry.id.account.to_string(), name: entry.id.name.to_string() }),
        arn: entry.id.arn(&entry.path),
        unique_id: entry.unique_id.clone(),
        path: entry.path.as_str().to_owned(),
        created_at_ms: entry.created_at.millis(),
        enabled: entry.enabled,
        trust: entry.trust.clone(),
        max_session_seconds: entry.max_session_seconds,
        policies: entry.policies.iter().map(|(name, text)| (name.to_string(), text.clone())).collect(),
        boundary: entry.boundary.clone().unwrap_or_default(),
        tags: entry.tags.clone(),
    }
}

fn role_id(value: Option<pb::RoleName>) -> Result<RoleId, Status> {
    let value = value.ok_or_else(|| invalid("a role is needed"))?;
    let account = AccountId::parse(&value.account).map_err(|_invalid| invalid("an account is twelve digits"))?;
    let name = IamName::parse_principal(&value.name).map_err(|_invalid| {
        invalid("the name of a role has 1 to 64 characters, which are letters, digits and any of + = , . @ _ -")
    })?;
    Ok(RoleId { account, name })
}
