//! Patterns of ARNs: compared segment by segment, so that a wildcard never reaches across a colon into another account
//! or Region (IAM User Guide, "IAM JSON policy elements: Resource" and "ARN condition operators"). The last segment, the
//! resource, may itself hold colons.

use crate::PolicyError;
use crate::pattern::{Pattern, Syntax, Verdict};
use crate::request::RequestContext;

const SEGMENTS: usize = 6;

/// `*`, or a pattern of an ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArnPattern {
    Any,
    /// One pattern for each segment.
    Segments(Box<[Pattern; SEGMENTS]>),
    /// A resource with fewer segments, in which a `*` stands for several.
    Short(Pattern),
    /// A variable that may hold a whole ARN, which is compared as it is.
    Whole(Pattern),
}

impl ArnPattern {
    /// Reads the value of an ARN condition: `*`, an ARN with all its segments, or a text that begins with a variable.
    /// Anything else would equal nothing, and a Deny that equals nothing is a hole.
    ///
    /// # Errors
    /// [`PolicyError::ConditionValue`], or as [`Pattern::glob`].
    pub(crate) fn parse_value(text: &str, syntax: Syntax) -> Result<Self, PolicyError> {
        match Self::parse_segments(text, syntax)? {
            Some(pattern) => Ok(pattern),
            None if text.starts_with("${") => Pattern::plain(text, syntax).map(Self::Whole),
            None => Err(PolicyError::ConditionValue(text.to_owned())),
        }
    }

    /// Reads a `Resource`: `*`, an ARN with all its segments, or one with fewer in which a `*` ends a segment and so reaches
    /// over the colons behind it, as in `arn:aws:kms:us-east-1:*`.
    ///
    /// # Errors
    /// [`PolicyError::InvalidElement`], or as [`Pattern::glob`].
    pub(crate) fn parse_resource(text: &str, syntax: Syntax) -> Result<Self, PolicyError> {
        match Self::parse_segments(text, syntax)? {
            Some(pattern) => Ok(pattern),
            None if text.starts_with("arn:") && (text.contains("*:") || text.ends_with('*')) => {
                Pattern::glob(text, syntax).map(Self::Short)
            }
            None => Err(PolicyError::InvalidElement("Resource")),
        }
    }

    fn parse_segments(text: &str, syntax: Syntax) -> Result<Option<Self>, PolicyError> {
        if text == "*" {
            return Ok(Some(Self::Any));
        }
        // The last segment names the resource; without it the pattern equals nothing.
        let pieces = split(text);
        let is_arn = pieces.first() == Some(&"arn") && pieces.last().is_some_and(|last| !last.is_empty());
        if pieces.len() != SEGMENTS || !is_arn {
            return Ok(None);
        }
        let patterns = pieces.into_iter().map(|piece| Pattern::glob(piece, syntax)).collect::<Result<Vec<_>, _>>()?;
        Ok(<Box<[Pattern; SEGMENTS]>>::try_from(patterns.into_boxed_slice()).ok().map(Self::Segments))
    }

    pub(crate) const fn is_any(&self) -> bool {
        matches!(self, Self::Any)
    }

    /// Whether a key could have an ARN that the pattern matches.
    pub(crate) fn may_be_key(&self) -> bool {
        match self {
            Self::Segments(patterns) => {
                let [_, _, service, _, _, resource] = &**patterns;
                service.matches_plainly("kms") && resource.may_begin_with("key/")
            }
            Self::Any | Self::Short(_) | Self::Whole(_) => true,
        }
    }

    pub(crate) fn compare(&self, arn: &str, context: &RequestContext<'_>) -> Verdict {
        match self {
            Self::Any => Verdict::Matches,
            Self::Segments(patterns) => {
                let mut segments = arn.splitn(SEGMENTS, ':');
                for pattern in patterns.iter() {
                    let Some(segment) = segments.next() else { return Verdict::Differs };
                    match pattern.compare(segment, context) {
                        Verdict::Matches => {}
                        other => return other,
                    }
                }
                Verdict::Matches
            }
            Self::Short(pattern) | Self::Whole(pattern) => pattern.compare(arn, context),
        }
    }
}

/// Cuts at colons outside of `${…}`, six pieces at most.
fn split(text: &str) -> Vec<&str> {
    let mut is_inside = false;
    let mut before = ' ';
    let outside = |symbol: char| {
        is_inside = (is_inside || (before == '$' && symbol == '{')) && symbol != '}';
        before = symbol;
        symbol == ':' && !is_inside
    };
    text.splitn(SEGMENTS, outside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Facts;
    use crate::test_requests::{SYNTAX, with_request};

    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/mrk-1";

    fn check(pattern: &ArnPattern, arn: &str, expected: bool, text: &str) {
        with_request(&Facts::default(), |context| {
            assert_eq!(pattern.compare(arn, context) == Verdict::Matches, expected, "{text}");
        });
    }

    #[test]
    fn wildcards_stay_within_their_segment() {
        let cases = [
            ("*", true),
            (KEY, true),
            ("arn:aws:kms:*:111122223333:key/mrk-1", true),
            ("arn:aws:kms:*:*:key/*", true),
            ("arn:aws:kms:us-*:111122223333:*", true),
            ("arn:aws:kms:us-*-1:????????????:key/mrk-?", true),
            ("arn:aws:kms:eu-*:111122223333:key/mrk-1", false),
            ("arn:aws:kms:*:key/mrk-1:*:*", false),
            ("arn:aws:kms:us-east-1:${aws:PrincipalAccount}:key/*", true),
            ("arn:aws:kms:us-east-1:111122223333:alias/*", false),
            ("arn:aws:kms:us-east-1:111122223333:key/${aws:username}", false),
        ];
        for (text, expected) in cases {
            check(&ArnPattern::parse_resource(text, SYNTAX).unwrap(), KEY, expected, text);
            check(&ArnPattern::parse_value(text, SYNTAX).unwrap(), KEY, expected, text);
        }
    }

    #[test]
    fn a_short_resource_needs_a_wildcard_that_ends_a_segment() {
        for (text, expected) in [
            ("arn:aws:kms:*", true),
            ("arn:aws:kms:us-east-1:*", true),
            ("arn:aws:kms:*:key/mrk-1", true),
            ("arn:aws:kms:eu-west-1:*", false),
            ("arn:*", true),
        ] {
            check(&ArnPattern::parse_resource(text, SYNTAX).unwrap(), KEY, expected, text);
            assert!(ArnPattern::parse_value(text, SYNTAX).is_err(), "{text}");
        }
        for text in
            ["", "x", "ar*", "kms:*", "arn:aws:kms", "arn:aws:k*s:us-east-1", "arn:aws:kms:us-east-1:1:", "key/*"]
        {
            assert_eq!(
                ArnPattern::parse_resource(text, SYNTAX),
                Err(PolicyError::InvalidElement("Resource")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_variable_may_hold_a_whole_arn_in_a_condition() {
        let pattern = ArnPattern::parse_value("${aws:PrincipalArn}", SYNTAX).unwrap();
        check(&pattern, "arn:aws:iam::111122223333:user/ada", true, "its own");
        check(&pattern, KEY, false, "another");
        ArnPattern::parse_resource("${aws:PrincipalArn}", SYNTAX).unwrap_err();
    }

    #[test]
    fn patterns_that_no_key_has_are_told() {
        for (text, expected) in [
            ("*", true),
            ("arn:aws:kms:*:*:key/*", true),
            ("arn:aws:kms:*:*:k*", true),
            ("arn:aws:*:*:*:*", true),
            ("arn:aws:kms:*:*:${aws:username}", true),
            ("arn:aws:kms:*", true),
            ("arn:aws:kms:*:*:alias/*", false),
            ("arn:aws:kms:*:*:mrk-1", false),
            ("arn:aws:s3:::bucket/*", false),
        ] {
            assert_eq!(ArnPattern::parse_resource(text, SYNTAX).unwrap().may_be_key(), expected, "{text}");
        }
    }
}
