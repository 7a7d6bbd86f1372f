//! What list operations share: the bounds of the API model, and the end of a page. The service has tighter bounds for
//! some operations.

use crate::json::{MARKER, Members, Object};

pub(super) fn limit(members: &mut Members<'_>) -> Option<u32> {
    members.integer("Limit", 1..=1000)
}

pub(super) fn marker(members: &mut Members<'_>) -> Option<String> {
    members.text("Marker", &MARKER)
}

/// `Truncated` is always there, `NextMarker` only when it is true.
pub(super) fn write_end(object: &mut Object<'_>, next_marker: Option<&str>) {
    object.optional_text("NextMarker", next_marker);
    object.boolean("Truncated", next_marker.is_some());
}
