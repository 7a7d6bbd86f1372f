//! Key policies that were compiled lately. Most keys of an account have one and the same policy: a million keys then share
//! one compiled document, and a start compiles it once.

use crate::entry::compile;
use kms_policy::PolicyDocument;
use std::collections::VecDeque;
use std::sync::Arc;

/// Documents that are remembered, each of at most 32 KB; enough for the default policies of as many accounts.
const REMEMBERED_MAX: usize = 16;

/// The documents compiled last, by their text.
#[derive(Debug, Default)]
pub(crate) struct CompiledPolicies(VecDeque<(String, Arc<PolicyDocument>)>);

impl CompiledPolicies {
    /// The compiled form of a key policy. One that no longer parses denies everything.
    pub(crate) fn compiled(&mut self, text: &str) -> Arc<PolicyDocument> {
        if let Some((_, document)) = self.0.iter().find(|(known, _)| known == text) {
            return Arc::clone(document);
        }
        if self.0.len() >= REMEMBERED_MAX {
            self.0.pop_front();
        }
        let document = Arc::new(compile(text));
        self.0.push_back((text.to_owned(), Arc::clone(&document)));
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_policy::default_key_policy;
    use kms_types::AccountId;

    fn policy_of(account: usize) -> String {
        default_key_policy(&AccountId::parse(&format!("{account:012}")).unwrap())
    }

    #[test]
    fn equal_texts_share_one_document_and_memory_is_bounded() {
        let mut policies = CompiledPolicies::default();
        let first = policies.compiled(&policy_of(1));
        assert!(Arc::ptr_eq(&first, &policies.compiled(&policy_of(1))));
        for account in 2..=REMEMBERED_MAX + 1 {
            assert_ne!(policies.compiled(&policy_of(account)), first);
        }
        assert_eq!(policies.0.len(), REMEMBERED_MAX);
        let again = policies.compiled(&policy_of(1));
        assert!(again == first && !Arc::ptr_eq(&first, &again));
    }

    #[test]
    fn text_that_does_not_parse_denies_everything() {
        assert_eq!(*CompiledPolicies::default().compiled("{"), PolicyDocument::unreadable());
    }
}
