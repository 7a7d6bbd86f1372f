//! `AssumeRole` on the wire.

use super::operation::{Shown, StsOperation};
use super::{Form, StsFault, parameters, xml};
use crate::sigv4::AmzDate;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use kms_audit::{Elements, Member};
use kms_service::{AssumeRoleError, AssumeRoleRequest, AssumeRoleResponse, Authenticated, Caller, Service, Sessions};

/// See [`StsOperation::run`].
pub(super) fn run(
    (service, sessions): (&Service, Option<&Sessions>),
    caller: Caller,
    form: &Form,
    shown: &mut Shown,
) -> Result<Bytes, StsFault> {
    let request = parameters::assume_role(form)?;
    shown.parameters = shown_request(&request);
    let request_id = caller.request_id;
    let sessions = sessions.ok_or(AssumeRoleError::Unconfirmed)?;
    let response = service.assume_role(sessions, Authenticated { caller, request })?;
    shown.response = shown_response(&response);
    let AssumeRoleResponse {
        access_key_id,
        secret,
        session_token,
        expiration,
        assumed_role_id,
        arn,
        packed_policy_size,
        source_identity,
    } = &response;
    Ok(xml::response(StsOperation::AssumeRole.name(), request_id, |result| {
        result.within("Credentials", |credentials| {
            credentials.text("AccessKeyId", access_key_id);
            credentials.text("SecretAccessKey", secret.expose());
            credentials.text("SessionToken", &BASE64_STANDARD.encode(session_token));
            credentials.text("Expiration", &AmzDate::at(*expiration).extended());
        });
        result.within("AssumedRoleUser", |user| {
            user.text("AssumedRoleId", assumed_role_id);
            user.text("Arn", arn);
        });
        if let Some(percent) = packed_policy_size {
            result.text("PackedPolicySize", &percent.to_string());
        }
        if let Some(source) = source_identity {
            result.text("SourceIdentity", source);
        }
    }))
}

/// What the record shows of the request, as in CloudTrail.
fn shown_request(request: &AssumeRoleRequest) -> Elements<'static> {
    let mut shown = Elements::new()
        .text(Member::ROLE_ARN, request.role_arn.clone())
        .text(Member::ROLE_SESSION_NAME, request.role_session_name.clone());
    if let Some(seconds) = request.duration_seconds {
        shown = shown.number(Member::DURATION_SECONDS, seconds.into());
    }
    for (member, value) in [
        (Member::POLICY, &request.policy),
        (Member::EXTERNAL_ID, &request.external_id),
        (Member::SOURCE_IDENTITY, &request.source_identity),
    ] {
        if let Some(value) = value {
            shown = shown.text(member, value.clone());
        }
    }
    if !request.tags.is_empty() {
        let pairs = request.tags.iter().map(|(key, value)| (key.clone(), value.clone()));
        shown = shown.pairs(Member::TAGS, pairs);
    }
    shown
}

/// What the record shows of the answer: neither the secret nor the token.
fn shown_response(response: &AssumeRoleResponse) -> Elements<'static> {
    let credentials = Elements::new()
        .text(Member::ACCESS_KEY_ID, response.access_key_id.clone())
        .time(Member::EXPIRATION, response.expiration);
    let user = Elements::new()
        .text(Member::ASSUMED_ROLE_ID, response.assumed_role_id.clone())
        .text(Member::ARN, response.arn.clone());
    let mut shown = Elements::new().object(Member::CREDENTIALS, credentials).object(Member::ASSUMED_ROLE_USER, user);
    if let Some(percent) = response.packed_policy_size {
        shown = shown.number(Member::PACKED_POLICY_SIZE, percent);
    }
    if let Some(source) = &response.source_identity {
        shown = shown.text(Member::SOURCE_IDENTITY, source.clone());
    }
    shown
}
