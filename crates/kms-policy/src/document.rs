//! Policy documents: parsed and compiled once, when they are put (IAM User Guide, "IAM JSON policy elements reference";
//! AWS KMS Developer Guide, "Elements in a key policy").

use crate::json::Json;
use crate::statement::Statement;

/// Largest document, in bytes; longer ones are refused before they are read.
pub const DOCUMENT_BYTES_MAX: usize = 131_072;

/// Where a document applies, which decides what its statements must and must not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// A key policy: names principals.
    Key,
    /// An identity policy, permission boundary or session policy: belongs to its principal and names none.
    Identity,
    /// A role's trust policy: names principals and no resource.
    Trust,
}

/// A compiled policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDocument {
    pub(crate) statements: Vec<Statement>,
}

/// Why a text is not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
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
    /// An action that is not `service:Name`.
    #[error("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")]
    ActionForm,
    /// A statement without a resource.
    #[error("Missing required field Resource")]
    NoResource,
    /// A condition operator that does not exist.
    #[error("Invalid Condition type : {0}.")]
    ConditionOperator(String),
    /// A condition value that its operator cannot compare with.
    #[error("Policy contains a condition value that does not fit its operator: {0}")]
    ConditionValue(String),
    /// `ForAllValues` with a condition key that has one value: it is true for every request without the key.
    #[error(
        "OverlyPermissiveCondition: Using ForAllValues with the single-valued condition key {0} is overly permissive."
    )]
    OverlyPermissive(String),
}

impl PolicyDocument {
    /// Parses and compiles a document.
    ///
    /// Statements of key policies without Action or Resource are refused: AWS documents them as ineffective, and a
    /// statement that silently does nothing is worse than an error.
    ///
    /// # Errors
    /// The first [`PolicyError`].
    pub fn parse(text: &str, kind: DocumentKind) -> Result<Self, PolicyError> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(PolicyError::TooLong);
        }
        let Ok(Json::Object(members)) = Json::parse(text) else { return Err(PolicyError::NotJson) };
        let (mut variables, mut statements) = (false, Vec::new());
        for (name, value) in &members {
            match (name.as_str(), value) {
                // Policy variables came with the second version; in the first, `${` means itself.
                ("Version", Json::Text(version)) if version == "2012-10-17" => variables = true,
                ("Version", Json::Text(version)) if version == "2008-10-17" => {}
                ("Version", _) => return Err(PolicyError::Version),
                ("Id", Json::Text(_)) => {}
                ("Id", _) => return Err(PolicyError::InvalidElement("Id")),
                ("Statement", _) => {}
                (other, _) => return Err(PolicyError::UnknownElement(other.to_owned())),
            }
        }
        let listed = members.iter().find(|(name, _)| name == "Statement").map(|(_, value)| value);
        for value in listed.ok_or(PolicyError::NoStatement)?.one_or_many() {
            let Json::Object(members) = value else { return Err(PolicyError::NoStatement) };
            statements.push(Statement::parse(members, kind, variables)?);
        }
        if statements.is_empty() {
            return Err(PolicyError::NoStatement);
        }
        let mut sids: Vec<&str> = statements.iter().filter_map(|s| s.sid.as_deref()).collect();
        sids.sort_unstable();
        // Key policies may repeat a Sid; identity policies may not (IAM User Guide, "Sid").
        if kind != DocumentKind::Key && sids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(PolicyError::DuplicateSid);
        }
        Ok(Self { statements })
    }

    /// The ARNs of users, roles and sessions that the document names as principals.
    pub fn principal_arns(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().filter_map(|statement| statement.principals.as_ref()).flat_map(|named| named.arns())
    }
}

/// Checks the form of a key policy document. Does not evaluate it.
///
/// # Errors
/// As [`PolicyDocument::parse`].
pub fn check_document(text: &str) -> Result<(), PolicyError> {
    PolicyDocument::parse(text, DocumentKind::Key).map(drop)
}

#[cfg(test)]
mod tests;
