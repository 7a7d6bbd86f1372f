//! `AssumeRole` of STS: temporary credentials for a session of a role. No other Region is asked: the token carries the session.

use crate::authorise::Resource;
use crate::{Authenticated, Caller, IdentityKind, KmsError, KnownRole, Service, Sessions};
use kms_crypto::{AccessSecret, SESSION_TOKEN_BYTES_MAX, SessionClaims, SessionTags};
use kms_policy::{Action, DocumentKind, Facts, Pairs, PolicyDocument};
use kms_types::Timestamp;
use std::fmt;
use std::time::Duration;

/// Length of a session for which none is asked, in seconds.
const DURATION_SECONDS_DEFAULT: u32 = 3_600;
/// Longest session that another session of a role may start, in seconds (IAM User Guide, "Role chaining").
const CHAINED_SECONDS_MAX: u32 = 3_600;
/// Most bytes of session policy and session tags together; what remains of a token is for everything else.
const PACKED_BYTES_MAX: usize = SESSION_TOKEN_BYTES_MAX - 2_048;

/// The request; its members satisfy the constraints of the API model.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct AssumeRoleRequest {
    pub role_arn: String,
    pub role_session_name: String,
    pub duration_seconds: Option<u32>,
    pub policy: Option<String>,
    pub external_id: Option<String>,
    pub source_identity: Option<String>,
    pub tags: SessionTags,
}

/// The response.
pub struct AssumeRoleResponse {
    /// The temporary access key, `ASIA…`.
    pub access_key_id: String,
    /// Its secret.
    pub secret: AccessSecret,
    /// The token that goes with every request of the session.
    pub session_token: Vec<u8>,
    /// When the session ends; whole seconds.
    pub expiration: Timestamp,
    /// Unique ID of the session.
    pub assumed_role_id: String,
    /// ARN of the session.
    pub arn: String,
    /// How much of the space for session policy and tags is used, in percent; `None` when there are neither.
    pub packed_policy_size: Option<u64>,
    /// The source identity of the session.
    pub source_identity: Option<String>,
}

impl fmt::Debug for AssumeRoleResponse {
    /// Neither the secret nor the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access_key_id, arn, .. } = self;
        write!(f, "AssumeRoleResponse({access_key_id} of {arn}, secret)")
    }
}

/// Why a role is not assumed. `Display` is the message that the caller gets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssumeRoleError {
    /// A parameter is not acceptable (`ValidationError`).
    #[error("{0}")]
    Validation(String),
    /// The caller may not assume the role, or there is no such role (`AccessDenied`). The text is complete.
    #[error("{0}")]
    AccessDenied(String),
    /// The session policy is none (`MalformedPolicyDocument`).
    #[error("{0}")]
    MalformedPolicy(String),
    /// Session policy and tags do not fit (`PackedPolicyTooLarge`). Carries the percentage.
    #[error("Packed size of session tags and session policy consumes {0}% of allotted space.")]
    PackedPolicyTooLarge(u64),
    /// This Region cannot confirm the directory of principals, or has no session token key yet; worth another try.
    #[error("This Region cannot confirm its directory of principals at the moment. Try again, or use another Region.")]
    Unconfirmed,
    /// Something failed inside.
    #[error("The request failed because of an internal error.")]
    Internal,
}

impl From<KmsError> for AssumeRoleError {
    /// What authorisation answers: a denial, or an error of ours.
    fn from(error: KmsError) -> Self {
        if let KmsError::AccessDenied(text) = error { Self::AccessDenied(text) } else { Self::Internal }
    }
}

impl Service {
    /// `AssumeRole`.
    ///
    /// # Errors
    /// [`AssumeRoleError`].
    pub fn assume_role(
        &self,
        sessions: &Sessions,
        request: Authenticated<AssumeRoleRequest>,
    ) -> Result<AssumeRoleResponse, AssumeRoleError> {
        let Authenticated { caller, request } = request;
        let identities = sessions.identities();
        if !identities.lease().holds() {
            return Err(AssumeRoleError::Unconfirmed);
        }
        if caller.identity.kind == IdentityKind::Root {
            return Err(AssumeRoleError::AccessDenied("Roles may not be assumed by root accounts.".to_owned()));
        }
        let role = identities.role(&request.role_arn);
        let source_identity = source_identity(&caller, &request)?;
        self.authorise_session(&caller, (&request, source_identity.as_deref()), role.as_deref())?;
        // Without a role nobody is authorised.
        let role = role.ok_or(AssumeRoleError::Internal)?;
        let chained = matches!(caller.identity.kind, IdentityKind::Session { .. });
        let seconds = duration(&request, role.entry.max_session_seconds, chained)?;
        let packed_policy_size = packed_size(&request)?;
        let keys = identities.session_keys();
        let (epoch, key) = keys.last_key_value().ok_or(AssumeRoleError::Unconfirmed)?;
        let internal = |_| AssumeRoleError::Internal;
        // Expiration is told in seconds, so the session has no more than those.
        let issued_at = Timestamp::from_millis(self.now().millis() / 1_000 * 1_000);
        let AssumeRoleRequest { role_session_name: session_name, policy, tags, .. } = request;
        let claims = SessionClaims {
            access_key_id: self.draw_id("ASIA", 16).map_err(|_unavailable| AssumeRoleError::Internal)?,
            secret: sessions.keyring().new_access_secret().map_err(internal)?,
            account: role.entry.id.account,
            role_name: role.entry.id.name.as_str().to_owned(),
            role_id: role.entry.unique_id.clone(),
            session_name,
            source_identity,
            policy,
            tags,
            issued_at,
            expires_at: issued_at.plus(Duration::from_secs(seconds.into())),
            chained,
        };
        let session = role.session(&claims.session_name, issued_at);
        let session_token = sessions.keyring().seal_session((*epoch, key), &claims).map_err(internal)?;
        Ok(AssumeRoleResponse {
            session_token,
            expiration: claims.expires_at,
            assumed_role_id: session.principal_id.to_string(),
            arn: session.arn.to_string(),
            packed_policy_size,
            access_key_id: claims.access_key_id,
            secret: claims.secret,
            source_identity: claims.source_identity,
        })
    }

    /// The role's trust policy and the caller's own policies decide about the session, and about what is set in it.
    fn authorise_session(
        &self,
        caller: &Caller,
        (request, source_identity): (&AssumeRoleRequest, Option<&str>),
        role: Option<&KnownRole>,
    ) -> Result<(), AssumeRoleError> {
        let given = [
            ("sts:RoleSessionName", Some(request.role_session_name.as_str())),
            ("sts:ExternalId", request.external_id.as_deref()),
            ("sts:SourceIdentity", source_identity),
        ];
        let given = given.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let facts = given.fold(Facts::default(), |facts, (key, value)| facts.with(key, [value]));
        let also = [
            (Action::AssumeRole, true),
            (Action::TagSession, !request.tags.is_empty()),
            (Action::SetSourceIdentity, source_identity.is_some()),
        ];
        for (action, _) in also.into_iter().filter(|(_, asked)| *asked) {
            let access = self.access(caller, action);
            let access = access.with(|context| context.other(&facts).request_tags(Pairs::of_map(&request.tags)));
            access.authorise(Resource::Role(&request.role_arn, role))?;
        }
        Ok(())
    }
}

/// The source identity of the new session. Once set it stays through a chain of roles (IAM User Guide, "Monitor and control
/// actions taken with assumed roles").
fn source_identity(caller: &Caller, request: &AssumeRoleRequest) -> Result<Option<String>, AssumeRoleError> {
    let own = match &caller.identity.kind {
        IdentityKind::Session { source_identity, .. } => source_identity.as_deref(),
        IdentityKind::Root | IdentityKind::User => None,
    };
    match (own, request.source_identity.as_deref()) {
        (Some(own), Some(wanted)) if own != wanted => Err(AssumeRoleError::AccessDenied(format!(
            "User: {} cannot change the source identity of its session",
            caller.arn()
        ))),
        (own, wanted) => Ok(wanted.or(own).map(str::to_owned)),
    }
}

/// The length of the session, in seconds.
fn duration(request: &AssumeRoleRequest, role_max: u32, chained: bool) -> Result<u32, AssumeRoleError> {
    let seconds = request.duration_seconds.unwrap_or(DURATION_SECONDS_DEFAULT);
    let text = if chained && seconds > CHAINED_SECONDS_MAX {
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
    } else if seconds > role_max {
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    } else {
        return Ok(seconds);
    };
    Err(AssumeRoleError::Validation(text.to_owned()))
}

/// Checks the session policy, and how much of the space for it and the tags is used, in percent.
fn packed_size(request: &AssumeRoleRequest) -> Result<Option<u64>, AssumeRoleError> {
    if let Some(text) = &request.policy {
        PolicyDocument::parse(text, DocumentKind::Identity)
            .map_err(|error| AssumeRoleError::MalformedPolicy(error.to_string()))?;
    }
    // Each tag has the lengths of its key and its value with it.
    let tags = request.tags.iter().map(|(key, value)| key.len() + value.len() + 8);
    let bytes = tags.sum::<usize>() + request.policy.as_ref().map_or(0, String::len);
    let percent = u64::try_from((bytes * 100).div_ceil(PACKED_BYTES_MAX)).unwrap_or(u64::MAX);
    if percent > 100 {
        return Err(AssumeRoleError::PackedPolicyTooLarge(percent));
    }
    Ok((bytes > 0).then_some(percent))
}
