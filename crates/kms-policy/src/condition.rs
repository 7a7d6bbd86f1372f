//! Conditions: an operator, a condition key, and the values that it is compared with (IAM User Guide, "IAM JSON policy
//! elements: Condition operators" and "Multivalued context keys").

mod operator;
mod value;

use crate::PolicyError;
use crate::context::Context;
use crate::json::Json;
use operator::{Comparison, Operator, Quantifier};
use value::Value;

/// Most conditions in one statement; the model's documents of 32 KiB hold fewer that mean anything.
const CONDITIONS_MAX: usize = 1_000;

/// One condition of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    operator: Operator,
    /// In lower case.
    key: String,
    values: Vec<Value>,
}

impl Condition {
    /// Reads the `Condition` element: operators, then keys, then values. All of them must hold.
    pub(crate) fn parse_block(block: &Json, variables: bool) -> Result<Vec<Self>, PolicyError> {
        let Json::Object(operators) = block else { return Err(PolicyError::InvalidElement("Condition")) };
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let operator = Operator::parse(name).ok_or_else(|| PolicyError::ConditionOperator(name.clone()))?;
            let Json::Object(keys) = keys else { return Err(PolicyError::InvalidElement("Condition")) };
            for (key, values) in keys {
                conditions.push(Self::parse(operator, key, values, variables)?);
            }
        }
        if conditions.len() > CONDITIONS_MAX {
            return Err(PolicyError::InvalidElement("Condition"));
        }
        Ok(conditions)
    }

    fn parse(operator: Operator, key: &str, values: &Json, variables: bool) -> Result<Self, PolicyError> {
        if key.is_empty() {
            return Err(PolicyError::InvalidElement("Condition"));
        }
        let lower = key.to_ascii_lowercase();
        if operator.quantifier == Some(Quantifier::All) && is_single_valued(&lower) {
            return Err(PolicyError::OverlyPermissive(key.to_owned()));
        }
        let read = |value: &Json| {
            let text = value.scalar().ok_or(PolicyError::InvalidElement("Condition"))?;
            Value::parse(operator.comparison, &text, variables).ok_or(PolicyError::ConditionValue(text))
        };
        let values = values.one_or_many().iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { operator, key: lower, values })
    }

    /// Whether the condition holds for a request.
    pub(crate) fn holds(&self, context: &dyn Context) -> bool {
        let given = context.values(&self.key);
        if self.operator.comparison == Comparison::Null {
            let missing = given.is_none_or(|values| values.is_empty());
            return self.values.contains(&Value::Boolean(missing));
        }
        let one = |given: &String| {
            let any = self.values.iter().any(|value| value.compares(self.operator.comparison, given, context));
            any != self.operator.negated
        };
        match (given, self.operator.quantifier) {
            (None, _) if self.operator.if_exists => true,
            (None, None) => self.operator.negated,
            // Nothing given: "all" holds of nothing, "any" does not.
            (None, Some(quantifier)) => quantifier == Quantifier::All,
            (Some(values), Some(Quantifier::All)) => values.iter().all(one),
            (Some(values), Some(Quantifier::Any)) => values.iter().any(one),
            // A key with several values and no quantifier: a negated operator must hold for every one of them.
            (Some(values), None) if self.operator.negated => values.iter().all(one),
            (Some(values), None) => values.iter().any(one),
        }
    }
}

/// Condition keys for which AWS KMS refuses `ForAllValues`: they have one value, and the operator would hold for every
/// request that has none (AWS KMS Developer Guide, "AWS KMS condition keys").
fn is_single_valued(key: &str) -> bool {
    key.starts_with("kms:encryptioncontext:") || key.starts_with("aws:requesttag/")
}

#[cfg(test)]
mod tests;
