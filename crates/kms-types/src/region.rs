//! Region names.

use crate::Invalid;
use std::fmt;
use std::sync::Arc;

/// A Region name such as `eu-west-1`: the pattern of the API model, `^([a-z]+-){2,3}\d+$`, at most 32 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionName(Arc<str>);

impl RegionName {
    /// Parses a Region name.
    ///
    /// # Errors
    /// [`Invalid`] when the value does not match the pattern.
    pub fn parse(value: &str) -> Result<Self, Invalid> {
        if Self::has_form(value) && value.len() <= 32 { Ok(Self(value.into())) } else { Err(Invalid("Region name")) }
    }

    /// Whether the value has the form of a Region name, of whatever length.
    #[must_use]
    pub fn has_form(value: &str) -> bool {
        let mut parts: Vec<&str> = value.split('-').collect();
        let number = parts.pop().unwrap_or_default();
        let word = |p: &&str| !p.is_empty() && p.bytes().all(|c| c.is_ascii_lowercase());
        (2..=3).contains(&parts.len())
            && parts.iter().all(word)
            && !number.is_empty()
            && number.bytes().all(|c| c.is_ascii_digit())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for RegionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_aws_shapes_and_refuses_others() {
        for good in ["us-east-1", "ap-southeast-12", "us-gov-west-1"] {
            assert_eq!(RegionName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "us", "us-1", "us-east-", "US-east-1", "us-east-1a", "a-b-c-d-1", "us--east-1"] {
            assert_eq!(RegionName::parse(bad), Err(Invalid("Region name")), "{bad}");
        }
    }
}
