//! Whether a text has the form of a key policy document (AWS KMS Developer Guide, "Elements in a key policy").

use serde_json::Value;

/// Why a text is not a key policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not JSON, or not an object.
    #[error("Policy document is not valid JSON.")]
    NotJson,
    /// A version other than the two that exist.
    #[error("Policy document has an unsupported version.")]
    Version,
    /// No statement, or a statement that is not an object.
    #[error("Policy document must contain at least one statement.")]
    NoStatement,
    /// An effect other than Allow and Deny.
    #[error("Policy contains a statement with an invalid effect.")]
    Effect,
    /// A statement that names nobody.
    #[error("Policy contains a statement with no principal.")]
    NoPrincipal,
    /// A statement without an action.
    #[error("Missing required field Action")]
    NoAction,
    /// A statement without a resource.
    #[error("Missing required field Resource")]
    NoResource,
}

/// Checks the form of a key policy document. Does not evaluate it.
///
/// Statements without Action or Resource are refused: AWS documents them as ineffective, and a statement that silently
/// does nothing is worse than an error.
///
/// # Errors
/// The first [`PolicyError`].
pub fn check_document(text: &str) -> Result<(), PolicyError> {
    let document: Value = serde_json::from_str(text).map_err(|_invalid| PolicyError::NotJson)?;
    let document = document.as_object().ok_or(PolicyError::NotJson)?;
    match document.get("Version").map(Value::as_str) {
        None | Some(Some("2012-10-17" | "2008-10-17")) => {}
        Some(_) => return Err(PolicyError::Version),
    }
    let statements = match document.get("Statement") {
        Some(Value::Array(list)) if !list.is_empty() => list.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => return Err(PolicyError::NoStatement),
    };
    statements.into_iter().try_for_each(check_statement)
}

fn check_statement(statement: &Value) -> Result<(), PolicyError> {
    let statement = statement.as_object().ok_or(PolicyError::NoStatement)?;
    let has = |names: [&str; 2]| names.iter().any(|name| statement.get(*name).is_some_and(|v| !v.is_null()));
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err(PolicyError::Effect);
    }
    if !has(["Principal", "NotPrincipal"]) {
        return Err(PolicyError::NoPrincipal);
    }
    if !has(["Action", "NotAction"]) {
        return Err(PolicyError::NoAction);
    }
    if !has(["Resource", "NotResource"]) {
        return Err(PolicyError::NoResource);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_types::AccountId;

    #[test]
    fn default_policy_is_a_policy() {
        let account = AccountId::parse("111122223333").unwrap();
        assert_eq!(check_document(&crate::default_key_policy(&account)), Ok(()));
    }

    #[test]
    fn documents_without_form_are_refused() {
        let cases = [
            ("", PolicyError::NotJson),
            ("[]", PolicyError::NotJson),
            ("{}", PolicyError::NoStatement),
            (r#"{"Version":"1999-01-01","Statement":[]}"#, PolicyError::Version),
            (r#"{"Statement":[{}]}"#, PolicyError::Effect),
            (r#"{"Statement":[{"Effect":"Allow"}]}"#, PolicyError::NoPrincipal),
            (r#"{"Statement":[{"Effect":"Allow","Principal":"*"}]}"#, PolicyError::NoAction),
            (r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"kms:*"}}"#, PolicyError::NoResource),
        ];
        for (text, error) in cases {
            assert_eq!(check_document(text), Err(error), "{text}");
        }
    }
}
