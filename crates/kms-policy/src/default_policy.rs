//! The key policy of a key that was created without one.

use kms_types::{AccountId, PARTITION};

/// The default key policy, in the layout that AWS KMS stores (AWS KMS Developer Guide, "Default key policy"): it hands
/// access decisions to the account's identity policies.
#[must_use]
pub fn default_key_policy(account: &AccountId) -> String {
    let root = format!("arn:{PARTITION}:iam::{account}:root");
    [
        "{",
        "  \"Version\" : \"2012-10-17\",",
        "  \"Id\" : \"key-default-1\",",
        "  \"Statement\" : [ {",
        "    \"Sid\" : \"Enable IAM User Permissions\",",
        "    \"Effect\" : \"Allow\",",
        &format!("    \"Principal\" : {{ \"AWS\" : \"{root}\" }},"),
        "    \"Action\" : \"kms:*\",",
        "    \"Resource\" : \"*\"",
        "  } ]",
        "}",
    ]
    .join("\n")
}
