//! Claims on the form of policy documents.

use super::*;
use kms_types::AccountId;

fn parse(text: &str) -> Result<PolicyDocument, PolicyError> {
    PolicyDocument::parse(text, DocumentKind::Key)
}

#[test]
fn default_policy_is_a_policy() {
    let account = AccountId::parse("111122223333").unwrap();
    parse(&crate::default_key_policy(&account)).unwrap();
}

#[test]
fn documents_without_form_are_refused() {
    let statement = |members: &str| format!(r#"{{"Statement":[{{{members}}}]}}"#);
    let complete = r#""Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*""#;
    let with = |more: &str| statement(&format!("{complete},{more}"));
    let principal =
        |text: &str| statement(&format!(r#""Effect":"Allow","Action":"kms:*","Resource":"*","Principal":{text}"#));
    let action = |text: &str| statement(&format!(r#""Effect":"Allow","Principal":"*","Resource":"*","Action":{text}"#));
    let deny =
        |text: &str| statement(&format!(r#""Effect":"Deny","Principal":"*","Action":"kms:*","Resource":{text}"#));
    let cases = [
        (String::new(), PolicyError::NotJson),
        ("[]".to_owned(), PolicyError::NotJson),
        ("{}".to_owned(), PolicyError::NoStatement),
        (r#"{"Statement":[]}"#.to_owned(), PolicyError::NoStatement),
        (r#"{"Version":"1999-01-01","Statement":[]}"#.to_owned(), PolicyError::Version),
        (r#"{"Statement":[],"Extra":1}"#.to_owned(), PolicyError::UnknownElement("Extra".into())),
        (statement(""), PolicyError::Effect),
        (statement(r#""Effect":"Maybe""#), PolicyError::Effect),
        (statement(r#""Effect":"Allow","Action":"kms:*","Resource":"*""#), PolicyError::NoPrincipal),
        (statement(r#""Effect":"Allow","Principal":"*","Resource":"*""#), PolicyError::NoAction),
        (statement(r#""Effect":"Deny","Principal":"*","Action":"kms:*""#), PolicyError::NoResource),
        (with(r#""NotAction":"kms:Encrypt""#), PolicyError::InvalidElement("Action")),
        (with(r#""Effect":"Deny""#), PolicyError::NotJson),
        (with(r#""Conditions":{}"#), PolicyError::UnknownElement("Conditions".into())),
        (with(r#""Condition":{"StringMatches":{"a":"b"}}"#), PolicyError::ConditionOperator("StringMatches".into())),
        (
            with(r#""Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}"#),
            PolicyError::ConditionValue("10.0.0.0/33".into()),
        ),
        (
            with(r#""Condition":{"ForAllValues:StringEquals":{"kms:EncryptionContext:a":"b"}}"#),
            PolicyError::OverlyPermissiveContext,
        ),
        (
            with(r#""Condition":{"ForAllValues:StringEquals":{"AWS:RequestTag/a":"b"}}"#),
            PolicyError::OverlyPermissiveTag,
        ),
        (
            with(r#""Condition":{"StringEquals":{"aws:ResourceTag/a":"b"}}"#),
            PolicyError::IdentityConditionKey("aws:ResourceTag/a".into()),
        ),
        (
            with(r#""Condition":{"ForAnyValue:StringLike":{"kms:ResourceAliases":"alias/a"}}"#),
            PolicyError::IdentityConditionKey("kms:ResourceAliases".into()),
        ),
        (with(r#""Condition":{"StringLike":{"aws:UserAgent":"${aws:username}"}}"#), PolicyError::VariableVersion),
        (with(r#""Sid":7"#), PolicyError::InvalidElement("Sid")),
        (with(r#""sid":"x""#), PolicyError::UnknownElement("sid".into())),
        (action("7"), PolicyError::InvalidElement("Action")),
        (action("[]"), PolicyError::InvalidElement("Action")),
        (action(r#""Decrypt""#), PolicyError::NoVendor),
        (action(r#""kms:""#), PolicyError::NoVendor),
        (action(r#""kms:De crypt""#), PolicyError::NoVendor),
        (action(r#""kms:${aws:username}""#), PolicyError::NoVendor),
        (deny(r#""arn:aws:s3:::bucket/*""#), PolicyError::InvalidElement("Resource")),
        (deny(r#"["*x","*"]"#), PolicyError::InvalidElement("Resource")),
        (deny(r#""arn:aws:kms:us-east-1:111122223333:alias/a""#), PolicyError::InvalidElement("Resource")),
        (deny("[]"), PolicyError::InvalidElement("Resource")),
        (principal("{}"), PolicyError::NoPrincipal),
        (principal(r#""ada""#), PolicyError::InvalidPrincipal),
        (principal(r#"{"AWS":"ada"}"#), PolicyError::InvalidPrincipal),
        (principal(r#"{"Group":"x"}"#), PolicyError::InvalidPrincipal),
        (principal("null"), PolicyError::NoPrincipal),
        (principal("[]"), PolicyError::InvalidPrincipal),
        (principal(r#"["*"]"#), PolicyError::InvalidPrincipal),
        (principal(r#"{"AWS":[]}"#), PolicyError::NoPrincipal),
        (principal(r#"{"AWS":null}"#), PolicyError::InvalidPrincipal),
        (principal(r#"{"AWS":[["*"]]}"#), PolicyError::InvalidPrincipal),
        (principal(r#"{"Service":"*"}"#), PolicyError::InvalidPrincipal),
        (principal(r#"{"AWS":"AIDAEXAMPLEEXAMPLE000"}"#), PolicyError::InvalidPrincipal),
        (principal(r#"{"AWS":"11112222333"}"#), PolicyError::InvalidPrincipal),
        (principal(r#"{"AWS":"arn:aws:iam::111122223333:root/x"}"#), PolicyError::InvalidArn),
        (principal(r#"{"AWS":"arn:aws:iam::111122223333:user/"}"#), PolicyError::InvalidArn),
        (principal(r#"{"AWS":"arn:aws:iam::111122223333:user//ada"}"#), PolicyError::InvalidArn),
        (principal(r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/Builder"}"#), PolicyError::InvalidArn),
        (principal(r#"{"AWS":"arn:aws-cn:iam::111122223333:user/ada"}"#), PolicyError::InvalidArn),
        (principal(r#"{"AWS":"arn:aws:iam::111122223333:group/x"}"#), PolicyError::InvalidArn),
        (principal(r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#), PolicyError::InvalidArn),
        (principal(r#"{"AWS":"arn:aws:iam::1:user/ada"}"#), PolicyError::InvalidArn),
    ];
    for (text, error) in cases {
        assert_eq!(parse(&text).err(), Some(error), "{text}");
    }
}

#[test]
fn each_kind_of_document_has_its_own_elements() {
    let identity = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"AWS":"111122223333"}}}"#;
    PolicyDocument::parse(identity, DocumentKind::Identity).unwrap();
    assert_eq!(PolicyDocument::parse(identity, DocumentKind::Key), Err(PolicyError::NoPrincipal));
    PolicyDocument::parse(trust, DocumentKind::Trust).unwrap();
    PolicyDocument::parse(trust, DocumentKind::Identity).unwrap_err();
    assert_eq!(PolicyDocument::parse(trust, DocumentKind::Key), Err(PolicyError::NoResource));
    let alias_tag =
        identity.replace(r#""Resource""#, r#""Condition":{"StringEquals":{"aws:ResourceTag/a":"b"}},"Resource""#);
    PolicyDocument::parse(&alias_tag, DocumentKind::Identity).unwrap();
    let spaced = identity.replace(r#""Effect""#, r#""Sid":"a b","Effect""#);
    assert_eq!(PolicyDocument::parse(&spaced, DocumentKind::Identity), Err(PolicyError::InvalidElement("Sid")));
}

#[test]
fn size_is_bounded() {
    assert_eq!(parse(&" ".repeat(DOCUMENT_BYTES_MAX + 1)), Err(PolicyError::TooLong));
    assert_eq!(parse(&"?".repeat(QUESTION_MARKS_MAX + 1)), Err(PolicyError::TooLong));
    assert_eq!(parse(&"?".repeat(QUESTION_MARKS_MAX)), Err(PolicyError::NotJson));
    assert_eq!(parse(&"[".repeat(10_000)), Err(PolicyError::NotJson));
}

#[test]
fn principals_can_be_listed() {
    let document = r#"{"Statement":[{"Effect":"Deny","Action":"kms:*","Resource":"*","NotPrincipal":{"AWS":[
        "111122223333","arn:aws:iam::111122223333:role/path/Builder"],"Service":"s3.amazonaws.com"}}]}"#;
    let document = parse(document).unwrap();
    assert_eq!(document.principal_arns().collect::<Vec<_>>(), ["arn:aws:iam::111122223333:role/path/Builder"]);
}

#[test]
fn one_statement_may_stand_without_a_list_and_texts_may_be_escaped() {
    let escaped = r#" {"Version":"2012-10-17","Id":"x","Statement":{"\u0045ffect":"Allow","Principal":{"AWS":"*"},
        "Action":"kms:\u0044ecrypt","Resource":"*","Condition":{}}} "#;
    let plain = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":["KMS:decrypt"],"Resource":["*"]}]}"#;
    assert_eq!(parse(escaped).unwrap(), parse(plain).unwrap());
}
