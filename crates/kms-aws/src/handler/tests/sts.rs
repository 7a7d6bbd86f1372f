//! STS on the endpoint of KMS: who may assume a role, what is answered, and what is recorded.

use super::roles::{ROLE, Stage, assume_role, credentials, element};
use super::*;
use kms_core::control::identity::RoleChange;

const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";

fn trust(statement: &str) -> RoleChange {
    RoleChange::Trust(format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{statement}}}}}"#))
}

/// Code and message of an error, and its status.
fn failure(answer: &Answer) -> (u16, String, String) {
    assert_eq!(answer.headers["content-type"], "text/xml");
    assert_eq!(element(answer, "Type"), if answer.status < 500 { "Sender" } else { "Receiver" });
    assert_eq!(answer.outcome.code, Some(element(answer, "Code").as_str()));
    (answer.status, element(answer, "Code"), element(answer, "Message"))
}

async fn is_refused(stage: &Stage, draft: Draft, (status, code, message): (u16, &str, &str)) {
    let answer = send(&stage.api, draft.sign()).await;
    assert_eq!(failure(&answer), (status, code.to_owned(), message.to_owned()));
}

fn by(access_key: &'static str, body: &str) -> Draft {
    Draft { access_key, ..Draft::form(body) }
}

/// Refuses the role as if it were not there.
fn denied(user: &str) -> String {
    format!("User: {user} is not authorized to perform: sts:AssumeRole on resource: {ROLE}")
}

#[tokio::test]
async fn every_caller_is_told_who_it_is() {
    let stage = Stage::new();
    let answer = send(&stage.api, Draft::form(WHO).sign()).await;
    let expected = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                    <GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/alice</Arn>\
                    <UserId>arn:aws:iam::111122223333:user/alice</UserId><Account>111122223333</Account>\
                    </GetCallerIdentityResult><ResponseMetadata><RequestId>07070707-0707-4707-8707-070707070707\
                    </RequestId></ResponseMetadata></GetCallerIdentityResponse>";
    assert_eq!((answer.status, str::from_utf8(&answer.body).unwrap()), (200, expected));
    assert_eq!(answer.headers["content-type"], "text/xml");
    assert_eq!(answer.outcome.operation.map(ApiOperation::name), Some("GetCallerIdentity"));
    // Whatever policies say: this one has none.
    for (access_key, id) in [("AKIDPLAIN", "arn:aws:iam::111122223333:user/plain"), ("AKIDROOT", "111122223333")] {
        let answer = send(&stage.api, by(access_key, WHO).sign()).await;
        assert_eq!(element(&answer, "UserId"), id);
    }
    let answer = send(&stage.api, stage.session("").await.sts(WHO).sign()).await;
    assert_eq!(element(&answer, "Arn"), "arn:aws:sts::111122223333:assumed-role/Builder/ci");
    assert_eq!(element(&answer, "UserId"), "AROABUILDER:ci");
}

#[tokio::test]
async fn a_presigned_get_is_answered_too() {
    let presigned = Draft {
        method: "GET",
        parameters: "Action=GetCallerIdentity&Version=2011-06-15&",
        signed: vec!["host"],
        ..Draft::form("")
    };
    let stage = Stage::new();
    let answer = send(&stage.api, presigned.clone().presign("60")).await;
    assert_eq!(element(&answer, "Account"), "111122223333");
    let mut altered = presigned.presign("60");
    let uri = altered.uri().to_string().replace("GetCallerIdentity", "AssumeRole");
    *altered.uri_mut() = uri.parse().unwrap();
    assert_eq!(failure(&send(&stage.api, altered).await).1, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_request_for_one_service_that_is_signed_for_the_other_is_refused() {
    let stage = Stage::new();
    let kms_form = Draft { service: "kms", ..Draft::form(WHO) };
    let text = "Credential should be scoped to correct service: 'sts'. ";
    let answer = send(&stage.api, kms_form.sign()).await;
    assert_eq!(failure(&answer), (403, "SignatureDoesNotMatch".into(), text.replace('\'', "&apos;")));
    let answer = send(&stage.api, Draft { service: "sts", ..Draft::new("TrentService.ListKeys", b"{}") }.sign()).await;
    let text = "Credential should be scoped to correct service: 'kms'. ";
    assert_eq!(answer.json(), json!({"__type": "InvalidSignatureException", "message": text}));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_in_the_words_of_sts() {
    let stage = Stage::new();
    let unsigned = send(&stage.api, Draft::form(WHO).unsigned("/")).await;
    assert_eq!(failure(&unsigned), (403, "MissingAuthenticationToken".into(), "Missing Authentication Token".into()));
    let text = "The security token included in the request is invalid.";
    is_refused(&stage, by("AKIDOTHER", WHO), (403, "InvalidClientTokenId", text)).await;
    let wrong = send(&stage.api, Draft { secret: "another", ..Draft::form(WHO) }.sign()).await;
    assert_eq!(failure(&wrong).1, "SignatureDoesNotMatch");
    let session = stage.session("").await;
    stage.later(3_600, true);
    let mut late = session.sts(WHO);
    late.set("x-amz-date", "20150830T133600Z");
    late.stamp = "20150830T133600Z";
    let text = "The security token included in the request is expired";
    is_refused(&stage, late, (403, "ExpiredToken", text)).await;
    stage.later(0, true);
    for (body, code, message) in [
        ("Version=2011-06-15", "MissingAction", "The request must contain the parameter Action."),
        (
            "Action=GetCallerIdentity",
            "InvalidAction",
            "Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED",
        ),
        (
            "Action=GetSessionToken&Version=2011-06-15",
            "InvalidAction",
            "Could not find operation GetSessionToken for version 2011-06-15",
        ),
        (
            "Action=GetCallerIdentity&Action=AssumeRole&Version=2011-06-15",
            "MalformedQueryString",
            "The request must contain the parameter Action no more than once.",
        ),
    ] {
        is_refused(&stage, Draft::form(body), (400, code, message)).await;
    }
    let many = format!("{WHO}{}", "&a=b".repeat(300));
    is_refused(&stage, Draft::form(&many), (400, "MalformedQueryString", "The request has too many parameters.")).await;
    let mut elsewhere = Draft::form(WHO).sign();
    *elsewhere.uri_mut() = "/sts".parse().unwrap();
    assert_eq!(failure(&send(&stage.api, elsewhere).await).1, "InvalidAction");
}

#[tokio::test]
async fn a_session_is_described_in_the_answer() {
    let stage = Stage::new();
    let answer = stage.assume("&DurationSeconds=900&SourceIdentity=ada").await;
    assert_eq!(element(&answer, "Expiration"), "2015-08-30T12:51:00Z");
    assert_eq!(element(&answer, "AssumedRoleId"), "AROABUILDER:ci");
    assert_eq!(element(&answer, "Arn"), "arn:aws:sts::111122223333:assumed-role/Builder/ci");
    assert_eq!(element(&answer, "SourceIdentity"), "ada");
    assert!(!answer.body.windows(16).any(|part| part == b"PackedPolicySize"));
    let answer = stage.assume("&Tags.member.1.Key=stage&Tags.member.1.Value=beta").await;
    assert_eq!(element(&answer, "PackedPolicySize"), "1");
}

#[tokio::test]
async fn parameters_that_the_model_does_not_admit_are_all_named() {
    let stage = Stage::new();
    let refused = |body: String, message: &'static str| {
        let stage = &stage;
        async move { is_refused(stage, Draft::form(&body), (400, "ValidationError", message)).await }
    };
    let start = "Action=AssumeRole&Version=2011-06-15";
    refused(
        format!("{start}&RoleArn=short&DurationSeconds=60&ExternalId=a%20b"),
        "4 validation errors detected: Value &apos;short&apos; at &apos;roleArn&apos; failed to satisfy constraint: \
         Member must have length greater than or equal to 20; Value null at &apos;roleSessionName&apos; failed to \
         satisfy constraint: Member must not be null; Value &apos;60&apos; at &apos;durationSeconds&apos; failed to \
         satisfy constraint: Member must have value greater than or equal to 900; Value &apos;a b&apos; at \
         &apos;externalId&apos; failed to satisfy constraint: Member must satisfy regular expression pattern: \
         [\\w+=,.@:\\/-]*",
    )
    .await;
    refused(
        assume_role("&DurationSeconds=43201"),
        "1 validation error detected: Value &apos;43201&apos; at &apos;durationSeconds&apos; failed to satisfy \
         constraint: Member must have value less than or equal to 43200",
    )
    .await;
    refused(
        assume_role("&DurationSeconds=7201"),
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )
    .await;
    refused(
        format!("{start}&RoleArn=arn:aws:iam::111122223333:user/alice&RoleSessionName=ci"),
        "arn:aws:iam::111122223333:user/alice is invalid",
    )
    .await;
    refused(assume_role("&SerialNumber=x"), "The parameter SerialNumber is not supported.").await;
    refused(
        assume_role("&Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.2.Key=A&Tags.member.2.Value=c"),
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    )
    .await;
    let answer = stage.assume("&Policy=%7B%7D").await;
    assert_eq!(failure(&answer).1, "MalformedPolicyDocument");
    let tags: String =
        (1..=50).map(|n| format!("&Tags.member.{n}.Key=k{n}&Tags.member.{n}.Value={}", "v".repeat(200))).collect();
    let answer = stage.assume(&tags).await;
    let (status, code, text) = failure(&answer);
    assert_eq!((status, code.as_str()), (400, "PackedPolicyTooLarge"));
    assert!(text.starts_with("Packed size of session tags and session policy consumes 2"), "{text}");
}

#[tokio::test]
async fn trust_policy_and_identity_policy_decide_and_a_role_that_is_not_there_looks_the_same() {
    let mut stage = Stage::new();
    let alice = "arn:aws:iam::111122223333:user/alice";
    let absent = assume_role("").replace("Builder", "Nobody");
    let text = denied(alice).replace("Builder", "Nobody");
    is_refused(&stage, Draft::form(&absent), (403, "AccessDenied", &text)).await;
    // The account is trusted, so the caller's identity policies decide.
    let plain = "arn:aws:iam::111122223333:user/plain";
    is_refused(&stage, by("AKIDPLAIN", &assume_role("")), (403, "AccessDenied", &denied(plain))).await;
    stage.change(trust(r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/plain"},"Action":"sts:AssumeRole""#));
    credentials(&send(&stage.api, by("AKIDPLAIN", &assume_role("")).sign()).await);
    is_refused(&stage, Draft::form(&assume_role("")), (403, "AccessDenied", &denied(alice))).await;
    let text = "Roles may not be assumed by root accounts.";
    is_refused(&stage, by("AKIDROOT", &assume_role("")), (403, "AccessDenied", text)).await;
}

#[tokio::test]
async fn another_account_needs_the_trust_and_a_permission_of_its_own() {
    let mut stage = Stage::new();
    let eve = "arn:aws:iam::444455556666:user/eve";
    is_refused(&stage, by("AKIDEVE", &assume_role("")), (403, "AccessDenied", &denied(eve))).await;
    let condition = r#""Condition":{"StringEquals":{"sts:ExternalId":"apollo 11"}}"#.replace(' ', "-");
    stage.change(trust(&format!(
        r#""Principal":{{"AWS":"arn:aws:iam::444455556666:root"}},"Action":"sts:AssumeRole",{condition}"#
    )));
    is_refused(&stage, by("AKIDEVE", &assume_role("")), (403, "AccessDenied", &denied(eve))).await;
    let wrong = assume_role("&ExternalId=apollo-12");
    is_refused(&stage, by("AKIDEVE", &wrong), (403, "AccessDenied", &denied(eve))).await;
    credentials(&send(&stage.api, by("AKIDEVE", &assume_role("&ExternalId=apollo-11")).sign()).await);
}

#[tokio::test]
async fn tags_and_source_identity_need_permissions_of_their_own() {
    let mut stage = Stage::new();
    stage.change(trust(
        r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole",
        "Condition":{"StringLike":{"sts:RoleSessionName":"c*"}}"#,
    ));
    credentials(&stage.assume("").await);
    for (more, action) in [
        ("&Tags.member.1.Key=a&Tags.member.1.Value=b", "sts:TagSession"),
        ("&SourceIdentity=ada", "sts:SetSourceIdentity"),
    ] {
        let text = denied("arn:aws:iam::111122223333:user/alice").replace("sts:AssumeRole", action);
        is_refused(&stage, Draft::form(&assume_role(more)), (403, "AccessDenied", &text)).await;
    }
}

#[tokio::test]
async fn a_session_starts_sessions_of_an_hour_at_most_and_keeps_its_source_identity() {
    let stage = Stage::new();
    let session = stage.session("&SourceIdentity=ada").await;
    let chained = |more: &str| session.sts(&assume_role(more));
    let answer = send(&stage.api, chained("").sign()).await;
    assert_eq!(element(&answer, "SourceIdentity"), "ada");
    let text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
    is_refused(&stage, chained("&DurationSeconds=3601"), (400, "ValidationError", text)).await;
    let answer = send(&stage.api, chained("&SourceIdentity=eve").sign()).await;
    assert_eq!(failure(&answer).1, "AccessDenied");
}

#[tokio::test]
async fn every_request_to_sts_is_recorded_without_secret_and_token_and_none_is_answered_without() {
    let stage = Stage::new();
    let session = stage.session("&ExternalId=apollo&Tags.member.1.Key=stage&Tags.member.1.Value=beta").await;
    let of = |lines: &[String], parts: &[&str]| {
        let line = lines.last().unwrap().replace('\\', "");
        parts.iter().for_each(|part| assert!(line.contains(part), "{part}: {line}"));
    };
    let name = format!(r#""accessKeyId":"{}""#, session.access_key);
    of(
        &stage.records(),
        &[
            r#""eventSource":"sts.amazonaws.com""#,
            r#""eventName":"AssumeRole""#,
            r#""readOnly":true"#,
            r#""externalId":"apollo""#,
            r#""stage":"beta""#,
            r#""assumedRoleId":"AROABUILDER:ci""#,
            r#""rule":"KeyPolicyAndIdentityPolicy""#,
            &name,
        ],
    );
    send(&stage.api, session.sts(WHO).sign()).await;
    of(&stage.records(), &[r#""eventName":"GetCallerIdentity""#, r#""type":"AssumedRole""#, &name]);
    send(&stage.api, Draft::form(WHO).unsigned("/")).await;
    of(
        &stage.records(),
        &[r#""eventSource":"sts.amazonaws.com""#, r#""eventName":"GetCallerIdentity""#, "MissingAuthenticationToken"],
    );
    let all = stage.records().concat();
    assert_eq!(stage.records().len(), 3);
    assert!(!all.contains(&session.secret) && !all.contains(&session.token[..40]), "{all}");
    stage.audit.full.store(true, std::sync::atomic::Ordering::Relaxed);
    let answer = send(&stage.api, Draft::form(WHO).sign()).await;
    assert_eq!((failure(&answer).0, failure(&answer).1.as_str()), (500, "InternalFailure"));
}

proptest! {
    #[test]
    fn whatever_a_form_holds_earns_an_error_of_sts(body in "(Action=AssumeRole&)?[ -~]{0,120}") {
        let stage = Stage::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = runtime.block_on(send(&stage.api, Draft::form(&body).sign()));
        prop_assert!((400..500).contains(&answer.status));
        prop_assert!(answer.body.starts_with(b"<ErrorResponse xmlns="));
    }
}
