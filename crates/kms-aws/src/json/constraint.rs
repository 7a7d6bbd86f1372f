//! Constraints of the API model on texts, and the sentences that say that one is violated.

use std::ops::RangeInclusive;

/// Length in UTF-16 units, as the service counts, and form of a text.
#[derive(Debug)]
pub(crate) struct TextConstraint {
    length: RangeInclusive<usize>,
    pattern: Option<Pattern>,
    /// Whether messages leave the value out.
    sensitive: bool,
}

/// A regular expression of the API model, as the service words it, and the same rule as code.
#[derive(Debug)]
struct Pattern {
    text: &'static str,
    matches: fn(&str) -> bool,
}

pub(super) const fn length(length: RangeInclusive<usize>) -> TextConstraint {
    TextConstraint { length, pattern: None, sensitive: false }
}

pub(super) const fn patterned(
    length: RangeInclusive<usize>,
    text: &'static str,
    matches: fn(&str) -> bool,
) -> TextConstraint {
    TextConstraint { length, pattern: Some(Pattern { text, matches }), sensitive: false }
}

/// A text that messages do not repeat.
pub(super) const fn sensitive(constraint: TextConstraint) -> TextConstraint {
    let TextConstraint { length, pattern, sensitive: _ } = constraint;
    TextConstraint { length, pattern, sensitive: true }
}

/// `KeyIdType`.
pub(crate) const KEY_ID: TextConstraint = length(1..=2048);
/// `DescriptionType`.
pub(crate) const DESCRIPTION: TextConstraint = length(0..=8192);
/// `CustomKeyStoreIdType`.
pub(crate) const CUSTOM_KEY_STORE_ID: TextConstraint = length(1..=64);
/// `TagKeyType`.
pub(super) const TAG_KEY: TextConstraint = length(1..=128);
/// `TagValueType`.
pub(super) const TAG_VALUE: TextConstraint = length(0..=256);
/// `GrantTokenType`; whoever holds a token may use it.
pub(super) const GRANT_TOKEN: TextConstraint = TextConstraint { length: 1..=8192, pattern: None, sensitive: true };
/// `XksKeyIdType`.
pub(crate) const XKS_KEY_ID: TextConstraint = patterned(1..=128, "^[a-zA-Z0-9-_.]+$", |value| {
    some_of(value, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
});
/// `AliasNameType`.
pub(crate) const ALIAS_NAME: TextConstraint = patterned(1..=256, "^[a-zA-Z0-9:/_-]+$", |value| {
    some_of(value, |c| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '_' | '-'))
});
/// `PolicyNameType`.
pub(crate) const POLICY_NAME: TextConstraint =
    patterned(1..=128, r"[\w]+", |value| some_of(value, |c| c.is_ascii_alphanumeric() || c == '_'));
/// `PolicyType`.
pub(crate) const POLICY: TextConstraint = patterned(1..=131_072, r"[\u0009\u000A\u000D\u0020-\u00FF]+", |value| {
    some_of(value, |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}'))
});
/// `MarkerType`.
pub(crate) const MARKER: TextConstraint =
    patterned(1..=1024, r"[\u0020-\u00FF]*", |value| value.chars().all(|c| matches!(c, ' '..='\u{ff}')));
/// `GrantIdType`.
pub(crate) const GRANT_ID: TextConstraint = length(1..=128);
/// `GrantNameType`.
pub(crate) const GRANT_NAME: TextConstraint = patterned(1..=256, "^[a-zA-Z0-9:/_-]+$", |value| {
    some_of(value, |c| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '_' | '-'))
});
/// `PrincipalIdType`.
pub(crate) const PRINCIPAL_ID: TextConstraint = patterned(1..=256, r"^[\w+=,.@:/-]+$", |value| {
    some_of(value, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | ':' | '/' | '-'))
});
/// `ServicePrincipalType`.
pub(crate) const SERVICE_PRINCIPAL: TextConstraint =
    patterned(1..=128, r"^([A-Za-z0-9\-]+)\.([A-Za-z0-9\-]+)(\.[A-Za-z0-9\-]+)+$", |value| {
        let label = |part: &str| some_of(part, |c| c.is_ascii_alphanumeric() || c == '-');
        value.split('.').count() >= 3 && value.split('.').all(label)
    });
/// `GrantConstraintSourceArnType`.
pub(crate) const SOURCE_ARN: TextConstraint =
    patterned(20..=512, "^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$", is_source_arn);
/// `KeyMaterialDescriptionType`.
pub(crate) const KEY_MATERIAL_DESCRIPTION: TextConstraint = patterned(0..=256, r"^[a-zA-Z0-9:/_\s.-]+$", |value| {
    let space = |c| matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r');
    some_of(value, |c| c.is_ascii_alphanumeric() || matches!(c, ':' | '/' | '_' | '.' | '-') || space(c))
});
/// `BackingKeyIdType`.
pub(crate) const KEY_MATERIAL_ID: TextConstraint =
    patterned(64..=64, "^[a-f0-9]+$", |value| some_of(value, |c| matches!(c, 'a'..='f' | '0'..='9')));
/// `RegionType`.
pub(super) const REGION: TextConstraint = patterned(1..=32, r"^([a-z]+-){2,3}\d+$", kms_types::RegionName::has_form);

pub(super) fn some_of(value: &str, legal: impl Fn(char) -> bool) -> bool {
    !value.is_empty() && value.chars().all(legal)
}

fn is_source_arn(value: &str) -> bool {
    let lower = |part: &str| part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
    let mut parts = value.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (head, partition, service, region, account, resource) = (next(), next(), next(), next(), next(), next());
    head == "arn"
        && partition.strip_prefix("aws").is_some_and(lower)
        && !service.is_empty()
        && lower(service)
        && lower(region)
        && account.len() == 12
        && account.bytes().all(|c| c.is_ascii_digit())
        // A dot matches no line break.
        && resource.chars().next().is_some_and(|c| c != '\n' && c != '\r')
        && !resource.contains(['\n', '\r'])
}

impl TextConstraint {
    /// Adds a sentence to `faults` for each constraint that the value at `path` violates.
    pub(super) fn check(&self, path: &str, value: &str, faults: &mut Vec<String>) {
        let mut violated = |constraint: String| {
            let shown = if self.sensitive { String::new() } else { format!(" '{value}'") };
            faults.push(sentence(&shown, path, &constraint));
        };
        let (least, most) = (*self.length.start(), *self.length.end());
        // A text has at most as many UTF-16 units as bytes and at least one if it has any, so most need no count.
        let units = if value.len() > most || least > 1 { value.encode_utf16().count() } else { value.len() };
        if units > most {
            violated(length_at_most(most));
        }
        if units < least {
            violated(length_at_least(least));
        }
        if let Some(pattern) = &self.pattern
            && !(pattern.matches)(value)
        {
            violated(format!("Member must satisfy regular expression pattern: {}", pattern.text));
        }
    }
}

/// `Value<shown> at '<path>' failed to satisfy constraint: <constraint>`; `shown` begins with a space unless empty.
pub(super) fn sentence(shown: &str, path: &str, constraint: &str) -> String {
    format!("Value{shown} at '{path}' failed to satisfy constraint: {constraint}")
}

pub(super) fn not_null(path: &str) -> String {
    sentence(" null", path, "Member must not be null")
}

pub(super) fn length_at_most(limit: usize) -> String {
    format!("Member must have length less than or equal to {limit}")
}

pub(super) fn length_at_least(limit: usize) -> String {
    format!("Member must have length greater than or equal to {limit}")
}

pub(super) fn value_at_most(limit: u32) -> String {
    format!("Member must have value less than or equal to {limit}")
}

pub(super) fn value_at_least(limit: u32) -> String {
    format!("Member must have value greater than or equal to {limit}")
}
