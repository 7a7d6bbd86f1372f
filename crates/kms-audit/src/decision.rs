//! Which rule decided on a request. Operators see it in the record; the caller is never told.

use crate::json::JsonLine;
use crate::record::NAME_BYTES_MAX;

/// Most statements in a record: a decision rests on a key policy and an identity policy at most.
const STATEMENTS_MAX: usize = 4;

/// An authorisation decision.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// Whether the request was allowed.
    pub allowed: bool,
    /// The rule, in a word of the evaluation's own: `KeyPolicy`, `Grant`, `ExplicitDeny`, …
    pub rule: &'static str,
    /// The grant, when one decided.
    pub grant_id: Option<&'a str>,
    /// The statements that decided.
    pub statements: &'a [Statement<'a>],
}

/// A policy statement by its place.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// The kind of policy: `Key`, `Identity`, `Boundary`, `Session`.
    pub policy_type: &'static str,
    /// The policy's name, where it has one.
    pub policy_name: Option<&'a str>,
    /// Position among the policy's statements, from zero.
    pub index: u64,
    /// The statement's `Sid`.
    pub sid: Option<&'a str>,
}

impl Decision<'_> {
    /// Writes the member `decision`.
    pub(crate) fn write(&self, line: &mut JsonLine) {
        line.open("decision");
        line.flag("allowed", self.allowed);
        line.word("rule", self.rule);
        if let Some(grant_id) = self.grant_id {
            line.text("grantId", grant_id, NAME_BYTES_MAX);
        }
        if !self.statements.is_empty() {
            line.open_list("statements");
            for statement in self.statements.iter().take(STATEMENTS_MAX) {
                statement.write(line);
            }
            line.close_list();
        }
        line.close();
    }
}

impl Statement<'_> {
    fn write(&self, line: &mut JsonLine) {
        line.open_item();
        line.word("policyType", self.policy_type);
        if let Some(name) = self.policy_name {
            line.text("policyName", name, NAME_BYTES_MAX);
        }
        line.number("index", self.index);
        if let Some(sid) = self.sid {
            line.text("sid", sid, NAME_BYTES_MAX);
        }
        line.close();
    }
}
