//! Pages of list operations.
//!
//! A page starts after the last item of the page before, by the order of the items' own names, so items that come or go
//! meanwhile neither hide others nor show them twice. A marker says which operation and which request it belongs to and
//! is refused elsewhere. It holds no secret and needs no protection: whoever makes one up may only see what the
//! request's caller may see anyway.

use crate::KmsError;
use crate::error::Validation;

/// Version of the marker's form.
const VERSION: &str = "1";

/// The range of `Limit` and its default; AWS's differ by operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    max: u32,
    default: u32,
}

impl Limits {
    /// Of ListKeys, ListKeyPolicies and ListKeyRotations.
    pub(crate) const KEYS: Self = Self { max: 1000, default: 100 };
    /// Of ListAliases.
    pub(crate) const ALIASES: Self = Self { max: 100, default: 50 };
    /// Of ListGrants and ListRetirableGrants.
    pub(crate) const GRANTS: Self = Self { max: 100, default: 50 };
    /// Of ListResourceTags.
    pub(crate) const TAGS: Self = Self { max: 50, default: 50 };

    /// How many items the caller wants.
    pub(crate) fn size(self, limit: Option<u32>) -> Result<usize, KmsError> {
        let limit = limit.unwrap_or(self.default);
        Validation::check_range(limit, "limit", 1..=self.max)?;
        usize::try_from(limit).map_err(|_opaque| KmsError::Internal)
    }
}

/// The pages of one list: an operation and what distinguishes this request from others, in printable ASCII.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages<'a> {
    pub(crate) operation: &'static str,
    pub(crate) scope: &'a str,
}

impl Pages<'_> {
    /// The marker that continues after the item with this name.
    pub(crate) fn marker(&self, last: &str) -> String {
        // Code points rather than bytes: the longest name, a tag key of 128 characters, then fits the 1024 characters
        // that a marker may have, and only ASCII occurs.
        let position: Vec<String> = last.chars().map(|c| format!("{:x}", u32::from(c))).collect();
        format!("{VERSION}/{}/{}/{}", self.operation, self.scope, position.join("."))
    }

    /// The name after which the page starts.
    pub(crate) fn after(&self, marker: Option<&str>) -> Result<Option<String>, KmsError> {
        let Some(marker) = marker else { return Ok(None) };
        let character = |hex: &str| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
        let position = marker
            .strip_prefix(VERSION)
            .and_then(|rest| rest.strip_prefix('/')?.strip_prefix(self.operation))
            .and_then(|rest| rest.strip_prefix('/')?.strip_prefix(self.scope)?.strip_prefix('/'))
            .ok_or(KmsError::InvalidMarker)?;
        let name: Option<String> = position.split('.').map(character).collect();
        name.map(Some).ok_or(KmsError::InvalidMarker)
    }

    /// Takes one page of `size` items from those that come after the marker, and the marker of the next page if there
    /// is one.
    pub(crate) fn take<T>(
        &self,
        size: usize,
        items: impl Iterator<Item = T>,
        name: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let mut items = items.peekable();
        let page: Vec<T> = items.by_ref().take(size).collect();
        let next = items.peek().and_then(|_| page.last()).map(|last| self.marker(&name(last)));
        (page, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: Pages<'static> = Pages { operation: "ListThings", scope: "111122223333" };

    #[test]
    fn marker_leads_back_to_its_name() {
        for name in ["alias/a", "Straße", "日本 語", "😀", "a.b/c"] {
            let marker = PAGES.marker(name);
            assert!(marker.bytes().all(|c| c.is_ascii_graphic()), "{marker}");
            assert_eq!(PAGES.after(Some(&marker)), Ok(Some(name.to_owned())));
        }
    }

    #[test]
    fn longest_tag_key_fits_into_a_marker() {
        let key_id = "mrk-1234abcd12ab34cd56ef1234567890ab";
        let pages = Pages { operation: "ListResourceTags", scope: key_id };
        assert!(pages.marker(&"\u{10fffd}".repeat(128)).len() <= 1024);
    }

    #[test]
    fn marker_of_another_request_is_invalid() {
        let marker = PAGES.marker("x");
        for other in [Pages { operation: "ListOther", ..PAGES }, Pages { scope: "444455556666", ..PAGES }] {
            assert_eq!(other.after(Some(&marker)), Err(KmsError::InvalidMarker));
        }
        for bad in
            ["", "x", "1/ListThings/111122223333/", "2/ListThings/111122223333/61", "1/ListThings/111122223333/zz"]
        {
            assert_eq!(PAGES.after(Some(bad)), Err(KmsError::InvalidMarker), "{bad}");
        }
    }

    #[test]
    fn pages_join_up_without_gap_or_overlap() {
        let all: Vec<u32> = (0..7).collect();
        let (first, next) = PAGES.take(3, all.iter().copied(), ToString::to_string);
        assert_eq!((first, next.is_some()), (vec![0, 1, 2], true));
        let (last, next) = PAGES.take(4, all.iter().copied().skip(3), ToString::to_string);
        assert_eq!((last, next), (vec![3, 4, 5, 6], None));
    }

    #[test]
    fn limit_out_of_range_is_named_with_the_operations_own_maximum() {
        let text = |limits: Limits, limit| limits.size(Some(limit)).unwrap_err().to_string();
        assert_eq!(
            text(Limits::ALIASES, 101),
            "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: Member must have value \
             less than or equal to 100"
        );
        assert_eq!(
            text(Limits::TAGS, 0),
            "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value \
             greater than or equal to 1"
        );
        assert_eq!(Limits::KEYS.size(None), Ok(100));
        assert_eq!(Limits::KEYS.size(Some(1000)), Ok(1000));
    }
}
