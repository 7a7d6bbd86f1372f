//! Writing lists of tags.

use crate::json::Object;

pub(super) fn write(object: &mut Object<'_>, name: &str, tags: &[(String, String)]) {
    object.objects(name, tags, |o, (key, value)| {
        o.text("TagKey", key);
        o.text("TagValue", value);
    });
}
