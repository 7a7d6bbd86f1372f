//! The members of CreateGrant and RetireGrant that no other operation has.

use super::{Members, find, list, numbered, read_choice, read_pairs};
use crate::json::constraint::{GRANT_TOKEN, SOURCE_ARN};
use crate::json::value::Json;
use kms_service::operations::grants::GrantConstraints;
use kms_types::GrantOperation;
use std::collections::{BTreeMap, BTreeSet};

impl Members<'_> {
    /// `GrantToken`.
    pub(crate) fn grant_token(&mut self) -> Option<String> {
        self.text("GrantToken", &GRANT_TOKEN)
    }

    /// `Operations`, which must be there.
    pub(crate) fn grant_operations(&mut self) -> BTreeSet<GrantOperation> {
        let name = "Operations";
        self.require(name);
        let Some(elements) = list(&self.entries, name, &mut self.faults) else { return BTreeSet::new() };
        let elements = numbered(self.path(name), elements);
        let listed = GrantOperation::ALL.map(GrantOperation::as_str);
        let parse = |value: &str| GrantOperation::parse(value).ok();
        let read = |(path, value): (String, &Json<'_>)| read_choice(value, &path, &listed, parse, &mut self.faults);
        elements.filter_map(read).collect()
    }

    /// `Constraints`; absent equals empty.
    pub(crate) fn grant_constraints(&mut self) -> GrantConstraints {
        let read = |inner: &mut Self| GrantConstraints {
            encryption_context_equals: inner.pairs("EncryptionContextEquals"),
            encryption_context_subset: inner.pairs("EncryptionContextSubset"),
            source_arn: inner.text("SourceArn", &SOURCE_ARN),
        };
        self.structure("Constraints", read).unwrap_or_default()
    }

    fn pairs(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        let value = find(&self.entries, name)?;
        Some(read_pairs(value, &mut self.faults))
    }
}
