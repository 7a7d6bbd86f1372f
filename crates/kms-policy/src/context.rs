//! What a request brings with it: the values of condition keys.

use std::collections::BTreeMap;

/// The condition keys of one request. Only what a policy asks for is looked up, so a source may compute each value when
/// it is asked.
pub trait Context {
    /// The values of a condition key, whose name comes in lower case; `None` when the request has no such key. A
    /// single-valued key has one value; a multi-valued one may be there and empty.
    fn values(&self, key: &str) -> Option<Vec<String>>;
}

/// Condition keys that are known beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<String, Vec<String>>);

impl Facts {
    /// With a condition key; names are compared without regard to case.
    #[must_use]
    pub fn with<T: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = T>) -> Self {
        self.0.insert(key.to_ascii_lowercase(), values.into_iter().map(Into::into).collect());
        self
    }
}

impl Context for Facts {
    fn values(&self, key: &str) -> Option<Vec<String>> {
        self.0.get(key).cloned()
    }
}
