//! Why a text is not a policy. The texts are AWS's where they are known (KMS and IAM); the rest say what is wrong.

/// Why a text is not a policy. AWS KMS answers `MalformedPolicyDocumentException`, except where noted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Longer than [`crate::DOCUMENT_BYTES_MAX`], or with more than 1,000 question marks.
    #[error("Policy document is too long.")]
    TooLong,
    /// Not JSON, not an object, or an object that names a member twice.
    #[error("Policy document is not valid JSON.")]
    NotJson,
    /// A version other than the two that exist.
    #[error("Policy document has an unsupported version.")]
    Version,
    /// No statement, or a statement that is not an object.
    #[error("Policy document must contain at least one statement.")]
    NoStatement,
    /// An element that policies of this kind do not have.
    #[error("Policy contains an element that is not supported: {0}")]
    UnknownElement(String),
    /// An element with a value of another form than it must have.
    #[error("Policy contains an invalid {0} element.")]
    InvalidElement(&'static str),
    /// Two statements with one `Sid`.
    #[error("Statement IDs (SID) in a single policy must be unique.")]
    DuplicateSid,
    /// An effect other than Allow and Deny.
    #[error("Policy contains a statement with an invalid effect.")]
    Effect,
    /// A statement that names nobody.
    #[error("Policy contains a statement with no principal.")]
    NoPrincipal,
    /// A principal that cannot exist.
    #[error("Policy contains a statement with one or more invalid principals.")]
    InvalidPrincipal,
    /// A malformed ARN as principal, or one that cannot be a principal; AWS answers `InvalidArnException`.
    #[error("An ARN in the specified key policy is invalid.")]
    InvalidArn,
    /// A statement without an action.
    #[error("Missing required field Action")]
    NoAction,
    /// A statement without a resource.
    #[error("Missing required field Resource")]
    NoResource,
    /// An action or a condition key that is not `service:Name`.
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    NoVendor,
    /// A condition operator that does not exist.
    #[error("Invalid Condition type : {0}.")]
    ConditionOperator(String),
    /// A condition key of `kms:` or `aws:` that does not exist.
    #[error("Policy has an invalid condition key: {0}")]
    ConditionKey(String),
    /// A condition key that has no effect in a key policy.
    #[error("Condition key {0} is effective in IAM policies only.")]
    IdentityConditionKey(String),
    /// A condition value that its operator cannot compare with.
    #[error("Policy contains a condition value that does not fit its operator: {0}")]
    ConditionValue(String),
    /// A text with a policy variable that is malformed, unknown, or has several values.
    #[error("Policy contains an invalid policy variable: {0}")]
    Variable(String),
    /// A policy variable in a document whose version does not have them.
    #[error("Policy variables need the policy version 2012-10-17.")]
    VariableVersion,
    /// `ForAllValues` with `kms:EncryptionContext:…`, which would hold for every request without the pair.
    #[error(
        "OverlyPermissiveCondition:EncryptionContext: Using the ForAllValues set operator with a single-valued condition \
         key matches requests without the specified encryption context or with an unspecified encryption context. To \
         fix, remove ForAllValues."
    )]
    OverlyPermissiveContext,
    /// `ForAllValues` with `aws:RequestTag/…`, which would hold for every request without the tag. The second word of the
    /// text is inferred from the one for encryption contexts.
    #[error(
        "OverlyPermissiveCondition:RequestTag: Using the ForAllValues set operator with a single-valued condition key \
         matches requests without the specified tag or with an unspecified tag. To fix, remove ForAllValues."
    )]
    OverlyPermissiveTag,
}
