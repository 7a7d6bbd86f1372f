//! Checks of tags that CreateKey, ReplicateKey and TagResource share.

use crate::KmsError;
use kms_types::limits;
use std::collections::BTreeSet;

/// Checks the tags of one request: AWS's `TagException` texts.
pub(crate) fn check_tags(tags: &[(String, String)]) -> Result<(), KmsError> {
    let reserved = |key: &str| key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"));
    if tags.iter().any(|(key, _)| reserved(key)) {
        return Err(KmsError::Tag("Tags beginning with aws: are reserved"));
    }
    if tags.iter().map(|(key, _)| key).collect::<BTreeSet<_>>().len() != tags.len() {
        return Err(KmsError::Tag("Duplicate tag keys"));
    }
    if tags.len() > limits::TAGS_PER_KEY_MAX {
        return Err(KmsError::Tag("Too many tags"));
    }
    Ok(())
}
