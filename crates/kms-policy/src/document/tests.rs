use super::*;
use kms_types::AccountId;

#[test]
fn default_policy_is_a_policy() {
    let account = AccountId::parse("111122223333").unwrap();
    assert_eq!(check_document(&crate::default_key_policy(&account)), Ok(()));
}

#[test]
fn documents_without_form_are_refused() {
    let statement = |members: &str| format!(r#"{{"Statement":[{{{members}}}]}}"#);
    let complete = r#""Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*""#;
    let with = |more: &str| statement(&format!("{complete},{more}"));
    let principal =
        |text: &str| statement(&format!(r#""Effect":"Allow","Action":"kms:*","Resource":"*","Principal":{text}"#));
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
            PolicyError::OverlyPermissive("kms:EncryptionContext:a".into()),
        ),
        (principal("{}"), PolicyError::NoPrincipal),
        (principal(r#""ada""#), PolicyError::InvalidPrincipal),
        (principal(r#"{"AWS":"ada"}"#), PolicyError::InvalidPrincipal),
        (principal(r#"{"Group":"x"}"#), PolicyError::InvalidPrincipal),
        (principal(r#"{"AWS":"arn:aws:iam::111122223333:group/x"}"#), PolicyError::InvalidArn),
        (principal(r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#), PolicyError::InvalidArn),
        (principal(r#"{"AWS":"arn:aws:iam::1:user/ada"}"#), PolicyError::InvalidArn),
    ];
    for (text, error) in cases {
        assert_eq!(check_document(&text), Err(error), "{text}");
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
    assert!(matches!(
        PolicyDocument::parse(&" ".repeat(DOCUMENT_BYTES_MAX + 1), DocumentKind::Key),
        Err(PolicyError::TooLong)
    ));
}
