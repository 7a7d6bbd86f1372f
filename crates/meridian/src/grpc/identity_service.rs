//! The directory of principals, as operators change it. Every change is in the audit log, with the names that IAM's own
//! events have where there is one.

use super::recording::{Recording, own};
use super::status::with_code;
use crate::node::Handles;
use kms_audit::{Elements, Member};
use kms_core::control::identity::{AccessKeyEntry, PrincipalChange, PrincipalEntry, RecipientBoxes};
use kms_core::control::{ControlState, RegionRole};
use kms_proto::cluster::v1 as pb;
use kms_proto::cluster::v1::identity_server::Identity;
use kms_service::{IdentityError, NewPrincipal};
use kms_types::{AccessKeyId, AccountId, IamName, IamPath, PrincipalId};
use std::sync::Arc;
use tonic::{Code, Request, Response, Status};

/// Longest certificate URI.
const CERTIFICATE_BYTES_MAX: usize = 2_048;

/// The service.
#[derive(Debug)]
pub(crate) struct IdentityService {
    handles: Arc<Handles>,
}

impl IdentityService {
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

    fn describe(&self, id: &PrincipalId) -> Result<pb::User, Status> {
        let found = self.handles.service.directory().read(|_, control| {
            let entry = control.identities().principal(id)?;
            Some(user(entry, control))
        });
        found.ok_or_else(|| from_identity(&IdentityError::NotFound(format!("the {id}"))))
    }

    async fn create(&self, request: pb::CreateUserRequest) -> Result<pb::User, Status> {
        let id = user_id(request.user)?;
        let path = iam_path(&request.path)?;
        let certificate = Some(request.certificate).filter(|uri| !uri.is_empty());
        let prefix = format!("spiffe://{}/principal/", self.handles.cluster_id);
        if certificate.as_ref().is_some_and(|uri| !uri.starts_with(&prefix) || uri.len() > CERTIFICATE_BYTES_MAX) {
            return Err(invalid(&format!("a certificate is a URI that begins with {prefix}")));
        }
        let tags = request.tags.into_iter().collect();
        let new = NewPrincipal { id: id.clone(), path, certificate, tags };
        self.handles.service.create_principal(new).await.map_err(|error| from_identity(&error))?;
        self.describe(&id)
    }

    async fn change(&self, user: Option<pb::UserName>, change: PrincipalChange) -> Result<pb::User, Status> {
        let id = user_id(user)?;
        let changed = self.handles.service.change_principal(id.clone(), change).await;
        changed.map_err(|error| from_identity(&error))?;
        self.describe(&id)
    }

    async fn create_key(&self, user: pb::UserName) -> Result<pb::CreateAccessKeyResponse, Status> {
        let id = user_id(Some(user))?;
        let principals = Arc::clone(&self.handles.identity.principals);
        let is_taken = move |id: &AccessKeyId| principals.is_bootstrap(id.as_str());
        let created = self.handles.service.create_access_key(id, is_taken).await;
        let (entry, secret) = created.map_err(|error| from_identity(&error))?;
        let described = self.handles.service.directory().read(|_, control| access_key(&entry, control));
        Ok(pb::CreateAccessKeyResponse { access_key: Some(described), secret_access_key: secret.expose().to_owned() })
    }
}

#[tonic::async_trait]
impl Identity for IdentityService {
    async fn create_user(&self, request: Request<pb::CreateUserRequest>) -> Result<Response<pb::User>, Status> {
        let asked = request.get_ref();
        let mut shown = of_user(asked.user.as_ref()).text(Member::PATH, asked.path.clone());
        if !asked.certificate.is_empty() {
            shown = shown.text(Member::CERTIFICATE, asked.certificate.clone());
        }
        let tags = asked.tags.iter().map(|(key, value)| (key.clone(), value.clone()));
        let recording = self.begin("CreateUser", &request, shown.pairs(Member::TAGS, tags))?;
        let outcome = self.create(request.into_inner()).await;
        recording.finish(outcome).await
    }

    async fn list_users(
        &self,
        request: Request<pb::ListUsersRequest>,
    ) -> Result<Response<pb::ListUsersResponse>, Status> {
        let account = match request.into_inner().account.as_str() {
            "" => None,
            text => Some(AccountId::parse(text).map_err(|_invalid| invalid("an account is twelve digits"))?),
        };
        let users = self.handles.service.directory().read(|_, control| {
            let users = control
                .identities()
                .principals()
                .filter(|entry| account.is_none_or(|account| entry.id.account == account));
            users.map(|entry| user(entry, control)).collect()
        });
        Ok(Response::new(pb::ListUsersResponse { users }))
    }

    async fn describe_user(&self, request: Request<pb::UserName>) -> Result<Response<pb::User>, Status> {
        self.describe(&user_id(Some(request.into_inner()))?).map(Response::new)
    }

    async fn enable_user(&self, request: Request<pb::EnableUserRequest>) -> Result<Response<pb::User>, Status> {
        let asked = request.get_ref();
        let shown = of_user(asked.user.as_ref()).text(Member::STATUS, status_word(asked.enabled));
        let recording = self.begin("UpdateUser", &request, shown)?;
        let request = request.into_inner();
        let outcome = self.change(request.user, PrincipalChange::Enabled(request.enabled)).await;
        recording.finish(outcome).await
    }

    async fn delete_user(&self, request: Request<pb::UserName>) -> Result<Response<pb::DeleteUserResponse>, Status> {
        let recording = self.begin("DeleteUser", &request, of_user(Some(request.get_ref())))?;
        let outcome = match user_id(Some(request.into_inner())) {
            Ok(id) => self.handles.service.delete_principal(id).await.map_err(|error| from_identity(&error)),
            Err(status) => Err(status),
        };
        recording.finish(outcome.map(|()| pb::DeleteUserResponse {})).await
    }

    async fn create_access_key(
        &self,
        request: Request<pb::UserName>,
    ) -> Result<Response<pb::CreateAccessKeyResponse>, Status> {
        let mut recording = self.begin("CreateAccessKey", &request, of_user(Some(request.get_ref())))?;
        let outcome = self.create_key(request.into_inner()).await;
        // The ID alone: there is no member that could hold the secret.
        if let Some(created) = outcome.as_ref().ok().and_then(|answer| answer.access_key.as_ref()) {
            recording.answered(Elements::new().text(Member::ACCESS_KEY_ID, created.access_key_id.clone()));
        }
        recording.finish(outcome).await
    }

    async fn enable_access_key(
        &self,
        request: Request<pb::EnableAccessKeyRequest>,
    ) -> Result<Response<pb::EnableAccessKeyResponse>, Status> {
        let asked = request.get_ref();
        let shown = of_key(&asked.access_key_id).text(Member::STATUS, status_word(asked.enabled));
        let recording = self.begin("UpdateAccessKey", &request, shown)?;
        let pb::EnableAccessKeyRequest { access_key_id, enabled } = request.into_inner();
        let outcome = match key_id(&access_key_id) {
            Ok(id) => self.handles.service.enable_access_key(id, enabled).await.map_err(|error| from_identity(&error)),
            Err(status) => Err(status),
        };
        recording.finish(outcome.map(|()| pb::EnableAccessKeyResponse {})).await
    }

    async fn delete_access_key(
        &self,
        request: Request<pb::DeleteAccessKeyRequest>,
    ) -> Result<Response<pb::DeleteAccessKeyResponse>, Status> {
        let recording = self.begin("DeleteAccessKey", &request, of_key(&request.get_ref().access_key_id))?;
        let outcome = match key_id(&request.into_inner().access_key_id) {
            Ok(id) => self.handles.service.delete_access_key(id).await.map_err(|error| from_identity(&error)),
            Err(status) => Err(status),
        };
        recording.finish(outcome.map(|()| pb::DeleteAccessKeyResponse {})).await
    }

    async fn put_policy(&self, request: Request<pb::PutPolicyRequest>) -> Result<Response<pb::User>, Status> {
        let asked = request.get_ref();
        let shown = of_user(asked.user.as_ref())
            .text(Member::POLICY_NAME, asked.policy_name.clone())
            .text(Member::POLICY_DOCUMENT, asked.document.clone());
        let recording = self.begin("PutUserPolicy", &request, shown)?;
        let pb::PutPolicyRequest { user, policy_name: name, document } = request.into_inner();
        let outcome = match policy_name(&name) {
            Ok(name) => self.change(user, PrincipalChange::PutPolicy(name, document)).await,
            Err(status) => Err(status),
        };
        recording.finish(outcome).await
    }

    async fn delete_policy(&self, request: Request<pb::DeletePolicyRequest>) -> Result<Response<pb::User>, Status> {
        let asked = request.get_ref();
        let shown = of_user(asked.user.as_ref()).text(Member::POLICY_NAME, asked.policy_name.clone());
        let recording = self.begin("DeleteUserPolicy", &request, shown)?;
        let pb::DeletePolicyRequest { user, policy_name: name } = request.into_inner();
        let outcome = match policy_name(&name) {
            Ok(name) => self.change(user, PrincipalChange::DeletePolicy(name)).await,
            Err(status) => Err(status),
        };
        recording.finish(outcome).await
    }

    async fn put_boundary(&self, request: Request<pb::PutBoundaryRequest>) -> Result<Response<pb::User>, Status> {
        let asked = request.get_ref();
        let shown = of_user(asked.user.as_ref()).text(Member::PERMISSIONS_BOUNDARY, asked.document.clone());
        let recording = self.begin("PutUserPermissionsBoundary", &request, shown)?;
        let request = request.into_inner();
        let outcome = self.change(request.user, PrincipalChange::Boundary(Some(request.document))).await;
        recording.finish(outcome).await
    }

    async fn delete_boundary(&self, request: Request<pb::UserName>) -> Result<Response<pb::User>, Status> {
        let shown = of_user(Some(request.get_ref()));
        let recording = self.begin("DeleteUserPermissionsBoundary", &request, shown)?;
        let outcome = self.change(Some(request.into_inner()), PrincipalChange::Boundary(None)).await;
        recording.finish(outcome).await
    }
}

/// The user of a request, as its record shows it.
fn of_user(user: Option<&pb::UserName>) -> Elements<'static> {
    user.map_or_else(Elements::new, |user| {
        let shown = Elements::new().text(Member::ACCOUNT_ID, user.account.clone());
        shown.text(Member::USER_NAME, user.name.clone())
    })
}

/// The access key of a request, as its record shows it.
fn of_key(id: &str) -> Elements<'static> {
    Elements::new().text(Member::ACCESS_KEY_ID, id.to_owned())
}

/// The words of IAM's `UpdateAccessKey`.
pub(super) const fn status_word(enabled: bool) -> &'static str {
    if enabled { "Active" } else { "Inactive" }
}

fn user(entry: &PrincipalEntry, control: &ControlState) -> pb::User {
    let keys = control.identities().access_keys_of(&entry.id);
    pb::User {
        user: Some(pb::UserName { account: entry.id.account.to_string(), name: entry.id.name.to_string() }),
        arn: entry.id.arn(&entry.path),
        unique_id: entry.unique_id.clone(),
        path: entry.path.as_str().to_owned(),
        created_at_ms: entry.created_at.millis(),
        enabled: entry.enabled,
        certificate: entry.certificate.clone().unwrap_or_default(),
        policies: entry.policies.iter().map(|(name, text)| (name.to_string(), text.clone())).collect(),
        boundary: entry.boundary.clone().unwrap_or_default(),
        tags: entry.tags.clone(),
        access_keys: keys.map(|key| access_key(key, control)).collect(),
    }
}

fn access_key(key: &AccessKeyEntry, control: &ControlState) -> pb::AccessKey {
    pb::AccessKey {
        access_key_id: key.id.to_string(),
        created_at_ms: key.created_at.millis(),
        enabled: key.enabled,
        missing_in: missing_in(&key.boxes, control),
    }
}

/// The Regions that serve requests and have no box that they can open.
pub(super) fn missing_in(boxes: &RecipientBoxes, control: &ControlState) -> Vec<String> {
    let serving = control.regions().filter(|region| region.role == RegionRole::Full);
    let has = |region| boxes.get(region).is_some_and(|sealed| control.is_recipient(region, sealed));
    serving.filter(|entry| !has(&entry.region)).map(|entry| entry.region.to_string()).collect()
}

fn user_id(value: Option<pb::UserName>) -> Result<PrincipalId, Status> {
    let value = value.ok_or_else(|| invalid("a user is needed"))?;
    let account = AccountId::parse(&value.account).map_err(|_invalid| invalid("an account is twelve digits"))?;
    let name = IamName::parse_principal(&value.name).map_err(|_invalid| {
        invalid("the name of a user has 1 to 64 characters, which are letters, digits and any of + = , . @ _ -")
    })?;
    Ok(PrincipalId { account, name })
}

fn key_id(value: &str) -> Result<AccessKeyId, Status> {
    AccessKeyId::parse(value).map_err(|_invalid| invalid("this is not the ID of an access key"))
}

/// The path of a user or a role; empty for the default.
pub(super) fn iam_path(value: &str) -> Result<IamPath, Status> {
    let path = if value.is_empty() { Ok(IamPath::default()) } else { IamPath::parse(value) };
    path.map_err(|_invalid| invalid("a path begins and ends with / and has at most 512 characters"))
}

pub(super) fn policy_name(value: &str) -> Result<IamName, Status> {
    IamName::parse(value).map_err(|_invalid| {
        invalid("the name of a policy has 1 to 128 characters, which are letters, digits and any of + = , . @ _ -")
    })
}

pub(super) fn invalid(text: &str) -> Status {
    from_identity(&IdentityError::Invalid(text.to_owned()))
}

/// The status of an error; the code is the one that IAM has for it ("Common Errors" and the actions' own in the IAM API
/// Reference).
pub(super) fn from_identity(error: &IdentityError) -> Status {
    let (code, name) = match error {
        IdentityError::Exists(_) => (Code::AlreadyExists, "EntityAlreadyExists"),
        IdentityError::NotFound(_) => (Code::NotFound, "NoSuchEntity"),
        // A limit that stays: trying again does not help.
        IdentityError::Limit(_) => (Code::FailedPrecondition, "LimitExceeded"),
        IdentityError::Policy(_) => (Code::InvalidArgument, "MalformedPolicyDocument"),
        IdentityError::Invalid(_) => (Code::InvalidArgument, "ValidationError"),
        IdentityError::NoMajority => (Code::Unavailable, "ServiceUnavailable"),
        IdentityError::Internal => (Code::Internal, "ServiceFailure"),
    };
    with_code(code, error.to_string(), name)
}
