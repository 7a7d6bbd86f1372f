//! Conditions: an operator, a condition key, and the values that it is compared with (IAM User Guide, "IAM JSON policy
//! elements: Condition operators" and "Multivalued context keys").
//!
//! Most comparisons say yes or no. Those that cannot (a request gives a text where a number is due, a variable without a
//! value where a value must differ, more values than are compared) never help the caller: the condition of an Allow does
//! not hold then, and that of a Deny does.

mod operator;
mod value;

use crate::PolicyError;
use crate::condition_key::ConditionKey;
use crate::json::Json;
use crate::pattern::{Syntax, Verdict};
use crate::request::{Fact, RequestContext, VALUES_MAX};
use crate::statement::Effect;
use operator::{Comparison, Operator, Quantifier};
use value::Value;

/// Most conditions in one statement; a document of 32 KiB holds few more.
const CONDITIONS_MAX: usize = 1_000;

/// One condition of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    operator: Operator,
    key: ConditionKey,
    values: Box<[Value]>,
}

impl Condition {
    /// Reads the `Condition` element: operators, then keys, then values. All of them must hold.
    pub(crate) fn parse_block(block: &Json, syntax: Syntax) -> Result<Vec<Self>, PolicyError> {
        let Json::Object(operators) = block else { return Err(PolicyError::InvalidElement("Condition")) };
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let operator = Operator::parse(name).ok_or_else(|| PolicyError::ConditionOperator(name.clone()))?;
            // An operator without a key is a condition that somebody meant to write.
            let Json::Object(keys) = keys else { return Err(PolicyError::InvalidElement("Condition")) };
            if keys.is_empty() {
                return Err(PolicyError::InvalidElement("Condition"));
            }
            for (key, values) in keys {
                conditions.push(Self::parse(operator, key, values, syntax)?);
            }
        }
        if conditions.len() > CONDITIONS_MAX {
            return Err(PolicyError::InvalidElement("Condition"));
        }
        Ok(conditions)
    }

    fn parse(operator: Operator, name: &str, values: &Json, syntax: Syntax) -> Result<Self, PolicyError> {
        if !name.contains(':') {
            return Err(PolicyError::NoVendor);
        }
        let key = ConditionKey::parse(name).ok_or_else(|| PolicyError::ConditionKey(name.to_owned()))?;
        if key.is_for_identity_policies() && !syntax.identity_keys {
            return Err(PolicyError::IdentityConditionKey(name.to_owned()));
        }
        if operator.quantifier == Some(Quantifier::All) {
            // For these two AWS KMS refuses the operator: it would hold for every request without the key.
            match key {
                ConditionKey::EncryptionContext(_) => return Err(PolicyError::OverlyPermissiveContext),
                ConditionKey::RequestTag(_) => return Err(PolicyError::OverlyPermissiveTag),
                _ => {}
            }
        }
        let read = |value: &Json| {
            let text = value.scalar().ok_or(PolicyError::InvalidElement("Condition"))?;
            Value::parse(operator.comparison, &text, syntax)
        };
        let values = values.one_or_many().iter().map(read).collect::<Result<Box<[_]>, _>>()?;
        if values.is_empty() {
            return Err(PolicyError::InvalidElement("Condition"));
        }
        Ok(Self { operator, key, values })
    }

    /// Whether the condition holds for a request, in a statement of this effect.
    pub(crate) fn holds(&self, effect: Effect, context: &RequestContext<'_>) -> bool {
        if self.operator.comparison == Comparison::Null {
            let mut count = 0_usize;
            context.visit(&self.key, &mut |_| count += 1);
            return self.values.contains(&Value::Boolean(count == 0));
        }
        let mut tally = Tally::default();
        let is_present = context.visit(&self.key, &mut |fact| tally.add(self.judge(fact, context, tally.count)));
        let verdict = match self.operator.quantifier {
            _ if !is_present && self.operator.if_exists => Some(true),
            Some(Quantifier::All) => tally.all(),
            Some(Quantifier::Any) => tally.any(),
            // Nothing to compare with: what must differ does.
            None if tally.count == 0 => Some(self.operator.negated),
            // A key with several values wants a quantifier. Without one they must all suit an Allow, and one is enough for
            // a Deny (not documented).
            None => match effect {
                Effect::Allow => tally.all(),
                Effect::Deny => tally.any(),
            },
        };
        verdict.unwrap_or(effect == Effect::Deny)
    }

    /// Whether one value of the request suits the operator; nothing when it cannot be said.
    fn judge(&self, fact: Fact<'_>, context: &RequestContext<'_>, earlier: usize) -> Option<bool> {
        if earlier >= VALUES_MAX || fact == Fact::Excess {
            return None;
        }
        let (mut comparable, mut resolved) = (true, true);
        for value in &self.values {
            match value.compare(self.operator.comparison, fact, context) {
                Verdict::Matches => return Some(!self.operator.negated),
                Verdict::Differs => {}
                Verdict::Incomparable => comparable = false,
                Verdict::Unresolved => resolved = false,
            }
        }
        // A variable without a value equals nothing. That something differs from it cannot be said.
        let known = comparable && (resolved || !self.operator.negated);
        known.then_some(self.operator.negated)
    }
}

/// How many values suit, do not suit, and cannot be judged.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: usize,
    suit: usize,
    unknown: usize,
}

impl Tally {
    fn add(&mut self, judgement: Option<bool>) {
        self.count += 1;
        match judgement {
            Some(true) => self.suit += 1,
            Some(false) => {}
            None => self.unknown += 1,
        }
    }

    const fn all(&self) -> Option<bool> {
        if self.suit == self.count {
            Some(true)
        } else if self.suit + self.unknown == self.count {
            None
        } else {
            Some(false)
        }
    }

    const fn any(&self) -> Option<bool> {
        if self.suit > 0 {
            Some(true)
        } else if self.unknown > 0 {
            None
        } else {
            Some(false)
        }
    }
}

#[cfg(test)]
mod tests;
