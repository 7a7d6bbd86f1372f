//! Patterns of ARNs: compared segment by segment, so that a wildcard never reaches across a colon into another account
//! or Region (IAM User Guide, "IAM JSON policy elements: Resource" and "ARN condition operators"). The last segment, the
//! resource, may itself hold colons.

use crate::context::Context;
use crate::pattern::Pattern;

const SEGMENTS: usize = 6;

/// `*`, or six patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArnPattern {
    Any,
    Segments(Vec<Pattern>),
    /// Not an ARN: equals nothing that is one.
    Other(Pattern),
}

impl ArnPattern {
    pub(crate) fn parse(text: &str, variables: bool) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let segments = split(text);
        if segments.len() == SEGMENTS {
            Self::Segments(segments.into_iter().map(|segment| Pattern::glob(segment, variables)).collect())
        } else {
            Self::Other(Pattern::glob(text, variables))
        }
    }

    /// Reads a `Resource`: `*`, an ARN with all its segments, or a text that begins with a variable. Anything else would
    /// match nothing, and a Deny that matches nothing is a hole.
    pub(crate) fn parse_resource(text: &str, variables: bool) -> Option<Self> {
        let pattern = Self::parse(text, variables);
        match pattern {
            Self::Other(_) if !(variables && text.starts_with("${")) => None,
            Self::Any | Self::Segments(_) | Self::Other(_) => Some(pattern),
        }
    }

    pub(crate) const fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    pub(crate) fn matches(&self, arn: &str, context: &dyn Context) -> bool {
        match self {
            Self::Any => true,
            Self::Segments(patterns) => {
                let segments = split(arn);
                segments.len() == patterns.len()
                    && patterns.iter().zip(segments).all(|(pattern, segment)| pattern.matches(segment, context))
            }
            // A lone variable may stand for a whole ARN; its value is compared as it is.
            Self::Other(pattern) => pattern.fill(context).is_some_and(|filled| filled == arn),
        }
    }
}

/// Cuts at colons outside of `${…}`, six pieces at most.
fn split(text: &str) -> Vec<&str> {
    let mut pieces = Vec::with_capacity(SEGMENTS);
    let (mut start, mut inside) = (0, false);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if at > 0 && bytes[at - 1] == b'$' => inside = true,
            b'}' => inside = false,
            b':' if !inside && pieces.len() + 1 < SEGMENTS => {
                pieces.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Facts;

    #[test]
    fn wildcards_stay_within_their_segment() {
        let key = "arn:aws:kms:us-east-1:111122223333:key/mrk-1";
        let cases = [
            ("*", true),
            (key, true),
            ("arn:aws:kms:*:111122223333:key/mrk-1", true),
            ("arn:aws:kms:*:*:key/*", true),
            ("arn:aws:kms:us-*:111122223333:*", true),
            ("arn:aws:kms:*:key/mrk-1", false),
            ("arn:aws:kms:*", false),
            ("arn:aws:kms:eu-*:111122223333:key/mrk-1", false),
            ("arn:aws:kms:us-east-1:${aws:PrincipalAccount}:key/*", true),
            ("arn:aws:kms:us-east-1:111122223333:alias/*", false),
        ];
        let facts = Facts::default().with("aws:PrincipalAccount", ["111122223333"]);
        for (pattern, expected) in cases {
            assert_eq!(ArnPattern::parse(pattern, true).matches(key, &facts), expected, "{pattern}");
        }
    }
}
