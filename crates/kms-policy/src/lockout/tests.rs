//! Claims on the lockout safety check.

use super::*;
use crate::action::Action;
use crate::decision::CallerPolicies;
use crate::document::DocumentKind;
use crate::principal::Principal;
use crate::request::RequestContext;
use crate::test_requests::{ada, builder};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn admits(principal: Principal<'_>, statements: &str) -> bool {
    let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    let document = PolicyDocument::parse(&document, DocumentKind::Key).unwrap();
    let context = RequestContext::new(Action::CreateKey, principal).bypass_policy_lockout_safety_check(false);
    let request = AccessRequest { context: &context, policies: CallerPolicies::default() };
    may_put_next_policy(&document, KEY, &request)
}

fn allow(principal: &str, action: &str) -> String {
    format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":{action},"Resource":"*"}}"#)
}

const EVERYTHING: &str = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}"#;

#[test]
fn statement_for_the_account_or_the_caller_admits() {
    for principal in [
        r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
        r#"{"AWS":["arn:aws:iam::444455556666:root","111122223333"]}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:user/ada"}"#,
        r#""*""#,
    ] {
        for action in [r#""kms:*""#, r#""*""#, r#"["kms:Encrypt","kms:Put*"]"#, r#""KMS:PutKeyPolic?""#] {
            assert!(admits(ada(), &allow(principal, action)), "{principal} {action}");
        }
    }
    for role in ["arn:aws:iam::111122223333:role/Builder", "arn:aws:sts::111122223333:assumed-role/Builder/ci"] {
        assert!(admits(builder(), &allow(&format!(r#"{{"AWS":"{role}"}}"#), r#""kms:*""#)), "{role}");
    }
}

#[test]
fn statement_that_leaves_the_caller_out_does_not_admit() {
    for statement in [
        r#"{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"kms:*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"kms:*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":"*","Action":["kms:Encrypt","kms:PutKey"],"Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":"*","NotAction":"kms:Put*","Resource":"*"}"#,
        r#"{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}"#,
        r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"arn:aws:kms:us-east-1:111122223333:key/other"}"#,
    ] {
        assert!(!admits(ada(), statement), "{statement}");
    }
}

#[test]
fn deny_for_the_caller_locks_it_out() {
    for (deny, admitted) in [
        (r#""Principal":"*","Action":"kms:PutKeyPolicy""#, false),
        (r#""Principal":{"AWS":"111122223333"},"NotAction":"kms:Decrypt""#, false),
        (r#""NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/ada"},"Action":"kms:*""#, false),
        (r#""NotPrincipal":{"AWS":["arn:aws:iam::111122223333:user/ada","111122223333"]},"Action":"kms:*""#, true),
        (r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"kms:*""#, true),
        (r#""Principal":"*","Action":"kms:Decrypt""#, true),
    ] {
        let statements = format!(r#"{EVERYTHING},{{"Effect":"Deny",{deny},"Resource":"*"}}"#);
        assert_eq!(admits(ada(), &statements), admitted, "{deny}");
    }
}

#[test]
fn conditions_are_judged_for_the_caller_and_the_default_policy() {
    for (operator, key, value, admitted) in [
        ("StringEquals", "kms:PolicyName", r#""default""#, true),
        ("StringEquals", "kms:PolicyName", r#""AWS_RAM""#, false),
        ("StringEquals", "kms:CallerAccount", r#""111122223333""#, true),
        ("StringEquals", "kms:CallerAccount", r#""444455556666""#, false),
        ("ArnLike", "aws:PrincipalArn", r#""arn:aws:iam::*:user/ada""#, true),
        ("Null", "kms:BypassPolicyLockoutSafetyCheck", "true", true),
        ("Bool", "kms:BypassPolicyLockoutSafetyCheck", "true", false),
        ("StringEquals", "kms:ViaService", r#""s3.us-east-1.amazonaws.com""#, false),
    ] {
        let condition = format!(r#""Condition":{{"{operator}":{{"{key}":{value}}}}},"Resource""#);
        let statement = EVERYTHING.replace(r#""Resource""#, &condition);
        assert_eq!(admits(ada(), &statement), admitted, "{operator} {key}");
    }
}
