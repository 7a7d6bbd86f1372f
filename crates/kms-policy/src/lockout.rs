//! The policy lockout safety check of CreateKey, ReplicateKey and PutKeyPolicy: whoever installs a key policy must be able to
//! replace it.

use crate::decision::{AccessRequest, PolicySource, judge};
use crate::document::PolicyDocument;

/// The name of the one policy that a key has, to which the check looks.
const DEFAULT_POLICY_NAME: &str = "default";

/// Whether a key policy lets the caller put the next one: a statement allows it to the caller, to its role, to its account
/// (which leaves it to identity policies) or to everybody, and none denies it.
///
/// Conditions are judged as for a later PutKeyPolicy of the same caller under the circumstances of `request`, without the
/// bypass; its action does not matter, and of its policies only whether there is a permission boundary. For a role session both the role and the session count (not documented). `key_arn` is
/// the ARN of the key, or of the key that is to be.
#[must_use]
pub fn may_put_next_policy(document: &PolicyDocument, key_arn: &str, request: &AccessRequest<'_>) -> bool {
    let context = request.context.to_put_next_policy(DEFAULT_POLICY_NAME);
    let request = AccessRequest { context: &context, policies: request.policies };
    let said = judge(&request, document, Some(key_arn), || PolicySource::Key);
    said.deny.is_none() && said.allow.is_some()
}

#[cfg(test)]
mod tests;
