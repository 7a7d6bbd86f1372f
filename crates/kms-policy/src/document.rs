//! Policy documents: parsed and compiled once, when they are put (IAM User Guide, "IAM JSON policy elements reference";
//! AWS KMS Developer Guide, "Elements in a key policy").

use crate::PolicyError;
use crate::json::Json;
use crate::statement::Statement;

/// Largest document, in bytes; longer ones are refused before they are read.
pub const DOCUMENT_BYTES_MAX: usize = 131_072;

/// Most question marks in a document. As a wildcard each costs a pass over the text that it is compared with.
const QUESTION_MARKS_MAX: usize = 1_000;

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

impl PolicyDocument {
    /// Parses and compiles a document.
    ///
    /// Statements of key policies without Action or Resource are refused: AWS documents them as ineffective, and a
    /// statement that silently does nothing is worse than an error. For the same reason whatever is not understood is
    /// refused: elements, operators, condition keys, variables.
    ///
    /// # Errors
    /// The first [`PolicyError`].
    pub fn parse(text: &str, kind: DocumentKind) -> Result<Self, PolicyError> {
        if text.len() > DOCUMENT_BYTES_MAX || text.bytes().filter(|byte| *byte == b'?').count() > QUESTION_MARKS_MAX {
            return Err(PolicyError::TooLong);
        }
        let Ok(Json::Object(members)) = Json::parse(text) else { return Err(PolicyError::NotJson) };
        let (mut variables, mut listed) = (false, None);
        for (name, value) in &members {
            match (name.as_str(), value) {
                // Policy variables came with the second version.
                ("Version", Json::Text(version)) if version == "2012-10-17" => variables = true,
                ("Version", Json::Text(version)) if version == "2008-10-17" => {}
                ("Version", _) => return Err(PolicyError::Version),
                ("Id", Json::Text(_)) => {}
                ("Id", _) => return Err(PolicyError::InvalidElement("Id")),
                ("Statement", value) => listed = Some(value),
                (other, _) => return Err(PolicyError::UnknownElement(other.to_owned())),
            }
        }
        let mut statements = Vec::new();
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

    /// Stands for a stored document that no longer parses: it denies everything, because a Deny of its author's may be what
    /// cannot be read.
    #[must_use]
    pub fn unreadable() -> Self {
        Self { statements: vec![Statement::deny_all("The policy cannot be read")] }
    }

    /// The ARNs of users, roles and sessions that the document names as principals.
    pub fn principal_arns(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().filter_map(|statement| statement.principals.as_ref()).flat_map(|named| named.arns())
    }
}

#[cfg(test)]
mod tests;
