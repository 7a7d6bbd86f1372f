//! Whether a key policy could let somebody act at all: the question of the policy lockout safety check.
//!
//! This is not an evaluation: conditions and Deny statements are not looked at. It only finds documents in which no
//! statement could ever admit the caller, which is how people lock themselves out.

use kms_types::{AccountId, PARTITION};
use serde_json::Value;

/// Whether some Allow statement names the action and the caller: its ARN, its account (which then delegates to identity
/// policies), or everybody. `document` has passed [`crate::check_document`].
#[must_use]
pub fn may_admit(document: &str, action: &str, account: &AccountId, caller_arn: &str) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(document) else { return false };
    let statements = match document.get("Statement") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => return false,
    };
    statements.iter().any(|statement| {
        statement.get("Effect").and_then(Value::as_str) == Some("Allow")
            && names_action(statement, action)
            && names_caller(statement, account, caller_arn)
    })
}

fn names_action(statement: &Value, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let matches = |value: &Value| texts(value).any(|pattern| wildcard(&pattern.to_ascii_lowercase(), &action));
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), _) => matches(actions),
        (None, Some(others)) => !matches(others),
        (None, None) => false,
    }
}

fn names_caller(statement: &Value, account: &AccountId, caller_arn: &str) -> bool {
    let root = format!("arn:{PARTITION}:iam::{account}:root");
    let is_caller = |text: &str| text == "*" || text == root || text == account.as_str() || text == caller_arn;
    let names = |value: &Value| match value {
        Value::Object(kinds) => kinds.get("AWS").is_some_and(|value| texts(value).any(is_caller)),
        other => texts(other).any(is_caller),
    };
    match (statement.get("Principal"), statement.get("NotPrincipal")) {
        (Some(principals), _) => names(principals),
        (None, Some(others)) => !names(others),
        (None, None) => false,
    }
}

/// A text, or the texts of a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().filter_map(Value::as_str)
}

/// Matches `*` (any characters) and `?` (one character). Linear in the product of the lengths.
fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for &symbol in pattern {
        let before = reached.clone();
        for at in 0..reached.len() {
            let step = at > 0 && before[at - 1] && (symbol == b'?' || symbol == text[at - 1]);
            reached[at] = if symbol == b'*' { before[at] || (at > 0 && reached[at - 1]) } else { step };
        }
    }
    reached[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(statement: &str) -> bool {
        let account = AccountId::parse("111122223333").unwrap();
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        may_admit(&document, "kms:PutKeyPolicy", &account, "arn:aws:iam::111122223333:user/ada")
    }

    #[test]
    fn statement_for_the_account_or_the_caller_admits() {
        for principal in [
            r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
            r#"{"AWS":["arn:aws:iam::444455556666:root","111122223333"]}"#,
            r#"{"AWS":"arn:aws:iam::111122223333:user/ada"}"#,
            r#""*""#,
        ] {
            for action in [r#""kms:*""#, r#""*""#, r#"["kms:Encrypt","kms:Put*"]"#, r#""KMS:PutKeyPolic?""#] {
                let statement = format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":{action}}}"#);
                assert!(admits(&statement), "{statement}");
            }
        }
    }

    #[test]
    fn statement_that_leaves_the_caller_out_does_not_admit() {
        for statement in [
            r#"{"Effect":"Deny","Principal":"*","Action":"kms:*"}"#,
            r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"kms:*"}"#,
            r#"{"Effect":"Allow","Principal":{"Service":"*"},"Action":"kms:*"}"#,
            r#"{"Effect":"Allow","Principal":"*","Action":["kms:Encrypt","kms:PutKey"]}"#,
            r#"{"Effect":"Allow","Principal":"*","NotAction":"kms:Put*"}"#,
            r#"{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"kms:*"}"#,
        ] {
            assert!(!admits(statement), "{statement}");
        }
    }
}
