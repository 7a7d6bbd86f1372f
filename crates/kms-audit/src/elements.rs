//! Parameters and elements of a record: typed values under members of the closed list, always in the order of names.

use crate::Member;
use crate::calendar::element_time;
use crate::json::JsonLine;
use kms_types::{EncryptionContext, Timestamp};
use std::borrow::Cow;

/// Longest text, in bytes as written; beyond it is cut. The longest description and the longest name of the API fit.
const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Longest policy document, in bytes as written: 32 KiB with the escapes of its quotation marks.
const POLICY_BYTES_MAX: usize = 48 * 1024;

/// Values of `requestParameters`, `responseElements` or `additionalEventData`.
///
/// A member that is set twice keeps the last value. Nothing here is secret: there is no member for it ([`Member`]).
#[derive(Clone, Debug, Default)]
pub struct Elements<'a>(Vec<(Member, Value<'a>)>);

#[derive(Clone, Debug)]
enum Value<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Flag(bool),
    Texts(Vec<Cow<'a, str>>),
    Context(&'a EncryptionContext),
    Pairs(Vec<(Cow<'a, str>, Cow<'a, str>)>),
    Object(Elements<'a>),
    Objects(Vec<Elements<'a>>),
}

impl<'a> Elements<'a> {
    /// No elements, shown as `null`.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether nothing has been set.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With a text. A key identifier is given as the caller wrote it.
    #[must_use]
    pub fn text(self, member: Member, value: impl Into<Cow<'a, str>>) -> Self {
        self.with(member, Value::Text(value.into()))
    }

    /// With a number.
    #[must_use]
    pub fn number(self, member: Member, value: u64) -> Self {
        self.with(member, Value::Number(value))
    }

    /// With a truth value.
    #[must_use]
    pub fn flag(self, member: Member, value: bool) -> Self {
        self.with(member, Value::Flag(value))
    }

    /// With an instant, as CloudTrail writes it among elements: `Aug 10, 2022, 10:38:27 PM`.
    #[must_use]
    pub fn time(self, member: Member, value: Timestamp) -> Self {
        self.with(member, Value::Text(element_time(value).into()))
    }

    /// With a list of texts.
    #[must_use]
    pub fn texts<T: Into<Cow<'a, str>>>(self, member: Member, values: impl IntoIterator<Item = T>) -> Self {
        self.with(member, Value::Texts(values.into_iter().map(Into::into).collect()))
    }

    /// With an encryption context, in clear as CloudTrail has it.
    #[must_use]
    pub fn context(self, member: Member, value: &'a EncryptionContext) -> Self {
        self.with(member, Value::Context(value))
    }

    /// With an encryption context that was not read into its type, such as that of a request that is refused.
    #[must_use]
    pub fn pairs<T: Into<Cow<'a, str>>>(self, member: Member, pairs: impl IntoIterator<Item = (T, T)>) -> Self {
        self.with(member, Value::Pairs(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect()))
    }

    /// With an object, such as `keyMetadata`.
    #[must_use]
    pub fn object(self, member: Member, value: Self) -> Self {
        self.with(member, Value::Object(value))
    }

    /// With a list of objects, such as `tags`.
    #[must_use]
    pub fn objects(self, member: Member, values: impl IntoIterator<Item = Self>) -> Self {
        self.with(member, Value::Objects(values.into_iter().collect()))
    }

    fn with(mut self, member: Member, value: Value<'a>) -> Self {
        match self.0.binary_search_by(|(other, _)| other.cmp(&member)) {
            Ok(at) => {
                if let Some(slot) = self.0.get_mut(at) {
                    slot.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (member, value)),
        }
        self
    }

    /// Writes the members into an object that is open.
    pub(crate) fn write(&self, line: &mut JsonLine) {
        for (member, value) in &self.0 {
            let name = member.name();
            match value {
                Value::Text(text) => line.text(name, text, bytes_max(*member)),
                Value::Number(number) => line.number(name, *number),
                Value::Flag(flag) => line.flag(name, *flag),
                Value::Texts(texts) => {
                    line.open_list(name);
                    texts.iter().for_each(|text| line.item(text, TEXT_BYTES_MAX));
                    line.close_list();
                }
                Value::Context(context) => {
                    line.open(name);
                    context.iter().for_each(|(key, value)| line.pair(key, value, TEXT_BYTES_MAX));
                    line.close();
                }
                Value::Pairs(pairs) => {
                    line.open(name);
                    pairs.iter().for_each(|(key, value)| line.pair(key, value, TEXT_BYTES_MAX));
                    line.close();
                }
                Value::Object(elements) => {
                    line.open(name);
                    elements.write(line);
                    line.close();
                }
                Value::Objects(objects) => {
                    line.open_list(name);
                    for elements in objects {
                        line.open_item();
                        elements.write(line);
                        line.close();
                    }
                    line.close_list();
                }
            }
        }
    }
}

fn bytes_max(member: Member) -> usize {
    if member.is_policy() { POLICY_BYTES_MAX } else { TEXT_BYTES_MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_stand_in_the_order_of_their_names_whatever_order_they_were_set_in() {
        let context: EncryptionContext =
            [("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())].into_iter().collect();
        let tag = Elements::new().text(Member::TAG_VALUE, "v").text(Member::TAG_KEY, "k");
        let elements = Elements::new()
            .objects(Member::TAGS, [tag])
            .flag(Member::DRY_RUN, true)
            .text(Member::KEY_ID, "alias/first")
            .context(Member::ENCRYPTION_CONTEXT, &context)
            .texts(Member::OPERATIONS, ["Encrypt", "Decrypt"])
            .number(Member::LIMIT, 7)
            .time(Member::VALID_TO, Timestamp::from_millis(0))
            .object(Member::RECIPIENT, Elements::new())
            .text(Member::KEY_ID, "alias/last");
        let mut line = JsonLine::open_line();
        elements.write(&mut line);
        line.close();
        let expected = concat!(
            r#"{"dryRun":true,"encryptionContext":{"a":"1","b":"2"},"keyId":"alias/last","limit":7,"#,
            r#""operations":["Encrypt","Decrypt"],"recipient":{},"tags":[{"tagKey":"k","tagValue":"v"}],"#,
            r#""validTo":"Jan 1, 1970, 12:00:00 AM"}"#
        );
        assert_eq!(line.into_text(), expected);
    }
}
